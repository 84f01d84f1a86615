"""Feedback is read back here by a decoder of our own, written from the draft and not from the encoder."""

from hypothesis import given
from hypothesis import strategies as st

from room_manager.media.sfu.twcc import MAX_PENDING, ArrivalRecorder


def read(body: bytes) -> tuple[int, dict[int, float | None]]:
    """Feedback count, and arrival by sequence number (None: not received)."""
    base, count = int.from_bytes(body[:2], "big"), int.from_bytes(body[2:4], "big")
    clock_s = int.from_bytes(body[4:7], "big") * 0.064
    at, statuses = 8, list[int]()
    while len(statuses) < count:
        chunk = int.from_bytes(body[at : at + 2], "big")
        at += 2
        if not chunk & 0x8000:
            statuses += [chunk >> 13 & 3] * (chunk & 0x1FFF)
        elif chunk & 0x4000:
            statuses += [chunk >> (12 - 2 * i) & 3 for i in range(7)]
        else:
            statuses += [chunk >> (13 - i) & 1 for i in range(14)]
    arrivals: dict[int, float | None] = {}
    for i, status in enumerate(statuses[:count]):
        if status == 0:
            arrivals[(base + i) & 0xFFFF] = None
            continue
        size = 1 if status == 1 else 2
        clock_s += int.from_bytes(body[at : at + size], "big", signed=size == 2) * 0.00025
        at += size
        arrivals[(base + i) & 0xFFFF] = clock_s
    assert at <= len(body) < at + 4
    return body[7], arrivals


def test_arrivals_and_losses_are_told() -> None:
    recorder = ArrivalRecorder()
    for seq, at in ((65_534, 10.0), (65_535, 10.01), (1, 10.2), (2, 9.99)):
        recorder.record(seq, at)

    (body,) = recorder.feedback()

    number, arrivals = read(body)
    assert number == 0
    assert list(arrivals) == [65_534, 65_535, 0, 1, 2]
    assert arrivals[0] is None
    for seq, at in ((65_534, 10.0), (65_535, 10.01), (1, 10.2), (2, 9.99)):
        told = arrivals[seq]
        assert told is not None
        assert abs(told - at) < 0.0003


def test_what_is_lost_between_two_feedbacks_is_told_in_the_second() -> None:
    recorder = ArrivalRecorder()
    recorder.record(10, 1.0)
    recorder.feedback()

    recorder.record(13, 1.1)
    (body,) = recorder.feedback()

    number, arrivals = read(body)
    assert number == 1
    assert [seq for seq, at in arrivals.items() if at is None] == [11, 12]


def test_nothing_new_is_nothing_told() -> None:
    recorder = ArrivalRecorder()
    recorder.record(10, 1.0)
    recorder.feedback()

    assert recorder.feedback() == []


def test_a_late_packet_that_was_told_as_lost_is_told_alone_and_once() -> None:
    recorder = ArrivalRecorder()
    recorder.record(8, 1.0)
    recorder.record(10, 1.0)
    recorder.feedback()

    recorder.record(9, 1.1)
    recorder.record(11, 1.1)
    correction, body = recorder.feedback()

    assert list(read(correction)[1]) == [9]
    assert list(read(body)[1]) == [11]
    assert recorder.feedback() == []


def test_a_long_pause_starts_a_feedback_of_its_own() -> None:
    recorder = ArrivalRecorder()
    recorder.record(1, 1.0)
    recorder.record(2, 60.0)

    bodies = recorder.feedback()

    assert [list(read(body)[1]) for body in bodies] == [[1], [2]]


@given(st.lists(st.tuples(st.integers(0, 400), st.floats(0, 3)), max_size=150, unique_by=lambda x: x[0]))
def test_every_arrival_is_told_once(packets: list[tuple[int, float]]) -> None:
    recorder = ArrivalRecorder()
    expected: dict[int, float] = {}
    for step, at in packets:
        seq = (65_400 + step) & 0xFFFF
        recorder.record(seq, 5 + at)
        expected[seq] = 5 + at

    told: dict[int, float] = {}
    for body in recorder.feedback():
        told |= {seq: at for seq, at in read(body)[1].items() if at is not None}

    assert told.keys() == expected.keys()
    assert all(abs(told[seq] - at) < 0.05 for seq, at in expected.items())


def test_a_flood_between_two_feedbacks_is_bounded() -> None:
    recorder = ArrivalRecorder()
    for seq in range(10_000):
        recorder.record(seq, 1.0)

    assert sum(len(read(body)[1]) for body in recorder.feedback()) == MAX_PENDING
