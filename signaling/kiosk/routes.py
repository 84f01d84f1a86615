"""What devices ask by HTTP, by path."""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from signaling.kiosk import evidence, line_check, rest
from signaling.kiosk.door import Door
from signaling.wire.rest import ErrorBody

Call = Callable[[Door, Request], Awaitable[Response]]

ROUTES: Final[tuple[tuple[str, str, Call], ...]] = (
    ("POST", "/api/kiosk/enrolments", rest.ask_enrolment),
    ("POST", "/api/kiosk/enrolments/{enrolment}/look", rest.look),
    ("POST", "/api/kiosk/tokens/challenge", rest.challenge),
    ("POST", "/api/kiosk/tokens", rest.token),
    ("PUT", "/api/kiosk/evidence/{evidence}", evidence.put_evidence),
    ("GET", "/api/kiosk/line-check", line_check.line_check),
)


def kiosk_routes() -> list[BaseRoute]:
    """The routes; the :class:`Door` is the application's, made when it starts."""

    def bound(call: Call) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            door: Door | None = getattr(request.app.state, "door", None)
            if door is None:
                body = msgspec.json.encode(ErrorBody("busy", "the server is starting"))
                return Response(body, 503, media_type="application/json")
            return await call(door, request)

        return endpoint

    return [Route(path, bound(call), methods=[method]) for method, path, call in ROUTES]
