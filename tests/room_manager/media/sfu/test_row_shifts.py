"""What is computed for all rows at once is what each row's own sum would be."""

import struct
import sys

from hypothesis import given
from hypothesis import strategies as st

from room_manager.media.sfu.audience import Marks, Row, Shifts, inscribe
from room_manager.media.sfu.row_shifts import RowShifts
from room_manager.media.sfu.send_log import KEPT, SendLog, SendLogs

shifts = st.builds(
    Shifts,
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFF_FFFF),
    st.integers(0, 0x7FFF),
    st.integers(0, 0xFF),
)


@given(
    rows=st.lists(shifts, min_size=1, max_size=64),
    seq=st.integers(0, 0xFFFF),
    timestamp=st.integers(0, 0xFFFF_FFFF),
    picture=st.integers(0, 0x7FFF),
    layer=st.integers(0, 0xFF),
)
def test_sums_made_at_once_are_the_sums_made_one_by_one(
    rows: list[Shifts], seq: int, timestamp: int, picture: int, layer: int
) -> None:
    plain = struct.pack("!BBHLLHBx", 0x90, 0xE0, seq, timestamp, 0, 0x8000 | picture, layer)
    made = RowShifts(rows)
    heads, pictures, layers = made.heads(plain), made.pictures(plain, 12), made.layers(plain, 14)

    for number, each in enumerate(rows):
        one = bytearray(plain)
        inscribe(one, Row(None, 0, each), Marks(12, 14, 0))
        assert bytes(heads[number : number + 1]) == one[:8]
        assert bytes(pictures[2 * number : 2 * number + 2]) == one[12:14]
        assert layers[number] == one[14]


def test_what_left_is_found_by_its_number_until_it_is_too_old() -> None:
    log = SendLog()
    assert log.find(0) is None
    assert log.find(1) is None

    for count in range(70_000):
        assert log.depart(count % 1000, float(count)) == (count + 1) & 0xFFFF

    newest = 70_000 & 0xFFFF
    found = log.find(newest)
    assert found is not None
    assert (found.number, found.at, found.size_bytes) == (70_000, 69_999.0, 999)
    oldest = log.find((newest - KEPT + 1) & 0xFFFF)
    assert oldest is not None
    assert oldest.number == 70_000 - KEPT + 1
    assert log.find((newest - KEPT) & 0xFFFF) is None
    assert log.find(newest + 1) is None


def test_what_leaves_for_many_counts_for_each_as_if_it_had_left_alone() -> None:
    early, late, both = SendLog(), SendLog(), SendLog()
    for count in range(300):
        early.depart(10, float(count))
    together = SendLogs([early, late, both, both])  # shown in two slots: it gets the packet twice

    high, low = together.depart(1200, 400.0)
    late.depart(20, 401.0)
    together.depart(900, 402.0)

    assert [a << 8 | b for a, b in zip(high, low, strict=True)] == [301, 1, 1, 2]
    assert early.find(301) == (301, 400.0, 1200)
    assert early.find(302) == (302, 402.0, 900)
    assert early.find(300) == (300, 299.0, 10)
    assert [late.find(n) for n in (1, 2, 3)] == [(1, 400.0, 1200), (2, 401.0, 20), (3, 402.0, 900)]
    assert [both.find(n) for n in (1, 2, 4)] == [(1, 400.0, 1200), (2, 400.0, 1200), (4, 402.0, 900)]
    assert both.find(5) is None
    assert both.newest == 4


def test_a_log_is_kept_alive_by_nobody_it_shared_packets_with() -> None:
    stays, goes = SendLog(), SendLog()
    SendLogs([stays, goes]).depart(1200, 1.0)
    goes.depart(20, 2.0)

    assert sys.getrefcount(goes) == 2  # ours and the argument: it ends with its receiver, at once
    assert goes.newest == 2
