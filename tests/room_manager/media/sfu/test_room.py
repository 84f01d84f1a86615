"""Who gets what, when it changes, and what is asked of whom: virtual time, plain bytes."""

import pytest

from room_manager.ids import ConnectionId, SiteId
from room_manager.media.engine import LineQuality, Scene, Speaking
from room_manager.media.light import Sections
from room_manager.media.light_sdp import LEVEL_ID, MID_ID, OPUS_TYPE, RID_ID, VP8_TYPE
from room_manager.media.sfu import rtcp, vp8
from room_manager.media.sfu.rtp import build, extension_block
from tests.helpers.router_driver import DELTA, KEY, ROOM, Peer, RouterDriver

A, B, C, D, E = (SiteId(code) for code in ("00001", "00004", "00006", "00007", "00008"))


def bodies(peer: Peer, slot: str) -> list[bytes]:
    """What arrived, without descriptor and key bit."""
    return [p.data[p.start + 5 : p.end] for p in peer.got(slot)]


def test_main_gets_the_top_layer_and_tiles_the_smallest() -> None:
    driver = RouterDriver()
    a, c = driver.join(A), driver.join(C)
    driver.scene(Scene(main=A, tiles=(A,)))

    for layer in ("q", "h", "f"):
        a.video(layer, KEY + layer.encode())
    driver.wait(1.0)
    for _ in range(10):
        for layer in ("q", "h", "f"):
            a.video(layer, KEY + layer.encode())
        driver.wait(0.1)

    assert bodies(c, "main")[-1] == b"f"
    assert set(bodies(c, "tile-1")) == {b"q"}


def test_a_layer_that_vanishes_is_replaced_within_a_second_and_taken_back_when_steady() -> None:
    driver = RouterDriver()
    a, c = driver.join(A), driver.join(C)
    driver.scene(Scene(main=A))

    def play(seconds: float, layers: tuple[str, ...]) -> list[bytes]:
        """Frames at 10/s; a keyframe follows every request."""
        driver.forget()
        for _ in range(round(seconds * 10)):
            asked = a.keyframe_asks() > 0
            driver.egress.controls.clear()
            a.picture += 1
            for layer in layers:
                a.video(layer, (KEY if asked else DELTA) + layer.encode(), picture=a.picture)
            driver.wait(0.1)
        return bodies(c, "main")

    assert play(2, ("q", "h", "f"))[-1] == b"f"
    assert b"h" in play(1, ("q", "h"))
    assert play(2, ("q", "h", "f"))[-1] == b"f"
    assert b"q" in play(1, ("q",))


def test_content_is_the_screen_and_nobody_sees_itself() -> None:
    driver = RouterDriver()
    a, b = driver.join(A), driver.join(B)
    driver.scene(Scene(main=A, host=A, content=A, tiles=(A, B)))

    a.frame(KEY + b"camera")
    a.video(kind="screen", layer="", body=KEY + b"screen")
    b.frame(KEY + b"camera")

    assert bodies(b, "content") == [b"screen"]
    assert bodies(b, "main") == [b"camera"]
    assert bodies(b, "tile-2") == []
    assert [bodies(a, slot) for slot in ("main", "content", "tile-1")] == [[], [], []]
    assert bodies(a, "tile-2") == [b"camera"]


def test_a_newcomer_does_not_see_its_own_site_while_the_picture_is_about_to_change() -> None:
    driver = RouterDriver()
    a, b, c = driver.join(A), driver.join(B), driver.join(C)
    driver.scene(Scene(tiles=(B,)))
    a.frame(DELTA)
    b.frame(KEY + b"old")
    driver.scene(Scene(tiles=(A,)))  # A has given no keyframe yet

    backup = driver.join(B)
    b.frame(KEY + b"old")
    a.frame(KEY + b"new")

    assert bodies(backup, "tile-1") == [b"new"]
    assert bodies(c, "tile-1") == [b"old", b"old", b"new"]


def test_all_receivers_of_a_slot_share_one_rewriting() -> None:
    driver = RouterDriver()
    a = driver.join(A)
    watchers = [driver.join(SiteId(f"1{i:04}")) for i in range(50)]
    driver.scene(Scene(main=A))

    a.frame()

    stats = driver.router.stats(ROOM)
    assert stats is not None
    assert stats.lanes <= 9 + 1
    assert stats.video_forwarded == 50
    assert len({p.seq for w in watchers for p in w.got("main")}) == 1


