"""The WebSocket protocol class the server runs on: uvicorn's wsproto one, with a way past ASGI for sending.

ASGI sends one message to one client through a coroutine, a lock and an encoder. A room says the same
bytes to hundreds, so the application may write a finished frame straight to the transport, through the
scope extension ``diemcau.direct``. wsproto still does the handshake, control frames, fragments and the
close; since we never send fragmented messages, a whole frame may stand between any two of its own.

It also lingers: after a close that the peer caused (too big, not UTF-8), what is still arriving is read
and thrown away until the peer answers or a moment has passed, else the kernel answers with a reset that
overtakes our close frame.

And it notices a dead line: a peer that is not heard for ``PING_AFTER_S`` is asked, and is gone if it is still
not heard ``DEAD_AFTER_S`` after its last byte. Who speaks is never asked, so a live room costs no pings.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Final, cast

import wsproto
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol
from wsproto.connection import ConnectionState
from wsproto.utilities import LocalProtocolError

from signaling.limits import Bucket

EXTENSION: Final = "diemcau.direct"
SEND_BUFFER_BYTES: Final = 65_536
LINGER_S: Final = 2.0
PING_AFTER_S: Final = 6.0  # a little more than the pages' own 5 s, so that they are never asked
DEAD_AFTER_S: Final = 13.0
LATE_S: Final = 1.0  # a timer that fires later than this: it was the loop that did not listen
CONTROLS_PER_S: Final = 2.0  # pings, pongs and empty fragments; a client of ours sends one in five seconds
CONTROL_BURST: Final = 30.0
TOO_MANY: Final = 4029
DEAD: Final = 1011
EMPTY_PING: Final = b"\x89\x00"  # RFC 6455, section 5.5.2; wsproto keeps no account of them
MASKED_CLOSE: Final = 0x88  # the first byte of a close frame (RFC 6455, section 5.2)


class Direct:
    """The application's handle on one socket. All calls are from the loop and never block."""

    def __init__(self, protocol: "DirectProtocol") -> None:
        self._protocol = protocol
        self.on_writable: Callable[[], None] | None = None
        self.on_pong: Callable[[], None] | None = None
        self.writable = True
        """The peer takes what it is given: nothing waits above the high-water mark."""

    def write(self, frames: bytes) -> bool:
        """Send one or more whole frames; False if the socket is closing and they went nowhere."""
        return self._protocol.write_frames(frames)

    def be_patient(self, ping_after_s: float, dead_after_s: float) -> None:
        """Ask a silent peer later than usual, for one that has less to say."""
        self._protocol.be_patient(ping_after_s, dead_after_s)

    def ping(self) -> None:
        """Ask for a sign of life now; ``on_pong`` hears it."""
        self._protocol.write_frames(EMPTY_PING)

    def close(self, code: int, reason: str = "") -> None:
        """Start the closing handshake (RFC 6455, section 7.1.2); the peer has ``LINGER_S`` to answer."""
        self._protocol.close_now(code, reason)

    def abort(self) -> None:
        """Drop the socket and what waits in it."""
        if not self._protocol.transport.is_closing():
            self._protocol.transport.abort()


