"""The door: datagrams come in, and only what is worth it gets further.

Told apart by their first byte (RFC 7983). Whoever has passed no authenticated check is heard for nothing but
checks; the order of tests is from cheap to dear, and what is turned away is counted (``gate.py``).
"""

import logging
import socket
import time
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, Final

from room_manager.media.sfu import private
from room_manager.media.sfu.dtls import HandshakeFailed
from room_manager.media.sfu.gate import Gate
from room_manager.media.sfu.ice import Address, Check, Credentials, read_check
from room_manager.media.sfu.ingress import TOO_LARGE, Origin, quickest
from room_manager.media.sfu.peers import Peer, Peers
from room_manager.media.sfu.router import Router
from room_manager.media.sfu.rtp import Malformed, looks_like_rtcp
from room_manager.media.sfu.srtp import FORGED, MAX_SSRCS, REPLAYED, Opener
from room_manager.media.sfu.stream import Stream

Proved = tuple[Check, Peer, Credentials, bool]

MAX_RECORDS: Final = 1_024  # DTLS datagrams that wait
MAX_RECORDS_OF_PEER: Final = 64  # in a second; a handshake takes less than ten
MAX_PACKETS_OF_PEER: Final = 5_000  # in a second; three layers, a screen and sound are less than a thousand
MAX_CHECKS_OF_PEER: Final = 200  # authentic ones in a second; a browser with many interfaces sends half of it
MAX_CONTROLS_OF_PEER: Final = 500  # RTCP among them: one costs as much as several of RTP
RECORDS_S: Final = 0.004  # handshakes take so long before packets are looked at again

logger = logging.getLogger(__name__)


