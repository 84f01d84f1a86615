"""What stands before every request: its host, its body's size; and the headers of every answer."""

import asyncio
import re
from typing import Final

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from signaling.settings import Settings, host_name
from signaling.wire.rest import ErrorBody

MAX_BODY_BYTES: Final = 65_536
MAX_DISCARDED_BYTES: Final = 1_048_576  # read and thrown away, so that the refusal is heard
BODY_LIMIT_S: Final = 10.0
STREAMED: Final = (("PUT", "/api/kiosk/evidence/"), ("PUT", "/api/fleet/bundles/"))
"""Method and beginning of paths whose routes find out who asks before they read anything, and then read for
themselves, with their own bounds."""
_HOST: Final = re.compile(r"[A-Za-z0-9.\-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")

PERMISSIONS: Final = (
    "camera=(self), microphone=(self), display-capture=(self), autoplay=(self), fullscreen=(self), "
    "screen-wake-lock=(self), speaker-selection=(self), geolocation=(), payment=(), usb=(), serial=(), "
    "hid=(), midi=(), accelerometer=(), gyroscope=(), magnetometer=()"
)


def content_security_policy(host: str) -> str:
    """Nothing is allowed that is not named: no inline script, no other host, no frame around us."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "media-src 'self' blob:; font-src 'self'; manifest-src 'self'; worker-src 'self'; "
        f"connect-src 'self' ws://{host} wss://{host}; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'; require-trusted-types-for 'script'"
    )


class Guard:
    """ASGI middleware around the whole application; WebSockets pass through."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._names = settings.host_names
        self._secure = settings.secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        answer = _Answer(send, self._own_headers(host))
        if not _HOST.fullmatch(host) or (self._names and host_name(host) not in self._names):
            await answer.refuse(400, "bad-host", "this server has another name")
            return
        if scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, answer.send)
            return
        if any(scope["method"] == method and scope["path"].startswith(path) for method, path in STREAMED):
            await self._app(scope, receive, answer.send)
            return
        length = headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 9 or int(length) > MAX_DISCARDED_BYTES:
            await answer.refuse(413, "too-big", f"a body may have {MAX_BODY_BYTES} bytes at most")
            return
        try:
            async with asyncio.timeout(BODY_LIMIT_S):
                body = await _body(receive)
        except TimeoutError:
            await answer.refuse(408, "too-slow", "the body did not arrive in time")
            return
        if body is None:
            await answer.refuse(413, "too-big", f"a body may have {MAX_BODY_BYTES} bytes at most")
            return
        await self._app(scope, _once(body, receive), answer.send)

    def _own_headers(self, host: str) -> dict[str, str]:
        named = host if _HOST.fullmatch(host) else "invalid"
        own = {
            "content-security-policy": content_security_policy(named),
            "permissions-policy": PERMISSIONS,
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
        }
        if self._secure:
            own["strict-transport-security"] = "max-age=31536000"
        return own


class _Answer:
    """Puts our headers on whatever is answered."""

    def __init__(self, send: Send, own: dict[str, str]) -> None:
        self._send = send
        self._own = own

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            stricter = headers.get("content-security-policy")
            for name, value in self._own.items():
                headers[name] = value
            if stricter is not None:
                # A second policy can only take away (CSP 3, section 8.1): for files that others made.
                headers.append("content-security-policy", stricter)
            if "cache-control" not in headers:
                headers["cache-control"] = "no-store"
        await self._send(message)

    async def refuse(self, status: int, code: str, text: str) -> None:
        body = msgspec.json.encode(ErrorBody(code, text))
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None: there is too much of it, or the client has gone."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        part: bytes = message.get("body", b"")
        size += len(part)
        if size <= MAX_BODY_BYTES:
            parts.append(part)
        elif size > MAX_DISCARDED_BYTES:
            return None
        if not message.get("more_body", False):
            return b"".join(parts) if size <= MAX_BODY_BYTES else None


def _once(body: bytes, receive: Receive) -> Receive:
    """Give the body that was read, then what comes after it."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
