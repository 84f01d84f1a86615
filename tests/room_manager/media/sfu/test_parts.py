"""The small deciders: gaps, keyframe requests, levels, line quality."""

from room_manager.ids import SiteId
from room_manager.media.sfu.gaps import ASK_AGAIN_S, MAX_ASKS, MAX_JUMP, REORDER_S, Gaps
from room_manager.media.sfu.keyframes import SHARED_S, SWITCH_S, KeyframeAsks
from room_manager.media.sfu.levels import Levels
from room_manager.media.sfu.quality import Quality, graded
from room_manager.media.sfu.rtcp import Block
from room_manager.media.sfu.track import Track

A, B, C, D = (SiteId(code) for code in "ABCD")


def anyone(_: SiteId) -> bool:
    return True


def test_a_gap_is_asked_for_after_reordering_had_its_chance() -> None:
    gaps = Gaps()
    gaps.jumped(10, 13, now=1.0)

    assert gaps.due(1.0 + REORDER_S / 2) == []
    assert gaps.filled(11)
    assert gaps.due(1.0 + REORDER_S + 0.001) == [12]
    assert gaps.due(1.0 + REORDER_S + 0.002) == []
    assert not gaps.filled(11)


def test_asking_ends() -> None:
    gaps = Gaps()
    gaps.jumped(10, 12, now=0.0)

    asked = [gaps.due(1.0 + i * ASK_AGAIN_S * 1.01) for i in range(MAX_ASKS + 3)]

    assert sum(map(len, asked)) == MAX_ASKS
    assert not gaps


def test_a_jump_is_no_gap() -> None:
    gaps = Gaps()

    assert not gaps.jumped(10, 12 + MAX_JUMP, now=0.0)
    assert not gaps


def test_requests_for_one_picture_are_gathered() -> None:
    asks = KeyframeAsks()
    q, f = (Track("camera", rid, 1, "VP8", 90_000) for rid in "qf")
    screen = Track("screen", "", 2, "VP8", 90_000)

    assert asks.ask(q, 10.0, switching=True)
    assert not asks.ask(f, 10.0 + SWITCH_S * 0.9, switching=True)
    assert asks.ask(screen, 10.0, switching=True)
    assert not asks.ask(f, 10.0 + SWITCH_S * 1.1, switching=False)
    assert asks.ask(f, 10.0 + SWITCH_S * 1.1, switching=True)
    assert asks.ask(f, 10.0 + SWITCH_S * 1.1 + SHARED_S, switching=False)


def test_called_voices_come_first_and_keep_their_slots() -> None:
    levels = Levels()
    for _ in range(30):
        levels.heard(C, 10, 1.0)
        levels.heard(D, 20, 1.0)

    first = levels.chosen([None] * 3, [A, B], anyone, 1.0)
    assert first == [A, B, C]
    assert levels.chosen([A, B, C], [B], anyone, 1.0) == [D, B, C]
    assert levels.chosen([D, B, C], [], lambda site: site != C, 1.0)[0] == D


def test_a_slot_goes_to_another_only_after_a_pause() -> None:
    levels = Levels()
    for _ in range(30):
        levels.heard(A, 40, 1.0)
        levels.heard(B, 10, 1.5)

    assert levels.chosen([A], [], anyone, 1.6) == [A]
    assert levels.chosen([A], [], anyone, 2.9) == [B]
    assert levels.chosen([A], [], anyone, 60.0) == [None]


def test_a_room_without_levels_is_silent_but_called_voices_are_heard() -> None:
    levels = Levels()
    levels.heard(A, None, 1.0)

    assert levels.speaking(anyone, 1.0) == ()
    assert levels.chosen([None], [A], anyone, 1.0) == [A]


def test_speakers_are_told_loudest_first_and_at_most_three() -> None:
    levels = Levels()
    for site, level in ((A, 40), (B, 5), (C, 20), (D, 30)):
        for _ in range(40):
            levels.heard(site, level, 1.0)

    assert levels.speaking(anyone, 1.1) == (B, C, D)
    assert levels.speaking(lambda site: site == A, 1.1) == (A,)
    assert levels.speaking(anyone, 2.0) == ()


def test_grades_have_their_thresholds() -> None:
    assert graded(0.029, 299) == "good"
    assert graded(0.03, 0) == "weak"
    assert graded(0, 300) == "weak"
    assert graded(0.1, None) == "weak"
    assert graded(0.11, None) == "bad"
    assert graded(0, 801) == "bad"


def test_the_way_there_and_back_is_measured_from_reports() -> None:
    quality = Quality()
    now = 5_000 << 32
    sent = (now - (1 << 31)) >> 16 & 0xFFFFFFFF  # half a second ago

    quality.reported(Block(1, 0, 0, 10, 0, sent, 0x4000), now)  # held for a quarter

    assert quality.rtt_ms is not None
    assert abs(quality.rtt_ms - 250) < 1


def test_a_line_on_the_edge_does_not_flicker() -> None:
    quality = Quality()
    told, expected = [], 0
    for second in range(120):
        expected += 100
        loss = 4 if (second // 3) % 2 else 2
        quality.received(100, loss)
        if quality.evaluate(float(second)):
            told.append((second, quality.grade))

    assert len(told) <= 1
