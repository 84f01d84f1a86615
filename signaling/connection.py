"""One WebSocket from its first byte to its last: reads, limits, and its end.

What is decided about a message is the seat's; here is only when, how many, how big, and what is said when
it is too much.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from typing import ClassVar, Final

import msgspec
from starlette.responses import Response
from starlette.websockets import WebSocket

from room_manager.errors import DomainError, WrongState
from room_manager.ids import ConnectionId
from signaling import limits, translate
from signaling.edge import Edge
from signaling.frames import text_frame
from signaling.outbox import Outbox
from signaling.receiver import LeaveAction
from signaling.seat import PASSING, Seat, come_in
from signaling.sockets import EXTENSION, Direct
from signaling.standing import Revoked
from signaling.tickets import BadTicket
from signaling.tokens import BadToken, Expired, Identity, TooEarly
from signaling.wire import client, codec, server
from signaling.wire.codec import Refused
from signaling.wire.rest import ErrorBody

CLOSE_CODES: Final = {
    "left": 1000,
    "ended": 1000,
    "shutting-down": 1001,
    "moved": 1012,
    "lagging": 4008,
    "superseded": 4009,
    "revoked": 4403,
}
"""After ``leave``, by its code."""

TEXT_ONLY: Final = 1003
INTERNAL: Final = 1011
NO_HELLO: Final = 4001
BAD_CREDENTIALS: Final = 4002
REFUSED: Final = 4003
TRY_AGAIN: Final = 4013
RATE_LIMITED: Final = 4029

_CREDENTIALS: Final = (BadTicket, BadToken, Expired, TooEarly, Revoked)

log = logging.getLogger(__name__)


class HelloTimeout(DomainError):
    """Nothing was said in time."""

    code: ClassVar[str] = "hello-timeout"


class _Closed(Exception):
    """The socket is gone."""


async def endpoint(websocket: WebSocket) -> None:
    """``/ws``."""
    edge: Edge = websocket.app.state.edge
    if not edge.ready:
        await _deny(edge, websocket, 503, "shutting-down", "the server is restarting")
        return
    if not edge.origins.allow(websocket.headers.get("origin"), websocket.headers.get("host", "")):
        await _deny(edge, websocket, 403, "forged", "another site's page asked for this")
        return
    address = websocket.client.host if websocket.client is not None else ""
    leave_lobby = edge.lobby.enter(address)
    if leave_lobby is None:
        await _deny(edge, websocket, 503, "busy", "too many at the door")
        return
    edge.metrics.lobby.set(len(edge.lobby))
    try:
        await websocket.accept()
        await Connection(edge, websocket).run(leave_lobby)
    finally:
        leave_lobby()
        edge.metrics.lobby.set(len(edge.lobby))


async def _deny(edge: Edge, websocket: WebSocket, status: int, code: str, text: str) -> None:
    edge.metrics.refused.labels(code).inc()
    body = msgspec.json.encode(ErrorBody(code, text))
    await websocket.send_denial_response(Response(body, status, media_type="application/json"))


class Connection:
    """One socket. Its task is :meth:`run`."""

    def __init__(self, edge: Edge, websocket: WebSocket) -> None:
        self._edge = edge
        self._websocket = websocket
        self._direct: Direct = websocket.scope["extensions"][EXTENSION]
        self._now = asyncio.get_running_loop().time
        self._outbox = Outbox(self._direct, self._now, self._overflow)
        self._rate = limits.Bucket(limits.MESSAGES_PER_S, limits.MESSAGE_BURST, self._now())
        self._strikes = limits.Bucket(limits.STRIKES_FORGIVEN_PER_S, limits.STRIKES, self._now())
        self._id = ConnectionId(secrets.token_hex(8))
        self._seat: Seat | None = None
        self._dismissed: str | None = None
        self._direct.on_writable = self._outbox.flush

    @property
    def who(self) -> Identity:
        """Known once it has come in, which is before anybody else sees this connection."""
        assert self._seat is not None
        return self._seat.who

    @property
    def lag_s(self) -> float:
        return self._outbox.lag_s()

    async def run(self, on_known: Callable[[], None]) -> None:
        """Serve the socket until it is closed by whichever side."""
        try:
            hello = await self._hello()
            seat = await self._come_in(hello) if hello is not None else None
            on_known()
            while seat is not None:
                await self._serve_one(seat)
        except _Closed:
            pass
        except Exception:
            log.exception("! socket %s: a bug", self._id)
            self._direct.close(INTERNAL, "internal")
        finally:
            await self._end()

    # --- coming in ---

    async def _hello(self) -> client.Hello | None:
        try:
            async with asyncio.timeout(limits.HELLO_WITHIN_S):
                message = codec.decode(await self._receive())
        except TimeoutError:
            self._refuse(HelloTimeout("say hello within 5 s"), None, NO_HELLO)
            return None
        except Refused as error:
            self._refuse(error, error.rid, NO_HELLO)
            return None
        if not isinstance(message, client.Hello):
            self._refuse(WrongState("say hello first"), message.rid, NO_HELLO)
            return None
        return message

    async def _come_in(self, hello: client.Hello) -> Seat | None:
        began = self._now()
        try:
            seat = await come_in(self._edge, hello, self._id, self._outbox, self.dismiss)
        except Exception as error:
            if not isinstance(error, DomainError):
                log.exception("! socket %s: entering failed", self._id)
            self._refuse(error, hello.rid, _close_code(error))
            return None
        self._edge.metrics.hello_s.observe(self._now() - began)
        self._seat = seat
        if self._dismissed is not None:
            seat.dismissed(self._dismissed)
        self._edge.add(self)
        if self._edge.draining:
            self.dismiss("resume", 0, "shutting-down", "the server is restarting")
        return seat

    # --- being there ---

    async def _serve_one(self, seat: Seat) -> None:
        """One request, answered before the next is read."""
        raw = await self._receive()
        in_time = self._rate.take(self._now())
        try:
            message = codec.decode(raw)
        except Refused as error:
            if in_time:
                self._tell(self._problem(error, error.rid))
            else:
                self._too_many(error.rid)
            return
        if not in_time:
            self._too_many(message.rid)
            return
        answer = await self._answer(seat, message)
        self._tell(answer)
        if isinstance(message, client.Leave) and isinstance(answer, server.Done):
            self.dismiss("disconnect", 0, "left", "you have left")

    async def _answer(self, seat: Seat, message: client.ClientMessage) -> server.ServerMessage:
        try:
            return await seat.answer(message)
        except Exception as error:
            if not isinstance(error, DomainError):
                log.exception("! socket %s: a message failed", self._id)
            return self._problem(error, message.rid)

    def _too_many(self, rid: int | None) -> None:
        if not self._strikes.take(self._now()):
            self._close(RATE_LIMITED, "rate-limited")
            return
        self._edge.metrics.refused.labels("rate-limited").inc()
        self._tell(server.Problem(code="rate-limited", text="too many messages; wait a moment", rid=rid))

    # --- going ---

    def dismiss(self, action: LeaveAction, retry_after_ms: int, code: str, text: str) -> None:
        """Say ``leave`` and close; what was waiting for a slow line is dropped."""
        if self._dismissed is not None:
            return
        self._dismissed = code
        if self._seat is not None:
            self._seat.dismissed(code)
        self._outbox.close()
        leave = server.Leave(action=action, retry_after_ms=retry_after_ms, code=code, text=text)
        self._direct.write(text_frame(codec.encode(leave)))
        self._close(CLOSE_CODES[code], code)

    def _overflow(self) -> None:
        self.dismiss("resume", 0, "lagging", "your line is too slow to keep up; come back")

    def _close(self, code: int, reason: str) -> None:
        self._edge.metrics.closed.labels(str(code)).inc()
        self._direct.close(code, reason)

    async def _end(self) -> None:
        self._direct.on_writable = None
        self._outbox.close()
        if self._seat is not None:
            self._edge.remove(self)
            await self._seat.go()

    # --- bytes ---

    async def _receive(self) -> str:
        message = await self._websocket.receive()
        if message["type"] != "websocket.receive":
            raise _Closed
        text = message.get("text")
        if not isinstance(text, str):
            self._close(TEXT_ONLY, "text only")
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


def _close_code(error: Exception) -> int:
    if isinstance(error, _CREDENTIALS):
        return BAD_CREDENTIALS
    if isinstance(error, PASSING):
        return TRY_AGAIN
    if isinstance(error, DomainError):
        return REFUSED
    return INTERNAL
