"""One WebSocket from its first byte to its last: reads, limits, answers, and its end.

What is decided about a message is the session's and the manager's; here is only when, how many, how big,
and what is said when it is too much.
"""

import asyncio
import logging
import secrets
import time
from typing import Final

from starlette.responses import Response
from starlette.websockets import WebSocket

from room_manager.errors import Busy, DomainError, Ended, InDoubt, NotAllowed, NotOwner, NotStored, WrongState
from room_manager.ids import ConnectionId, SiteId
from room_manager.meeting import commands
from room_manager.meeting.member import Member
from room_manager.meeting.permissions import may
from room_manager.meeting.values import Device
from signaling import limits, translate
from signaling.edge import Edge
from signaling.fanout import Fanout
from signaling.frames import text_frame
from signaling.outbox import Outbox
from signaling.receiver import LeaveAction, Receiver
from signaling.session import Session
from signaling.sockets import EXTENSION, Direct
from signaling.standing import Revoked
from signaling.tickets import BadTicket
from signaling.tokens import RESUME_LASTS_S, BadToken, Expired, Identity, ResumeClaims, TooEarly
from signaling.wire import client, codec, server
from signaling.wire.codec import Refused

FEATURES: Final = ("resume", "presence", "media", "content")
END_LIMIT_S: Final = 25.0

CLOSE_CODES: Final = {
    "left": 1000,
    "ended": 1000,
    "shutting-down": 1001,
    "moved": 1012,
    "lagging": 4008,
    "superseded": 4009,
    "revoked": 4403,
}
NO_HELLO: Final = 4001
BAD_CREDENTIALS: Final = 4002
REFUSED: Final = 4003
TRY_AGAIN: Final = 4013
RATE_LIMITED: Final = 4029

_CREDENTIALS: Final = (BadTicket, BadToken, Expired, TooEarly, Revoked)
_PASSING: Final = (Busy, NotStored, InDoubt, NotOwner)
"""Not done, and may be done when asked again: never kept as the answer to a rid."""

log = logging.getLogger(__name__)


async def endpoint(websocket: WebSocket) -> None:
    """``/ws``."""
    edge: Edge = websocket.app.state.edge
    denied = _denial(edge, websocket)
    if denied is not None:
        edge.metrics.refused.labels(denied[1]).inc()
        await websocket.send_denial_response(
            Response(f'{{"code":"{denied[1]}","text":"refused"}}', denied[0], media_type="application/json")
        )
        return
    leave_lobby = edge.lobby.enter(address_of(websocket))
    if leave_lobby is None:
        edge.metrics.refused.labels("busy").inc()
        await websocket.send_denial_response(
            Response('{"code":"busy","text":"too many at the door"}', 503, media_type="application/json")
        )
        return
    edge.metrics.lobby.set(len(edge.lobby))
    try:
        await websocket.accept()
        await Connection(edge, websocket).run(leave_lobby)
    finally:
        leave_lobby()
        edge.metrics.lobby.set(len(edge.lobby))


def address_of(connection: WebSocket) -> str:
    return connection.client.host if connection.client is not None else ""


def _denial(edge: Edge, websocket: WebSocket) -> tuple[int, str] | None:
    if not edge.ready:
        return 503, "shutting-down"
    if not edge.origins.allow(websocket.headers.get("origin"), websocket.headers.get("host", "")):
        return 403, "bad-origin"
    return None


class _Closed(Exception):
    """The socket is gone."""


