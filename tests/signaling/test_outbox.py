"""What waits for a slow client: bounded, in order, newest state last, nothing needed lost."""

from hypothesis import given
from hypothesis import strategies as st

from signaling import outbox
from signaling.outbox import MAX_BYTES, MAX_MESSAGES, Outbox


class Wire:
    """A socket that takes what it is given while it is open."""

    def __init__(self) -> None:
        self.writable = True
        self.sent: list[bytes] = []

    def write(self, frames: bytes) -> bool:
        self.sent.append(frames)
        return True


class Box:
    def __init__(self) -> None:
        self.now = 0.0
        self.overflows = 0
        self.wire = Wire()
        self.box = Outbox(self.wire, lambda: self.now, self._overflow)

    def _overflow(self) -> None:
        self.overflows += 1

    def state(self, key: str, frame: bytes) -> None:
        self.box.send_state(frame, ((key, frame),))

    def release(self) -> list[bytes]:
        self.wire.sent.clear()
        self.wire.writable = True
        self.box.flush()
        return self.wire.sent


def test_while_the_client_keeps_up_everything_goes_straight_out() -> None:
    box = Box()
    box.box.send(b"a")
    box.state("floor", b"b")
    box.box.send_losable(b"c")
    assert box.wire.sent == [b"a", b"b", b"c"]
    assert not box.box.behind


def test_newer_state_takes_the_place_of_older_and_stands_last() -> None:
    box = Box()
    box.wire.writable = False
    box.state("floor", b"floor 1")
    box.state("hands", b"hands 2")
    box.box.send(b"done 3")
    box.state("floor", b"floor 4")
    assert box.release() == [b"hands 2", b"done 3", b"floor 4"]


def test_answers_are_kept_and_passing_facts_are_left_out_when_far_behind() -> None:
    box = Box()
    box.wire.writable = False
    for n in range(outbox.LOSABLE_BEFORE):
        box.box.send(b"%d" % n)
    box.box.send_losable(b"lost")
    assert len(box.release()) == outbox.LOSABLE_BEFORE


def test_too_many_messages_or_bytes_end_it_once() -> None:
    for frame, count in ((b"x", MAX_MESSAGES + 1), (b"x" * 100_000, MAX_BYTES // 100_000 + 1)):
        box = Box()
        box.wire.writable = False
        for _ in range(count + 5):
            box.box.send(frame)
        assert box.overflows == 1
        assert box.release() == []


def test_lag_is_the_time_since_it_fell_behind() -> None:
    box = Box()
    assert box.box.lag_s() == 0
    box.wire.writable = False
    box.now = 5
    box.state("floor", b"1")
    box.now = 12
    box.state("floor", b"2")
    assert box.box.lag_s() == 7
    box.release()
    assert box.box.lag_s() == 0


@given(st.lists(st.tuples(st.sampled_from(["floor", "hands", "stage"]), st.booleans()), max_size=60))
def test_what_is_heard_last_of_a_section_is_its_newest_and_numbers_never_fall(
    said: list[tuple[str, bool]],
) -> None:
    box = Box()
    heard: list[bytes] = []
    for number, (key, writable) in enumerate(said):
        box.wire.writable = writable
        if writable:
            box.box.flush()
        box.state(key, f"{key} {number}".encode())
    heard = [*box.wire.sent]
    box.wire.sent.clear()
    heard += box.release()

    numbers = [int(frame.split()[1]) for frame in heard]
    assert numbers == sorted(numbers)
    newest = {key: f"{key} {number}".encode() for number, (key, _) in enumerate(said)}
    for key, frame in newest.items():
        assert [f for f in heard if f.startswith(key.encode())][-1] == frame
