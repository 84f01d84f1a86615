"""What our own recorder tells is read back, whatever was lost, late or far apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from room_manager.media.sfu.line.arrivals import REFERENCE_S, read
from room_manager.media.sfu.line.fates import Fates
from room_manager.media.sfu.line.reading import OVERHEAD_BYTES
from room_manager.media.sfu.rtp import Malformed
from room_manager.media.sfu.send_log import KEPT, SendLog
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


class Sent:
    """Packets of 100 bytes and more, sent every 20 ms, and what feedback says of them."""

    def __init__(self, count: int) -> None:
        log = SendLog()
        self.fates = Fates(log)
        self.seqs = [log.depart(100 + number % 100, number * 0.02) for number in range(count)]
        self.recorder = ArrivalRecorder()

    def come(self, *numbers: int) -> None:
        for number in numbers:
            self.recorder.record(self.seqs[number], 5 + number * 0.02)

    def told(self) -> list[int]:
        """Sizes of those that came."""
        bodies = self.recorder.feedback()
        return [came.size_bytes - OVERHEAD_BYTES for body in bodies for came in self.fates.told(read(body))]


def test_a_packet_that_comes_late_is_not_counted_lost() -> None:
    sent = Sent(10)
    sent.come(0, 1, 3, 4)
    assert sent.told() == [100, 101, 103, 104]

    sent.come(2, 5)

    assert sent.told() == [102, 105]
    assert sent.fates.lost() == 0


def test_a_packet_is_lost_when_much_later_ones_have_come() -> None:
    sent = Sent(30)
    sent.come(*(number for number in range(30) if number != 4))

    assert len(sent.told()) == 29
    assert sent.fates.lost() == 1
    assert sent.fates.lost() == 0


def test_packets_whose_feedback_was_lost_are_neither_come_nor_lost() -> None:
    sent = Sent(60)
    sent.come(*range(10))
    sent.recorder.feedback()  # and nobody hears it
    sent.come(*range(10, 60))

    assert len(sent.told()) == 50
    assert sent.fates.lost() == 0


def test_what_came_is_told_once_however_often_it_is_repeated() -> None:
    sent = Sent(10)
    sent.come(*range(10))
    (body,) = sent.recorder.feedback()

    assert len(sent.fates.told(read(body))) == 10
    assert sent.fates.told(read(body)) == []
    assert sent.fates.lost() == 0


def test_numbers_wrap_and_what_is_long_gone_is_passed_over() -> None:
    sent = Sent(70_000)
    sent.come(69_999)

    assert sent.told() == [199]
    assert len(list(sent.fates.departed())) == KEPT


def test_a_receiver_that_says_nothing_came_is_not_remembered_for_ever() -> None:
    log = SendLog()
    fates = Fates(log)
    lost = 0
    for number in range(10 * KEPT):
        seq = log.depart(100, number * 0.01)
        if number % 100 == 99:
            base = (seq - 99) & 0xFFFF
            nothing = base.to_bytes(2, "big") + (100).to_bytes(2, "big") + bytes(4) + (100).to_bytes(2, "big")
            assert fates.told(read(nothing)) == []
            lost += fates.lost()

    assert 9 * KEPT - 100 <= lost <= 10 * KEPT