class Connection:
    """One socket. Its task is :meth:`run`."""

    who: Identity

    def __init__(self, edge: Edge, websocket: WebSocket) -> None:
        self._edge = edge
        self._websocket = websocket
        self._direct: Direct = websocket.scope["extensions"][EXTENSION]
        self._now = asyncio.get_running_loop().time
        self._outbox = Outbox(self._direct, self._now, self._overflow)
        self._rate = limits.Bucket(limits.MESSAGES_PER_S, limits.MESSAGE_BURST, self._now())
        self._offers = limits.Bucket(1 / limits.OFFER_EVERY_S, limits.OFFER_BURST, self._now())
        self._strikes = 0
        self._id = ConnectionId(secrets.token_hex(8))
        self._session: Session | None = None
        self._fanout: Fanout | None = None
        self._receiver: Receiver | None = None
        self._member: Member | None = None
        self._joined = False  # a drop is owed when the socket goes
        self._dismissed = False
        self._direct.on_writable = self._outbox.flush

    @property
    def lag_s(self) -> float:
        return self._outbox.lag_s()

    async def run(self, on_known: object) -> None:
        """Serve the socket until it is closed by whichever side."""
        try:
            if await self._hello():
                if callable(on_known):
                    on_known()
                while True:
                    await self._serve_one()
        except _Closed:
            pass
        except Exception:
            log.exception("! socket %s: a bug", self._id)
            self._direct.close(1011, "internal")
        finally:
            await self._end()

    # --- coming in ---

    async def _hello(self) -> bool:
        try:
            async with asyncio.timeout(limits.HELLO_WITHIN_S):
                message = codec.decode(await self._receive())
        except TimeoutError:
            self._refuse(HelloTimeout("say hello within 5 s"), None, NO_HELLO)
            return False
        except Refused as error:
            self._refuse(error, error.rid, NO_HELLO)
            return False
        if not isinstance(message, client.Hello):
            self._refuse(WrongState("say hello first"), message.rid, NO_HELLO)
            return False
        began = self._now()
        try:
            await self._enter(message)
        except _Closed:
            raise
        except Exception as error:
            if not isinstance(error, DomainError):
                log.exception("! socket %s: entering failed", self._id)
            self._refuse(error, message.rid, _close_code(error))
            return False
        self._edge.metrics.hello_s.observe(self._now() - began)
        return True

    async def _enter(self, hello: client.Hello) -> None:
        edge = self._edge
        now = time.time()
        if hello.ticket is not None:
            session = edge.sessions.begin(edge.tickets.redeem(hello.ticket))
        elif hello.resume is not None:
            claims = edge.resume_signer.check(hello.resume, now)
            session = edge.sessions.resume(claims.session, claims.who)
        else:
            raise Refused("bad-field", "hello needs a ticket or a resume token", hello.rid)
        self.who = who = session.who
        await edge.standing.check(who)
        self._fanout = fanout = await edge.rooms.fanout(who.meeting)
        if fanout.told.ended:
            raise Ended("the meeting is over")

        self._member = member = Member(who.role, who.site, who.name)
        site = member.own_site()
        device = (who.device or Device.PRIMARY) if site is not None else None
        if site is not None and device is not None:
            self._joined = True
            await edge.rooms.manager.submit(who.meeting, commands.Join(site, device, self._id), member)

        # Nothing is awaited from here on, so nobody hears half of it.
        if session.replace is not None:
            session.replace()
        self._session = session
        session.replace = self._superseded
        self._receiver = Receiver(self._id, member, device, self._outbox, self.dismiss)
        edge.add(self)
        resumed = fanout.resumes(hello.have, hello.epoch)
        edge.metrics.joins.labels("resume" if hello.resume else "ticket").inc()
        welcome = server.Welcome(
            rid=hello.rid,
            features=FEATURES,
            epoch=fanout.epoch,
            seq=fanout.seq,
            resumed=resumed,
            resume=edge.resume_signer.sign(ResumeClaims(session.id, who, now + RESUME_LASTS_S)),
            meeting=who.meeting,
            you=server.You(
                role=who.role,
                name=who.name,
                site=fanout.names(site) if site is not None else None,
                device=device,
                may=may(who.role),
            ),
            server_time=now,
        )
        fanout.attach(self._receiver, text_frame(codec.encode(welcome)), hello.have, hello.epoch)

    # --- being there ---

    async def _serve_one(self) -> None:
        """One request, answered before the next is read."""
        raw = await self._receive()
        if not self._rate.take(self._now()):
            self._strikes += 1
            if self._strikes > limits.STRIKES:
                self._close(RATE_LIMITED, "rate-limited")
                return
            self._tell(server.Problem(code="rate-limited", text="too many messages; wait a moment"))
            self._edge.metrics.refused.labels("rate-limited").inc()
            return
        try:
            message = codec.decode(raw)
            answer = await self._answer(message)
        except _Closed:
            raise
        except Exception as error:
            rid = error.rid if isinstance(error, Refused) else message.rid
            if not isinstance(error, DomainError):
                log.exception("! socket %s: a message failed", self._id)
            answer = self._problem(error, rid)
        self._tell(answer)
        if self._session is not None and isinstance(answer, server.Done) and self._leaving(message):
            self.dismiss("disconnect", 0, "left", "you have left")

    def _leaving(self, message: client.ClientMessage) -> bool:
        return isinstance(message, client.Leave)

    async def _answer(self, message: client.ClientMessage) -> server.ServerMessage:
        session, fanout, member = self._session, self._fanout, self._member
        assert session is not None
        assert fanout is not None
        assert member is not None
        assert self._receiver is not None
        match message:
            case client.Ping():
                return server.Pong(rid=message.rid, server_time=time.time())
            case client.Hello():
                raise WrongState("hello was said already")
            case client.Offer():
                return await self._offer(message, member)
            case client.WatchPresence():
                if member.role not in translate.OFFICIALS:
                    raise NotAllowed("presence is for city hall")
                if message.on:
                    fanout.presence.watch(self._receiver)
                else:
                    fanout.presence.unwatch(self._receiver)
                return server.Done(rid=message.rid, seq=fanout.seq)
            case client.DeviceState():
                site = member.own_site()
                if site is None:
                    raise NotAllowed("you stand for no site")
                fanout.presence.set_device(site, message.microphone, message.camera)
                return server.Done(rid=message.rid, seq=fanout.seq)
            case client.Leave():
                return await session.once(message.rid, lambda: self._leave(message, member))
            case _:
                return await session.once(message.rid, lambda: self._command(message, member))

    async def _command(self, message: client.ClientMessage, member: Member) -> server.ServerMessage:
        """Done, or a refusal that would be the same if asked again."""
        try:
            command = translate.command_for(message, member)
            seq = await self._edge.rooms.manager.submit(self.who.meeting, command, member)
        except _PASSING:
            raise
        except DomainError as error:
            return self._problem(error, message.rid)
        return server.Done(rid=message.rid, seq=seq)

    async def _leave(self, message: client.Leave, member: Member) -> server.ServerMessage:
        site = member.own_site()
        assert self._fanout is not None
        seq = self._fanout.seq
        if site is not None:
            leave = commands.Leave(site, self._id)
            seq = await self._edge.rooms.manager.submit(self.who.meeting, leave, member)
        self._joined = False
        return server.Done(rid=message.rid, seq=seq)

    async def _offer(self, message: client.Offer, member: Member) -> server.ServerMessage:
        if not self._offers.take(self._now()):
            raise Busy("too many offers; wait two seconds")
        source: SiteId | None = member.own_site()
        answer = await self._edge.rooms.manager.offer(self.who.meeting, self._id, source, message.sdp)
        return server.Answer(rid=message.rid, sdp=answer.sdp, slots=answer.slots)

    # --- going ---

    def dismiss(self, action: LeaveAction, retry_after_ms: int, code: str, text: str) -> None:
        """Say ``leave`` and close; what was waiting for a slow line is dropped."""
        if self._dismissed:
            return
        self._dismissed = True
        if code != "lagging" and code != "revoked":
            # The room knows, or must not hear of it: the site keeps its place over a restart.
            self._joined = self._joined and code not in (
                "superseded",
                "left",
                "ended",
                "shutting-down",
                "moved",
            )
        if self._fanout is not None and self._receiver is not None:
            self._fanout.detach(self._receiver)
        self._outbox.close()
        leave = server.Leave(action=action, retry_after_ms=retry_after_ms, code=code, text=text)
        self._direct.write(text_frame(codec.encode(leave)))
        self._close(CLOSE_CODES[code], code)

    def _superseded(self) -> None:
        self.dismiss("disconnect", 0, "superseded", "this place was taken from another window")

    def _overflow(self) -> None:
        self.dismiss("resume", 0, "lagging", "your line is too slow to keep up; come back")

    def _close(self, code: int, reason: str) -> None:
        self._edge.metrics.closed.labels(str(code)).inc()
        self._direct.close(code, reason)

    async def _end(self) -> None:
        """The socket is gone, or as good as: the site is away, unless another socket stands for it."""
        self._direct.on_writable = None
        self._outbox.close()
        self._edge.remove(self)
        if self._fanout is not None and self._receiver is not None:
            self._fanout.detach(self._receiver)
        if self._session is not None and self._session.replace == self._superseded:
            self._session.replace = None
        if self._member is None:
            return
        manager = self._edge.rooms.manager
        manager.media_left(self._id)
        site = self._member.own_site()
        if not self._joined or site is None or self._edge.draining:
            return
        try:
            async with asyncio.timeout(END_LIMIT_S):
                await manager.submit(self.who.meeting, commands.Drop(site, self._id), self._member)
        except (DomainError, TimeoutError) as error:
            log.warning("! socket %s: its drop was not taken: %s", self._id, error)

    # --- bytes ---

    async def _receive(self) -> str:
        message = await self._websocket.receive()
        if message["type"] != "websocket.receive":
            raise _Closed
        text = message.get("text")
        if not isinstance(text, str):
            self._close(1003, "text only")
            raise _Closed
        return text

    def _tell(self, message: server.ServerMessage) -> None:
        self._outbox.send(text_frame(codec.encode(message)))

    def _problem(self, error: Exception, rid: int | None) -> server.Problem:
        problem = translate.problem_for(error, rid)
        self._edge.metrics.refused.labels(problem.code).inc()
        return problem

    def _refuse(self, error: Exception, rid: int | None, code: int) -> None:
        """Not let in: say why, and close."""
        problem = self._problem(error, rid)
        self._direct.write(text_frame(codec.encode(problem)))
        self._close(code, problem.code)


class HelloTimeout(DomainError):
    """Nothing was said in time."""

    code = "hello-timeout"


def _close_code(error: Exception) -> int:
    if isinstance(error, _CREDENTIALS):
        return BAD_CREDENTIALS
    if isinstance(error, _PASSING):
        return TRY_AGAIN
    if isinstance(error, DomainError):
        return REFUSED
    return 1011
