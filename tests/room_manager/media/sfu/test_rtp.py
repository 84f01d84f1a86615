import pytest
from hypothesis import given
from hypothesis import strategies as st

from room_manager.media.sfu.rtp import Malformed, Packet, build, extension_block, looks_like_rtcp, unwrap


def test_a_packet_is_taken_apart_where_its_parts_lie() -> None:
    block = extension_block([(1, b"0"), (3, b"\x80\x01\x02")])

    packet = Packet(build(96, 65_535, 4_000_000_000, 0xCAFE, b"payload", marker=True, extensions=block))

    assert (packet.payload_type, packet.seq, packet.timestamp, packet.ssrc) == (
        96,
        65_535,
        4_000_000_000,
        0xCAFE,
    )
    assert packet.marker
    assert packet.extensions == {1: b"0", 3: b"\x80\x01\x02"}
    assert packet.data[packet.start : packet.end] == b"payload"


def test_two_byte_extensions_and_contributing_sources_are_read() -> None:
    data = bytes([0x92, 96]) + bytes(10) + bytes(8) + bytes.fromhex("10000002 0102aabb 00050000") + b"x"

    packet = Packet(data)

    assert packet.extensions == {1: b"\xaa\xbb", 5: b""}
    assert packet.data[packet.start : packet.end] == b"x"


def test_padding_is_left_out() -> None:
    data = build(96, 1, 1, 1, b"abc")

    packet = Packet(bytes([data[0] | 0x20]) + data[1:] + b"\0\0\3")

    assert packet.data[packet.start : packet.end] == b"abc"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80" * 11,
        b"\x40" + bytes(11),  # version 1
        b"\x8f" + bytes(11),  # fifteen contributing sources that are not there
        b"\x90" + bytes(11),  # no room for an extension header
        b"\x90" + bytes(11) + bytes.fromhex("bede0009"),  # extension longer than the packet
        b"\x90" + bytes(11) + bytes.fromhex("bede0001 1f000000"),  # element longer than the block
        b"\x90" + bytes(11) + bytes.fromhex("10000001 01ff0000"),
        b"\xa0" + bytes(11),  # padding count 0 in the header
        b"\xa0" + bytes(11) + b"ab\x00",  # padding count 0
        b"\xa0" + bytes(11) + b"ab\x04",  # padding that reaches into the header
    ],
)
def test_lengths_that_lead_outside_are_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        Packet(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_packet_or_malformed(data: bytes) -> None:
    try:
        packet = Packet(data)
    except Malformed:
        return
    assert 12 <= packet.start <= packet.end <= len(data)


@given(st.binary(max_size=60))
def test_any_extension_block_is_read_or_malformed(block: bytes) -> None:
    block += b"\0" * (-len(block) % 4)
    for profile in (b"\xbe\xde", b"\x10\x00", b"\x12\x34"):
        data = b"\x90" + bytes(11) + profile + (len(block) // 4).to_bytes(2, "big") + block
        try:
            assert sum(map(len, Packet(data).extensions.values())) <= len(block)
        except Malformed:
            pass


@given(st.integers(0, 1 << 40), st.integers(-32_767, 32_767))
def test_a_counter_without_wrap_is_found_again(near: int, step: int) -> None:
    assert unwrap((near + step) & 0xFFFF, near, 16) == near + step


def test_control_packets_are_told_from_media_on_one_port() -> None:
    assert looks_like_rtcp(b"\x80\xc8")
    assert not looks_like_rtcp(build(111, 1, 1, 1, b"", marker=True))
    assert not looks_like_rtcp(b"")
