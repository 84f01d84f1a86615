"""Each receiver may be given less, and more again, while its streams go on without a seam."""

import itertools

from room_manager.ids import SiteId
from room_manager.media.engine import Scene
from room_manager.media.light_sdp import TRANSPORT_WIDE_ID
from room_manager.media.sfu import rtcp, vp8
from room_manager.media.sfu.line.need import NEWCOMER_S
from room_manager.media.sfu.rtp import Packet
from room_manager.media.sfu.slot import Limit
from tests.helpers.router_driver import DELTA, KEY, Peer, RouterDriver

A, B, C = SiteId("00001"), SiteId("00004"), SiteId("00006")
PATTERN = (0, 2, 1, 2)  # temporal layers of libvpx, three of them


class Camera:
    """A publisher whose layers have temporal layers."""

    def __init__(self, driver: RouterDriver, peer: Peer) -> None:
        self.driver, self.peer = driver, peer
        self.picture = self.tl0 = 50
        self.timestamp = 1_000_000

    def play(self, pictures: int, *, key: bool = False, layers: str = "qhf", packets: int = 2) -> None:
        """So many pictures; the body of each packet says layer, picture, temporal layer and which packet."""
        for number in range(pictures):
            self.picture += 1
            self.timestamp += 4500
            temporal = 0 if key and number == 0 else PATTERN[self.picture % 4]
            self.tl0 += temporal == 0
            for layer in layers:
                for part in range(packets):
                    self.peer.video(
                        layer,
                        (KEY if key and number == 0 else DELTA)
                        + f"{layer} {self.picture} {temporal} {part}".encode(),
                        timestamp=self.timestamp,
                        starts=part == 0,
                        marker=part == packets - 1,
                        picture=self.picture,
                        temporal=temporal,
                        tl0=self.tl0 & 0xFF,
                        sync=temporal > 0 and self.picture % 8 in (1, 2),
                    )
            self.driver.wait(0.05)


def body(packet: Packet) -> list[str]:
    return packet.data[packet.start + 7 : packet.end].decode().split()


def unbroken(packets: list[Packet]) -> None:
    """Sequence numbers go on by one, picture ids by one per picture, layer indices with base pictures."""
    for before, after in itertools.pairwise(packets):
        assert (after.seq - before.seq) & 0xFFFF == 1
        old, new = (vp8.describe(p.data, p.start, p.end) for p in (before, after))
        assert old.picture_id is not None
        assert new.picture_id is not None
        assert old.tl0 is not None
        assert new.tl0 is not None
        same = body(before)[:2] == body(after)[:2]
        assert (new.picture_id - old.picture_id) & 0x7FFF == (0 if same else 1)
        assert (new.tl0 - old.tl0) & 0xFF == (0 if same or new.temporal > 0 else 1)
        ticks = (after.timestamp - before.timestamp) & 0xFFFF_FFFF
        assert ticks == 0 if same else 0 < ticks < 180_000


def staged() -> tuple[RouterDriver, Camera, Peer, Peer]:
    driver = RouterDriver()
    a, b, c = driver.join(A), driver.join(B), driver.join(C)
    driver.scene(Scene(main=A))
    camera = Camera(driver, a)
    camera.play(16, key=True)  # then the top layer has been there for long enough
    camera.play(4, key=True)
    return driver, camera, b, c


def test_a_receiver_is_given_another_layer_at_its_keyframe_and_nobody_else_is() -> None:
    driver, camera, b, c = staged()
    camera.play(4)
    assert {body(p)[0] for p in b.got("main")[-4:]} == {"f"}

    driver.limit(b, main=Limit("q"))
    camera.play(3)
    camera.play(5, key=True)
    driver.limit(b, main=Limit("h"))
    camera.play(5, key=True)
    driver.limit(b)
    camera.play(5, key=True)

    for peer in (b, c):
        unbroken(peer.got("main"))
    seen = [body(p)[0] for p in b.got("main")]
    # Smaller layers come first: on the way up the last small picture has gone out before the large one.
    assert seen[-40:] == ["f"] * 6 + ["q"] * 12 + ["h"] * 12 + ["f"] * 10
    assert {body(p)[0] for p in c.got("main")[-36:]} == {"f"}


