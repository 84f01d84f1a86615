"""A light client: joins the media path as a browser does, and decodes nothing.

For simulated sites, tests and benchmarks: hundreds of them share one event loop, without threads. It makes
the offer, is the controlling ICE side, the DTLS client, plays packets encoded beforehand, and counts or
keeps what arrives in each slot.
"""

import asyncio
import contextlib
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

from room_manager.media.beat import Beat
from room_manager.media.light_feedback import MAX_KEPT, Answers, Arrived, Ears
from room_manager.media.light_sdp import LAYERS, Kind, Remote, Sections, offer_text
from room_manager.media.light_sending import Sealer, Voice, socket_to
from room_manager.media.loops import Loop, LoopPlayer
from room_manager.media.sfu import rtcp
from room_manager.media.sfu.dtls import Handshake, HandshakeFailed, Identity
from room_manager.media.sfu.ice import Credentials, binding_request, read_check
from room_manager.media.sfu.rtp import Malformed, Packet, looks_like_rtcp
from room_manager.media.sfu.srtp import Keys, Opener

__all__ = ["Arrived", "ConnectFailed", "LightPeer", "Sections"]

CONSENT_S: Final = 5.0
FIRST_RETRY_S: Final = 0.1
LONGEST_RETRY_S: Final = 1.6
CONNECT_PATIENCE_S: Final = 10.0
REPORT_BEATS: Final = 50
RECEIVE_ROUND: Final = 64
CHECK: Final = 0x01  # a binding request's type, of which the first byte is 0


class ConnectFailed(Exception):
    """The connection did not come up, or went down before."""


