"""A walk: random joins, departures, scenes and packets. Whatever happens, each receiver sees one unbroken
stream per slot, nobody sees or hears itself, and no forbidden sound passes.
"""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from room_manager.ids import ConnectionId, SiteId
from room_manager.media.engine import Scene
from room_manager.media.sfu import vp8
from room_manager.media.sfu.rtp import Packet
from room_manager.media.sfu.targets import may_be_heard
from tests.helpers.router_driver import DELTA, KEY, ROOM, Peer, RouterDriver

SITES = [SiteId(f"0000{i}") for i in range(1, 6)]
site = st.sampled_from(SITES)
maybe = st.none() | site
some = st.frozensets(site)


class Walk(RuleBasedStateMachine):
    """One room."""

    def __init__(self) -> None:
        super().__init__()
        self.driver = RouterDriver()
        self.peers: dict[Peer, SiteId | None] = {}
        self.scene = Scene()
        self.last_seq: dict[tuple[Peer, int], int] = {}
        self.last_picture: dict[tuple[Peer, int], int] = {}
        for who in SITES:
            self.join(who)

    @rule(who=maybe)
    def join(self, who: SiteId | None) -> None:
        if len(self.peers) < 12:
            self.peers[self.driver.join(who)] = who

    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        if self.peers:
            peer = data.draw(st.sampled_from(list(self.peers)))
            self.driver.router.leave(peer.connection, self.driver.now)
            del self.peers[peer]

    @rule(data=st.data(), who=site)
    def use(self, data: st.DataObject, who: SiteId) -> None:
        own = [peer.connection for peer, site in self.peers.items() if site == who]
        connection = data.draw(st.sampled_from([*own, *own, ConnectionId("unknown")]))
        self.driver.router.use(ROOM, who, connection, self.driver.now)

    @rule(
        main=maybe, host=maybe, content=maybe, tiles=st.lists(site, max_size=4), only=st.none() | some,
        never=some, voices=st.lists(site, max_size=4),
    )  # fmt: skip
    def set_scene(
        self,
        main: SiteId | None,
        host: SiteId | None,
        content: SiteId | None,
        tiles: list[SiteId],
        only: frozenset[SiteId] | None,
        never: frozenset[SiteId],
        voices: list[SiteId],
    ) -> None:
        self.scene = Scene(main, host, content, tuple(tiles), only, never, tuple(voices))
        self.driver.scene(self.scene)

    @rule(key=st.booleans(), layers=st.sets(st.sampled_from("qhf"), min_size=1), level=st.integers(0, 127))
    def everybody_sends(self, key: bool, layers: set[str], level: int) -> None:
        for peer, own in self.peers.items():
            if own is not None:
                body = (KEY if key else DELTA) + own.encode()
                peer.frame(body, tuple(sorted(layers)))
                peer.video(kind="screen", layer="", body=body, picture=peer.picture)
                peer.voice((level + int(own)) % 128, own.encode())
        self.driver.wait(0.05)

    @rule(seconds=st.sampled_from([0.05, 0.3, 1.0]))
    def wait(self, seconds: float) -> None:
        self.driver.wait(seconds)

    @invariant()
    def streams_are_unbroken_and_nobody_meets_itself(self) -> None:
        for peer, own in self.peers.items():
            for receiving in peer.plan.receiving:
                for packet in peer.got(receiving.slot):
                    self.check(peer, own, receiving.slot, packet, receiving.ssrc)
        self.driver.forget()

    def check(self, peer: Peer, own: SiteId | None, slot: str, packet: Packet, ssrc: int) -> None:
        key = peer, ssrc
        if key in self.last_seq:
            assert packet.seq == (self.last_seq[key] + 1) & 0xFFFF
        self.last_seq[key] = packet.seq
        payload = packet.data[packet.start : packet.end]
        if slot.startswith("audio"):
            sender = SiteId(payload.decode())
            assert may_be_heard(self.scene, sender)
        else:
            found = vp8.describe(payload, 0, len(payload))
            assert found.picture_id is not None
            if key in self.last_picture:
                assert 0 < (found.picture_id - self.last_picture[key]) & 0x7FFF < 0x4000
            else:
                assert found.starts_keyframe
            self.last_picture[key] = found.picture_id
            sender = SiteId(payload[5:].decode())
        assert sender != own


class LongWalk(Walk):
    """The same, for longer than a change has time for."""


# 30 ms an example. The limit is for what is found: making it short may take minutes, and is worth them.
Walk.TestCase.settings = settings(max_examples=50, stateful_step_count=40)
LongWalk.TestCase.settings = settings(max_examples=1_000, stateful_step_count=60)
test_walk = pytest.mark.timeout(400)(Walk.TestCase)
test_long_walk = pytest.mark.slow(pytest.mark.timeout(900)(LongWalk.TestCase))