def test_a_newcomer_waits_for_a_keyframe_and_disturbs_nobody() -> None:
    driver = RouterDriver()
    a, c = driver.join(A), driver.join(C)
    driver.scene(Scene(main=A))
    a.frame()

    late = driver.join(D)
    a.frame(DELTA)
    assert late.got("main") == []
    a.frame(KEY)
    a.frame(DELTA)

    assert [p.seq for p in late.got("main")] == [p.seq for p in c.got("main")[-2:]]


def test_579_that_come_at_once_ask_for_one_keyframe_a_second() -> None:
    driver = RouterDriver()
    a = driver.join(A)
    driver.scene(Scene(main=A))
    driver.join(C)
    a.frame(KEY)
    driver.forget()
    answered = 0

    only_main = Sections(microphone=False, camera=False, screen=False, audio_slots=0, video_slots=1)
    for number in range(579):
        driver.join(SiteId(f"1{number:04}"), only_main)
        if number % 10 == 0:
            a.frame(KEY if a.keyframe_asks() > answered else DELTA)
            answered = a.keyframe_asks()
            driver.wait(0.05)  # 200 of them a second

    assert 2 <= answered <= 4


def test_a_keyframe_that_does_not_come_is_asked_for_again() -> None:
    driver = RouterDriver()
    a, b = driver.join(A), driver.join(B)
    a.frame(DELTA)
    b.frame(DELTA)
    driver.scene(Scene(main=A))
    driver.join(C)
    a.frame()
    driver.forget()

    driver.scene(Scene(main=B))
    asked_at_once = b.keyframe_asks()
    for _ in range(10):
        b.frame(DELTA)
        driver.wait(0.1)

    assert asked_at_once == 1
    assert 3 <= b.keyframe_asks() <= 4
    b.frame(KEY)
    driver.forget()
    driver.wait(1)
    assert b.keyframe_asks() == 0


def test_a_receivers_loss_of_picture_reaches_the_publisher_once() -> None:
    driver = RouterDriver()
    a, c, d = driver.join(A), driver.join(C), driver.join(D)
    driver.scene(Scene(main=A))
    a.frame()
    driver.wait(1)
    driver.forget()

    for peer in (c, d, c):
        peer.control(rtcp.pli(1, peer.slot_ssrc("main")))

    assert a.keyframe_asks() == 1


def test_sound_that_may_not_be_heard_is_dropped_packet_by_packet() -> None:
    driver = RouterDriver()
    a, b, c = driver.join(A), driver.join(B), driver.join(C)
    driver.scene(Scene(heard_only=frozenset({A}), voices=(A,)))
    for peer in (a, b):
        peer.voice()
    driver.wait(0.1)
    driver.forget()

    for _ in range(5):
        a.voice()
        b.voice()
    assert len(c.got("audio-1")) == 5
    driver.scene(Scene(heard_only=frozenset({A}), heard_never=frozenset({A})))
    a.voice()

    assert len(c.got("audio-1")) == 5
    stats = driver.router.stats(ROOM)
    assert stats is not None
    assert stats.audio_dropped == 1 + 5 + 1
    assert all(not c.got(f"audio-{i}") for i in (2, 3))


def test_a_mode_binds_those_who_join_later() -> None:
    driver = RouterDriver()
    driver.scene(Scene(heard_only=frozenset(), voices=()))
    c = driver.join(C)

    for number in range(20):
        peer = driver.join(SiteId(f"1{number:04}"))
        for _ in range(3):
            peer.voice()
    driver.wait(0.5)

    stats = driver.router.stats(ROOM)
    assert stats is not None
    assert (stats.audio_forwarded, stats.audio_dropped) == (0, 60)
    assert all(not c.got(f"audio-{i}") for i in (1, 2, 3))


def test_an_open_room_gives_its_slots_to_the_loudest_and_keeps_them() -> None:
    driver = RouterDriver()
    peers = {site: driver.join(site) for site in (A, B, C, D, E)}
    listener = driver.join(None)
    driver.scene(Scene(heard_only=None, voices=(E,)))
    levels = {A: 20, B: 30, C: 40, D: 120, E: 127}

    for _ in range(50):
        for site, peer in peers.items():
            peer.voice(levels[site], site.encode())
        driver.wait(0.02)
    driver.wait(0.2)
    driver.forget()
    for site, peer in peers.items():
        peer.voice(levels[site], site.encode())

    heard = {
        slot: {p.data[p.start :].decode() for p in listener.got(slot)}
        for slot in ("audio-1", "audio-2", "audio-3")
    }
    assert sorted(site for sites in heard.values() for site in sites) == sorted([E, A, B])


