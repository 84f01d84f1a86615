"""The forwarding unit at work: one socket, the connections behind it, and the router between them.

A shell: it takes calls, lets the door read and the router decide, and sends what the router wants sent.
"""

import asyncio
import gc
import logging
import secrets
import socket
import time
from collections.abc import Callable
from typing import Final

from room_manager.errors import Limit
from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import Answer, EngineEvent, MediaDown, MediaUp, NotJoined, Scene
from room_manager.media.sfu import sdp
from room_manager.media.sfu.batch import BatchEgress
from room_manager.media.sfu.door import Door
from room_manager.media.sfu.dtls import Handshake, HandshakeFailed, Identity
from room_manager.media.sfu.garbage import Departures
from room_manager.media.sfu.gate import Reason
from room_manager.media.sfu.gauges import Figures
from room_manager.media.sfu.health import rss_bytes
from room_manager.media.sfu.ice import CONSENT_S, Credentials
from room_manager.media.sfu.listener import Listener
from room_manager.media.sfu.negotiation import Local, answer_text
from room_manager.media.sfu.packets import OPUS
from room_manager.media.sfu.peers import Peer, Peers
from room_manager.media.sfu.relay_links import RelayLinks
from room_manager.media.sfu.restarts import check_restart, lasting, restarted
from room_manager.media.sfu.room_stats import RoomStats
from room_manager.media.sfu.router import Router
from room_manager.media.sfu.rtp import Malformed
from room_manager.media.sfu.stream import Stream
from room_manager.media.sfu.udp import PlainEgress

TICK_S: Final = 0.05
SWEEP_S: Final = 1.0
HOLD_S: Final = 0.003  # the rest of a frame may take so long
HANDSHAKE_S: Final = 30.0
MAX_UNDER_WAY: Final = 1_024  # connections without keys yet
UNIX_TO_NTP_S: Final = 2_208_988_800

logger = logging.getLogger(__name__)


def fastest(sock: socket.socket) -> BatchEgress | PlainEgress:
    """The fastest egress this system has."""
    try:
        return BatchEgress(sock)
    except OSError:
        return PlainEgress(sock)


