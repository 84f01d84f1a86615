"""REST: log-in, tickets, meetings, pages of lists, links, health. Each route names its methods."""

import math
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import ClassVar, Final, TypeVar

import msgspec
from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from kiosk_hub.hub import Hub
from kiosk_hub.store.audit import Entry
from room_manager.errors import DomainError, Ended, Invalid, NotAllowed, UnknownSite
from room_manager.ids import HOST, RoomId, SiteId
from room_manager.meeting.values import Device, LinkKind, Role, SiteState
from room_manager.store.meetings import MeetingState
from room_manager.store.stores import Stores
from signaling import metrics as metrics_module
from signaling.auth import Logins, TooMany, address_of, check_origin, window
from signaling.edge import Edge
from signaling.links import LinkFor, LinkMaker, endpoint_url, link_url
from signaling.rights import OFFICIALS
from signaling.rooms import Served
from signaling.tickets import TICKET_LASTS_S
from signaling.tokens import Identity
from signaling.translate import problem_for
from signaling.wire import rest
from signaling.wire.codec import Refused

MAX_PAGE: Final = 100
DEFAULT_PAGE: Final = 50
MAX_QUERY_CHARS: Final = 100

STATUS: Final[Mapping[str, int]] = {
    "bad-json": 400,
    "bad-field": 400,
    "invalid": 400,
    "invalid-utf8": 400,
    "too-big": 413,
    "bad-token": 401,
    "expired": 401,
    "too-early": 401,
    "revoked": 401,
    "not-logged-in": 401,
    "bad-signature": 401,
    "replayed": 401,
    "wrong-password": 401,
    "not-allowed": 403,
    "quarantined": 403,
    "retired": 403,
    "forged": 403,
    "unknown-meeting": 404,
    "unknown-site": 404,
    "unknown-link": 404,
    "unknown-incident": 404,
    "unknown-route": 404,
    "unknown-notice": 404,
    "unknown-enrolment": 404,
    "unknown-code": 404,
    "unknown-recording": 404,
    "unknown-bundle": 404,
    "unknown-rollout": 404,
    "bad-bundle": 422,
    "unsafe-archive": 422,
    "archive-too-big": 422,
    "unknown-device": 404,
    "unknown-account": 404,
    "unknown-view": 404,
    "unknown-command": 404,
    "unknown-bulk": 404,
    "unknown-evidence": 404,
    "same-person": 403,
    "too-many-entries": 413,
    "queue-full": 429,
    "no-still": 404,
    "too-many": 429,
    "locked-out": 429,
    "limit": 503,
    "busy": 503,
    "no-place": 503,
    "not-stored": 503,
    "not-owner": 503,
    "in-doubt": 503,
    "internal": 500,
}
"""A refusal that is not here is about the state of things: 409."""

T = TypeVar("T")


class UnknownLink(DomainError):
    """This meeting has no such link."""

    code: ClassVar[str] = "unknown-link"


class LogIn(Struct, frozen=True):
    name: str
    password: str


class AskTicket(Struct, frozen=True):
    """Either a link's token, or a meeting that the log-in may enter."""

    link: str | None = None
    meeting: RoomId | None = None


class AskLink(Struct, frozen=True):
    ttl_s: float
    role: Role = Role.SITE
    site: SiteId | None = None
    device: Device | None = None
    kind: LinkKind = LinkKind.PAGE


