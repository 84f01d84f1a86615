"""Rewriting, byte by byte: a receiver must see one encoder, whoever is shown."""

from itertools import pairwise

from room_manager.ids import SiteId
from room_manager.media.engine import Scene
from room_manager.media.light import Sections
from room_manager.media.sfu import rtcp, vp8
from room_manager.media.sfu.gaps import MAX_JUMP
from room_manager.media.sfu.rtcp import MAX_NACKED
from room_manager.media.sfu.rtp import Packet
from tests.helpers.router_driver import DELTA, KEY, Peer, RouterDriver

A, B, C = SiteId("00001"), SiteId("00004"), SiteId("00006")


def seqs(packets: list[Packet]) -> list[int]:
    return [packet.seq for packet in packets]


def pictures(packets: list[Packet]) -> list[int]:
    found = [vp8.describe(p.data, p.start, p.end).picture_id for p in packets]
    return [number for number in found if number is not None]


def body(packet: Packet) -> bytes:
    """What is left when header and descriptor are taken off."""
    return packet.data[packet.start + 4 : packet.end]


def watched() -> tuple[RouterDriver, Peer, Peer, Peer]:
    """Two publishers and one that sees the first of them in its main slot."""
    driver = RouterDriver()
    a, b, c = driver.join(A), driver.join(B), driver.join(C)
    driver.scene(Scene(main=A))
    return driver, a, b, c


def test_nothing_flows_before_the_first_packet_of_a_keyframe() -> None:
    _, a, _, c = watched()

    a.video(body=DELTA)
    a.video(body=KEY, starts=False)
    assert c.got("main") == []
    a.video(body=KEY + b"picture")

    (packet,) = c.got("main")
    assert body(packet) == KEY + b"picture"


def test_the_old_picture_runs_on_until_the_new_one_has_a_keyframe() -> None:
    driver, a, b, c = watched()
    a.video(body=KEY, timestamp=90_000)
    b.video(body=DELTA)
    driver.scene(Scene(main=B))

    a.video(body=DELTA + b"old", timestamp=93_000)
    b.video(body=DELTA + b"early", timestamp=5)
    driver.now += 0.1
    b.video(body=KEY + b"new", timestamp=8)
    a.video(body=DELTA + b"late", timestamp=96_000)

    packets = c.got("main")
    assert [body(p)[1:] for p in packets] == [b"", b"old", b"new"]
    assert seqs(packets) == [packets[0].seq + i for i in range(3)]
    assert pictures(packets) == [pictures(packets)[0] + i for i in range(3)]
    assert packets[1].timestamp - packets[0].timestamp == 3000
    assert packets[2].timestamp - packets[1].timestamp == 9000  # 0.1 s of 90 kHz
    assert len({p.ssrc for p in packets}) == 1


def test_packets_out_of_order_keep_their_places() -> None:
    _, a, _, c = watched()
    a.video(body=KEY, seq=2000, picture=1)

    for seq, picture in ((2003, 3), (2001, 2), (2002, 2)):
        a.video(body=DELTA, seq=seq, picture=picture)

    first = c.got("main")[0]
    assert [p.seq - first.seq for p in c.got("main")] == [0, 3, 1, 2]
    assert [n - pictures([first])[0] for n in pictures(c.got("main"))] == [0, 2, 1, 1]


def test_a_packet_from_before_the_splice_is_dropped() -> None:
    driver, a, b, c = watched()
    a.video(body=KEY)
    driver.scene(Scene(main=B))

    b.video(body=KEY, seq=500)
    b.video(body=DELTA + b"older", seq=498)
    b.video(body=DELTA + b"next", seq=501)

    assert [body(p)[1:] for p in c.got("main")] == [b"", b"", b"next"]


def test_numbers_wrap_without_a_seam() -> None:
    driver, a, b, c = watched()
    a.video(body=KEY, seq=65_534, timestamp=0xFFFF_FF00, picture=0x7FFE)
    for i, seq in enumerate((65_535, 0, 1)):
        a.video(
            body=DELTA,
            seq=seq,
            timestamp=(0xFFFF_FF00 + 3000 * (i + 1)) & 0xFFFF_FFFF,
            picture=(0x7FFF + i) & 0x7FFF,
        )
    driver.scene(Scene(main=B))
    b.video(body=KEY, seq=0, picture=0)
    b.video(body=DELTA, seq=65_535, picture=0x7FFF)
    b.video(body=DELTA, seq=1, picture=1)

    packets = c.got("main")
    assert [(p.seq - packets[0].seq) & 0xFFFF for p in packets] == [0, 1, 2, 3, 4, 5]
    assert [(n - pictures(packets)[0]) & 0x7FFF for n in pictures(packets)] == [0, 1, 2, 3, 4, 5]
    assert [(p.timestamp - packets[0].timestamp) & 0xFFFF_FFFF for p in packets[:4]] == [0, 3000, 6000, 9000]


def test_padding_is_left_out_and_nobody_misses_it() -> None:
    _, a, _, c = watched()
    a.video(body=KEY)
    a.video(body=b"", padding=200)
    a.video(body=b"", padding=10)
    a.video(body=DELTA, padding=7)
    a.video(body=DELTA)

    packets = c.got("main")
    assert seqs(packets) == [packets[0].seq + i for i in range(3)]
    assert not packets[1].data[0] & 0x20
    assert body(packets[1]) == DELTA


