"""A real server on a free port, in this process, and clients that speak to it over real sockets."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError

from room_manager.ids import RoomId, SiteId
from room_manager.manager import Manager
from room_manager.media.engine import Engine
from room_manager.meeting.values import Device, Role
from room_manager.roster.builtin import hanoi_579
from room_manager.store.stores import Stores
from signaling.app import Server
from signaling.edge import Edge
from signaling.links import LinkFor, LinkMaker
from signaling.settings import MediaSettings, Settings
from signaling.tokens import Identity
from tests.helpers.databases import new

PATIENCE_S = 8.0

UNITS = [unit.code for unit in hanoi_579()]
A, B, C, D = UNITS[:4]

Message = dict[str, Any]


class Client:
    """One WebSocket, with everything it was told."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.heard: list[Message] = []
        self.bytes: list[int] = []
        self._rid = 0
        self._unread: list[Message] = []

    async def say(self, type: str, **fields: Any) -> int:
        """Send a message with the next rid; the rid."""
        self._rid += 1
        fields.setdefault("rid", self._rid)
        await self.socket.send(json.dumps({"v": 1, "type": type, **fields}))
        rid: int = fields["rid"]
        return rid

    async def hear(self, *types: str, where: Callable[[Message], bool] = lambda _: True) -> Message:
        """The next message of these types that fits; older ones that do not are passed over."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                while self._unread:
                    message = self._unread.pop(0)
                    if (not types or message["type"] in types) and where(message):
                        return message
                await self._receive()

    async def ask(self, type: str, **fields: Any) -> Message:
        """Say, and hear the answer to it."""
        rid = await self.say(type, **fields)
        return await self.hear(
            "done", "problem", "pong", "answer", "welcome", where=lambda m: m.get("rid") == rid
        )

    async def settle(self) -> None:
        """Everything the server had to say up to now has been heard."""
        await self.ask("ping")

    def last(self, type: str) -> Message:
        """The newest message of a type among those heard."""
        return next(message for message in reversed(self.heard) if message["type"] == type)

    async def closed(self) -> int:
        """Read to the end; the close code."""
        async with asyncio.timeout(PATIENCE_S):
            with contextlib.suppress(ConnectionClosedError):
                async for text in self.socket:
                    self._hear(text)
        assert self.socket.close_code is not None
        return self.socket.close_code

    async def close(self) -> None:
        await self.socket.close()

    async def _receive(self) -> None:
        self._hear(await self.socket.recv())

    def _hear(self, text: str | bytes) -> None:
        message = json.loads(text)
        self.heard.append(message)
        self.bytes.append(len(text))
        self._unread.append(message)


class Hall:
    """A running server with one meeting."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.port = server.port
        self.meeting = RoomId("")
        self.host = f"127.0.0.1:{self.port}"
        self.origin = f"http://{self.host}"
        self._open: list[ClientConnection] = []

    @property
    def edge(self) -> Edge:
        edge: Edge = self.server.app.state.edge
        return edge

    @property
    def manager(self) -> Manager:
        manager: Manager = self.server.app.state.manager
        return manager

    @property
    def stores(self) -> Stores:
        stores: Stores = self.server.app.state.stores
        return stores

    async def convene(self, sites: Sequence[SiteId]) -> None:
        await self.stores.roster.import_units([unit for unit in hanoi_579() if unit.code in {*sites, D}])
        self.meeting = await self.manager.create_meeting("Họp giao ban", sites)

    async def link(
        self, role: Role, site: SiteId | None = None, device: Device | None = None, ttl_s: float = 600.0
    ) -> tuple[str, str]:
        """A fresh link's id and token."""
        maker = LinkMaker(self.stores.links, self.edge.link_signer, time.time)
        link, token = await maker.make(self.meeting, LinkFor(role, site, device), ttl_s, "test")
        return link.id, token

    async def ticket(self, role: Role, site: SiteId | None = None, device: Device | None = None) -> str:
        """A ticket as REST gives it for a link."""
        link, token = await self.link(role, site, device)
        claims = self.edge.link_signer.check(token, time.time())
        name = site or role.value
        return self.edge.tickets.issue(
            Identity(self.meeting, role, claims.site, claims.device, name, link=link, until=claims.exp)
        )

    async def dial(self, **options: Any) -> Client:
        """An open socket that has said nothing yet."""
        options.setdefault("compression", None)
        options.setdefault("max_queue", None)
        socket = await connect(f"ws://{self.host}/ws", **options)
        self._open.append(socket)
        return Client(socket)

    async def enter(
        self, role: Role, site: SiteId | None = None, device: Device | None = None, **hello: Any
    ) -> Client:
        """A member in the meeting that has heard its whole snapshot."""
        client = await self.dial()
        ticket = await self.ticket(role, site, device)
        answer = await client.ask("hello", ticket=ticket, **hello)
        assert answer["type"] == "welcome", answer
        await client.settle()
        return client

    async def come_back(self, client: Client, **hello: Any) -> Client:
        """Another socket with the first one's resume token."""
        other = await self.dial()
        other._rid = client._rid
        answer = await other.ask("hello", resume=client.last("welcome")["resume"], **hello)
        assert answer["type"] == "welcome", answer
        await other.settle()
        return other

    async def close(self) -> None:
        await asyncio.gather(*(socket.close() for socket in self._open))


def settings(folder: Path, **changes: Any) -> Settings:
    """On a free port of loopback, a fresh database, an engine that plays the clients."""
    plain = Settings(database_url=new(folder), port=0, media=MediaSettings(engine="fake"))
    return msgspec.structs.replace(plain, **changes)


@asynccontextmanager
async def hall(
    chosen: Settings, sites: Sequence[SiteId] = (A, B, C), engine: Engine | None = None
) -> AsyncIterator[Hall]:
    """A server that listens, with a meeting of these sites; closed in order afterwards."""
    server = Server(chosen, engine)
    task = asyncio.create_task(server.serve())
    listening = asyncio.create_task(server.listening.wait())
    await asyncio.wait((task, listening), return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    here = Hall(server)
    try:
        if sites:
            await here.convene(sites)
        yield here
    finally:
        await here.close()
        server.should_exit = True
        await task