class Api:
    """The routes, over one edge and its stores."""

    def __init__(self, edge: Edge, stores: Stores, links: LinkMaker) -> None:
        self._edge = edge
        self._stores = stores
        self._links = links
        self._logins = Logins(edge, stores)

    # --- log-in ---

    async def log_in(self, request: Request) -> Response:
        check_origin(self._edge, request)
        asked = await _body(request, LogIn)
        response = _json(None)
        account, csrf = await self._logins.log_in(request, asked.name, asked.password, response)
        await _note_in_fleet(request, account.name)
        return _fill(response, _session_answer(account.name, account.display_name, account.role, csrf))

    async def who_am_i(self, request: Request) -> Response:
        login, account = await self._logins.current(request)
        return _json(_session_answer(account.name, account.display_name, account.role, login.csrf))

    async def log_out(self, request: Request) -> Response:
        response = Response(status_code=204)
        await self._logins.log_out(request, response)
        return response

    # --- tickets and meetings ---

    async def ticket(self, request: Request) -> Response:
        check_origin(self._edge, request)
        asked = await _body(request, AskTicket)
        if asked.link is not None:
            who = await self._by_link(request, asked.link)
        elif asked.meeting is not None:
            who = await self._by_login(request, asked.meeting)
        else:
            raise Invalid("link: a link's token or a meeting is needed")
        served = await self._edge.rooms.served(who.meeting)
        if served.fanout.told.ended:
            raise Ended("the meeting is over")
        if who.site is not None and who.site not in served.fanout.told.sites:
            raise UnknownSite("this site is not on the meeting's roster")
        site = served.roll.ref(who.site) if who.site is not None else None
        if not who.name:
            who = msgspec.structs.replace(who, name=site.name if site is not None else who.role.value)
        answer = rest.TicketAnswer(
            ticket=self._edge.tickets.issue(who),
            meeting=who.meeting,
            title=served.fanout.told.title,
            role=who.role,
            site=site,
            expires_at=time.time() + TICKET_LASTS_S,
        )
        return _json(answer)

    async def _by_link(self, request: Request, token: str) -> Identity:
        edge, address = self._edge, address_of(request)
        if not edge.lobby.is_known(address) and not edge.ticket_rate.take(address, edge.monotonic()):
            raise TooMany("too many from your address; wait a moment", 2)
        claims = edge.link_signer.check(token, time.time())
        if claims.kind is not LinkKind.PAGE:
            raise NotAllowed("this token is for an encoder or a player, not for a page")
        who = Identity(
            meeting=claims.meeting,
            role=claims.role,
            site=claims.site,
            device=claims.device,
            name="",
            link=claims.id,
            until=claims.exp,
        )
        await edge.standing.check(who)
        return who

    async def _by_login(self, request: Request, meeting: RoomId) -> Identity:
        login, account = await self._logins.current(request)
        role = await self._stores.accounts.role_in(meeting, account.name)
        if role is None or role is Role.SITE:
            raise NotAllowed("you have no part in this meeting")
        chair = role is Role.CHAIR
        return Identity(
            meeting=meeting,
            role=role,
            site=HOST if chair else None,
            device=Device.PRIMARY if chair else None,
            name=account.display_name,
            account=account.name,
            login=login.token_hash.hex(),
        )

    async def meetings(self, request: Request) -> Response:
        _, account = await self._logins.current(request)
        own = await self._stores.accounts.memberships(account.name)
        found = []
        for row in await self._stores.meetings.list():
            role = own.get(row.id, account.role)
            if role is not None:
                found.append(rest.MeetingSummary(row.id, row.title, MeetingState(row.state).value, role))
        return _json(rest.MeetingsAnswer(tuple(found)))

    # --- a window in a meeting ---

    async def roster(self, request: Request) -> Response:
        served, who = await self._window(request)
        if who.role not in OFFICIALS:
            raise NotAllowed("the roster is for city hall")
        offset, limit = _page(request)
        state = request.query_params.get("state") or None
        if state is not None and state not in list(SiteState):
            raise Invalid("state: no such state")
        found = served.roll.search(
            request.query_params.get("q", "")[:MAX_QUERY_CHARS],
            request.query_params.get("district") or None,
            lambda code: state is None or served.fanout.told.sites[code].state == state,
        )
        sites = tuple(
            served.roll.row(code, served.fanout.presence.row(code)) for code in found[offset : offset + limit]
        )
        return _json(rest.RosterAnswer(served.fanout.seq, len(found), sites))

    async def districts(self, request: Request) -> Response:
        served, _ = await self._window(request)
        return _json(rest.DistrictsAnswer(served.roll.districts()))

    async def hands(self, request: Request) -> Response:
        served, _ = await self._window(request)
        offset, limit = _page(request)
        told = served.fanout.told
        waiting = tuple(served.roll.ref(site) for site in told.hands[offset : offset + limit])
        return _json(rest.HandsAnswer(served.fanout.seq, told.hands_version, len(told.hands), waiting))

    async def links(self, request: Request) -> Response:
        served, who = await self._organiser(request)
        offset, limit = _page(request)
        site = request.query_params.get("site")
        found = await self._stores.links.list(
            who.meeting, datetime.now(UTC), offset, limit, SiteId(site) if site else None
        )
        told = tuple(
            rest.LinkInfo(
                id=link.id,
                role=link.role,
                site=served.roll.ref(link.site) if link.site is not None else None,
                device=link.device,
                kind=link.kind,
                created_at=link.created_at.timestamp(),
                expires_at=link.expires_at.timestamp(),
            )
            for link in found
        )
        return _json(rest.LinksAnswer(told))

    async def make_link(self, request: Request) -> Response:
        served, who = await self._organiser(request)
        asked = await _body(request, AskLink)
        if asked.role not in (Role.SITE, Role.OBSERVER):
            raise NotAllowed("a link made here is for a site or an observer")
        if asked.site is not None and asked.site not in served.fanout.told.sites:
            raise UnknownSite("this site is not on the meeting's roster")
        role = Role.OBSERVER if asked.kind is LinkKind.WHEP else asked.role
        whom = LinkFor(role, asked.site, asked.device, asked.kind)
        link, token = await self._links.make(who.meeting, whom, asked.ttl_s, who.name)
        origin = self._origin(request)
        if asked.kind is LinkKind.PAGE:
            answer = rest.LinkAnswer(link.id, link_url(origin, who.meeting, token), None)
        else:
            answer = rest.LinkAnswer(link.id, endpoint_url(origin, asked.kind), token)
        return _json(answer, 201)

    async def revoke_link(self, request: Request) -> Response:
        _, who = await self._organiser(request)
        link = request.path_params["link"]
        if not await self._stores.links.revoke(who.meeting, link, datetime.now(UTC)):
            raise UnknownLink("this meeting has no such link")
        self._edge.revoke_link(link)
        return Response(status_code=204)

    async def _window(self, request: Request) -> tuple[Served, Identity]:
        meeting = RoomId(request.path_params["meeting"])
        who = await window(self._edge, request, meeting)
        return await self._edge.rooms.served(meeting), who

    async def _organiser(self, request: Request) -> tuple[Served, Identity]:
        if request.method != "GET":
            check_origin(self._edge, request)
        served, who = await self._window(request)
        if who.role not in (Role.CHAIR, Role.OPERATOR):
            raise NotAllowed("links are for the chair and the operator")
        return served, who

    def _origin(self, request: Request) -> str:
        if self._edge.settings.public_origins:
            return self._edge.settings.public_origins[0].rstrip("/")
        return f"{request.scope['scheme']}://{request.headers['host']}"

    # --- health ---

    async def live(self, request: Request) -> Response:
        return _json({"live": True})

    async def ready(self, request: Request) -> Response:
        return _json({"ready": self._edge.ready}, 200 if self._edge.ready else 503)

    async def metrics(self, request: Request) -> Response:
        # Through a proxy that we do not trust, everybody has the proxy's address.
        hidden = "x-forwarded-for" in request.headers and not self._edge.settings.trusted_proxies
        if hidden or not self._edge.monitors.have(address_of(request)):
            raise NotAllowed("metrics are for this machine's monitoring")
        return Response(self._edge.metrics.page(), headers={"content-type": metrics_module.CONTENT_TYPE})


