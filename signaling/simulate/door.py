"""The way in: a link's token against a single-use ticket, by REST, without a library of its own."""

import asyncio
import http.client
import ssl
from typing import Final
from urllib.parse import urlsplit

import msgspec

from signaling.wire.rest import ErrorBody, TicketAnswer

ANSWER_LIMIT_S: Final = 15.0
AT_ONCE: Final = 8
MAX_ANSWER_BYTES: Final = 65_536


class Shut(Exception):
    """The server gave no ticket. ``code`` is the refusal's, or ``offline``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Door:
    """One server as its clients reach it."""

    def __init__(self, url: str, certificate: str | None) -> None:
        parts = urlsplit(url)
        if parts.hostname is None or parts.scheme not in ("http", "https"):
            raise ValueError(f"not an address of a server: {url}")
        self.tls = ssl.create_default_context(cafile=certificate) if parts.scheme == "https" else None
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.socket_url = f"{'wss' if self.tls else 'ws'}://{parts.netloc}/ws"
        self._host = parts.hostname
        self._port = parts.port or (443 if self.tls else 80)
        self._few = asyncio.Semaphore(AT_ONCE)

    async def ticket(self, link: str) -> str:
        """A ticket for one ``hello``. Raises ``Shut``."""
        async with self._few:
            return await asyncio.to_thread(self._ask, msgspec.json.encode({"link": link}))

    def _ask(self, body: bytes) -> str:
        if self.tls is None:
            line = http.client.HTTPConnection(self._host, self._port, timeout=ANSWER_LIMIT_S)
        else:
            line = http.client.HTTPSConnection(
                self._host, self._port, timeout=ANSWER_LIMIT_S, context=self.tls
            )
        headers = {"Content-Type": "application/json", "Origin": self.origin}
        try:
            line.request("POST", "/api/tickets", body, headers)
            answer = line.getresponse()
            text = answer.read(MAX_ANSWER_BYTES)
        except (OSError, http.client.HTTPException):
            raise Shut("offline") from None
        finally:
            line.close()
        try:
            if answer.status == 200:
                return msgspec.json.decode(text, type=TicketAnswer).ticket
            raise Shut(msgspec.json.decode(text, type=ErrorBody).code)
        except msgspec.DecodeError:
            raise Shut("offline") from None
