"""One device's WebSocket from its first byte to its last: ``/kiosk/ws``.

What is decided about a device is the hub's; here is only when, how many, how big, and what is said when it
is too much. A beat costs no store and no lookup; what waits for the disk (hello, claim, report) waits here.
"""

import asyncio
import logging
from collections.abc import Awaitable
from typing import ClassVar, Final, assert_never

import msgspec
from starlette.responses import Response
from starlette.websockets import WebSocket

from kiosk_hub.fleet.errors import Replayed
from kiosk_hub.fleet.ids import DeviceId, Fingerprint
from kiosk_hub.fleet.lifecycle import check_let_in
from kiosk_hub.fleet.news import LogLine
from kiosk_hub.ports import Denied
from kiosk_hub.services.directory import UnknownDevice
from kiosk_hub.services.identities import Proved
from kiosk_hub.services.reports import PASSING
from room_manager.errors import DomainError
from signaling.kiosk import limits
from signaling.kiosk.door import Door
from signaling.kiosk.line import Line, settings_of
from signaling.kiosk.proving import key_that_signed
from signaling.kiosk.tokens import new_nonce
from signaling.limits import Bucket
from signaling.settings import host_name
from signaling.sockets import EXTENSION, Direct
from signaling.wire.codec import Refused
from signaling.wire.kiosk import codec, device, proofs
from signaling.wire.kiosk.fingerprint import fingerprint_of
from signaling.wire.rest import ErrorBody

TEXT_ONLY: Final = 1003
TOO_BIG: Final = 1009
MAX_LOG_CHARS: Final = 500

log = logging.getLogger(__name__)


class HelloTimeout(DomainError):
    """No hello in time."""

    code: ClassVar[str] = "hello-timeout"


class NoHello(DomainError):
    """Something else was said before the hello, or a hello after it."""

    code: ClassVar[str] = "wrong-state"


class _Closed(Exception):
    """The socket is gone; with the code that it was closed with."""

    def __init__(self, code: int = 1005) -> None:
        self.code = code


async def endpoint(websocket: WebSocket) -> None:
    """``/kiosk/ws``."""
    door: Door | None = getattr(websocket.app.state, "door", None)
    if door is None or not door.edge.ready:
        await _deny(websocket, 503, "shutting-down", "the server is restarting")
        return
    edge = door.edge
    names = edge.settings.host_names
    if names and host_name(websocket.headers.get("host", "")) not in names:
        # What is signed names the host: another name would let a machine in the middle pass challenges on.
        await _deny(websocket, 400, "bad-host", "this server has another name")
        return
    if not edge.origins.allow(websocket.headers.get("origin"), websocket.headers.get("host", "")):
        await _deny(websocket, 403, "forged", "another site's page asked for this")
        return
    address = websocket.client.host if websocket.client is not None else ""
    leave_lobby = edge.lobby.enter(address)
    if leave_lobby is None:
        await _deny(websocket, 503, "busy", "too many at the door")
        return
    try:
        await websocket.accept()
        connection = Connection(door, websocket, address)
        if await connection.come_in():
            leave_lobby()
            await connection.serve()
    finally:
        leave_lobby()


async def _deny(websocket: WebSocket, status: int, code: str, text: str) -> None:
    body = msgspec.json.encode(ErrorBody(code, text))
    await websocket.send_denial_response(Response(body, status, media_type="application/json"))