class ForwardingUnit:
    """Takes calls from the control connection and datagrams from the network."""

    def __init__(
        self,
        sock: socket.socket,
        announce: tuple[str, ...],
        tell: Callable[[EngineEvent], None],
        listener: socket.socket | None = None,
        links: RelayLinks | None = None,
    ) -> None:
        """``announce`` are the addresses clients are told; the socket's own port goes with them.

        ``listener`` listens for TCP on the same number; None: clients come by UDP only. ``links`` lead to the
        other workers.
        """
        self._links = links or RelayLinks({})
        self._socket = sock
        self._announce = announce
        self._tell = tell
        self._identity = Identity()
        self._egress = fastest(sock)
        self._holding: asyncio.TimerHandle | None = None
        self._shaking: asyncio.Handle | None = None
        self._sending: asyncio.Handle | None = None
        offset = time.time() - time.monotonic() + UNIX_TO_NTP_S
        self._router = Router(self._egress, tell, lambda: secrets.randbits(32), offset, self._links)
        self._peers = Peers()
        self._door = door = Door(
            sock,
            self._peers,
            self._router,
            self._egress.datagram,
            self._secured,
            self._down,
            self._egress.switched,
        )
        self._listener = (
            Listener(listener, door.gate, self._heard, door.gone) if listener is not None else None
        )
        self._swept_at = 0.0
        self._departures = Departures()
        self._joins = 0

    @property
    def port(self) -> int:
        """The UDP port."""
        return int(self._socket.getsockname()[1])

    # --- calls ---

    def join(
        self,
        room: RoomId,
        connection: ConnectionId,
        source: SiteId | None,
        offer: str,
        video: str | None = None,
    ) -> Answer:
        """Answer an offer; ``video`` is the room's codec, if it has one. Raises ``BadOffer`` or ``Limit``."""
        parsed = sdp.parse(offer)
        self.leave(connection)
        if len(self._peers.waiting) >= MAX_UNDER_WAY:
            raise Limit(f"more than {MAX_UNDER_WAY} connections are being made")
        plan = self._router.plan(room, source, parsed, video)
        now = time.monotonic()
        password = secrets.token_hex(16)
        credentials = Credentials(secrets.token_hex(6), password, parsed.ufrag)
        handshake = Handshake(self._identity, parsed.digest, parsed.fingerprint, server=True)
        peer = Peer(room, connection, credentials, handshake, lasting(parsed), now)
        self._router.join(room, connection, source, plan, peer)
        self._peers.add(peer)
        fingerprint = self._identity.fingerprint
        tcp = self._listener is not None
        local = Local(credentials.ufrag.decode(), password, fingerprint, self._announce, self.port, tcp)
        peer.answer = answer_text(plan, local, secrets.randbits(60))
        self._joins += 1
        peer.sound_types = frozenset(
            receiving.format.payload_type for receiving in plan.receiving if receiving.format.codec == OPUS
        )
        peer.slots = {receiving.mid: receiving.slot for receiving in plan.receiving}
        return Answer(peer.answer, peer.slots)

    def leave(self, connection: ConnectionId) -> None:
        """Forget it, telling the peer."""
        peer = self._peers.by_connection.get(connection)
        if peer is not None:
            self._door.reply(peer, peer.handshake.close())
            self._forget(peer)

    def restart(self, connection: ConnectionId, offer: str) -> Answer:
        """See :meth:`Engine.restart`. The same offer gets the same answer, as often as it comes."""
        peer = self._peers.by_connection.get(connection)
        if peer is None:
            raise NotJoined("no such connection")
        parsed = sdp.parse(offer)
        check_restart(peer.lasting, parsed)
        if parsed.ufrag != (peer.coming or peer.credentials).remote_ufrag:
            password = secrets.token_hex(16)
            coming = Credentials(secrets.token_hex(6), password, parsed.ufrag)
            self._peers.expect(peer, coming)
            peer.answer = restarted(peer.answer, coming.ufrag.decode(), password)
        return Answer(peer.answer, peer.slots)

    def watch(self, connection: ConnectionId, sites: tuple[SiteId, ...]) -> None:
        """See :meth:`Engine.watch`."""
        self._router.watch(connection, sites, time.monotonic())
        self._egress.flush()

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

    def video(self, room: RoomId) -> str | None:
        """The codec of the room's pictures here."""
        return self._router.video(room)

    def stats(self, room: RoomId) -> RoomStats | None:
        """The room's counters."""
        return self._router.stats(room)

    def figures(self, loop_lag_s: float) -> Figures:
        """What monitoring reads."""
        rooms, media = self._router.totals()
        return Figures(
            rooms=rooms,
            joins=self._joins,
            sent=self._egress.sent,
            send_failed=self._egress.lost,
            refused={str(reason): count for reason, count in self.refused.items()},
            relayed=dict(self._links.counts),
            loop_lag_s=loop_lag_s,
            cpu_s=time.process_time(),
            rss_bytes=rss_bytes(),
            media=media,
        )

    # --- the network ---

    @property
    def refused(self) -> dict[Reason, int]:
        """How many datagrams were turned away at the door, by reason."""
        return self._door.gate.refused

    def readable(self) -> None:
        """Take what has come, a bounded number at a time, and send what follows from it."""
        self._door.take(time.monotonic())
        self._follow_up()

    def _heard(self, stream: Stream, frames: list[bytes]) -> bool:
        """The same for what a TCP connection has brought; returns whether that has proved whose it is."""
        proved = self._door.heard(stream, frames, time.monotonic())
        self._follow_up()
        return proved

    def _follow_up(self) -> None:
        if self._shaking is None:
            self._shake()
        self._send_whole()

    def _relayed(self, worker: int, datagram: memoryview) -> int:
        try:
            return self._router.relayed(worker, datagram, time.monotonic())
        except Malformed as error:
            logger.error("! worker %d said what cannot be read: %s", worker, error)
            return 0

    def _send_whole(self, *, parts: bool = False) -> None:
        """What is whole leaves; the rest of a frame may take a moment, or with ``parts`` leaves as well."""
        if self._egress.flush_whole(parts=parts) and self._holding is None:
            self._holding = asyncio.get_running_loop().call_later(HOLD_S, self._let_go)
        if self._egress.unfinished and self._sending is None:
            self._sending = asyncio.get_running_loop().call_soon(self._send_on)

    def _send_on(self) -> None:
        """A frame to many is sent in slices, so that what has come meanwhile is heard between them."""
        self._sending = None  # whatever happens now, the next one may be asked for
        if self._egress.go_on():
            self._sending = asyncio.get_running_loop().call_soon(self._send_on)

    def _shake(self) -> None:
        """Handshakes have their turn between packets, since hundreds may come at once."""
        self._shaking = None  # whatever happens now, the next one may be asked for
        if self._door.shake(time.monotonic()):
            self._shaking = asyncio.get_running_loop().call_soon(self._shake)

    def _let_go(self) -> None:
        """The rest of the frame has not come: send what there is."""
        self._holding = None
        self._send_whole(parts=True)

    def tick(self) -> None:
        """What time brings: feedback, reports, repeated flights, the silent ones."""
        now = time.monotonic()
        for peer in list(self._peers.waiting):
            try:
                self._door.reply(peer, peer.handshake.timer())
            except HandshakeFailed:
                self._down(peer)
        if now - self._swept_at >= SWEEP_S:
            self._swept_at = now
            self._sweep(now)
        self._router.tick(now)
        self._send_whole()

    def _sweep(self, now: float) -> None:
        for peer in list(self._peers.by_connection.values()):
            peer.records = peer.packets = peer.controls = peer.checks = 0
            if now - peer.heard_at > CONSENT_S or (peer.keys is None and now - peer.born_at > HANDSHAKE_S):
                self._down(peer)
        if self._listener is not None:
            self._listener.sweep(now)
        if self._departures.due(now - self._door.heard_at):
            gc.collect()

    async def run(self) -> None:
        """Serve until cancelled."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._socket.fileno(), self.readable)
        if self._listener is not None:
            self._listener.open(loop)
        self._links.open(self._relayed, self._send_whole)
        try:
            while True:
                await asyncio.sleep(TICK_S)
                self.tick()
        finally:
            loop.remove_reader(self._socket.fileno())
            if self._listener is not None:
                self._listener.close()
            self._links.close()
            for handle in (self._holding, self._shaking, self._sending):
                if handle is not None:
                    handle.cancel()

    def _secured(self, peer: Peer, now: float) -> None:
        self._router.secured(peer.connection, now)
        self._tell(MediaUp(peer.room, peer.connection))

    def _down(self, peer: Peer) -> None:
        self._forget(peer)
        self._tell(MediaDown(peer.room, peer.connection))

    def _forget(self, peer: Peer) -> None:
        self._egress.flush()  # what was batched for it still refers to it
        self._peers.remove(peer)
        self._departures.one_more()
        self._router.leave(peer.connection, time.monotonic())
