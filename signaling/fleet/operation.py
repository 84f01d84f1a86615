"""One REST operation of the fleet: its route and its description for OpenAPI come from the same value."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from kiosk_hub.fleet.permissions import Action, Staff, check
from kiosk_hub.hub import Hub
from room_manager.errors import Invalid, NotAllowed
from signaling.fleet.staff import StaffLogins
from signaling.wire import rest
from signaling.wire.codec import Refused

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
MAX_QUERY_CHARS: Final = 200


class Query(Struct, frozen=True):
    """One parameter after the ``?``. ``kind`` int: ``least`` to ``most``; str: at most ``most``
    characters."""

    name: str
    what: str
    kind: type[int] | type[str] = str
    least: int = 0
    most: int = MAX_QUERY_CHARS
    choices: tuple[str, ...] = ()


class Asked:
    """One request with who asks, the hub, and readers for what it carries."""

    def __init__(self, request: Request, staff: Staff, csrf: str, hub: Hub, operation: "Operation") -> None:
        self.request = request
        self.staff = staff
        self.csrf = csrf
        self.hub = hub
        self._operation = operation

    def path(self, name: str) -> str:
        value: str = self.request.path_params[name]
        return value

    def text(self, name: str, default: str = "") -> str:
        """A query parameter. Raises ``Invalid`` (too long, none of its choices)."""
        query = self._query(name)
        value = self.request.query_params.get(name, default)
        if len(value) > query.most:
            raise Invalid(f"{name}: at most {query.most} characters")
        if value and query.choices and value not in query.choices:
            raise Invalid(f"{name}: one of {', '.join(query.choices)}")
        return value

    def number(self, name: str, default: int) -> int:
        """A whole number in the query. Raises ``Invalid``."""
        query = self._query(name)
        text = self.request.query_params.get(name)
        if text is None:
            return default
        good = text.isascii() and text.isdecimal() and len(text) <= 16
        if not good or not query.least <= int(text) <= query.most:
            raise Invalid(f"{name}: a whole number from {query.least} to {query.most}")
        return int(text)

    async def body(self, kind: type[Any]) -> Any:
        """The body as a struct. Raises ``Refused`` (``bad-json``, ``bad-field``)."""
        try:
            return msgspec.json.decode(await self.request.body(), type=kind)
        except msgspec.ValidationError as error:
            raise Refused("bad-field", str(error).replace("`$.", "`")) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Refused("bad-json", "the body is not JSON") from None

    def _query(self, name: str) -> Query:
        for query in self._operation.query:
            if query.name == name:
                return query
        raise KeyError(name)


class Operation(Struct, frozen=True, kw_only=True):
    """What can be asked, and by whom.

    ``action`` is checked before ``call`` runs, for the role alone; where the act concerns a device,
    ``call`` (or the
    service it asks) checks the district too.
    """

    method: Method
    path: str  # below /api/fleet
    action: Action
    summary: str  # English, one line
    call: Callable[[Asked], Awaitable[object]]
    answer: type[Any] | None  # None: 204, or ``call`` gives a Response of its own (a file)
    body: type[Any] | None = None
    query: tuple[Query, ...] = ()
    status: int = 200
    refusals: tuple[str, ...] = ()  # codes beyond those every operation may give
    media_type: str = "application/json"  # of the answer
    other_media_types: tuple[str, ...] = ()  # of a file that may be of several


def routes(operations: tuple[Operation, ...]) -> list[BaseRoute]:
    """The routes; hub and log-ins are the application's, made when it starts."""

    def endpoint(operation: Operation) -> Callable[[Request], Awaitable[Response]]:
        async def call(request: Request) -> Response:
            hub: Hub | None = getattr(request.app.state, "hub", None)
            logins: StaffLogins | None = getattr(request.app.state, "staff_logins", None)
            if hub is None or logins is None:
                return json(rest.ErrorBody("busy", "the server is starting"), 503)
            staff, csrf = await logins.with_csrf(request)
            try:
                check(staff, operation.action)
                given = await operation.call(Asked(request, staff, csrf, hub, operation))
            except NotAllowed as refusal:
                what = f"{operation.method} {operation.path}"
                await hub.audit.note_refused(staff, what, refusal.code, request.path_params.get("device"))
                raise
            if operation.method != "GET":
                hub.changes.audit_changed()  # whatever it did is in it: pages that show it look again
            if isinstance(given, Response):
                return given
            if operation.answer is None:
                return Response(status_code=204)
            return json(given, operation.status)

        return call

    return [
        Route(f"/api/fleet{operation.path}", endpoint(operation), methods=[operation.method])
        for operation in operations
    ]


def json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
