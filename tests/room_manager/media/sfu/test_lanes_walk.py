"""A walk over lanes: layers and temporal layers come and go, scenes, limits and measuring change, packets are
lost, late, doubled and padded, and receivers ask again. Whatever happens, each receiver sees one stream per
slot: no number means two packets, numbers and times follow each other, and what is asked for again is what
was sent.
"""

import itertools
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec import Struct

from room_manager.ids import SiteId
from room_manager.media.engine import Scene
from room_manager.media.sfu import rtcp, vp8
from room_manager.media.sfu.rtp import Packet, unwrap
from room_manager.media.sfu.slot import Limit
from tests.helpers.router_driver import DELTA, KEY, Peer, RouterDriver

SITES: Final = [SiteId("00001"), SiteId("00002"), SiteId("00003")]
SLOTS: Final = ("main", "tile-1")
PATTERN: Final = (0, 2, 1, 2)
HEAD_BYTES: Final = 7  # descriptor and the key bit

site = st.sampled_from(SITES)
maybe = st.none() | site
slot_name = st.sampled_from(SLOTS)
limits = st.builds(Limit, st.sampled_from(["q", "h", "f", None]), st.sampled_from([None, 0, 1]))


class Got(Struct, frozen=True):
    """A packet as a receiver has it under one number."""

    payload: bytes
    timestamp: int
    picture: int | None  # None: an empty packet, that only fills a number
    layer: int
    temporal: int
    sync: bool
    key: bool
    source: tuple[str, str, int]  # site, layer, the source's picture


class Stream:
    """What one slot of one receiver has seen, by number without wrap."""

    def __init__(self) -> None:
        self.got: dict[int, Got] = {}
        self.newest: int | None = None

    def take(self, seq: int, packet: Packet, payload: bytes) -> int:
        """A packet came under this number; no other ever may."""
        index = unwrap(seq, self.newest if self.newest is not None else seq, 16)
        if not payload:
            got = Got(b"", packet.timestamp, None, 0, 0, False, False, ("", "", 0))
        else:
            found = vp8.describe(payload, 0, len(payload))
            assert found.picture_id is not None
            assert found.tl0 is not None
            who, layer, picture = payload[HEAD_BYTES:].decode().split()[:3]
            got = Got(
                payload, packet.timestamp, found.picture_id, found.tl0, found.temporal, found.sync,
                payload[HEAD_BYTES - 1 : HEAD_BYTES] == KEY, (who, layer, int(picture)),
            )  # fmt: skip
        before = self.got.setdefault(index, got)
        assert before == got or not before.payload or not got.payload, "a number that means two packets"
        if self.newest is None or index > self.newest:
            self.newest = index
        return index

    def check(self, *, gapless: bool) -> None:
        """Numbers, times and ids of everything so far follow each other."""
        known = [(index, self.got[index]) for index in sorted(self.got) if self.got[index].payload]
        for (before_index, before), (index, now) in itertools.pairwise(known):
            assert not gapless or index == before_index + 1
            assert before.picture is not None
            assert now.picture is not None
            ticks = (now.timestamp - before.timestamp) & 0xFFFF_FFFF
            pictures = (now.picture - before.picture) & 0x7FFF
            if now.picture == before.picture or (gapless and now.source == before.source):
                assert now.source == before.source
                assert (ticks, pictures, now.layer) == (0, 0, before.layer)
            else:
                assert 0 < ticks < 1 << 31
                assert pictures == 1 if gapless else 0 < pictures < 0x4000
            if gapless:
                base = now.source != before.source and now.temporal == 0
                assert (now.layer - before.layer) & 0xFF == base

    def decode(self) -> None:
        """Base and middle temporal layers can always be decoded: what they depend on was sent before them."""
        last: dict[int, int] = {}  # temporal layer → source picture of the stream shown
        stream = ("", "")
        for index in sorted(self.got):
            got = self.got[index]
            who, layer, picture = got.source
            if (who, layer) != stream:
                assert got.key, "a stream that does not begin with a keyframe"
                stream, last = (who, layer), {}
            if got.key:
                last = {0: picture, 1: picture, 2: picture}
            elif got.temporal == 0:
                assert picture - last[0] <= 4
                last[0] = picture
            elif got.temporal == 1:
                assert got.sync or 1 in last, "more temporal layers without a picture to begin them"
                last[1] = picture