class DirectProtocol(WSProtocol):
    """One WebSocket of the server."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._direct = Direct(self)
        self._broken = False  # what arrives can be parsed no more
        self._heard_at = self.loop.time()
        self._ping_after_s = PING_AFTER_S
        self._dead_after_s = DEAD_AFTER_S
        self._look: asyncio.TimerHandle | None = None
        self._controls = Bucket(CONTROLS_PER_S, CONTROL_BURST, self._heard_at)
        self._owed_pong: wsproto.events.Ping | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        kernel = transport.get_extra_info("socket")
        if kernel is not None:
            # The kernel would hide megabytes of a slow peer's backlog from us.
            kernel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        transport.set_write_buffer_limits(high=SEND_BUFFER_BYTES)

    def handle_connect(self, event: wsproto.events.Request) -> None:
        super().handle_connect(event)
        extensions = cast("dict[str, object]", self.scope["extensions"])
        extensions[EXTENSION] = self._direct

    def pause_writing(self) -> None:
        super().pause_writing()
        self._direct.writable = False

    def resume_writing(self) -> None:
        super().resume_writing()
        self._direct.writable = True
        ping, self._owed_pong = self._owed_pong, None
        if ping is not None and not self.close_sent and not self.transport.is_closing():
            super().handle_ping(ping)
        if self._direct.on_writable is not None:
            self._direct.on_writable()

    def data_received(self, data: bytes) -> None:
        self._heard_at = self.loop.time()
        if not self._broken:
            super().data_received(data)
        elif data[0] == MASKED_CLOSE:
            self.transport.close()  # the peer has heard our close and answers it

    def handle_close(self, event: wsproto.events.CloseConnection) -> None:
        if self.conn.state is ConnectionState.OPEN and not self.close_sent:
            # Nobody has said close: wsproto tells of bytes that break RFC 6455 in this way.
            self._broken = True
            self.close_now(int(event.code), "bytes that are no WebSocket text")
            return
        super().handle_close(event)

    def handle_message(self, event: wsproto.events.TextMessage | wsproto.events.BytesMessage) -> None:
        size = len(event.data.encode()) if isinstance(event.data, str) else len(event.data)
        if self.buffer.length + size > self.config.ws_max_size:
            self.close_now(1009, "too big")
            return
        if not size and not event.message_finished and not self._may_control():
            return
        super().handle_message(event)

    # --- control frames: nothing of them waits without bound, also before anybody has said hello ---

    def handle_ping(self, event: wsproto.events.Ping) -> None:
        """Answer; while the peer takes nothing, keep the newest: that suffices (RFC 6455, section 5.5.3)."""
        if not self._may_control():
            return
        if self._direct.writable:
            super().handle_ping(event)
        else:
            self._owed_pong = event

    def handle_pong(self, event: wsproto.events.Pong) -> None:
        """That it was heard is all there is to know, but for whoever asked."""
        if self._may_control() and self._direct.on_pong is not None:
            self._direct.on_pong()

    def _may_control(self) -> bool:
        if self._controls.take(self.loop.time()):
            return True
        self.close_now(TOO_MANY, "too many control frames")
        return False

    # --- is the line alive? ---

    def start_keepalive(self) -> None:
        """From the end of the handshake on."""
        self._heard_at = self.loop.time()
        self._look_at(self._heard_at + PING_AFTER_S)

    def stop_keepalive(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _look_at(self, at: float) -> None:
        self._look = self.loop.call_at(at, self._look_for_life, at)

    def be_patient(self, ping_after_s: float, dead_after_s: float) -> None:
        self._ping_after_s = ping_after_s
        self._dead_after_s = dead_after_s

    def _look_for_life(self, due: float) -> None:
        self._look = None
        if self.close_sent or self.transport.is_closing():
            return
        now = self.loop.time()
        if self.read_paused or now - due > LATE_S:
            # Whoever does not listen must not complain of silence.
            self._heard_at = max(self._heard_at, now - self._ping_after_s)
        silent_s = now - self._heard_at
        if silent_s >= self._dead_after_s:
            self.close_now(DEAD, "not heard for too long")
        elif silent_s >= self._ping_after_s:
            if self._direct.writable:
                self.transport.write(EMPTY_PING)
            self._look_at(min(now + self._ping_after_s, self._heard_at + self._dead_after_s))
        else:
            self._look_at(self._heard_at + self._ping_after_s)

    def write_frames(self, frames: bytes) -> bool:
        # Whenever a close frame has been sent, by us or by uvicorn, one of these is true.
        if self.close_sent or self.transport.is_closing() or not self.handshake_complete:
            return False
        self.transport.write(frames)
        return True

    def close_now(self, code: int, reason: str) -> None:
        """Say close, tell the application, and wait a moment for the peer's answer."""
        if self.close_sent or self.transport.is_closing() or not self.handshake_complete:
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self._say_close(code, reason)
        self._resume_reading()
        self.close_timer = self.loop.call_later(LINGER_S, self.transport.abort)

    def _say_close(self, code: int, reason: str) -> None:
        self.close_sent = True
        self.stop_keepalive()
        try:
            self.transport.write(self.conn.send(wsproto.events.CloseConnection(code=code, reason=reason)))
        except LocalProtocolError:
            self.transport.close()

    def _resume_reading(self) -> None:
        if self.read_paused and not self.transport.is_closing():
            self.read_paused = False
            self.transport.resume_reading()
