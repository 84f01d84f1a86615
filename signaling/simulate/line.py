"""A simulated site's line to the server: one WebSocket at a time, opened again by itself until dismissed.

Keeps to docs/protocol.md as the pages do: a ticket once, then the resume token, the server's place in the
return ramp, a rid per message. Knows nothing of what the messages mean beyond that.
"""

import asyncio
import contextlib
from collections.abc import Callable
from random import Random
from typing import Final

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Origin

from signaling.simulate.door import Door, Shut
from signaling.wire import client as say
from signaling.wire import server as told

PING_EVERY_S: Final = 10.0
SILENCE_S: Final = 25.0  # nothing heard for so long: the line is dead
OPEN_LIMIT_S: Final = 15.0
CLOSE_LIMIT_S: Final = 2.0
LONGEST_WAIT_S: Final = 15.0
PASSING: Final = frozenset({"offline", "busy", "limit", "not-stored", "not-owner", "engine-away", "too-many"})
"""Refusals that waiting cures. Any other one of a ticket or a hello is final."""

_message: Final = msgspec.json.Decoder(told.AnyServerMessage)

Heard = Callable[[told.AnyServerMessage], None]


class Line:
    """``run`` ends when the server says not to come back."""

    def __init__(self, link: str, door: Door, chance: Random, hear: Heard) -> None:
        self._link = link
        self._door = door
        self._chance = chance
        self._hear = hear
        self._intact = asyncio.Event()
        self._intact.set()
        self._socket: ClientConnection | None = None
        self._resume: str | None = None
        self._rid = 0
        self._tries = 0

    async def run(self) -> None:
        """Be connected, again and again."""
        wait_s: float | None = self._backoff_s()
        while wait_s is not None:
            await asyncio.sleep(wait_s)
            await self._intact.wait()
            try:
                wait_s = await self._visit()
            except Shut as shut:
                wait_s = self._backoff_s() if shut.code in PASSING else None
            except (OSError, TimeoutError, WebSocketException):
                wait_s = self._backoff_s()

    def cut(self) -> None:
        """The line is gone without a word, until :meth:`mend`."""
        self._intact.clear()
        if self._socket is not None:
            self._socket.transport.abort()

    def mend(self) -> None:
        """The line may be used again."""
        self._intact.set()

    def number(self) -> int:
        """A rid for the next message."""
        self._rid += 1
        return self._rid

    async def say(self, message: say.ClientMessage) -> bool:
        """False when there is no line to say it on."""
        if self._socket is None:
            return False
        with contextlib.suppress(WebSocketException, OSError):
            await self._socket.send(msgspec.json.encode(message), text=True)
            return True
        return False

    async def _visit(self) -> float | None:
        """One connection to its end. Returns the wait before the next in seconds, None for never."""
        ticket = await self._door.ticket(self._link) if self._resume is None else None
        async with connect(
            self._door.socket_url,
            origin=Origin(self._door.origin),
            ssl=self._door.tls,
            compression=None,
            ping_interval=None,
            open_timeout=OPEN_LIMIT_S,
            close_timeout=CLOSE_LIMIT_S,
        ) as socket:
            hello = say.Hello(rid=self.number(), ticket=ticket, resume=self._resume)
            await socket.send(msgspec.json.encode(hello), text=True)
            pinging: asyncio.Task[None] | None = None
            try:
                while True:
                    async with asyncio.timeout(SILENCE_S):
                        message = _message.decode(await socket.recv())
                    match message:
                        case told.Welcome():
                            self._socket, self._resume, self._tries = socket, message.resume, 0
                            pinging = pinging or asyncio.create_task(self._ping())
                        case told.Problem() if pinging is None:
                            return self._not_welcome(message.code)
                        case told.Leave():
                            return self._sent_away(message)
                        case _:
                            pass
                    self._hear(message)
            finally:
                self._socket = None
                if pinging is not None:
                    pinging.cancel()

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_EVERY_S)
            await self.say(say.Ping(rid=self.number()))

    def _not_welcome(self, code: str) -> float | None:
        if code in PASSING:
            return self._backoff_s()
        if self._resume is None:
            return None
        self._resume = None  # the token has had its day: come in by the front door
        return self._backoff_s()

    def _sent_away(self, leave: told.Leave) -> float | None:
        if leave.action == "disconnect":
            return None
        if leave.action == "reconnect":
            self._resume = None
        return leave.retry_after_ms / 1000

    def _backoff_s(self) -> float:
        self._tries += 1
        return self._chance.uniform(0, min(LONGEST_WAIT_S, 0.5 * 2**self._tries))