def test_fewer_frames_come_with_the_next_one_and_all_of_them_with_a_sync() -> None:
    driver, camera, b, c = staged()
    camera.play(8)
    driver.forget()

    driver.limit(b, main=Limit("f", 0))
    camera.play(24)
    fewer = [body(p)[2] for p in b.got("main")]
    assert set(fewer[fewer.index("0") :]) == {"0"}
    assert fewer.index("0") < 2 * len(PATTERN)
    driver.limit(b)
    camera.play(24)

    assert {body(p)[2] for p in b.got("main")[-20:]} == {"0", "1", "2"}
    assert len(c.got("main")) == 96
    for peer in (b, c):
        unbroken(peer.got("main"))
    assert camera.peer.keyframe_asks() == 0


def test_a_slot_limited_to_nothing_is_empty_at_once_and_goes_on_where_it_was() -> None:
    driver, camera, b, c = staged()
    driver.forget()
    camera.play(2)

    driver.limit(b, main=Limit(None))
    camera.play(2, key=True)
    driver.now += 1
    driver.limit(b)
    camera.play(2, key=True)

    unbroken(b.got("main"))
    assert len(b.got("main")) == 8
    assert len(c.got("main")) == 12


def test_measured_packets_are_numbered_over_all_streams_of_the_receiver() -> None:
    driver, camera, b, c = staged()
    driver.scene(Scene(main=A, tiles=(A,), heard_only=None, voices=(A,)))
    driver.wait(NEWCOMER_S + 1)  # until then all are measured
    camera.play(1, key=True)
    camera.peer.voice()
    driver.wait(0.1)  # the layers are back
    camera.play(1, key=True)

    log = driver.measure(b, on=True)
    before = log.newest
    driver.forget()
    camera.play(4)
    camera.peer.voice()
    camera.peer.voice()

    got = [p for slot in ("main", "tile-1", "audio-1") for p in b.got(slot)]
    numbers = sorted(int.from_bytes(p.extensions[TRANSPORT_WIDE_ID], "big") for p in got)
    assert numbers == list(range(before + 1, before + 8 + 8 + 2 + 1))
    assert log.newest == before + 18
    assert not any(TRANSPORT_WIDE_ID in p.extensions for p in c.got("main"))
    driver.measure(b, on=False)
    camera.play(4)
    assert log.newest == before + 18
    for peer in (b, c):
        unbroken(peer.got("main"))
        unbroken(peer.got("tile-1"))


def test_what_was_lost_before_a_move_is_sent_again_as_it_was() -> None:
    driver, camera, b, _ = staged()
    driver.scene(Scene(main=A, tiles=(A,)))
    driver.limit(b, main=Limit("f", 0))
    camera.play(9)
    driver.limit(b, main=Limit("q"))
    camera.play(5, key=True)
    driver.limit(b, main=Limit("q", 1))
    camera.play(9)
    first = list(b.got("main"))

    for packet in first[-14:]:
        driver.forget()
        b.control(rtcp.nack(1, b.slot_ssrc("main"), [packet.seq]))
        (again,) = b.repaired("main")
        assert again.data[again.start : again.end] == (
            packet.seq.to_bytes(2, "big") + packet.data[packet.start : packet.end]
        )
        assert again.timestamp == packet.timestamp


def test_a_left_out_packet_that_came_late_is_an_empty_one_when_asked_for() -> None:
    driver, camera, b, _ = staged()
    driver.limit(b, main=Limit("f", 0))
    camera.play(4)
    driver.forget()
    a = camera.peer
    before = a.seqs[a.ssrc("camera", "f")]
    a.video("f", DELTA + b"f 900 0 0", seq=before + 2, temporal=0, picture=901, tl0=10)
    a.video("f", DELTA + b"f 899 2 0", seq=before + 1, temporal=2, picture=900, tl0=9)
    (late,) = b.got("main")

    b.control(rtcp.nack(1, b.slot_ssrc("main"), [(late.seq - 1) & 0xFFFF]))

    (empty,) = b.repaired("main")
    assert empty.data[empty.start : empty.end] == ((late.seq - 1) & 0xFFFF).to_bytes(2, "big")


