import pytest
from hypothesis import given
from hypothesis import strategies as st

from room_manager.media.sfu import rtcp
from room_manager.media.sfu.rtp import Malformed

BLOCK = rtcp.Block(5, 64, -3, 70_000, 12, 0xABCD, 99)


def test_what_is_written_is_read_back() -> None:
    compound = (
        rtcp.sender_report(1, 2**63 + 5, 3, 4, 5)
        + rtcp.receiver_report(9, [BLOCK])
        + rtcp.description(1, b"diemcau")
        + rtcp.pli(1, 77)
        + rtcp.remb(1, 3_000_000, [5, 6])
        + rtcp.transport_wide(1, 77, b"\0" * 8)
        + rtcp.goodbye(4)
    )

    items = rtcp.parse(compound)

    assert items == [
        rtcp.Report(1, (), 2**63 + 5, 3, 4, 5),
        rtcp.Report(9, (BLOCK,)),
        rtcp.KeyframeRequest(77),
        rtcp.Bitrate(3_000_000 >> 4 << 4),
        rtcp.TransportWide(b"\0" * 8),
        rtcp.Goodbye((4,)),
    ]


def test_a_full_intra_request_names_its_stream_in_the_body() -> None:
    fir = bytes.fromhex("84ce0004 00000001 00000000 0000004d 01000000")

    assert rtcp.parse(fir) == [rtcp.KeyframeRequest(77)]


@given(st.integers(0, 65_535), st.sets(st.integers(0, 300), min_size=1, max_size=60))
def test_missing_numbers_survive_the_wire_over_a_wrap(first: int, steps: set[int]) -> None:
    seqs = [(first + step) & 0xFFFF for step in sorted(steps)]

    (item,) = rtcp.parse(rtcp.nack(1, 2, seqs))

    assert isinstance(item, rtcp.Nack)
    assert list(item.seqs) == seqs


def test_a_huge_request_is_cut_short() -> None:
    (item,) = rtcp.parse(rtcp._feedback_header(1, 205, 1200, 1, 2) + b"\x00\x01\xff\xff" * 300)

    assert isinstance(item, rtcp.Nack)
    assert len(item.seqs) == rtcp.MAX_NACKED


@pytest.mark.parametrize(
    "data",
    [
        b"\x80",
        b"\x40\xc8\x00\x00",
        b"\x80\xc8\x00\x09" + bytes(8),  # longer than the datagram
        b"\x80\xc8\x00\x01" + bytes(4),  # sender report too short for its body
        b"\x9f\xc9\x00\x01" + bytes(4),  # 31 blocks that are not there
        b"\x9f\xcb\x00\x01" + bytes(4),  # 31 goodbyes that are not there
        b"\x81\xce\x00\x01" + bytes(4),  # feedback without a media source
    ],
)
def test_counts_that_lead_outside_are_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        rtcp.parse(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_control_or_malformed(data: bytes) -> None:
    try:
        rtcp.parse(data)
    except Malformed:
        pass


@given(st.integers(200, 210), st.integers(0, 31), st.binary(max_size=120))
def test_any_body_of_a_known_type_is_read_or_malformed(kind: int, count: int, body: bytes) -> None:
    body += b"\0" * (-len(body) % 4)
    head = bytes([0x80 | count, kind]) + (len(body) // 4).to_bytes(2, "big")
    try:
        rtcp.parse(head + body)
    except Malformed:
        pass
