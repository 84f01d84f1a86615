"""The WebSocket to the city, as bytes: the only file that knows the library for it."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

OPEN_WITHIN_S: Final = 15.0
SEND_WITHIN_S: Final = 20.0
CLOSE_WITHIN_S: Final = 2.0
MAX_MESSAGE_BYTES: Final = 65_536
PATH: Final = "/kiosk/ws"


class Cut(Exception):
    """There is no line, or no longer. ``retry_after_s``: what an answer by HTTP asked for."""

    def __init__(self, text: str, retry_after_s: float = 0.0) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class Wire(Protocol):
    """One open connection. All methods raise ``Cut`` when it is gone."""

    async def send(self, text: bytes) -> None: ...

    async def receive(self) -> bytes: ...

    async def ping(self) -> None:
        """Returns when the other end has answered."""

    async def close(self) -> None:
        """Takes two seconds at most; never raises."""


Dial = Callable[[], Awaitable[Wire]]


def websocket_url(server: str) -> str:
    """``https://host`` → ``wss://host/kiosk/ws``."""
    return f"ws{server.removeprefix('http')}{PATH}"


def host_of(server: str) -> str:
    """What the ``Host`` field of a request to this server is: part of what is signed."""
    return urlsplit(server).netloc


def normal_server(text: str) -> str:
    """The address as it is dialled and signed: small letters, no usual port, no path.

    Raises:
        ValueError: It is no address of a city.
    """
    parts = urlsplit(text.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"not an address like https://diemcau.example: {text}")
    if parts.username is not None or parts.query or parts.fragment or parts.path not in ("", "/"):
        raise ValueError(f"only scheme, host and port belong here: {text}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = {"http": 80, "https": 443}[parts.scheme]
    port = parts.port if parts.port not in (None, usual) else None
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")


def tls_context(server: str, certificate: Path | None) -> ssl.SSLContext | None:
    """None where there is no TLS. ``certificate`` is trusted beside what the system trusts."""
    if not server.startswith("https:"):
        return None
    context = ssl.create_default_context()
    if certificate is not None:
        context.load_verify_locations(certificate)
    return context


def dialler(server: str, context: ssl.SSLContext | None) -> Dial:
    """Opens connections to the city."""
    url = websocket_url(server)

    async def dial() -> Wire:
        try:
            # The city asks whether the line lives, and so do our beats; a third asker would say nothing new.
            return WebSocketWire(
                await connect(
                    url,
                    ssl=context,
                    proxy=None,
                    compression=None,
                    open_timeout=OPEN_WITHIN_S,
                    close_timeout=CLOSE_WITHIN_S,
                    ping_interval=None,
                    max_size=MAX_MESSAGE_BYTES,
                    max_queue=32,
                    user_agent_header=None,
                )
            )
        except InvalidStatus as error:
            raise Cut(f"answered {error.response.status_code}", _retry_after_s(error)) from None
        except (OSError, TimeoutError, WebSocketException) as error:
            raise Cut(f"{type(error).__name__}: {error}") from None

    return dial


def _retry_after_s(error: InvalidStatus) -> float:
    said = error.response.headers.get("Retry-After", "")
    return min(float(said), 3_600.0) if said.isdecimal() else 0.0


class WebSocketWire:
    """Over the library ``websockets``."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, text: bytes) -> None:
        try:
            async with asyncio.timeout(SEND_WITHIN_S):
                await self._socket.send(text, text=True)
        except (OSError, TimeoutError, WebSocketException) as error:
            self._socket.transport.abort()
            raise Cut(f"{type(error).__name__}: {error}") from None

    async def receive(self) -> bytes:
        try:
            return await self._socket.recv(decode=False)
        except (OSError, WebSocketException) as error:
            raise Cut(f"{type(error).__name__}: {error}") from None

    def stop_reading(self) -> None:
        """For who simulates a machine without power: what comes is not even answered."""
        self._socket.transport.pause_reading()

    def abort(self) -> None:
        """Without a goodbye."""
        self._socket.transport.abort()

    async def ping(self) -> None:
        try:
            await (await self._socket.ping())
        except (OSError, WebSocketException) as error:
            raise Cut(f"{type(error).__name__}: {error}") from None

    async def close(self) -> None:
        try:
            await self._socket.close()
        except (OSError, WebSocketException):
            self._socket.transport.abort()
