import pytest
from hypothesis import given
from hypothesis import strategies as st

from room_manager.media.sfu import h264, vp8
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
