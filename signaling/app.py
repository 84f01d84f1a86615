"""Puts the parts together: the one place that names adapters. What opens in order closes in reverse."""

import asyncio
import logging
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from types import FrameType
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import WebSocketRoute

from room_manager.clock import RoomClock
from room_manager.errors import DomainError
from room_manager.manager import Manager
from room_manager.media.engine import Engine
from room_manager.media.fake import FakeEngine
from room_manager.media.sfu.driver import SfuEngine, SfuSettings
from room_manager.photographer import Photographer
from room_manager.recording.archive import Archive
from room_manager.recording.space import Space
from room_manager.recordist import Recordist, say_nobody_records
from room_manager.store.database import open_database
from room_manager.store.sole import marked_as_served
from room_manager.store.sql_journal import SqlJournal
from room_manager.store.stores import Stores
from signaling.connection import endpoint
from signaling.edge import Edge
from signaling.fleet.assembly import open_fleet
from signaling.fleet.live import Live, fleet_endpoint
from signaling.fleet.openapi import openapi_routes
from signaling.fleet.operation import routes
from signaling.fleet.operations import OPERATIONS
from signaling.guard import Guard
from signaling.http import Api, api_routes, on_http_error, on_refusal
from signaling.kiosk.connection import endpoint as device_endpoint
from signaling.kiosk.door import Door
from signaling.kiosk.routes import kiosk_routes
from signaling.kiosk.targets import target_routes
from signaling.links import LinkMaker, signers
from signaling.metrics import Metrics
from signaling.pages import page_routes
from signaling.patience import PatientProtocol
from signaling.recordings import RecordingsApi, recording_routes
from signaling.rooms import Rooms
from signaling.settings import MediaSettings, Settings
from signaling.sockets import DirectProtocol
from signaling.standing import Standing
from signaling.stills import StillsApi, still_routes
from signaling.turn import relays_for
from signaling.whip.routes import whip_routes
from signaling.whip.service import Whip
from signaling.wire.client import MAX_OFFER_BYTES

STOP_LIMIT_S: Final = 10
BACKLOG: Final = 2_048

log = logging.getLogger(__name__)


