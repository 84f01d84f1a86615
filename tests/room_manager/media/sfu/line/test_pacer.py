"""Packets leave in order, no faster than the line takes them, and never wait without end."""

from hypothesis import given
from hypothesis import strategies as st

from room_manager.media.sfu.line.budget import RepairBudget
from room_manager.media.sfu.line.pacer import (
    MAX_PACKETS,
    MAX_WAIT_S,
    PACE,
    TRAIN_EVERY_S,
    TRAIN_PACKETS,
    Pacer,
)

BPS = 100_000.0


def leave(pacer: Pacer[int], now: float, seconds: float) -> list[tuple[float, int]]:
    """What leaves in this time, looked at every 5 ms."""
    left = []
    for step in range(round(seconds / 0.005)):
        at = now + step * 0.005
        left += [(at, item) for item in pacer.due(at)]
    return left


def test_a_keyframe_does_not_leave_as_one_burst() -> None:
    pacer: Pacer[int] = Pacer(BPS, 0.0)
    for number in range(12):
        assert pacer.add(number, 1_100, 0.0)

    left = leave(pacer, 0.0, 2.0)

    assert [item for _, item in left] == list(range(12))
    assert 0.8 < left[-1][0] < 12 * 1_100 * 8 / BPS
    assert sum(at < 0.1 for at, _ in left) <= TRAIN_PACKETS


def test_sound_that_passes_by_is_counted() -> None:
    with_sound: Pacer[int] = Pacer(BPS, 0.0)
    for number in range(10):
        with_sound.add(number, 1_000, 0.0)
    left = []
    for step in range(400):
        at = step * 0.005
        if step % 4 == 0:
            with_sound.passed(119)
        left += [at for _ in with_sound.due(at)]

    assert len(left) == 10
    assert left[-1] > 1.0


def test_what_would_wait_too_long_is_dropped_with_all_that_waits() -> None:
    pacer: Pacer[int] = Pacer(BPS, 0.0)
    number = 0
    while pacer.add(number, 1_100, 0.0):
        number += 1

    assert len(pacer) == 0
    assert pacer.dropped == number + 1
    assert (number - 1) * 1_100 * 8 / (BPS * PACE) <= MAX_WAIT_S
    assert pacer.add(number, 1_100, 0.1)


def test_now_and_then_packets_are_held_to_leave_together() -> None:
    pacer: Pacer[int] = Pacer(400_000.0, 0.0)
    left: list[tuple[float, int]] = []
    for step in range(4_000):
        at = step * 0.005
        if step % 10 == 0:
            pacer.add(step, 900, at)
        left += [(at, item) for item in pacer.due(at)]

    trains = [at for at in {at for at, _ in left} if sum(other == at for other, _ in left) >= 3]
    assert len(trains) >= 20 / TRAIN_EVERY_S - 2
    assert all(at - item * 0.005 <= 0.21 for at, item in left)


@given(
    st.lists(st.tuples(st.integers(1, 1_300), st.floats(0, 0.2), st.booleans()), max_size=150),
    st.floats(8_000, 2e6),
)
def test_nothing_is_lost_without_being_counted(packets: list[tuple[int, float, bool]], bps: float) -> None:
    pacer: Pacer[int] = Pacer(bps, 0.0)
    now, left = 0.0, list[int]()
    for number, (size, wait, clear) in enumerate(packets):
        now += wait
        pacer.add(number, size, now)
        left += pacer.due(now)
        assert len(pacer) <= MAX_PACKETS
        if clear:
            pacer.clear()
    for _ in range(400):
        now += 0.05
        left += pacer.due(now)

    assert left == sorted(left)
    assert len(left) + pacer.dropped == len(packets)
    assert pacer.waiting_bytes == 0


def test_repairs_have_a_share_of_a_thin_line() -> None:
    repairs = RepairBudget(0.0)
    repairs.bps = 160_000.0

    sent = sum(repairs.may(1_000, step * 0.001) for step in range(10_000))

    assert 40 <= sent <= 60  # a quarter of it: 40 kbit/s for 10 s are 50 packets


def test_repairs_on_a_good_line_are_bounded_all_the_same() -> None:
    repairs = RepairBudget(0.0)

    assert 590 <= sum(repairs.may(1_000, step * 0.0005) for step in range(2_000)) <= 601