def test_a_late_packet_from_before_a_closed_gap_gets_the_number_it_would_have_had() -> None:
    _, a, _, c = watched()
    a.video(body=KEY, seq=100)
    a.video(body=DELTA + b"102", seq=102)
    a.video(body=b"", seq=103, padding=9)
    a.video(body=DELTA + b"104", seq=104)
    a.video(body=DELTA + b"101", seq=101)

    packets = c.got("main")
    assert [(p.seq - packets[0].seq, body(p)[1:]) for p in packets] == [
        (0, b""),
        (2, b"102"),
        (3, b"104"),
        (1, b"101"),
    ]


def test_a_lost_packet_is_sent_again_with_the_numbers_it_had() -> None:
    _, a, _, c = watched()
    a.video(body=KEY)
    a.video(body=b"", padding=50)
    a.video(body=DELTA + b"lost")
    lost = c.got("main")[1]

    c.control(rtcp.nack(1, c.slot_ssrc("main"), [lost.seq, (lost.seq + 400) & 0xFFFF]))

    (again,) = c.repaired("main")
    payload = again.data[again.start : again.end]
    assert again.payload_type == 97
    assert again.timestamp == lost.timestamp
    assert int.from_bytes(payload[:2], "big") == lost.seq
    assert payload[2:] == lost.data[lost.start : lost.end]


def test_a_packet_of_the_source_before_can_still_be_sent_again() -> None:
    driver, a, b, c = watched()
    driver.join(None)
    driver.scene(Scene(main=A, tiles=(A,)))  # somebody goes on watching the old source's layer
    a.video("f", KEY)
    a.video("f", DELTA + b"tail")
    tail = c.got("main")[1]
    driver.scene(Scene(main=B, tiles=(A,)))
    b.video("f", KEY)

    c.control(rtcp.nack(1, c.slot_ssrc("main"), [tail.seq]))

    (again,) = c.repaired("main")
    assert again.data[again.start + 2 : again.end] == tail.data[tail.start : tail.end]


def test_repairs_of_one_receiver_are_limited() -> None:
    _, a, _, c = watched()
    a.video(body=KEY)
    for _ in range(300):
        a.video(body=DELTA)
    first = c.got("main")[0].seq

    for _ in range(10):
        c.control(rtcp.nack(1, c.slot_ssrc("main"), [(first + i) & 0xFFFF for i in range(100)]))

    assert len(c.repaired("main")) == 300


def test_a_main_site_that_goes_its_own_way_sees_one_stream_too() -> None:
    driver, a, b, c = watched()
    a.frame()
    b.frame()
    driver.forget()

    driver.scene(Scene(main=B, host=A))  # b leaves the shared lane
    a.frame()
    b.frame()
    a.frame(DELTA)
    driver.scene(Scene(main=C, host=A))  # and comes back to what all see
    c.frame()
    c.frame(DELTA)

    for peer in (a, b):
        packets = peer.got("main")
        assert packets
        assert seqs(packets) == [packets[0].seq + i for i in range(len(packets))]
        assert pictures(packets) == [pictures(packets)[0] + i for i in range(len(packets))]


def test_numbers_asked_for_in_vain_are_not_looked_up_without_end() -> None:
    driver, a, _, c = watched()
    a.video(body=KEY)
    last = c.got("main")[-1].seq
    gone = rtcp.nack(1, c.slot_ssrc("main"), [last - 2_000 + i for i in range(MAX_NACKED)])
    c.control(gone * 8)

    c.control(rtcp.nack(1, c.slot_ssrc("main"), [last]))
    assert c.repaired("main") == []

    driver.now += 1
    c.control(rtcp.nack(1, c.slot_ssrc("main"), [last]))
    assert len(c.repaired("main")) == 1


def test_a_source_that_jumps_leaves_a_short_gap_and_nothing_late_fills_it() -> None:
    _, a, _, c = watched()
    a.video(body=KEY, seq=1_000)
    for jump in range(1, 5):
        seq = 1_000 + jump * 30_000
        a.video(body=DELTA + b"late", seq=seq - 29_000, starts=False)
        a.video(body=DELTA, seq=seq)
        a.video(body=DELTA + b"late", seq=seq - 1, starts=False)
        a.video(body=b"", seq=seq + 1, padding=10)

    numbers = seqs(c.got("main"))
    steps = [(after - before) & 0xFFFF for before, after in pairwise(numbers)]
    assert len(set(numbers)) == len(numbers)
    assert max(steps) <= MAX_JUMP + 1
    assert len(numbers) >= 5


def test_without_a_repair_stream_no_number_is_sent_twice_and_nobody_is_told_to_ask() -> None:
    driver = RouterDriver()
    a = driver.join(A)
    peer = driver.join(None, Sections(microphone=False, camera=False, screen=False, repair=False))
    driver.scene(Scene(main=A))
    a.video(body=KEY)
    first = peer.got("main")[-1]

    driver.now += 0.05
    peer.control(rtcp.nack(1, peer.slot_ssrc("main"), [first.seq]))

    assert len(peer.got("main")) == 1
    feedback = {line.split(" ", 1)[1] for _, lines in peer.plan.answer for line in lines if "rtcp-fb" in line}
    assert "nack pli" in feedback
    assert "nack" not in feedback


def test_all_repairs_of_a_slot_go_to_one_audience_so_that_none_waits_for_what_is_on_its_way() -> None:
    driver, a, _, c = watched()
    a.video(body=KEY)
    a.video(body=DELTA)
    packets = c.got("main")
    driver.forget()

    c.control(rtcp.nack(1, c.slot_ssrc("main"), seqs(packets)))
    c.control(rtcp.nack(1, c.slot_ssrc("main"), seqs(packets)))

    first, *others = driver.egress.audiences
    assert len(others) == 3
    assert all(audience is first for audience in others)