def create_app(settings: Settings, engine: Engine | None = None) -> Starlette:
    """The application; it opens its stores and its engine when the server starts it.

    Args:
        settings: What to open, and where.
        engine: Another media engine than the settings name, for whoever plays the clients itself.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await _open(app, settings, engine, stack)
            yield

    all_routes = [
        WebSocketRoute("/ws", endpoint),
        WebSocketRoute("/kiosk/ws", device_endpoint),
        WebSocketRoute("/fleet/ws", fleet_endpoint),
        *api_routes(),
        *whip_routes(),
        *recording_routes(),
        *still_routes(),
        *kiosk_routes(),
        *target_routes(),
        *routes(OPERATIONS),
        *openapi_routes(),
        *page_routes(settings.static),
    ]
    return Starlette(
        routes=all_routes,
        middleware=[Middleware(Guard, settings=settings)],
        exception_handlers={
            DomainError: on_refusal,
            HTTPException: on_http_error,
            Exception: on_refusal,
        },
        lifespan=lifespan,
    )


async def _open(app: Starlette, settings: Settings, engine: Engine | None, stack: AsyncExitStack) -> None:
    database = await open_database(settings.database_url)
    stack.enter_context(marked_as_served(settings.database_url))
    stack.push_async_callback(database.close)
    stores = Stores(database)
    journal = SqlJournal(database)
    await journal.start()
    stack.push_async_callback(journal.close)
    link_signer, resume_signer = await signers(stores.secrets)

    media = engine if engine is not None else engine_for(settings.media)
    await media.start()
    stack.push_async_callback(media.close)
    manager = Manager(stores, journal, media, RoomClock())
    await manager.start()
    stack.push_async_callback(manager.close)

    kept = settings.recording
    archive = Archive(settings.recordings_folder, stores.recordings, kept.keep_days)
    recordist: Recordist | None = None
    if kept.on:
        recordist = Recordist(manager, archive, Space(kept.start_above_bytes, kept.stop_below_bytes))
        await recordist.start()
        stack.push_async_callback(recordist.close)
        app.state.recordist = recordist
    else:
        await say_nobody_records(manager)

    photographer: Photographer | None = None
    if settings.stills_every_s:
        photographer = Photographer(manager, settings.stills_every_s)
        await photographer.start()
        stack.push_async_callback(photographer.close)

    metrics = Metrics(media.figures)
    standing = Standing(stores, time.time)
    await standing.refresh()
    edge_of: list[Edge] = []
    rooms = Rooms(manager, stores, metrics, lambda room: edge_of[0].room_lost(room))
    stack.callback(rooms.close)
    relays = relays_for(settings.turn, time.time)
    edge = Edge(settings, rooms, standing, link_signer, resume_signer, metrics, ice_servers=relays)
    edge_of.append(edge)
    stack.callback(edge.passwords.close)
    for room in manager.rooms():
        # A place in the roll for those who are about to come back, before the first of them does.
        await rooms.served(room)

    looking = asyncio.create_task(edge.look_after(), name="look after sockets")
    stack.push_async_callback(_cancel, looking)
    whip = Whip(edge)
    stack.callback(whip.close)
    app.state.edge = edge
    app.state.whip = whip
    app.state.api = Api(edge, stores, LinkMaker(stores.links, link_signer, time.time))
    app.state.recordings = RecordingsApi(edge, stores, archive, recordist)
    app.state.stills = StillsApi(edge, photographer)
    await open_fleet(app, edge, database, stores, stack)
    app.state.manager = manager
    app.state.stores = stores
    edge.ready = True
    stack.callback(_unready, edge)


@asynccontextmanager
async def opened_stores(database_url: str) -> AsyncIterator[Stores]:
    """The stores alone, for the command line. A server may have the same database open."""
    database = await open_database(database_url)
    try:
        yield Stores(database)
    finally:
        await database.close()


def engine_for(media: MediaSettings) -> Engine:
    """The engine that the settings name."""
    if media.engine == "fake":
        return FakeEngine()
    return SfuEngine(
        SfuSettings(
            host=media.host,
            port=media.udp_port,
            announce=media.advertised,
            workers=media.workers,
            video=media.video,
        )
    )


class Server(uvicorn.Server):
    """uvicorn, which at SIGTERM first tells everybody when to come back."""

    def __init__(self, settings: Settings, engine: Engine | None = None) -> None:
        self.app = create_app(settings, engine)
        super().__init__(
            uvicorn.Config(
                self.app,
                host=settings.host,
                port=settings.port,
                ws=DirectProtocol,
                ws_max_size=MAX_OFFER_BYTES,
                ws_per_message_deflate=False,
                ws_ping_interval=None,  # DirectProtocol looks for life itself
                http=PatientProtocol,
                lifespan="on",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                backlog=BACKLOG,
                proxy_headers=bool(settings.trusted_proxies),
                forwarded_allow_ips=list(settings.trusted_proxies) or None,
                ssl_certfile=str(settings.tls_certificate) if settings.tls_certificate else None,
                ssl_keyfile=str(settings.tls_key) if settings.tls_key else None,
                timeout_graceful_shutdown=STOP_LIMIT_S,
            )
        )
        self.listening = asyncio.Event()
        self.leaving = asyncio.Event()
        """Set when it is told to stop, before anything of it has."""

    @property
    def port(self) -> int:
        """The port that is listened on, also if any free one was asked for."""
        port: int = self.servers[0].sockets[0].getsockname()[1]
        return port

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT end :meth:`serve`, and nothing else: uvicorn would raise them once more."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.leaving.set()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Not ready; no new sockets; leave, with a place in the return ramp; closed (1001); the rest."""
        edge: Edge | None = getattr(self.app.state, "edge", None)
        door: Door | None = getattr(self.app.state, "door", None)
        for server in self.servers:
            server.close()
        if door is not None:
            door.lines.drain()
        live: Live | None = getattr(self.app.state, "live", None)
        if live is not None:
            live.send_away("shutting-down", 1_000)
        if edge is not None:
            await edge.drain()
        await super().shutdown(sockets)


async def serve(settings: Settings, on_listening: Callable[[Server], None] | None = None) -> None:
    """Run a server until SIGTERM or SIGINT. ``on_listening`` is called once it can be reached."""
    server = Server(settings)
    task = asyncio.create_task(server.serve(), name="serve")
    told = asyncio.create_task(server.listening.wait())
    try:
        await asyncio.wait((task, told), return_when=asyncio.FIRST_COMPLETED)
        if told.done() and on_listening is not None:
            on_listening(server)
        await task
    finally:
        told.cancel()


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _unready(edge: Edge) -> None:
    edge.ready = False
