"""Frames out of packets, byte by byte: nothing is let through that a decoder could not decode."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from room_manager.media.sfu import vp8 as descriptors
from room_manager.media.sfu.rtp import Malformed, Packet, build
from room_manager.recording import h264, sps
from room_manager.recording.h264 import H264Frames
from room_manager.recording.sequencer import MAX_WAITING, PATIENCE_S, Sequencer
from room_manager.recording.vp8 import Vp8Frames, payload_at, size_of

KEY = b"\x10\x02\x00\x9d\x01\x2a\x80\x02\x68\x01" + bytes(20)  # 640×360
DELTA = b"\x11\x02\x00" + bytes(10)
SPS = bytes.fromhex("6742c01fda014016e840000003004000000f23c60ca8")  # 1280×720, by x264
PPS = bytes.fromhex("68ce0fc8")


def packet(seq: int, payload: bytes, *, timestamp: int = 0, marker: bool = False) -> Packet:
    return Packet(build(96, seq, timestamp, 1, payload, marker=marker))


def vp8(
    seq: int, part: bytes, picture: int, *, first: bool = True, last: bool = True, timestamp: int = 0
) -> Packet:
    head = descriptors.descriptor(picture, starts_frame=first)
    return packet(seq, head + part, timestamp=timestamp, marker=last)


# --- VP8 ---


def test_a_frame_is_put_together_from_its_packets_without_their_descriptors() -> None:
    frames = Vp8Frames()

    assert frames.take(vp8(1, KEY[:10], 7, last=False, timestamp=90), False) is None
    assert frames.take(vp8(2, KEY[10:15], 7, first=False, last=False, timestamp=90), False) is None
    frame = frames.take(vp8(3, KEY[15:], 7, first=False, timestamp=90), False)

    assert frame is not None
    assert (frame.data, frame.key, frame.timestamp) == (KEY, True, 90)
    assert size_of(frame.data) == (640, 360)


def test_nothing_is_let_through_before_the_first_keyframe_nor_after_a_loss_until_the_next() -> None:
    frames = Vp8Frames()

    assert frames.wants_keyframe
    assert frames.take(vp8(1, DELTA, 1), False) is None
    assert frames.take(vp8(2, KEY, 2), False) is not None
    assert frames.take(vp8(3, DELTA, 3), False) is not None
    assert frames.take(vp8(5, DELTA, 5), True) is None
    assert frames.wants_keyframe
    assert frames.take(vp8(6, DELTA, 6), False) is None
    assert frames.take(vp8(7, KEY, 7), False) is not None


def test_a_hole_that_held_no_frame_by_the_picture_ids_costs_nothing() -> None:
    frames = Vp8Frames()
    frames.take(vp8(1, KEY, 0x7FFF), False)

    frame = frames.take(vp8(3, DELTA, 0), True)  # what was lost was padding; ids wrap at 15 bits

    assert frame is not None
    assert not frames.wants_keyframe


def test_a_loss_within_a_frame_spoils_it() -> None:
    frames = Vp8Frames()
    frames.take(vp8(1, KEY, 1), False)
    frames.take(vp8(2, DELTA, 2, last=False), False)

    assert frames.take(vp8(4, b"rest", 2, first=False), True) is None
    assert frames.wants_keyframe


def test_a_frame_that_never_ended_spoils_those_after_it() -> None:
    frames = Vp8Frames()
    frames.take(vp8(1, KEY, 1), False)
    frames.take(vp8(2, DELTA, 2, last=False), False)

    assert frames.take(vp8(3, DELTA, 3), False) is None
    assert frames.take(vp8(4, KEY, 4), False) is not None


def test_padding_alone_is_no_frame() -> None:
    frames = Vp8Frames()
    frames.take(vp8(1, KEY, 1), False)

    assert frames.take(packet(2, b"", marker=True), False) is None
    assert not frames.wants_keyframe


@pytest.mark.parametrize(
    ("descriptor", "size"),
    [
        ("10", 1),  # nothing but the start bit
        ("9080c001", 4),  # a picture id of 15 bits
        ("908041", 3),  # of 7 bits
        ("90c08001aa", 5),  # and a layer index
        ("90f0800111ff", 6),  # and a temporal layer
        ("90 20 ff", 3),  # a temporal layer alone
    ],
)
def test_descriptors_of_every_form_end_where_the_frame_begins(descriptor: str, size: int) -> None:
    data = bytes.fromhex(descriptor)

    assert payload_at(data + KEY, 0, len(data) + len(KEY)) == size
    with pytest.raises(Malformed):
        payload_at(data, 0, size - 1) if size > 1 else payload_at(b"\x90", 0, 1)


@given(st.lists(st.tuples(st.binary(max_size=12), st.booleans(), st.booleans()), max_size=30))
def test_no_bytes_make_the_depacketisers_fall(packets: list[tuple[bytes, bool, bool]]) -> None:
    for frames in (Vp8Frames(), H264Frames()):
        for seq, (payload, marker, lost) in enumerate(packets):
            frame = frames.take(packet(seq, payload, timestamp=seq // 3, marker=marker), lost)
            assert frame is None or frame.data
            if frame is not None and isinstance(frames, H264Frames):
                h264.length_prefixed(frame.data)
                h264.configuration(frame.data)


# --- H.264 ---


def aggregate(*units: bytes) -> bytes:
    return b"\x78" + b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)


def fragments(unit: bytes, size: int) -> list[bytes]:
    rest = unit[1:]
    parts = [rest[at : at + size] for at in range(0, len(rest), size)]
    heads = [
        (0x80 if n == 0 else 0) | (0x40 if n == len(parts) - 1 else 0) | unit[0] & 0x1F
        for n in range(len(parts))
    ]
    indicator = unit[0] & 0xE0 | 28
    return [bytes([indicator, head]) + part for head, part in zip(heads, parts, strict=True)]


IDR = b"\x65" + bytes(range(1, 100))
SLICE = b"\x41" + bytes(range(1, 40))


def test_units_aggregates_and_fragments_become_one_picture() -> None:
    frames = H264Frames()
    parts = [aggregate(SPS, PPS), *fragments(IDR, 40)]

    found = [
        frames.take(packet(n, part, timestamp=9, marker=n == len(parts) - 1), False)
        for n, part in enumerate(parts)
    ]

    assert found[:-1] == [None] * (len(parts) - 1)
    picture = found[-1]
    assert picture is not None
    assert picture.key
    assert h264.units_of(picture.data) == [SPS, PPS, IDR]
    assert h264.length_prefixed(picture.data)[:4] == len(SPS).to_bytes(4, "big")


def test_a_picture_with_a_hole_is_dropped_and_only_a_whole_keyframe_helps() -> None:
    frames = H264Frames()
    first, *rest = fragments(IDR, 40)
    assert frames.take(packet(1, aggregate(SPS, PPS, IDR), timestamp=1, marker=True), False) is not None
    assert frames.take(packet(2, SLICE, timestamp=2, marker=True), False) is not None

    assert frames.take(packet(4, rest[-1], timestamp=3, marker=True), True) is None
    assert frames.wants_keyframe
    assert frames.take(packet(5, SLICE, timestamp=4, marker=True), False) is None
    assert frames.take(packet(7, IDR, timestamp=5, marker=True), True) is not None  # a beginning was not lost
    assert (
        frames.take(packet(8, first, timestamp=6, marker=True), False) is None
    )  # a fragment without its end
    assert frames.wants_keyframe


def test_what_matroska_wants_to_know_is_read_from_the_parameter_sets() -> None:
    assert sps.size_of(SPS) == (1280, 720)
    assert sps.size_of(SPS[:6]) is None
    made = h264.configuration(h264.START + SPS + h264.START + PPS + h264.START + IDR)
    assert made == bytes([1, 0x42, 0xC0, 0x1F, 0xFF, 0xE1, 0, len(SPS)]) + SPS + bytes([1, 0, 4]) + PPS
    assert h264.configuration(None)[:4] == bytes([1, 0x42, 0xC0, 0x1F])


# --- order ---


def taken(sequencer: Sequencer, now: float) -> list[tuple[int, bool]]:
    return [(found.seq, lost) for found, lost in sequencer.take(now)]


def test_packets_come_out_in_order_over_the_wrap_and_repeats_once() -> None:
    sequencer = Sequencer()
    for seq in (65_534, 0, 65_535, 0, 1, 65_534):
        sequencer.put(packet(seq, b"x"))

    assert taken(sequencer, 0.0) == [(65_534, False), (65_535, False), (0, False), (1, False)]


def test_a_gap_is_asked_for_once_waited_for_and_then_given_up() -> None:
    sequencer = Sequencer()
    for seq in (10, 12, 13):
        sequencer.put(packet(seq, b"x"))

    assert sequencer.missing() == [11]
    assert sequencer.missing() == []
    assert taken(sequencer, 1.0) == [(10, False)]
    assert taken(sequencer, 1.0 + PATIENCE_S / 2) == []
    assert taken(sequencer, 1.01 + PATIENCE_S) == [(12, True), (13, False)]
    sequencer.put(packet(11, b"x"))
    assert taken(sequencer, 2.0) == []


def test_a_repeat_that_comes_in_time_closes_the_gap() -> None:
    sequencer = Sequencer()
    for seq in (10, 12):
        sequencer.put(packet(seq, b"x"))
    sequencer.put(packet(11, b"x"))

    assert taken(sequencer, 1.1) == [(10, False), (11, False), (12, False)]


def test_what_waits_is_bounded() -> None:
    sequencer = Sequencer()
    sequencer.put(packet(0, b"x"))
    for seq in range(2, MAX_WAITING + 4):
        sequencer.put(packet(seq, b"x"))

    assert len(taken(sequencer, 0.0)) == MAX_WAITING + 3


def test_a_stream_that_begins_anew_elsewhere_is_followed() -> None:
    sequencer = Sequencer()
    sequencer.put(packet(5, b"x"))
    assert taken(sequencer, 0.0) == [(5, False)]

    sequencer.put(packet(30_000, b"x"))

    assert taken(sequencer, 0.1) == [(30_000, True)]