def test_a_late_packet_goes_to_those_who_were_there_and_not_to_who_has_come_since() -> None:
    driver, camera, b, c = staged()
    driver.scene(Scene(main=A, tiles=(A,)))
    camera.play(2, key=True)
    a = camera.peer
    missing = a.seqs[a.ssrc("camera", "q")] = a.seqs[a.ssrc("camera", "q")] + 1
    driver.limit(b, main=Limit("q"))
    camera.play(2, key=True)
    driver.forget()

    a.video("q", DELTA + b"q late 0 0", seq=missing, temporal=2, picture=camera.picture - 2)

    assert [body(p)[1] for p in c.got("tile-1")] == ["late"]
    assert [body(p)[1] for p in b.got("tile-1")] == ["late"]
    assert b.got("main") == []


def test_nobody_moves_between_lanes_of_a_source_while_something_is_missing() -> None:
    driver, camera, b, _ = staged()
    a = camera.peer
    driver.limit(b, main=Limit("f", 0))
    number, camera.picture = a.seqs[a.ssrc("camera", "f")], camera.picture + -camera.picture % 4
    a.video("f", DELTA + b"f next 0 0", seq=number + 2, temporal=0, picture=camera.picture + 4, tl0=1)
    driver.forget()

    a.video("f", DELTA + b"f lost 2 0", seq=number + 1, temporal=2, picture=camera.picture + 3, tl0=0)

    assert [body(p)[1] for p in b.got("main")] == ["lost"]  # still where its number was kept for it


def test_a_number_kept_for_what_is_missing_is_not_given_again_after_a_move() -> None:
    driver, camera, b, _ = staged()
    a, layer = camera.peer, camera.peer.ssrc("camera", "f")
    driver.limit(b, main=Limit("f", 0))
    camera.play(8)
    last = b.got("main")[-1].seq
    number = a.seqs[layer]
    # One of the base layer is lost, then comes one of those that are left out.
    a.video("f", DELTA + b"f out 2 0", seq=number + 2, temporal=2, picture=camera.picture + 2)
    a.seqs[layer] = number + 2

    driver.limit(b, main=Limit("q"))
    driver.forget()
    camera.play(1, key=True)

    assert (b.got("main")[0].seq - last) & 0xFFFF == 2


def test_a_picture_that_came_late_behind_padding_keeps_its_id_after_a_move() -> None:
    driver, camera, b, _ = staged()
    a, layer = camera.peer, camera.peer.ssrc("camera", "f")
    number, picture = a.seqs[layer], camera.picture + 1
    a.video("f", b"", seq=number + 2, padding=9)
    a.video(
        "f",
        DELTA + b"f late 2 0",
        seq=number + 1,
        temporal=2,
        picture=picture,
        timestamp=camera.timestamp + 1,
    )
    a.seqs[layer] = number + 2
    late = b.got("main")[-1]
    assert body(late)[1] == "late"

    driver.limit(b, main=Limit("q"))
    camera.play(1, key=True)

    first = b.got("main")[-2]
    assert body(first)[0] == "q"
    ids = [vp8.describe(p.data, p.start, p.end).picture_id for p in (late, first)]
    assert ((ids[1] or 0) - (ids[0] or 0)) & 0x7FFF == 1


def test_the_very_first_packet_can_be_asked_for_again() -> None:
    driver = RouterDriver()
    camera, b = Camera(driver, driver.join(A)), driver.join(B)
    driver.scene(Scene(main=A))
    camera.play(1, key=True)
    first = b.got("main")[0]

    b.control(rtcp.nack(1, b.slot_ssrc("main"), [first.seq]))

    (again,) = b.repaired("main")
    assert again.data[again.start + 2 : again.end] == first.data[first.start : first.end]
