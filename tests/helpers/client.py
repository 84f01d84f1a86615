"""A member without a page: the wire over a real WebSocket, pictures and sound through a light peer."""

import asyncio
import urllib.request
from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from room_manager.media.light import LightPeer, Sections
from signaling.simulate.door import Door
from signaling.wire import server as told
from signaling.wire.client import ClientMessage, Hello, Offer

LIMIT_S: Final = 15.0
AGAIN: Final = ("engine-away", "busy")
RETRY_S: Final = 2.0  # so often an offer may be made
M = TypeVar("M")

_message: Final = msgspec.json.Decoder(told.AnyServerMessage)


class Client:
    """One connection. ``heard`` is everything, ``latest`` the newest of each type."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._socket: ClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None
        self._news = asyncio.Condition()
        self._rid = 0
        self.heard: list[told.AnyServerMessage] = []
        self.latest: dict[type, Any] = {}
        self.peer: LightPeer | None = None

    async def enter(self, link: str) -> "Client":
        """By a link's token, as a page does; back when welcome and the first counts are there."""
        return await self._say_hello(ticket=await self._door.ticket(link))

    async def come_back(self, before: "Client") -> "Client":
        """With the resume token of a client whose line is gone; its rids go on."""
        self._rid = before._rid
        welcome: told.Welcome = before.latest[told.Welcome]
        return await self._say_hello(resume=welcome.resume)

    async def gone(self) -> None:
        """The line has ended, from whichever side."""
        assert self._reading is not None
        async with asyncio.timeout(LIMIT_S):
            await asyncio.shield(self._reading)

    async def _say_hello(self, ticket: str | None = None, resume: str | None = None) -> "Client":
        self._socket = await connect(
            self._door.socket_url,
            origin=Origin(self._door.origin),
            ssl=self._door.tls,
            compression=None,
            ping_interval=None,
        )
        self._reading = asyncio.create_task(self._read())
        await self.say(Hello(rid=self.number(), ticket=ticket, resume=resume))
        await self.until(told.Welcome, lambda _: True)
        await self.until(told.Counts, lambda _: True)
        return self

    def number(self) -> int:
        """The next rid."""
        self._rid += 1
        return self._rid

    async def say(self, message: ClientMessage) -> None:
        """Without waiting for an answer."""
        assert self._socket is not None
        await self._socket.send(msgspec.json.encode(message), text=True)

    async def command(self, make: Callable[..., ClientMessage], **fields: object) -> told.Done:
        """Ask and be answered ``done``; a refusal fails the test."""
        message = make(rid=self.number(), **fields)
        await self.say(message)
        answer = await self._answer(message.rid)
        assert isinstance(answer, told.Done), answer
        return answer

    async def send_media(self, sections: Sections | None = None) -> LightPeer:
        """Connect to the media engine; if it is away, offer again shortly, as the protocol asks."""
        peer = LightPeer(sections, count_only=True)
        async with asyncio.timeout(LIMIT_S):
            while True:
                message = Offer(rid=self.number(), sdp=peer.offer())
                await self.say(message)
                answer = await self._answer(message.rid)
                if not isinstance(answer, told.Problem) or answer.code not in AGAIN:
                    break
                await asyncio.sleep(RETRY_S)
        assert isinstance(answer, told.Answer), answer
        await peer.accept(answer.sdp, answer.slots)
        await peer.connected()
        self.peer = peer
        return peer

    async def until(self, kind: type[M], fits: Callable[[M], bool], limit_s: float = LIMIT_S) -> M:
        """The newest message of this type once it fits."""
        async with asyncio.timeout(limit_s), self._news:
            await self._news.wait_for(lambda: kind in self.latest and fits(self.latest[kind]))
        found: M = self.latest[kind]
        return found

    async def rest(self, path: str) -> Any:
        """What a window's own REST call gives."""
        welcome: told.Welcome = self.latest[told.Welcome]
        request = urllib.request.Request(
            self._door.origin + path, headers={"Authorization": f"Bearer {welcome.resume}"}
        )

        def ask() -> Any:
            with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
                return msgspec.json.decode(answer.read())

        return await asyncio.to_thread(ask)

    async def _answer(self, rid: int) -> told.AnyServerMessage:
        def find() -> told.AnyServerMessage | None:
            return next((m for m in reversed(self.heard) if getattr(m, "rid", None) == rid), None)

        async with asyncio.timeout(LIMIT_S), self._news:
            await self._news.wait_for(lambda: find() is not None)
        found = find()
        assert found is not None
        return found

    async def _read(self) -> None:
        assert self._socket is not None
        try:
            async for text in self._socket:
                message = _message.decode(text)
                async with self._news:
                    self.heard.append(message)
                    self.latest[type(message)] = message
                    self._news.notify_all()
        except ConnectionClosed:
            pass

    async def close(self) -> None:
        """End the media and the line without a word."""
        if self.peer is not None:
            self.peer.close()
        if self._socket is not None:
            self._socket.transport.abort()
        if self._reading is not None:
            await self._reading
