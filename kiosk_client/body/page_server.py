"""Serves the screen's page to the browser of this machine, and to nobody else.

It listens on loopback, on a port that changes, below a path that nobody else knows: other users of the
machine could reach loopback too. A page of another origin cannot: ``Host`` must be ours (no name that
somebody points here), and a WebSocket must come from our own page.
"""

import asyncio
import contextlib
import io
import secrets
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec
import segno
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from kiosk_client.body import announcements
from signaling.wire.kiosk.page import MAX_PAGE_MESSAGE_BYTES, AnyPageMessage, Shown

HOST: Final = "127.0.0.1"
MAX_PAGES: Final = 4
STOP_LIMIT_S: Final = 2
START_LIMIT_S: Final = 10.0
STATIC: Final = Path(__file__).resolve().parent.parent / "static"
NOT_BUILT: Final = "The page is not built. Run `make web`.\n"
TYPES: Final = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".woff2": "font/woff2",
    ".woff": "font/woff",
    ".svg": "image/svg+xml",
}
HEADERS: Final = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; "
        b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),  # content changes under the same names, and a profile lives for a while
)


class PageServer:
    """The page, its pictures, and the line to it."""

    def __init__(
        self,
        *,
        shown: Callable[[], Shown],
        heard: Callable[[AnyPageMessage], None],
        left: Callable[[], None],
        content: Callable[[], Path | None],
        pairing_url: Callable[[], str],
        static: Path = STATIC,
    ) -> None:
        """``shown`` tells what to draw now, ``heard`` is given what was touched, ``left`` is called when the
        last page has gone."""
        self._shown = shown
        self._heard = heard
        self._left = left
        self._content = content
        self._pairing_url = pairing_url
        self._static = static
        self._secret = secrets.token_urlsafe(18)
        self._socket: socket.socket | None = None
        self._server: _Quiet | None = None
        self._serving: asyncio.Task[None] | None = None
        self._news: dict[WebSocket, asyncio.Event] = {}

    @property
    def url(self) -> str:
        """Where the browser finds the page."""
        assert self._socket is not None
        return f"http://{HOST}:{self._socket.getsockname()[1]}/{self._secret}/"

    @property
    def pages(self) -> int:
        """How many are open."""
        return len(self._news)

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: No port is to be had.
        """
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.bind((HOST, 0))
        self._socket.set_inheritable(False)
        config = uvicorn.Config(
            _Guard(self._app(), self._secret, f"{HOST}:{self._socket.getsockname()[1]}"),
            ws="wsproto",
            ws_max_size=MAX_PAGE_MESSAGE_BYTES,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            log_level="error",  # else it writes the secret path into the log
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_LIMIT_S,
        )
        self._server = _Quiet(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]), name="page-server")
        await asyncio.wait_for(self._server.listening.wait(), START_LIMIT_S)

    def tell(self) -> None:
        """What is to be drawn has changed. Never waits: a page that is slow gets the newest, not all."""
        for news in self._news.values():
            news.set()

    async def close(self) -> None:
        """Close every page's line and the port."""
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            for page in list(self._news):
                with contextlib.suppress(RuntimeError, OSError, WebSocketDisconnect):
                    await page.close(1001)
            await asyncio.wait([self._serving], timeout=STOP_LIMIT_S + 2)
            self._serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._serving
        if self._socket is not None:
            self._socket.close()

    def _app(self) -> ASGIApp:
        return Starlette(
            routes=[
                Route("/", self._index, methods=["GET"]),
                Route("/qr.svg", self._qr, methods=["GET"]),
                Route("/content/{name:path}", self._picture, methods=["GET"]),
                Route("/assets/{name}", self._asset, methods=["GET"]),
                WebSocketRoute("/line", self._line),
            ]
        )

    async def _index(self, request: Request) -> Response:
        index = self._static / "kiosk.html"
        if not index.is_file():
            return PlainTextResponse(NOT_BUILT, 503)
        return FileResponse(index, media_type="text/html")

    async def _asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        found = {file.name: file for file in (self._static / "assets").glob("*")}.get(name)
        if found is None or found.suffix not in TYPES:
            return PlainTextResponse("There is no such file.\n", 404)
        return FileResponse(found, media_type=TYPES[found.suffix])

    async def _picture(self, request: Request) -> Response:
        folder = self._content()
        found = announcements.picture_path(folder, request.path_params["name"]) if folder else None
        if found is None:
            return PlainTextResponse("There is no such picture.\n", 404)
        return FileResponse(found, media_type=announcements.PICTURE_TYPES[found.suffix.lower()])

    async def _qr(self, request: Request) -> Response:
        url = self._pairing_url()
        if not url:
            return PlainTextResponse("Nothing is to be paired.\n", 404)
        drawn = io.BytesIO()
        segno.make_qr(url, error="m").save(drawn, kind="svg", border=4, omitsize=True, xmldecl=False)
        return Response(drawn.getvalue(), media_type="image/svg+xml")

    async def _line(self, page: WebSocket) -> None:
        if len(self._news) >= MAX_PAGES:
            await page.close(1013)
            return
        await page.accept()
        news = self._news[page] = asyncio.Event()
        news.set()
        telling = asyncio.create_task(self._tell(page, news), name="page-line")
        try:
            while True:
                message = msgspec.json.decode(await page.receive_text(), type=AnyPageMessage)
                self._heard(message)
        except (WebSocketDisconnect, msgspec.MsgspecError, KeyError):
            pass
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
            del self._news[page]
            if not self._news:
                self._left()
            with contextlib.suppress(RuntimeError, OSError, WebSocketDisconnect):
                await page.close(1000)

    async def _tell(self, page: WebSocket, news: asyncio.Event) -> None:
        while True:
            await news.wait()
            news.clear()
            await page.send_text(msgspec.json.encode(self._shown()).decode())


class _Quiet(uvicorn.Server):
    """A server within our loop: signals are the agent's."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Guard:
    """Lets in who knows the path and comes from our own page; strips the path; adds the headers."""

    def __init__(self, app: ASGIApp, secret: str, host: str) -> None:
        self._app = app
        self._prefix = f"/{secret}"
        self._host = host.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        path: str = scope["path"]
        ours = headers.get(b"host") == self._host and path.startswith(f"{self._prefix}/")
        if scope["type"] == "websocket":
            if not ours or headers.get(b"origin") != b"http://" + self._host:
                await send({"type": "websocket.close", "code": 1008})
                return
        elif not ours:
            await PlainTextResponse("There is nothing here.\n", 404)(scope, receive, send)
            return
        inner = {**scope, "path": path.removeprefix(self._prefix), "raw_path": None}

        async def with_headers(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                given = message.get("headers", ())
                message = {**message, "headers": [*given, *HEADERS]}  # type: ignore[misc]
            await send(message)

        await self._app(inner, receive, with_headers)  # type: ignore[arg-type]