class Layer:
    """One simulcast layer: an encoder of its own, whose numbers are about to wrap."""

    def __init__(self) -> None:
        self.seq = 65_500
        self.picture = 0x7FF0
        self.tl0 = 250
        self.phase = 0  # of the temporal pattern


class Camera:
    """A publisher with three layers of three temporal layers."""

    def __init__(self, peer: Peer, who: SiteId) -> None:
        self.peer, self.who = peer, who
        self.timestamp = 0xFFFF_0000
        self.layers = {layer: Layer() for layer in "qhf"}

    def packets(self, layers: list[str], parts: int, *, key: bool) -> list[Callable[[], None]]:
        """The next picture: what sends each of its packets."""
        self.timestamp += 3000
        self.peer.driver.now += 1 / 30
        made = []
        for name in layers:
            layer = self.layers[name]
            layer.phase = 0 if key else layer.phase + 1
            layer.picture += 1
            layer.tl0 += PATTERN[layer.phase % 4] == 0
            for part in range(parts):
                body = (KEY if key else DELTA) + f"{self.who} {name} {layer.picture} {part}".encode()
                made.append(self._packet(name, body, part, parts))
        return made

    def padding(self, layer: str) -> Callable[[], None]:
        self.layers[layer].seq += 1
        seq = self.layers[layer].seq & 0xFFFF
        return lambda: self._send(layer, b"", seq=seq, padding=9)

    def _packet(self, name: str, body: bytes, part: int, parts: int) -> Callable[[], None]:
        layer = self.layers[name]
        layer.seq += 1
        how = {
            "seq": layer.seq & 0xFFFF,
            "timestamp": self.timestamp & 0xFFFF_FFFF,
            "starts": part == 0,
            "marker": part == parts - 1,
            "picture": layer.picture & 0x7FFF,
            "temporal": PATTERN[layer.phase % 4],
            "tl0": layer.tl0 & 0xFF,
            "sync": layer.phase % 8 in (1, 2),
        }
        return lambda: self._send(name, body, **how)

    def _send(self, layer: str, body: bytes, **how: int) -> None:
        self.peer.video(layer, body, **how)  # type: ignore[arg-type]


