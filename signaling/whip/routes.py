"""The HTTP of WHIP and WHEP: methods, headers, statuses. What they come to is the service's."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from room_manager.errors import Busy, DomainError
from room_manager.ids import ConnectionId
from room_manager.meeting.values import LinkKind
from signaling import http
from signaling.auth import TooMany, address_of
from signaling.edge import Edge
from signaling.translate import problem_for
from signaling.whip import fragments
from signaling.whip.refusals import RETRY_AFTER_S, STATUS, BadFragment, Unprocessable, WrongType
from signaling.whip.service import Whip
from signaling.whip.session import WhipSession
from signaling.wire import rest

SDP: Final = "application/sdp"

CORS: Final = {
    # Any page may ask: it must show a token, and no cookie goes with the request (RFC 9725, section 4.2).
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "Location, ETag, Link, Retry-After, WWW-Authenticate",
}
PREFLIGHT: Final = {
    "access-control-allow-headers": "Authorization, Content-Type, If-Match",
    "access-control-max-age": "600",
}

Asked = Callable[[Whip, LinkKind, Request], Awaitable[Response]]


async def begin(whip: Whip, kind: LinkKind, request: Request) -> Response:
    """``POST``: 201 with the answer, the session's URL, its entity tag, and relays."""
    _check_type(request, SDP)
    offer = _text(await request.body(), Unprocessable("the session description is not text"))
    begun = await whip.begin(kind, _token(request), address_of(request), offer)
    session = begun.session
    headers = {
        "location": f"/{kind.value}/{session.id}",
        "etag": session.etag,
        **_relays(request, session.connection),
    }
    return Response(begun.answer, 201, headers, media_type=SDP)


async def options(whip: Whip, kind: LinkKind, request: Request) -> Response:
    """What the endpoint takes. A browser asks this before it asks for itself, without the token."""
    relays: dict[str, str] = {}
    if "authorization" in request.headers:
        # RFC 9725, section 4.6: relays are told to whoever may begin a session, since they cost something.
        await whip.identity(kind, _token(request), address_of(request))
        relays = _relays(request, ConnectionId(secrets.token_hex(8)))
    headers = {
        **relays,
        **PREFLIGHT,
        "allow": "OPTIONS, GET, HEAD, POST",
        "access-control-allow-methods": "POST",
        "accept-post": SDP,
    }
    return Response(None, 200, headers)


async def nothing(whip: Whip, kind: LinkKind, request: Request) -> Response:
    """``GET``: the resource has no representation (RFC 9725, section 4.1)."""
    return Response(status_code=204)


async def options_of_session(whip: Whip, kind: LinkKind, request: Request) -> Response:
    headers = {
        **PREFLIGHT,
        "allow": "OPTIONS, GET, HEAD, PATCH, DELETE",
        "access-control-allow-methods": "PATCH, DELETE",
        "accept-patch": fragments.MEDIA_TYPE,
    }
    return Response(None, 200, headers)


async def nothing_of_session(whip: Whip, kind: LinkKind, request: Request) -> Response:
    _session(whip, kind, request)
    return Response(status_code=204)


async def patch(whip: Whip, kind: LinkKind, request: Request) -> Response:
    """``PATCH``: candidates are 204 without an entity tag, an ICE restart is 200 with a new one."""
    session = _session(whip, kind, request)
    _check_type(request, fragments.MEDIA_TYPE)
    text = _text(await request.body(), BadFragment("the SDP fragment is not text"))
    restarted = await whip.patch(session, request.headers.get("if-match"), text)
    if restarted is None:
        return Response(status_code=204)
    return Response(restarted, 200, {"etag": session.etag}, media_type=fragments.MEDIA_TYPE)


async def end(whip: Whip, kind: LinkKind, request: Request) -> Response:
    """``DELETE``: an entity tag is not looked at (RFC 9725, section 4.3.1)."""
    await whip.end(_session(whip, kind, request))
    return Response(status_code=200)


METHODS: Final[Mapping[str, Mapping[str, Asked]]] = {
    "/{kind}": {"POST": begin, "OPTIONS": options, "GET": nothing, "HEAD": nothing},
    "/{kind}/{session}": {
        "PATCH": patch,
        "DELETE": end,
        "OPTIONS": options_of_session,
        "GET": nothing_of_session,
        "HEAD": nothing_of_session,
    },
}


def whip_routes() -> list[BaseRoute]:
    """The routes; the :class:`Whip` is the application's, made when it starts."""
    return [
        Route(path.replace("{kind}", kind.value), _bound(kind, methods), methods=list(methods))
        for kind in (LinkKind.WHIP, LinkKind.WHEP)
        for path, methods in METHODS.items()
    ]


def _bound(kind: LinkKind, methods: Mapping[str, Asked]) -> Callable[[Request], Awaitable[Response]]:
    async def call(request: Request) -> Response:
        whip: Whip | None = getattr(request.app.state, "whip", None)
        edge: Edge | None = getattr(request.app.state, "edge", None)
        try:
            if whip is None or edge is None or not edge.ready:
                raise Busy("the server is starting or stopping")
            response = await methods[request.method](whip, kind, request)
        except DomainError as error:
            if edge is not None:
                edge.metrics.refused.labels(error.code).inc()
            response = refusal(error)
        response.headers.update(CORS)
        return response

    return call


def refusal(error: DomainError) -> Response:
    """The status this protocol asks for, and the body that REST would give."""
    problem = problem_for(error, None)
    status = STATUS.get(problem.code, http.STATUS.get(problem.code, 409))
    headers = {}
    if isinstance(error, TooMany):
        headers["retry-after"] = str(error.retry_after_s)
    elif status in RETRY_AFTER_S and problem.code not in _FOR_GOOD:
        headers["retry-after"] = str(RETRY_AFTER_S[status])
    if status == 401:
        # RFC 6750, section 3: without a token there is no error to name.
        named = "" if problem.code == "no-token" else ', error="invalid_token"'
        headers["www-authenticate"] = f'Bearer realm="diemcau"{named}'
    body = msgspec.json.encode(rest.ErrorBody(problem.code, problem.text))
    return Response(body, status, headers, media_type="application/json")


_FOR_GOOD: Final = frozenset({"ended", "locked"})
"""Asking again soon gives the same refusal."""


def _relays(request: Request, connection: ConnectionId) -> dict[str, str]:
    """Relays with credentials for this connection, as RFC 9725, section 4.6, writes them."""
    edge: Edge = request.app.state.edge
    links = [
        f'<{url}>; rel="ice-server"; username="{relay.username}"; credential="{relay.credential}"; '
        'credential-type="password"'
        for relay in edge.ice_servers(connection)
        for url in relay.urls
    ]
    return {"link": ", ".join(links)} if links else {}


def _session(whip: Whip, kind: LinkKind, request: Request) -> WhipSession:
    return whip.find(kind, request.path_params["session"], _token(request), address_of(request))


def _token(request: Request) -> str:
    """The bearer token; empty: none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _check_type(request: Request, wanted: str) -> None:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != wanted:
        raise WrongType(f"the body must be {wanted}")


def _text(body: bytes, refused: DomainError) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise refused from None