def test_sound_switches_without_a_keyframe_and_without_a_seam() -> None:
    driver = RouterDriver()
    a, b, c = driver.join(A), driver.join(B), driver.join(C)
    a.voice()
    b.voice()
    driver.scene(Scene(heard_only=None, voices=(A,)))
    driver.wait(0.1)
    driver.forget()

    a.voice()
    driver.scene(Scene(heard_only=frozenset({B}), voices=(B,)))
    driver.now += 0.02
    b.voice()
    b.voice()

    packets = c.got("audio-1")
    assert [p.seq - packets[0].seq for p in packets] == [0, 1, 2]
    assert packets[1].timestamp - packets[0].timestamp == 960


def test_who_speaks_is_told_when_it_changes() -> None:
    driver = RouterDriver()
    a, b = driver.join(A), driver.join(B)
    driver.scene(Scene(heard_only=frozenset({A})))

    for _ in range(30):
        a.voice(20)
        b.voice(10)
        driver.wait(0.05)
    for _ in range(30):
        a.voice(100)
        driver.wait(0.05)

    assert [e.sites for e in driver.events if isinstance(e, Speaking)] == [(A,), ()]


def test_ssrcs_of_one_peer_mean_nothing_to_another() -> None:
    driver = RouterDriver()
    a, b, c = driver.join(A), driver.join(B), driver.join(C)
    driver.scene(Scene(main=A))
    a.frame(KEY + b"a")
    assert a.ssrc("camera", "f") == b.ssrc("camera", "f")

    b.frame(KEY + b"b")
    b.video("f", DELTA + b"b")

    assert set(bodies(c, "main")) == {b"a"}


def test_only_the_active_connection_of_a_source_feeds_it() -> None:
    driver = RouterDriver()
    first, second, c = driver.join(A), driver.join(A), driver.join(C)
    driver.scene(Scene(main=A, heard_only=None, voices=(A,)))
    driver.router.use(ROOM, A, first.connection, driver.now)

    for _ in range(2):
        first.frame(KEY + b"first")
        second.frame(KEY + b"second")
        first.voice(body=b"first")
        second.voice(body=b"second")
        driver.wait(0.1)

    assert set(bodies(c, "main")) == {b"first"}
    assert {p.data[p.start :] for p in c.got("audio-1")} == {b"first"}
    driver.forget()
    driver.router.use(ROOM, A, second.connection, driver.now)
    second.frame(KEY + b"second")
    assert bodies(c, "main") == [b"second"]
    driver.forget()
    driver.router.use(ROOM, A, ConnectionId("not here yet"), driver.now)
    second.frame(KEY + b"second")
    assert bodies(c, "main") == []


def test_what_does_not_arrive_is_asked_for_again_and_taken_from_the_repair() -> None:
    driver = RouterDriver()
    a, c = driver.join(A), driver.join(C)
    driver.scene(Scene(main=A))
    a.video("f", KEY, seq=100, picture=1)
    a.video("f", DELTA + b"three", seq=103, picture=3)
    driver.wait(0.1)

    asked = [item.seqs for item in a.told() if isinstance(item, rtcp.Nack)]
    assert asked == [(101, 102)]
    a.repair("f", bytes.fromhex("90808002") + DELTA + b"one", 101)
    a.repair("f", bytes.fromhex("90808002") + DELTA + b"again", 101)
    a.repair("f", b"", 99)
    driver.forget()
    driver.wait(0.1)

    assert [item.seqs for item in a.told() if isinstance(item, rtcp.Nack)] == [(102,)]
    driver.wait(2)
    assert sum(isinstance(item, rtcp.Nack) for item in a.told()) <= 6
    a.video("f", DELTA, seq=9000)
    driver.forget()
    driver.wait(1)
    assert not any(isinstance(item, rtcp.Nack) for item in a.told())
    assert c.got("main") == []