class Walk(RuleBasedStateMachine):
    """Three publishers and a watcher in one room; the line to the unit is perfect."""

    gapless = True

    def __init__(self) -> None:
        super().__init__()
        self.driver = RouterDriver()
        self.receivers = [self.driver.join(who) for who in (*SITES, None)]
        self.cameras = {who: Camera(peer, who) for who, peer in zip(SITES, self.receivers, strict=False)}
        self.streams = {(peer, name): Stream() for peer in self.receivers for name in SLOTS}
        self.late: list[Callable[[], None]] = []
        self.main = SITES[0]
        self.set_scene(SITES[0], SITES[1], [SITES[0]])
        for who in SITES:
            self.picture(who, True, ["q", "h", "f"], 2, [])

    @rule(who=site, key=st.booleans(), layers=st.sampled_from([["q"], ["h"], ["q", "h"], ["q", "h", "f"]]),
          parts=st.integers(1, 3), fates=st.lists(st.integers(0, 9), max_size=9))  # fmt: skip
    def picture(self, who: SiteId, key: bool, layers: list[str], parts: int, fates: list[int]) -> None:
        self.deliver(self.cameras[who].packets(layers, parts, key=key), fates)

    @rule(who=site, fates=st.lists(st.integers(0, 12), min_size=6, max_size=48), key=st.integers(0, 12))
    def play(self, who: SiteId, fates: list[int], key: int) -> None:
        for number in range(len(fates) // 6):
            packets = self.cameras[who].packets(["q", "h", "f"], 2, key=number == key)
            self.deliver(packets, fates[6 * number :])
            self.driver.wait(0.05)

    @rule(which=st.integers(0, 3), limit=limits, fates=st.lists(st.integers(0, 9), min_size=6, max_size=18))
    def move(self, which: int, limit: Limit, fates: list[int]) -> None:
        """A receiver moves while packets before and after the entry are lost or late."""
        who = self.main
        self.deliver(self.cameras[who].packets(["q", "h", "f"], 2, key=False), fates)
        self.limit(which, "main", limit)
        self.deliver(self.cameras[who].packets(["q", "h", "f"], 2, key=True), fates[6:])
        self.deliver(self.cameras[who].packets(["q", "h", "f"], 2, key=False), fates[12:])

    @rule(who=site, layer=st.sampled_from("qhf"), fates=st.lists(st.integers(0, 9), max_size=1))
    def padding(self, who: SiteId, layer: str, fates: list[int]) -> None:
        self.deliver([self.cameras[who].padding(layer)], fates)

    def deliver(self, packets: list[Callable[[], None]], fates: list[int]) -> None:
        for packet in packets:
            packet()

    @rule(main=st.none() | site | site | site, host=maybe, tiles=st.lists(site, max_size=1))
    def set_scene(self, main: SiteId | None, host: SiteId | None, tiles: list[SiteId]) -> None:
        self.main = main or self.main
        self.driver.scene(Scene(main=main, host=host, tiles=tuple(tiles)))

    @rule(which=st.integers(0, 3), name=slot_name, limit=limits)
    def limit(self, which: int, name: str, limit: Limit) -> None:
        self.driver.limit(self.receivers[which], **{name.replace("-", "_"): limit})

    @rule(which=st.integers(0, 3), on=st.booleans())
    def measure(self, which: int, on: bool) -> None:
        room, member = self.driver.router.place(self.receivers[which].connection)
        room.measure(member, self.driver.now, on=on)

    @rule(seconds=st.sampled_from([0.05, 0.3, 0.7, 1.2]))
    def wait(self, seconds: float) -> None:
        self.driver.wait(seconds)

    @rule(which=st.integers(0, 3), name=slot_name, back=st.lists(st.integers(0, 40), max_size=6))
    def ask_again(self, which: int, name: str, back: list[int]) -> None:
        peer = self.receivers[which]
        self.hear()
        stream = self.streams[peer, name]
        if stream.newest is None:
            return
        wanted = [stream.newest - n for n in back]
        peer.control(rtcp.nack(1, peer.slot_ssrc(name), sorted({index & 0xFFFF for index in wanted})))
        for again in peer.repaired(name):
            payload = again.data[again.start : again.end]
            index = stream.take(int.from_bytes(payload[:2], "big"), again, payload[2:])
            assert index in wanted
        self.driver.forget()

    @invariant()
    def nothing_is_sent_twice_or_to_itself(self) -> None:
        self.hear()

    def teardown(self) -> None:
        for stream in self.streams.values():
            stream.check(gapless=self.gapless)
            if self.gapless:
                stream.decode()

    def hear(self) -> None:
        for (peer, name), stream in self.streams.items():
            for packet in peer.got(name):
                payload = packet.data[packet.start : packet.end]
                seen = set(stream.got)
                index = stream.take(packet.seq, packet, payload)
                assert index not in seen, "sent twice"
                assert payload[HEAD_BYTES:].decode().split()[0] != self.own(peer)
        self.driver.forget()

    def own(self, peer: Peer) -> str:
        number = self.receivers.index(peer)
        return SITES[number] if number < len(SITES) else ""


class LossyWalk(Walk):
    """The same over a line that loses, delays and doubles."""

    gapless = False

    def deliver(self, packets: list[Callable[[], None]], fates: list[int]) -> None:
        for number, packet in enumerate(packets):
            fate = fates[number] if number < len(fates) else 9
            if fate in (1, 2, 3):
                self.late.append(packet)
            elif fate > 0:
                packet()
            if fate == 4:
                self.late.append(packet)

    @rule(data=st.data(), count=st.integers(1, 4))
    def arrive_late(self, data: st.DataObject, count: int) -> None:
        for _ in range(min(count, len(self.late))):
            self.late.pop(data.draw(st.integers(0, len(self.late) - 1)))()


class LongWalk(Walk):
    """For longer than any change has time for."""


class LongLossyWalk(LossyWalk):
    """The same over the bad line."""


# What is found is told as it was found: making it short takes minutes. The long walks do.
FOUND_ONLY: Final = (Phase.explicit, Phase.reuse, Phase.generate)
Walk.TestCase.settings = LossyWalk.TestCase.settings = settings(
    max_examples=80, stateful_step_count=50, phases=FOUND_ONLY
)
LongWalk.TestCase.settings = LongLossyWalk.TestCase.settings = settings(
    max_examples=1_000, stateful_step_count=80
)
test_walk = pytest.mark.timeout(300)(Walk.TestCase)
test_lossy_walk = pytest.mark.timeout(300)(LossyWalk.TestCase)
test_long_walk = pytest.mark.slow(pytest.mark.timeout(900)(LongWalk.TestCase))
test_long_lossy_walk = pytest.mark.slow(pytest.mark.timeout(900)(LongLossyWalk.TestCase))
