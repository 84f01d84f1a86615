"""What our own recorder tells is read back, whatever was lost, late or far apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from room_manager.media.sfu.line.arrivals import REFERENCE_S, read
from room_manager.media.sfu.line.sent import SendLog
from room_manager.media.sfu.rtp import Malformed
from room_manager.media.sfu.twcc import ArrivalRecorder


@given(
    first=st.integers(0, 0xFFFF),
    packets=st.lists(st.tuples(st.booleans(), st.integers(-2_000, 9_000)), min_size=1, max_size=200),
)
def test_every_arrival_is_read_at_its_time(first: int, packets: list[tuple[bool, int]]) -> None:
    recorder = ArrivalRecorder()
    at, expected = 100.0, dict[int, float]()
    for number, (came, wait) in enumerate(packets):
        at = max(1.0, at + wait / 1000)
        if came:
            recorder.record((first + number) & 0xFFFF, at)
            expected[(first + number) & 0xFFFF] = at

    found = {}
    for body in recorder.feedback():
        told = read(body)
        for offset, after_s in told.arrivals:
            found[(told.base + offset) & 0xFFFF] = told.reference * REFERENCE_S + after_s

    assert found.keys() == expected.keys()
    assert all(abs(found[seq] - expected[seq]) < 0.0003 for seq in found)


@given(st.binary(max_size=120))
def test_rubbish_is_refused_or_read_but_never_crashes(body: bytes) -> None:
    try:
        told = read(body)
    except Malformed:
        return
    assert len(told.arrivals) <= told.count


def test_more_statuses_than_anybody_needs_are_refused() -> None:
    with pytest.raises(Malformed):
        read(b"\0\0\xff\xff\0\0\0\0" + b"\x1f\xff" * 9)


def feed(log: SendLog, recorder: ArrivalRecorder) -> list[int]:
    return [came.size_bytes for body in recorder.feedback() for came in log.told(read(body))]


def test_a_packet_that_comes_late_is_not_counted_lost() -> None:
    log, recorder = SendLog(), ArrivalRecorder()
    for seq in range(10):
        log.sent(seq, seq * 0.02, 100 + seq)
    for seq in (0, 1, 3, 4):
        recorder.record(seq, 5 + seq * 0.02)

    assert feed(log, recorder) == [100, 101, 103, 104]
    recorder.record(2, 5.09)
    recorder.record(5, 5.10)

    assert feed(log, recorder) == [102, 105]
    assert log.lost() == 0


def test_a_packet_is_lost_when_much_later_ones_have_come() -> None:
    log, recorder = SendLog(), ArrivalRecorder()
    for seq in range(30):
        log.sent(seq, seq * 0.02, 100)
        if seq != 4:
            recorder.record(seq, 5 + seq * 0.02)

    assert len(feed(log, recorder)) == 29
    assert log.lost() == 1
    assert log.lost() == 0
    assert len(log) == 0


def test_packets_whose_feedback_was_lost_are_neither_come_nor_lost() -> None:
    log, recorder = SendLog(), ArrivalRecorder()
    for seq in range(60):
        log.sent(seq, seq * 0.02, 100)
        recorder.record(seq, 5 + seq * 0.02)
        if seq == 9:
            recorder.feedback()  # and nobody hears it

    assert len(feed(log, recorder)) == 50
    assert log.lost() == 0
    assert len(log) == 0


def test_numbers_wrap_and_the_log_stays_small() -> None:
    log, recorder = SendLog(), ArrivalRecorder()
    for number in range(70_000):
        log.sent(number & 0xFFFF, number * 0.01, 50)
    recorder.record(69_999 & 0xFFFF, 900.0)

    assert feed(log, recorder) == [50]
    assert len(log) == 0