Endpoint = Callable[[Api, Request], Awaitable[Response]]

ROUTES: Final[tuple[tuple[str, str, Endpoint], ...]] = (
    ("GET", "/live", Api.live),
    ("GET", "/ready", Api.ready),
    ("GET", "/metrics", Api.metrics),
    ("POST", "/api/session", Api.log_in),
    ("GET", "/api/session", Api.who_am_i),
    ("DELETE", "/api/session", Api.log_out),
    ("POST", "/api/tickets", Api.ticket),
    ("GET", "/api/meetings", Api.meetings),
    ("GET", "/api/meetings/{meeting}/roster", Api.roster),
    ("GET", "/api/meetings/{meeting}/districts", Api.districts),
    ("GET", "/api/meetings/{meeting}/hands", Api.hands),
    ("GET", "/api/meetings/{meeting}/links", Api.links),
    ("POST", "/api/meetings/{meeting}/links", Api.make_link),
    ("DELETE", "/api/meetings/{meeting}/links/{link}", Api.revoke_link),
)


def api_routes() -> list[BaseRoute]:
    """The routes; the :class:`Api` is the application's, made when it starts."""

    def bound(endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        async def call(request: Request) -> Response:
            api: Api | None = getattr(request.app.state, "api", None)
            if api is None:
                return _json(rest.ErrorBody("busy", "the server is starting"), 503)
            return await endpoint(api, request)

        return call

    return [Route(path, bound(endpoint), methods=[method]) for method, path, endpoint in ROUTES]


async def on_refusal(request: Request, error: Exception) -> Response:
    """A refusal as the client hears it; anything else is ours, and its text stays with us."""
    problem = problem_for(error, None)
    retry_after_s = getattr(error, "retry_after_s", None)
    headers = {"retry-after": str(math.ceil(retry_after_s))} if retry_after_s is not None else None
    field, colon, _ = problem.text.partition(":")
    named = field if colon and problem.code in ("invalid", "bad-field") and " " not in field else None
    edge: Edge | None = getattr(request.app.state, "edge", None)
    if edge is not None:
        edge.metrics.refused.labels(problem.code).inc()
    return _json(
        rest.ErrorBody(problem.code, problem.text, named), STATUS.get(problem.code, 409), headers=headers
    )


async def on_http_error(request: Request, error: Exception) -> Response:
    """No such route, no such method."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    code = {404: "not-found", 405: "method-not-allowed"}.get(status, "refused")
    headers = error.headers if isinstance(error, HTTPException) else None
    return _json(rest.ErrorBody(code, code.replace("-", " ")), status, headers=headers)


async def _note_in_fleet(request: Request, account: str) -> None:
    """Who may touch devices is in the fleet's audit from the log-in on."""
    hub: Hub | None = getattr(request.app.state, "hub", None)
    if hub is not None and await hub.staff.grant_of(account) is not None:
        await hub.audit.note(Entry("log-in", account, address=address_of(request)))


def _session_answer(name: str, display_name: str, role: Role | None, csrf: str) -> rest.SessionAnswer:
    return rest.SessionAnswer(name, display_name, (role.value,) if role is not None else (), csrf)


async def _body(request: Request, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except msgspec.ValidationError as error:
        raise Refused("bad-field", str(error).replace("`$.", "`")) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused("bad-json", "the body is not JSON") from None


def _page(request: Request) -> tuple[int, int]:
    offset = _number(request, "offset", 0, 1_000_000)
    return offset, _number(request, "limit", DEFAULT_PAGE, MAX_PAGE)


def _number(request: Request, name: str, default: int, most: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdecimal() or len(text) > 7 or int(text) > most:
        raise Invalid(f"{name}: a whole number from 0 to {most}")
    return int(text)


def _json(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(value), status, headers, media_type="application/json")


def _fill(response: Response, value: object) -> Response:
    response.body = msgspec.json.encode(value)
    response.headers["content-length"] = str(len(response.body))
    return response
