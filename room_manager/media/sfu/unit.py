"""The forwarding unit at work: one socket, the connections behind it, and the router between them.

A shell: it reads, decrypts, hands plaintext to the router, and sends what the router wants sent.
"""

import asyncio
import gc
import logging
import secrets
import socket
import time
from collections.abc import Callable
from typing import Final

from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import Answer, BadOffer, EngineEvent, MediaDown, MediaUp, NotJoined, Scene
from room_manager.media.sfu import sdp
from room_manager.media.sfu.batch import BatchEgress
from room_manager.media.sfu.dtls import Handshake, HandshakeFailed, Identity
from room_manager.media.sfu.garbage import Departures
from room_manager.media.sfu.ice import CONSENT_S, Address, Credentials, read_check
from room_manager.media.sfu.negotiation import Local, answer_text
from room_manager.media.sfu.room import RoomStats
from room_manager.media.sfu.router import Router
from room_manager.media.sfu.rtp import Malformed, looks_like_rtcp
from room_manager.media.sfu.srtp import MAX_SSRCS, Opener
from room_manager.media.sfu.udp import PlainEgress, Receiver

TICK_S: Final = 0.05
HOLD_S: Final = 0.003  # the rest of a frame may take so long
MAX_ROUND: Final = 256  # datagrams taken before others get a turn
MAX_ADDRESSES: Final = 8  # checked ones of one connection
UNIX_TO_NTP_S: Final = 2_208_988_800

logger = logging.getLogger(__name__)


class Peer(Receiver):
    """One connection: where it is, what it proved, and its keys."""

    __slots__ = ("addresses", "connection", "credentials", "handshake", "heard_at", "room", "ssrcs")

    def __init__(
        self,
        room: RoomId,
        connection: ConnectionId,
        credentials: Credentials,
        handshake: Handshake,
        now: float,
    ) -> None:
        super().__init__()
        self.room = room
        self.connection = connection
        self.credentials = credentials
        self.handshake = handshake
        self.heard_at = now
        self.addresses: list[Address] = []
        self.ssrcs: set[bytes] = set()


def fastest(sock: socket.socket) -> BatchEgress | PlainEgress:
    """The fastest egress this system has."""
    try:
        return BatchEgress(sock)
    except OSError:
        return PlainEgress(sock)