class Connection:
    """One socket. Its task is the endpoint's."""

    def __init__(self, door: Door, websocket: WebSocket, address: str) -> None:
        self._door = door
        self._websocket = websocket
        self._address = address
        self._now = asyncio.get_running_loop().time
        direct: Direct = websocket.scope["extensions"][EXTENSION]
        self._line = Line(direct, door.clock, door.tokens)
        self._nonce = new_nonce()
        self._rate = Bucket(limits.MESSAGES_PER_S, limits.MESSAGE_BURST, self._now())
        self._slow = Bucket(1.0, limits.MESSAGES_PER_S * limits.SLOWED_FOR_S, self._now())
        self._strikes = Bucket(limits.STRIKES_FORGIVEN_PER_S, limits.STRIKES, self._now())
        self._in_flight: set[str] = set()
        self._landed = asyncio.Event()
        self._noted: set[str] = set()

    # --- coming in ---

    async def come_in(self) -> bool:
        """Challenge, hello, welcome; False if it was sent away."""
        named: DeviceId | None = None
        try:
            self._line.challenge(self._nonce)
            hello = await self._hello()
            named = hello.device
            await self._welcome(hello)
        except _Closed:
            self._line.end()
            return False
        except Exception as error:
            self._send_away(error, named)
            await self._drain()
            return False
        return True

    async def _hello(self) -> device.DeviceHello:
        try:
            async with asyncio.timeout(limits.HELLO_WITHIN_S):
                message = codec.decode(await self._receive())
        except TimeoutError:
            raise HelloTimeout("say hello within 10 s") from None
        if not isinstance(message, device.DeviceHello):
            raise NoHello("say hello first")
        return message

    async def _welcome(self, hello: device.DeviceHello) -> None:
        door = self._door
        known = door.hub.directory.find(hello.device)
        if known is None:
            raise UnknownDevice("there is no such device; it enrols first")
        if hello.nonce != self._nonce:
            raise Replayed("this is not the challenge of this connection")
        host = self._websocket.headers.get("host", "").lower()
        key = key_that_signed(
            known, hello.signature, proofs.hello_text(host, hello.device, hello.nonce, hello.at)
        )
        check_let_in(known)
        fingerprint = Fingerprint(fingerprint_of(key))
        let_in = await door.identities.let_in(Proved(known.id, hello.at, key, fingerprint))
        beat_s = door.lines.beat_every_s
        ask_after_s = beat_s + limits.GRACE_S
        self._line.be_patient(
            ask_after_s, max(limits.BEATS_MISSED * beat_s, ask_after_s + 2 * limits.GRACE_S)
        )
        self._line.welcome(let_in, settings_of(let_in, beat_s))
        door.lines.connected(let_in, self._line)

    def _send_away(self, error: Exception, named: DeviceId | None) -> None:
        code, text = _problem(error)
        if code == "internal":
            log.exception("! a device's hello failed", exc_info=error)
        retry_ms = (
            limits.COME_BACK_MS if isinstance(error, (*PASSING, HelloTimeout)) or code == "internal" else None
        )
        self._door.edge.metrics.refused.labels(code).inc()
        if (
            named is not None
            and self._door.hub.directory.find(named) is not None
            and code not in _PASSING_CODES
        ):
            self._note(named, code, f"{text} (from {self._address})")
        self._line.send_away(code, text, retry_ms)

    # --- being there ---

    async def serve(self) -> None:
        """Until it is closed by whichever side."""
        assert self._line.device is not None
        id = self._line.device
        try:
            while True:
                await self._serve_one(id)
        except _Closed as closed:
            if closed.code == TOO_BIG:
                self._note(id, "too-big", f"a message of more than {device.MAX_DEVICE_MESSAGE_BYTES} bytes")
        except Exception:
            log.exception("! device %s: a message failed", id)
            self._line.send_away("internal", "something went wrong on our side", limits.COME_BACK_MS)
            await self._drain()
        finally:
            self._door.lines.gone(self._line)
            self._line.end()

    async def _serve_one(self, id: DeviceId) -> None:
        raw = await self._receive()
        await self._slow_down()
        if not self._line.is_open or self._door.lines.is_doubtful(self._line):
            return
        try:
            message = codec.decode(raw)
        except Refused as refusal:
            self._reject(id, refusal, raw)
            return
        match message:
            case device.Beat():
                self._door.lines.beat(self._line, message.facts)
                self._line.heard(message.n)
            case device.Report():
                await self._take(id, message)
            case device.Claim():
                await self._claim(id, message)
            case device.Acknowledge():
                if self._door.claims is not None:
                    await self._quietly(self._door.claims.acknowledged(id, message.command))
            case device.DeviceHello():
                self._reject(id, NoHello("hello is said once"), raw)
            case _:
                assert_never(message)

    async def _slow_down(self) -> None:
        """What comes too fast is read later; who always comes too fast is sent away."""
        now = self._now()
        if self._rate.take(now):
            return
        if not self._slow.take(now):
            assert self._line.device is not None
            self._note(self._line.device, "too-many", "messages came too fast for too long")
            self._line.send_away("too-many", "too many messages", limits.COME_BACK_MS)
        await asyncio.sleep(1.0 / limits.MESSAGES_PER_S)

    async def _take(self, id: DeviceId, report: device.Report) -> None:
        """It goes to the disk with those of others; meanwhile more may come."""
        while len(self._in_flight) >= device.MAX_REPORTS_IN_FLIGHT:
            self._landed.clear()
            await self._landed.wait()
        if report.key in self._in_flight:
            return
        self._in_flight.add(report.key)
        stored = self._door.hub.reports.offer(id, report.key, report.at, report.news)
        stored.add_done_callback(lambda done: self._stored(id, report.key, done))

    def _stored(self, id: DeviceId, key: str, done: "asyncio.Future[Denied | None]") -> None:
        self._in_flight.discard(key)
        self._landed.set()
        error = done.exception() if not done.cancelled() else None
        if done.cancelled() or error is not None:
            # It will be told again; the answer to it is that there is none.
            if error is not None and not isinstance(error, PASSING):
                self._note(id, "internal", "a report could not be taken")
            return
        refusal = done.result()
        if refusal is None:
            self._line.stored((key,))
            return
        self._note(id, refusal.code, refusal.text)
        self._line.rejected(refusal.code, refusal.text, key)

    async def _claim(self, id: DeviceId, claim: device.Claim) -> None:
        if self._door.claims is None:
            self._line.no_go(claim.command, "unknown-command", "there is no such command")
            return
        try:
            denied = await self._door.claims.claim(id, claim.command)
        except PASSING:
            return  # the device asks again
        except DomainError as refusal:
            self._line.no_go(claim.command, refusal.code, str(refusal))
            return
        if denied is None:
            self._line.go(claim.command)
        else:
            self._line.no_go(claim.command, denied.code, denied.text)

    async def _quietly(self, doing: Awaitable[None]) -> None:
        try:
            await doing
        except DomainError as refusal:
            log.info("- device %s: %s", self._line.device, refusal.code)

    def _reject(self, id: DeviceId, refusal: DomainError, raw: str) -> None:
        code, text = _problem(refusal)
        self._door.edge.metrics.refused.labels(code).inc()
        self._note(id, code, text)
        if self._strikes.take(self._now()):
            self._line.rejected(code, text, _key_of(raw))
        else:
            self._line.send_away(code, text, limits.COME_BACK_MS)

    # --- bytes ---

    async def _receive(self) -> str:
        message = await self._websocket.receive()
        if message["type"] != "websocket.receive":
            raise _Closed(message.get("code") or 1005)
        text = message.get("text")
        if not isinstance(text, str):
            self._line.close(TEXT_ONLY, "text only")
            raise _Closed(TEXT_ONLY)
        return text

    async def _drain(self) -> None:
        """It was sent away: read on until its close comes, else the kernel's reset overtakes our words."""
        try:
            while True:
                await self._receive()
        except _Closed:
            self._line.end()

    def _note(self, id: DeviceId, code: str, text: str) -> None:
        """For staff to see, each kind of trouble once for a line."""
        if code in self._noted or len(self._noted) > 10:
            return
        self._noted.add(code)
        log.warning("! device %s: %s", id, code)
        if self._door.diary is not None:
            self._door.diary.note(id, LogLine("warning", code, text[:MAX_LOG_CHARS]), self._door.clock())


_PASSING_CODES: Final = frozenset({"busy", "not-stored", "in-doubt", "hello-timeout", "cloned-key"})
"""Not worth a line in the device's log, or already in it."""


class _Keyed(msgspec.Struct, frozen=True):
    key: str | None = None


def _key_of(raw: str) -> str | None:
    """The key of a report that is none, so that the device can forget it."""
    try:
        key = msgspec.json.decode(raw, type=_Keyed).key
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return None
    return key if key is not None and 8 <= len(key) <= 64 else None


def _problem(error: Exception) -> tuple[str, str]:
    if isinstance(error, Refused):
        return error.reason, str(error)
    if isinstance(error, DomainError):
        return error.code, str(error)
    return "internal", "something went wrong on our side"