class LightPeer:
    """One connection to a media engine.

    ``offer()``, ``await accept(answer, slots)``, ``await connected()``, ``play(loop)``, ``close()``.
    With ``count_only`` arriving media is drained and counted as it is, not decrypted.
    """

    _identity: ClassVar[Identity | None] = None
    _opener: ClassVar[Opener | None] = None

    def __init__(
        self,
        sections: Sections | None = None,
        *,
        count_only: bool = False,
        host: str = "127.0.0.1",
        identity: Identity | None = None,
        answers: Answers = "reports",
    ) -> None:
        """``identity`` None: the one all light peers of this process share. ``answers``: see ``Ears``."""
        if LightPeer._identity is None:
            LightPeer._identity, LightPeer._opener = Identity(), Opener()
        self._own = identity or LightPeer._identity
        self._sections = sections or Sections()
        self._count_only = count_only
        self._host = host
        self._ufrag, self._password = secrets.token_hex(4), secrets.token_hex(12)
        self._tie_breaker = secrets.randbits(64)
        self._socket: socket.socket | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._handshake: Handshake | None = None
        self._request = b""
        self._timer: asyncio.TimerHandle | None = None
        self._up: asyncio.Future[None] | None = None
        self._keys: Keys | None = None
        self._sealer = Sealer()
        self._voice = Voice(self._sections)
        self.ears = Ears(answers)
        self._player: LoopPlayer | None = None
        self._played: LoopPlayer | None = None  # kept when stopped: numbers must go on from where they were
        self.slots = self.ears.slots
        self.datagrams = self.keyframe_requests = self.feedbacks = self.reports = 0
        self.nacked: list[int] = []
        self.closed = False
        self.loss = 0.0  # share of arriving media that is thrown away, to be a weak line
        self.on_packet: Callable[[str, Packet], None] | None = None
        self.on_closed: Callable[[], None] | None = None

    # --- offer and answer ---

    def offer(self) -> str:
        """The session description to send; the same as often as it is asked for."""
        return offer_text(
            self._sections, self._ufrag, self._password, self._own.fingerprint, self._tie_breaker
        )

    async def accept(self, answer: str, slots: dict[str, str]) -> None:
        """Take the engine's answer and begin to connect; ``slots`` names its sections (mid → slot)."""
        remote = Remote(answer)
        for mid, name in slots.items():
            ssrc, repair = remote.streams[mid]
            self.ears.add(name, ssrc, repair)
        self._loop = loop = asyncio.get_running_loop()
        self._remote = remote
        self._up = loop.create_future()
        self._up.add_done_callback(lambda up: up.cancelled() or up.exception())
        self._handshake = Handshake(self._own, "sha-256", remote.fingerprint, server=False)
        self._request = binding_request(self._ufrag, remote.ufrag, remote.password, self._tie_breaker)
        self._open_socket()
        self._begun_at = loop.time()
        self._greeted = False
        self._hello: list[bytes] = []
        self._retry_s = FIRST_RETRY_S
        self._send_raw(self._request)
        self._timer = loop.call_later(self._retry_s, self._again)

    def _open_socket(self) -> None:
        loop, before = self._loop, self._socket
        assert loop is not None
        if before is not None:
            loop.remove_reader(before.fileno())
            before.close()
        self._socket = sock = socket_to(self._remote.address, self._host)
        loop.add_reader(sock.fileno(), self._readable)

    def restart_offer(self) -> str:
        """The same offer with new ICE credentials (RFC 8445, section 9)."""
        self._ufrag, self._password = secrets.token_hex(4), secrets.token_hex(12)
        return self.offer()

    def restarted(self, answer: str, *, nominates: bool = True) -> None:
        """Take the answer to it, and go on from another port. ``nominates`` False: only try it."""
        self._remote = remote = Remote(answer)
        self._request = binding_request(
            self._ufrag, remote.ufrag, remote.password, self._tie_breaker, nominates=nominates
        )
        if nominates:
            self._open_socket()
        self._send_raw(self._request)

    async def connected(self) -> None:
        """Return when media may flow, or raise :class:`ConnectFailed`."""
        assert self._up is not None
        await asyncio.shield(self._up)

    @property
    def local_port(self) -> int:
        """Our UDP port."""
        assert self._socket is not None
        return int(self._socket.getsockname()[1])

    @property
    def remote_port(self) -> int:
        """The port we send to."""
        assert self._socket is not None
        return int(self._socket.getpeername()[1])

    # --- sending ---

    def play(self, loop: Loop, *, layers: Sequence[str] = LAYERS, voice: bool = True) -> None:
        """Send a loop over and over from now on: its picture in these layers, and its sound."""
        if self._played is None:
            self._played = LoopPlayer(loop, self._play, layers=tuple(layers), voice=voice)
        else:
            self._played.change(loop, layers=tuple(layers), voice=voice)
        self._player = self._played
        Beat.of(asyncio.get_running_loop()).add(self)

    def stop(self) -> None:
        """Play no more."""
        self._player = None

    def only(self, layers: Sequence[str]) -> None:
        """Send only these layers of the loop from now on."""
        if self._player is not None:
            self._player.change(self._player.loop, layers=tuple(layers), voice=self._player.voice)

    def send_rtp(
        self,
        kind: Kind,
        payload: bytes,
        *,
        timestamp: int,
        layer: str = "",
        marker: bool = False,
        level: int | None = None,
        seq: int | None = None,
    ) -> None:
        """One packet of ours. ``seq`` is for tests that lose or reorder; it becomes the newest."""
        self.send_plain(self._voice.packet(kind, payload, timestamp, layer, marker, level, seq))

    def send_plain(self, packet: bytes) -> None:
        """Protect and send an RTP packet made by the caller."""
        if self._keys is not None:
            self._send_raw(self._sealer.rtp(packet, self._keys))

    def send_control(self, compound: bytes) -> None:
        """Protect and send an RTCP datagram made by the caller."""
        if self._keys is not None:
            self._send_raw(self._sealer.rtcp(compound, self._keys))

    def ask_keyframe(self, slot: str) -> None:
        """Say that this picture cannot be decoded."""
        self.send_control(rtcp.pli(1, self.slots[slot].ssrc))

    def ask_again(self, slot: str, seqs: Sequence[int]) -> None:
        """Ask for packets of this slot that did not arrive."""
        self.send_control(rtcp.nack(1, self.slots[slot].ssrc, seqs))

    def ssrc_of(self, kind: Kind, layer: str = "") -> int | None:
        """Under which SSRC we send this, once we have."""
        return self._voice.ssrc_of(kind, layer)

    def _play(self, *packet: Any) -> None:
        self.send_plain(self._voice.play(*packet))

    def _send_raw(self, datagram: bytes | memoryview) -> None:
        if self._socket is not None and datagram:
            with contextlib.suppress(OSError):  # as the network does: the datagram is lost
                self._socket.send(datagram)

    # --- receiving ---

    def deaf(self) -> None:
        """Read nothing more: for load, where the kernel may drop what arrives. Consent goes on."""
        if self._socket is not None and self._loop is not None:
            self._loop.remove_reader(self._socket.fileno())

    def lend(self) -> tuple[socket.socket, Keys]:
        """Our socket and keys, for whoever reads in our place from now on. Only once connected."""
        assert self._socket is not None
        assert self._keys is not None
        self.deaf()
        return self._socket, self._keys

    def _readable(self) -> None:
        sock, opener = self._socket, LightPeer._opener
        assert opener is not None
        for _ in range(RECEIVE_ROUND):
            if sock is None or self._socket is None:
                return
            try:
                size = sock.recv_into(opener.view)
            except (BlockingIOError, ConnectionRefusedError):
                return
            first = opener.view[0] if size else 0
            if first > 127:
                self.datagrams += 1
                if self._keys is not None:
                    self._media(opener, self._keys, size)
            elif 19 < first < 64:
                self._dtls(bytes(opener.view[:size]))
            elif first < 4 and opener.view[0] == 0 and opener.view[1] == CHECK:
                self._answer_check(bytes(opener.view[:size]))
            elif first < 4 and not self._greeted:
                self._greeted = True
                assert self._handshake is not None
                self._hello = self._handshake.start()
                self._send_flight(self._hello)

    def _answer_check(self, datagram: bytes) -> None:
        """Engines that are not ICE-lite check us as well; of the two ends we are the controlling one."""
        check, ours = read_check(datagram), Credentials(self._ufrag, self._password, self._remote.ufrag)
        if self._socket is not None and check is not None and ours.authentic(check):
            self._send_raw(ours.answer(check._replace(controlled=False), self._socket.getpeername()))

    def _media(self, opener: Opener, keys: Keys, size: int) -> None:
        if looks_like_rtcp(opener.view):
            plain = opener.rtcp(keys, size)
            if plain is not None:
                self._control(plain)
            return
        if self.loss and secrets.randbelow(1000) < self.loss * 1000:
            return
        now = time.monotonic()
        target = self.ears.came(opener.view[:size], now)
        if self._count_only:
            return
        plain = opener.rtp(keys, size)
        if plain is None or target is None:
            return
        packet = Packet(plain)
        self.ears.opened(target, packet, now)
        target.kept.append(packet)
        if self.on_packet is not None:
            name = next(slot for slot, known in self.slots.items() if known is target)
            self.on_packet(name, packet)

    def _control(self, plain: bytes) -> None:
        try:
            items = rtcp.parse(plain)
        except Malformed:
            return
        for item in items:
            match item:
                case rtcp.KeyframeRequest():
                    self.keyframe_requests += 1
                    if self._player is not None:
                        self._player.jump_to_keyframe()
                case rtcp.TransportWide():
                    self.feedbacks += 1
                case rtcp.Nack():
                    self.nacked += item.seqs
                    del self.nacked[:-MAX_KEPT]
                case rtcp.Report():
                    self.reports += 1
                    self.ears.sender_reported(item, time.monotonic())

    def _dtls(self, datagram: bytes) -> None:
        handshake = self._handshake
        assert handshake is not None
        self._hello = []
        try:
            self._send_flight(handshake.take(datagram))
        except HandshakeFailed:
            self.close()
            return
        if handshake.closed:
            self.close()
        elif self._keys is None and handshake.keys is not None:
            self._keys = handshake.keys
            if self.ears.answers == "all" and self._loop is not None:
                Beat.of(self._loop).add(self)
            if self._up is not None and not self._up.done():
                self._up.set_result(None)

    def _send_flight(self, datagrams: list[bytes]) -> None:
        for datagram in datagrams:
            self._send_raw(datagram)

    # --- time ---

    def _again(self) -> None:
        """Repeat what has had no answer; keep consent once up."""
        loop = self._loop
        assert loop is not None
        if self._keys is None:
            if loop.time() - self._begun_at > CONNECT_PATIENCE_S:
                self.close()
                return
            if self._greeted and self._handshake is not None:
                self._send_flight(self._hello)  # sooner than a second: an engine may not have been ready
                try:
                    self._send_flight(self._handshake.timer())
                except HandshakeFailed:
                    self.close()
                    return
            else:
                self._send_raw(self._request)
            self._retry_s = min(self._retry_s * 2, LONGEST_RETRY_S)
            self._timer = loop.call_later(self._retry_s, self._again)
        else:
            self._send_raw(self._request)
            self._timer = loop.call_later(CONSENT_S, self._again)

    def beat(self, number: int) -> bool:
        """One step of playing and answering; False: nothing to do any more."""
        player = self._player
        if self.closed or (player is None and self.ears.answers != "all"):
            return False
        if self._keys is not None:
            now = time.monotonic()
            if player is not None:
                player.advance(now)
            told = self.ears.feedback(now)
            if told:
                self.send_control(told)
            if number % REPORT_BEATS == self._tie_breaker % REPORT_BEATS:
                self.report()
        return True

    def report(self) -> None:
        """Sender and receiver reports. Who plays says so itself, once a second."""
        player, now = self._player, time.monotonic()
        parts = self._voice.reports(player, time.time()) if player is not None else []
        told = b"".join((*parts, self.ears.report(now)))
        if told:
            self.send_control(told)

    def close(self) -> None:
        """End, telling the engine. Idempotent."""
        if self.closed:
            return
        self.closed = True
        self._player = None
        if self._timer is not None:
            self._timer.cancel()
        if self._handshake is not None:
            self._send_flight(self._handshake.close())
        if self._socket is not None:
            assert self._loop is not None
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None
        if self._up is not None and not self._up.done():
            self._up.set_exception(ConnectFailed("the media connection did not come up"))
        if self.on_closed is not None:
            self.on_closed()