class ForwardingUnit:
    """Takes calls from the control connection and datagrams from the network."""

    def __init__(
        self, sock: socket.socket, announce: tuple[str, ...], tell: Callable[[EngineEvent], None]
    ) -> None:
        """``announce`` are the addresses clients are told; the socket's own port goes with them."""
        self._socket = sock
        self._announce = announce
        self._tell = tell
        self._identity = Identity()
        self._opener = Opener()
        self._egress = fastest(sock)
        self._holding: asyncio.TimerHandle | None = None
        offset = time.time() - time.monotonic() + UNIX_TO_NTP_S
        self._router = Router(self._egress, tell, lambda: secrets.randbits(32), offset)
        self._peers: dict[ConnectionId, Peer] = {}
        self._by_ufrag: dict[str, Peer] = {}
        self._by_address: dict[Address, Peer] = {}
        self._greeting: set[Peer] = set()  # handshake under way
        self._swept_at = 0.0
        self._departures = Departures()
        self.refused = 0  # datagrams from addresses that have proved nothing

    @property
    def port(self) -> int:
        """The UDP port."""
        return int(self._socket.getsockname()[1])

    # --- calls ---

    def join(self, room: RoomId, connection: ConnectionId, source: SiteId | None, offer: str) -> Answer:
        """Answer an offer. Raises ``BadOffer`` or ``Limit``."""
        parsed = sdp.parse(offer)
        self.leave(connection)
        plan = self._router.plan(room, source, parsed)
        password = secrets.token_hex(16)
        credentials = Credentials(secrets.token_hex(6), password, parsed.ufrag)
        handshake = Handshake(self._identity, parsed.digest, parsed.fingerprint, server=True)
        peer = Peer(room, connection, credentials, handshake, time.monotonic())
        self._router.join(room, connection, source, plan, peer)
        self._peers[connection] = peer
        self._by_ufrag[credentials.ufrag] = peer
        local = Local(credentials.ufrag, password, self._identity.fingerprint, self._announce, self.port)
        text = answer_text(plan, local, secrets.randbits(60))
        return Answer(text, {receiving.mid: receiving.slot for receiving in plan.receiving})

    def leave(self, connection: ConnectionId) -> None:
        """Forget it, telling the peer."""
        peer = self._peers.get(connection)
        if peer is not None:
            self._send(peer, peer.handshake.close())
            self._forget(peer)

    def restart(self, connection: ConnectionId, offer: str) -> Answer:
        """See :meth:`Engine.restart`."""
        if connection not in self._peers:
            raise NotJoined("no such connection")
        raise BadOffer("a connection that lost its line makes a new one")

    def watch(self, connection: ConnectionId, sites: tuple[SiteId, ...]) -> None:
        """See :meth:`Engine.watch`."""
        if connection not in self._peers:
            raise NotJoined("no such connection")

    def use(self, room: RoomId, source: SiteId, connection: ConnectionId) -> None:
        """See :meth:`Engine.use`."""
        self._router.use(room, source, connection, time.monotonic())
        self._egress.flush()

    def set_scene(self, room: RoomId, scene: Scene) -> None:
        """See :meth:`Engine.set_scene`."""
        self._router.set_scene(room, scene, time.monotonic())
        self._egress.flush()

    def close_room(self, room: RoomId) -> None:
        """See :meth:`Engine.close_room`."""
        for connection in self._router.close_room(room, time.monotonic()):
            self.leave(connection)

    def stats(self, room: RoomId) -> RoomStats | None:
        """The room's counters."""
        return self._router.stats(room)

    # --- the network ---

    def readable(self) -> None:
        """Take what has come, a bounded number at a time, and send what follows from it."""
        opener, receive = self._opener, self._socket.recvfrom_into
        view = opener.view
        by_address = self._by_address
        now = time.monotonic()
        for _ in range(MAX_ROUND):
            try:
                size, address = receive(view)
            except BlockingIOError:
                break
            except OSError:
                continue
            if size < 2:
                continue
            first = view[0]
            if first < 4:  # RFC 7983: demultiplexing by the first byte
                self._check(bytes(view[:size]), address, now)
                continue
            peer = by_address.get(address)
            if peer is None:
                self.refused += 1
            elif 127 < first < 192:
                if peer.keys is not None:
                    self._media(peer, size, now)
            elif 19 < first < 64:
                self._handshake(peer, bytes(view[:size]), now)
        if self._egress.flush_whole() and self._holding is None:
            self._holding = asyncio.get_running_loop().call_later(HOLD_S, self._let_go)

    def _let_go(self) -> None:
        """The rest of the frame has not come: send what there is."""
        self._holding = None
        self._egress.flush()

    def tick(self) -> None:
        """What time brings: feedback, reports, repeated flights, the silent ones."""
        now = time.monotonic()
        for peer in list(self._greeting):
            try:
                self._send(peer, peer.handshake.timer())
            except HandshakeFailed:
                self._down(peer)
        if now - self._swept_at >= 1.0:
            self._swept_at = now
            for peer in list(self._peers.values()):
                if now - peer.heard_at > CONSENT_S:
                    self._down(peer)
            if self._departures.due(now):
                gc.collect()
        self._router.tick(now)
        self._egress.flush()

    async def run(self) -> None:
        """Serve until cancelled."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._socket.fileno(), self.readable)
        try:
            while True:
                await asyncio.sleep(TICK_S)
                self.tick()
        finally:
            loop.remove_reader(self._socket.fileno())
            if self._holding is not None:
                self._holding.cancel()

    def _check(self, datagram: bytes, address: Address, now: float) -> None:
        check = read_check(datagram)
        peer = self._by_ufrag.get(check.ufrag) if check is not None else None
        if check is None or peer is None or not peer.credentials.authentic(check):
            self.refused += 1
            return
        peer.heard_at = now
        if self._by_address.get(address) is not peer:
            self._admit(peer, address)
        if peer.address is None or (check.nominates and peer.address != address):
            peer.move(address)
            self._greeting.add(peer) if peer.keys is None else None
        self._egress.datagram(peer.credentials.answer(check, address), address)

    def _admit(self, peer: Peer, address: Address) -> None:
        """The address has proved that it is this peer's."""
        other = self._by_address.get(address)
        if other is not None:
            other.addresses.remove(address)
        self._by_address[address] = peer
        peer.addresses.append(address)
        if len(peer.addresses) > MAX_ADDRESSES:
            oldest = next(a for a in peer.addresses if a != peer.address)
            peer.addresses.remove(oldest)
            del self._by_address[oldest]

    def _handshake(self, peer: Peer, datagram: bytes, now: float) -> None:
        try:
            self._send(peer, peer.handshake.take(datagram))
        except HandshakeFailed as error:
            logger.info("! %s %s", peer.connection, error)
            self._down(peer)
            return
        if peer.handshake.closed:
            self._down(peer)
        elif peer.keys is None and peer.handshake.keys is not None:
            peer.secure(peer.handshake.keys)
            self._greeting.discard(peer)
            self._router.secured(peer.connection, now)
            self._tell(MediaUp(peer.room, peer.connection))

    def _media(self, peer: Peer, size: int, now: float) -> None:
        view = self._opener.view
        assert peer.keys is not None
        try:
            if looks_like_rtcp(view):
                plain = self._opener.rtcp(peer.keys, size)
                if plain is not None:
                    self._router.rtcp(peer.connection, plain, now)
                return
            ssrc = bytes(view[8:12])
            if ssrc not in peer.ssrcs and len(peer.ssrcs) >= MAX_SSRCS:
                return
            plain = self._opener.rtp(peer.keys, size)
            if plain is not None:
                peer.ssrcs.add(ssrc)
                self._departures.busy(now)
                self._router.rtp(peer.connection, plain, now)
        except Malformed:
            pass  # from an authenticated peer, but broken: nobody is disturbed

    def _send(self, peer: Peer, datagrams: list[bytes]) -> None:
        if peer.address is not None:
            for datagram in datagrams:
                self._egress.datagram(datagram, peer.address)

    def _down(self, peer: Peer) -> None:
        self._forget(peer)
        self._tell(MediaDown(peer.room, peer.connection))

    def _forget(self, peer: Peer) -> None:
        self._egress.flush()  # what was batched for it still refers to it
        self._peers.pop(peer.connection, None)
        self._departures.one_more()
        self._by_ufrag.pop(peer.credentials.ufrag, None)
        self._greeting.discard(peer)
        for address in peer.addresses:
            self._by_address.pop(address, None)
        self._router.leave(peer.connection, time.monotonic())
