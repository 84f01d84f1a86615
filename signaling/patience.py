"""The HTTP protocol class the server runs on: uvicorn's, with an end to its patience.

uvicorn waits for a request's headers as long as they trickle, and keeps as many as come. Three hundred such
connections cost an attacker nothing; here each has ten seconds and 32 KiB.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADERS_WITHIN_S: Final = 10.0
MAX_HEADERS_BYTES: Final = 32_768


class PatientProtocol(HttpToolsProtocol):
    """One HTTP connection of the server."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_headers()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._deadline is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEADERS_BYTES:
                self._give_up("Headers too long.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect_headers()

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _expect_headers(self) -> None:
        if self._deadline is None:
            self._head_bytes = 0
            self._deadline = self.loop.call_later(HEADERS_WITHIN_S, self._give_up, "Headers too slow.")

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self, why: str) -> None:
        self._stop_waiting()
        if not self.transport.is_closing():
            self.send_400_response(why)