def test_publishers_are_told_of_arrivals_and_receivers_of_what_was_sent() -> None:
    driver = RouterDriver()
    a, c = driver.join(A), driver.join(C)
    driver.scene(Scene(main=A))
    for _ in range(25):
        a.frame(KEY)
        driver.wait(0.05)

    feedback = [item for item in a.told() if isinstance(item, rtcp.TransportWide)]
    blocks = {b.ssrc: b for item in a.told() if isinstance(item, rtcp.Report) for b in item.blocks}
    reports = [item for item in c.told() if isinstance(item, rtcp.Report) and item.ntp is not None]
    assert 20 <= len(feedback) <= 26
    assert set(blocks) == {a.ssrc("camera", layer) for layer in "qhf"}
    assert all(block.fraction_lost == 0 for block in blocks.values())
    assert reports[-1].ssrc == c.slot_ssrc("main")
    assert reports[-1].packets >= 15


def test_a_line_is_graded_by_loss_and_told_when_it_stays() -> None:
    driver = RouterDriver()
    a, c = driver.join(A), driver.join(C)
    driver.scene(Scene(main=A))
    highest, lost = 1000, 0

    def report(seconds: int, share: float) -> None:
        nonlocal highest, lost
        for _ in range(seconds):
            highest += 100
            lost += int(100 * share)
            c.control(rtcp.receiver_report(1, [rtcp.Block(c.slot_ssrc("main"), 0, lost, highest, 0, 0, 0)]))
            a.frame(KEY)
            driver.wait(1)

    report(12, 0.0)
    assert not [e for e in driver.events if isinstance(e, LineQuality)]
    report(12, 0.2)
    report(20, 0.0)

    told = [(e.connection, e.grade) for e in driver.events if isinstance(e, LineQuality)]
    assert told == [(c.connection, "bad"), (c.connection, "good")]


def test_a_site_without_a_camera_is_heard_and_without_slots_is_seen() -> None:
    driver = RouterDriver()
    sound = driver.join(A, Sections(camera=False, screen=False))
    picture = driver.join(B, Sections(audio_slots=0, video_slots=0))
    c = driver.join(C)
    driver.scene(Scene(main=B, tiles=(A,), heard_only=None, voices=(A,)))

    sound.voice()
    driver.wait(0.1)
    sound.voice()
    picture.frame()

    assert c.got("audio-1")
    assert c.got("main")
    assert c.got("tile-1") == []


def test_a_connection_that_never_came_up_gets_and_gives_nothing() -> None:
    driver = RouterDriver()
    driver.join(A)
    silent = driver.join(A, up=False)
    c = driver.join(C, up=False)
    driver.scene(Scene(main=A))

    silent.frame()

    assert c.got("main") == []
    driver.router.leave(silent.connection, driver.now)
    driver.router.leave(c.connection, driver.now)
    driver.router.leave(c.connection, driver.now)


@pytest.mark.parametrize("size", [0, 2, 17, 200])
def test_a_level_of_another_length_than_a_level_has_is_left_out(size: int) -> None:
    driver = RouterDriver()
    a, b = driver.join(A), driver.join(B)
    driver.scene(Scene(voices=(A,), heard_only=None))
    a.voice()
    driver.wait(0.2)
    driver.forget()

    # The two-byte form (RFC 8285, section 4.3), in which a value may have any length.
    element = bytes([LEVEL_ID, size]) + bytes(size)
    element += bytes(-len(element) % 4)
    block = b"\x10\x00" + (len(element) // 4).to_bytes(2, "big") + element
    a.raw(build(OPUS_TYPE, 1002, 0, a.ssrc("microphone", ""), b"opus", extensions=block))
    a.seqs[a.ssrc("microphone", "")] = 1002
    a.voice(20)

    assert [packet.extensions.get(LEVEL_ID) for packet in b.got("audio-1")] == [None, b"\x14"]


def test_a_late_packet_of_the_ssrc_before_does_not_bring_it_back() -> None:
    driver = RouterDriver()
    a, b = driver.join(A), driver.join(B)
    driver.scene(Scene(main=A, heard_only=None))

    def picture(ssrc: int, seq: int, body: bytes) -> None:
        elements = [(MID_ID, b"1"), (RID_ID, b"f")]
        payload = vp8.descriptor(seq, starts_frame=True) + body
        a.raw(build(VP8_TYPE, seq, 0, ssrc, payload, marker=True, extensions=extension_block(elements)))

    picture(500, 1, KEY + b"old")
    picture(501, 7, KEY + b"new")
    picture(500, 2, DELTA + b"late")
    picture(501, 8, DELTA + b"newer")

    assert bodies(b, "main") == [b"old", b"new", b"newer"]
