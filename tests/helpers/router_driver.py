"""The router without sockets: packets go in and come out as plain bytes, and time passes when told to."""

import itertools
from typing import Final

from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import EngineEvent, Scene
from room_manager.media.light import LightPeer, Sections
from room_manager.media.light_sdp import (
    LEVEL_ID,
    MID_ID,
    OPUS_TYPE,
    REPAIR_TYPE,
    REPAIRED_ID,
    RID_ID,
    TRANSPORT_WIDE_ID,
    VP8_TYPE,
)
from room_manager.media.sfu import rtcp, sdp, vp8
from room_manager.media.sfu.audience import UNMARKED, Audience, Marks, Sink, inscribe, number
from room_manager.media.sfu.negotiation import Plan
from room_manager.media.sfu.relay import Outlet
from room_manager.media.sfu.router import Router
from room_manager.media.sfu.rtp import Packet, build, extension_block
from room_manager.media.sfu.send_log import SendLog
from room_manager.media.sfu.slot import Limit

ROOM: Final = RoomId("phong")
TICK_S: Final = 0.05
KEY: Final = b"\x00"
DELTA: Final = b"\x01"
MIDS: Final = {"microphone": "0", "camera": "1", "screen": "2"}
WATCHER: Final = Sections(microphone=False, camera=False, screen=False)


class Recorder:
    """An egress that keeps everything."""

    def __init__(self) -> None:
        self.packets: list[tuple[Sink, int, bytes]] = []
        self.audiences: list[Audience] = []
        self.controls: list[tuple[Sink, list[rtcp.Item]]] = []
        self.now = 0.0

    def fan(self, plain: bytes, rows: Audience, marked: Marks = UNMARKED, *, more: bool = False) -> None:
        self.audiences.append(rows)
        for row in rows:
            packet = bytearray(plain)
            inscribe(packet, row, marked)
            number(packet, row, marked, len(plain), self.now)
            self.packets.append((row.sink, row.ssrc, bytes(packet)))

    def rtcp(self, sink: Sink, compound: bytes) -> None:
        self.controls.append((sink, rtcp.parse(compound)))