class Door:
    """One socket's incoming side."""

    def __init__(
        self,
        sock: socket.socket,
        peers: Peers,
        router: Router,
        send: Callable[[bytes, Address], None],
        secured: Callable[[Peer, float], None],
        lost: Callable[[Peer], None],
        switched: Callable[[], None],
    ) -> None:
        """``secured`` and ``lost`` are told of a peer that has got its keys, or ends.

        ``switched`` is told before one changes between UDP and TCP.
        """
        self.gate = Gate()
        self.heard_at = 0.0  # when the last authentic packet came
        self._ingress = quickest(sock)
        self._opener = Opener()
        self._peers = peers
        self._router = router
        self._send = send
        self._secured = secured
        self._lost = lost
        self._switched = switched
        self._records: deque[tuple[Peer, bytes]] = deque()

    def take(self, now: float) -> None:
        """One round of what has come; bounded, since more is told of again."""
        ingress = self._ingress
        if not ingress.take():
            return
        firsts, by_origin, refused = ingress.firsts(), self._peers.by_origin, self.gate.refused
        rows = zip(ingress.origins, ingress.sizes, firsts, strict=True)
        for row, (origin, size, first) in enumerate(rows):
            if size < 2 or size >= TOO_LARGE:
                refused["malformed"] += 1
                continue
            peer = by_origin.get(origin)
            if first < 4:
                self._check(bytes(ingress.datagram(row)), origin, row, peer, now)
            elif peer is None:
                refused["unproven"] += 1
            elif 127 < first < 192:
                self._media(peer, ingress.row(row), ingress.places[row], size, now)
            elif 19 < first < 64:
                self._record(peer, bytes(ingress.datagram(row)))
            else:
                refused["malformed"] += 1

    def shake(self, now: float) -> bool:
        """Carry handshakes on for a moment; returns whether more waits."""
        until = time.monotonic() + RECORDS_S
        while self._records:
            peer, datagram = self._records.popleft()
            if self._peers.by_connection.get(peer.connection) is peer:
                self._handshake(peer, datagram, now)
            if time.monotonic() >= until:
                break
        return bool(self._records)

    def heard(self, stream: Stream, frames: list[bytes], now: float) -> bool:
        """What came over a TCP connection; returns whether it has proved whose it is."""
        refused, opener = self.gate.refused, self._opener
        for frame in frames:
            if stream.closed:
                break
            peer = self._peers.by_origin.get(stream)
            first = frame[0]
            if first < 4:
                self._check_stream(frame, stream, peer, now)
            elif peer is None:
                refused["unproven"] += 1
                stream.close()
            elif 127 < first < 192:
                opener.view[: len(frame)] = frame
                self._media(peer, opener.view, opener.memory, len(frame), now)
            elif 19 < first < 64:
                self._record(peer, frame)
            else:
                refused["malformed"] += 1
        return stream in self._peers.by_origin

    def gone(self, stream: Stream) -> None:
        """A TCP connection has ended. Its peer may come by another way until it is taken for silent."""
        self._peers.expel(stream)

    # --- STUN ---

    def _check(self, datagram: bytes, origin: Origin, row: int, known: Peer | None, now: float) -> None:
        proved = self._proved(datagram, origin, known, now)
        if proved is not None:
            check, peer, credentials, moves = proved
            address = self._ingress.address(row)
            if moves:
                if peer.stream is not None:
                    self._switched()
                peer.move(address)
            self._send(credentials.answer(check, address), address)

    def _check_stream(self, frame: bytes, stream: Stream, known: Peer | None, now: float) -> None:
        proved = self._proved(frame, stream, known, now)
        if proved is not None:
            check, peer, credentials, moves = proved
            if moves:
                if peer.stream is None:
                    self._switched()
                peer.move_to(stream)
            stream.put(credentials.answer(check, stream.address))
        elif known is None:
            stream.close()

    def _proved(self, datagram: bytes, origin: Hashable, known: Peer | None, now: float) -> Proved | None:
        """An authentic check, whose it is, and whether that peer's packets go there from now on."""
        gate = self.gate
        check = read_check(datagram)
        if check is None:
            gate.refused["malformed"] += 1
            return None
        found = self._peers.user(check.ufrag)
        if found is None:
            gate.refused["unknown-user"] += 1
            return None
        peer, credentials = found
        if peer.checks >= MAX_CHECKS_OF_PEER or not gate.may_try(origin, now, proven=known is not None):
            gate.refused["too-many-checks"] += 1
            return None
        if not credentials.authentic(check):
            gate.wrong(origin)
            gate.refused["wrong-password"] += 1
            return None
        peer.checks += 1
        peer.heard_at = now
        if known is not peer:
            self._peers.admit(peer, origin)
        if peer.origin is not None and not check.nominates:
            return check, peer, credentials, False
        if credentials is peer.coming:
            self._peers.settle(peer)
        moves = peer.origin != origin
        peer.origin = origin
        return check, peer, credentials, moves

    # --- DTLS ---

    def _record(self, peer: Peer, datagram: bytes) -> None:
        peer.records += 1
        if peer.records > MAX_RECORDS_OF_PEER or len(self._records) >= MAX_RECORDS:
            self.gate.refused["too-many-records"] += 1
        else:
            self._records.append((peer, datagram))

    def _handshake(self, peer: Peer, datagram: bytes, now: float) -> None:
        try:
            self.reply(peer, peer.handshake.take(datagram))
        except HandshakeFailed as error:
            logger.info("! %s %s", peer.connection, error)
            self._lost(peer)
            return
        if peer.handshake.closed:
            self._lost(peer)
        elif peer.keys is None and peer.handshake.keys is not None:
            peer.secure(peer.handshake.keys)
            self._peers.waiting.discard(peer)
            self._secured(peer, now)

    def reply(self, peer: Peer, datagrams: list[bytes]) -> None:
        """Send what needs no protection of ours to where the peer is, if that is known."""
        if peer.stream is not None:
            for datagram in datagrams:
                peer.stream.put(datagram)
        elif peer.address is not None:
            for datagram in datagrams:
                self._send(datagram, peer.address)

    # --- media ---

    def _media(self, peer: Peer, view: memoryview, place: Any, size: int, now: float) -> None:
        """``size`` bytes that lie in ``view``, at ``place``."""
        keys, refused = peer.keys, self.gate.refused
        if keys is None:
            refused["no-keys"] += 1
            return
        if peer.packets >= MAX_PACKETS_OF_PEER:
            refused["too-many-packets"] += 1
            return
        control = looks_like_rtcp(view)
        if control and peer.controls >= MAX_CONTROLS_OF_PEER:
            refused["too-many-packets"] += 1
            return
        ssrc = b"" if control else bytes(view[8:12])
        if not control and ssrc not in peer.ssrcs and len(peer.ssrcs) >= MAX_SSRCS:
            refused["too-many-streams"] += 1
            return
        function = private.unprotect_rtcp if control else private.unprotect_rtp
        opened = self._opener.opened(function, keys, place, size)
        if opened < 0:
            why = -opened
            refused["forged" if why == FORGED else "replayed" if why in REPLAYED else "broken"] += 1
            return
        peer.packets += 1
        plain = bytes(view[:opened])
        try:
            if control:
                peer.controls += 1
                self._router.rtcp(peer.connection, plain, now)
            else:
                peer.ssrcs.add(ssrc)
                self.heard_at = now
                self._router.rtp(peer.connection, plain, now)
        except Malformed:
            refused["broken"] += 1  # from an authenticated peer: nobody is disturbed
        except Exception:
            refused["broken"] += 1  # a bug of ours; the others' datagrams of this round are none the worse
            logger.exception("! %s sent what we stumble over", peer.connection)
