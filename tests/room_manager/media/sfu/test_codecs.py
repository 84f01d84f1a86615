import pytest
from hypothesis import given
from hypothesis import strategies as st

from room_manager.media.sfu import av1, h264, vp8, vp9
from room_manager.media.sfu.rtp import Malformed


def described(payload: bytes) -> vp8.Descriptor:
    return vp8.describe(payload, 0, len(payload))


def test_a_keyframes_first_packet_is_known() -> None:
    assert described(vp8.descriptor(7, starts_frame=True) + b"\x10").starts_keyframe
    assert not described(vp8.descriptor(7, starts_frame=True) + b"\x11").starts_keyframe
    assert not described(vp8.descriptor(7, starts_frame=False) + b"\x10").starts_keyframe
    assert not described(b"\x11\x00").starts_keyframe  # a later partition


def test_ids_of_both_widths_and_the_layer_index_are_read() -> None:
    long = described(bytes.fromhex("90c0 a5a5 42 00"))
    short = described(bytes.fromhex("90c0 25 42 00"))

    assert (long.picture_id, long.picture_id_bits, long.tl0) == (0x25A5, 15, 0x42)
    assert (short.picture_id, short.picture_id_bits, short.tl0) == (0x25, 7, 0x42)


def test_renumbering_changes_ids_and_nothing_else() -> None:
    payload = bytes.fromhex("90e0 a5a5 42 40 00aabb")

    new = vp8.renumbered(payload, 0, len(payload), described(payload), 0x7FFF + 3, 0x143)

    assert new == bytes.fromhex("90e0 8002 43 40 00aabb")


def test_a_short_id_becomes_a_long_one() -> None:
    payload = bytes.fromhex("90c0 25 42 00aabb")

    new = vp8.renumbered(payload, 0, len(payload), described(payload), 300, 9)

    assert new == bytes.fromhex("90c0 812c 09 00aabb")


@pytest.mark.parametrize("payload", ["", "90", "9080", "908080", "9040"])
def test_a_descriptor_cut_off_is_refused(payload: str) -> None:
    with pytest.raises(Malformed):
        described(bytes.fromhex(payload))


@given(st.binary(max_size=40))
def test_any_bytes_are_a_descriptor_or_malformed(payload: bytes) -> None:
    try:
        found = described(payload)
    except Malformed:
        return
    vp8.renumbered(payload, 0, len(payload), found, 1, 1)


@pytest.mark.parametrize(
    ("payload", "key"),
    [
        ("65", True),  # IDR slice
        ("67", True),  # parameter set
        ("61", False),  # other slice
        ("7c85", True),  # first fragment of an IDR slice
        ("7c05", False),  # a later one
        ("7c81", False),  # first fragment of another slice
        ("78 0002 09f0 0003 67aabb", True),  # aggregate with a parameter set
        ("78 0002 09f0 0003 61aabb", False),
        ("78 ffff", False),
        ("", False),
    ],
)
def test_h264_may_be_entered_at_parameter_sets_and_idr(payload: str, key: bool) -> None:
    data = bytes.fromhex(payload)

    assert h264.starts_keyframe(data, 0, len(data)) is key


@given(st.binary(max_size=60))
def test_any_bytes_are_h264_enough(payload: bytes) -> None:
    h264.starts_keyframe(payload, 0, len(payload))


def described9(payload: str) -> vp8.Descriptor:
    data = bytes.fromhex(payload)
    return vp9.describe(data, 0, len(data))


@pytest.mark.parametrize(
    ("payload", "starts", "key"),
    [
        ("08 aa", True, True),  # begins a frame that depends on none
        ("48 aa", True, False),  # depends on others
        ("00 aa", False, False),  # not its first packet
        ("28 00 07 aa", True, True),  # layers: the lowest
        ("28 02 07 aa", False, False),  # a higher spatial layer of the same picture
        ("8c a5a5 aa", True, True),
    ],
)
def test_vp9_may_be_entered_where_a_frame_depends_on_none(payload: str, starts: bool, key: bool) -> None:
    found = described9(payload)

    assert (found.starts_frame, found.starts_keyframe) == (starts, key)


def test_vp9_numbers_are_read_and_renumbered() -> None:
    wide, narrow = described9("ac a5a5 50 42 00aabb"), described9("ac 25 50 42 00aabb")

    assert (wide.picture_id, wide.picture_id_bits, wide.tl0) == (0x25A5, 15, 0x42)
    assert (narrow.picture_id, narrow.picture_id_bits, narrow.tl0) == (0x25, 7, 0x42)
    assert (wide.temporal, wide.sync) == (2, True)
    for payload, found in (("ac a5a5 50 42 00aabb", wide), ("ac 25 50 42 00aabb", narrow)):
        data = bytes.fromhex(payload)
        assert vp8.renumbered(data, 0, len(data), found, 300, 9) == bytes.fromhex("ac 812c 50 09 00aabb")


@pytest.mark.parametrize("payload", ["", "80", "8080", "20", "2000", "a025", "a0805020"[:6]])
def test_a_vp9_descriptor_cut_off_is_refused(payload: str) -> None:
    with pytest.raises(Malformed):
        described9(payload)


@given(st.binary(max_size=40))
def test_any_bytes_are_a_vp9_descriptor_or_malformed(payload: bytes) -> None:
    try:
        found = vp9.describe(payload, 0, len(payload))
    except Malformed:
        return
    vp8.renumbered(payload, 0, len(payload), found, 1, 1)


@pytest.mark.parametrize(
    ("payload", "key"), [("18 0a", True), ("10 0a", False), ("98 0a", False), ("", False)]
)
def test_av1_may_be_entered_where_a_sequence_begins(payload: str, key: bool) -> None:
    data = bytes.fromhex(payload)

    assert av1.starts_keyframe(data, 0, len(data)) is key