class Peer:
    """One member, played by the test."""

    def __init__(self, driver: "RouterDriver", connection: ConnectionId, plan: Plan) -> None:
        self.driver = driver
        self.connection = connection
        self.plan = plan
        self.seqs: dict[int, int] = {}
        self.picture = 100
        self.transport = 0
        self._sent: dict[int, int] = {}

    def slot_ssrc(self, slot: str) -> int:
        return next(r.ssrc for r in self.plan.receiving if r.slot == slot)

    def got(self, slot: str) -> list[Packet]:
        """What has arrived in this slot since the last :meth:`RouterDriver.forget`."""
        ssrc = self.slot_ssrc(slot)
        return [
            Packet(plain) for sink, to, plain in self.driver.egress.packets if sink is self and to == ssrc
        ]

    def repaired(self, slot: str) -> list[Packet]:
        """What has arrived again for this slot."""
        ssrc = next(r.repair_ssrc for r in self.plan.receiving if r.slot == slot)
        return [
            Packet(plain) for sink, to, plain in self.driver.egress.packets if sink is self and to == ssrc
        ]

    def told(self) -> list[rtcp.Item]:
        """Control items sent to this peer."""
        return [item for sink, items in self.driver.egress.controls if sink is self for item in items]

    def keyframe_asks(self) -> int:
        return sum(isinstance(item, rtcp.KeyframeRequest) for item in self.told())

    def video(
        self,
        layer: str = "f",
        body: bytes = DELTA,
        *,
        kind: str = "camera",
        seq: int | None = None,
        timestamp: int = 0,
        starts: bool = True,
        marker: bool = True,
        padding: int = 0,
        picture: int | None = None,
        temporal: int | None = None,
        tl0: int = 0,
        sync: bool = False,
    ) -> int:
        """Send one video packet; returns its sequence number. Same layer, same SSRC."""
        ssrc = self.ssrc(kind, layer)
        if picture is None:
            self.picture += starts
            picture = self.picture
        head = vp8.descriptor(picture, starts_frame=starts, temporal=temporal, tl0=tl0, sync=sync)
        payload = head + body if body else b""
        elements = [(MID_ID, MIDS[kind].encode())]
        if kind == "camera":
            elements.append((RID_ID, layer.encode()))
        return self._send(VP8_TYPE, ssrc, payload, elements, seq, timestamp, marker, padding)

    def frame(self, body: bytes = KEY, layers: tuple[str, ...] = ("q", "h", "f")) -> None:
        """One frame in every layer."""
        self.picture += 1
        for layer in layers:
            self.video(layer, body, picture=self.picture, timestamp=self.picture * 3000)

    def voice(self, level: int = 30, body: bytes = b"opus") -> int:
        elements = [(MID_ID, MIDS["microphone"].encode()), (LEVEL_ID, bytes([level]))]
        return self._send(OPUS_TYPE, self.ssrc("microphone", ""), body, elements, None, 0, False, 0)

    def repair(self, layer: str, original: bytes, seq: int, timestamp: int = 0) -> None:
        """A retransmission of a packet whose payload is ``original``."""
        elements = [(MID_ID, MIDS["camera"].encode()), (REPAIRED_ID, layer.encode())]
        payload = seq.to_bytes(2, "big") + original
        self._send(REPAIR_TYPE, self.ssrc("repair", layer), payload, elements, None, timestamp, False, 0)

    def ssrc(self, kind: str, layer: str) -> int:
        """Small and the same in every peer: SSRCs of different peers may be equal."""
        return 10 + ["microphone", "camera", "screen", "repair"].index(kind) * 10 + "qhf".find(layer)

    def control(self, compound: bytes) -> None:
        self.driver.router.rtcp(self.connection, compound, self.driver.now)

    def raw(self, data: bytes) -> None:
        self.driver.router.rtp(self.connection, data, self.driver.now)

    def _send(
        self,
        payload_type: int,
        ssrc: int,
        payload: bytes,
        elements: list[tuple[int, bytes]],
        seq: int | None,
        timestamp: int,
        marker: bool,
        padding: int,
    ) -> int:
        number = self.seqs.get(ssrc, 1000) + 1 if seq is None else seq
        if seq is None:
            self.seqs[ssrc] = number
        self.transport += 1
        elements = [*elements, (TRANSPORT_WIDE_ID, (self.transport & 0xFFFF).to_bytes(2, "big"))]
        data = build(
            payload_type,
            number,
            timestamp,
            ssrc,
            payload,
            marker=marker,
            extensions=extension_block(elements),
        )
        if padding:
            data = bytes([data[0] | 0x20]) + data[1:] + b"\0" * (padding - 1) + bytes([padding])
        self.raw(data)
        return number & 0xFFFF


class RouterDriver:
    """One room. ``outlet`` leads to other workers."""

    def __init__(self, outlet: Outlet | None = None) -> None:
        self.now = 1000.0
        self.egress = Recorder()
        self.events: list[EngineEvent] = []
        numbers = itertools.count(7_000_000, 7919)
        self.router = Router(self.egress, self.events.append, lambda: next(numbers), 2_208_988_800.0, outlet)
        self._joins = itertools.count(1)

    def join(self, site: SiteId | None, sections: Sections | None = None, *, up: bool = True) -> Peer:
        connection = ConnectionId(f"c{next(self._joins)}")
        offer = LightPeer(sections or (WATCHER if site is None else Sections())).offer()
        plan = self.router.plan(ROOM, site, sdp.parse(offer))
        peer = Peer(self, connection, plan)
        self.router.join(ROOM, connection, site, plan, peer)
        if up:
            self.router.secured(connection, self.now)
        return peer

    def scene(self, scene: Scene) -> None:
        self.router.set_scene(ROOM, scene, self.now)

    def limit(self, peer: Peer, **limits: Limit) -> None:
        """The most slots of a receiver may show: ``main``, ``tile_1``…"""
        room, member = self.router.place(peer.connection)
        room.limit(member, {name.replace("_", "-"): limit for name, limit in limits.items()}, self.now)

    def measure(self, peer: Peer, *, on: bool) -> SendLog:
        """Measure a receiver's line, or cease to; returns the record of what left."""
        room, member = self.router.place(peer.connection)
        room.measure(member, self.now, on=on)
        assert member.log is not None
        return member.log

    def wait(self, seconds: float) -> None:
        """Let time pass, ticking."""
        until = self.now + seconds
        while self.now + TICK_S <= until + 1e-9:
            self.now += TICK_S
            self.router.tick(self.now)
        self.now = until

    def forget(self) -> None:
        """Look only at what comes from now on."""
        self.egress.packets.clear()
        self.egress.audiences.clear()
        self.egress.controls.clear()
