"""Stills: small whatever the picture, nothing where there is none."""

import random
from collections.abc import Callable
from fractions import Fraction

import av
import pytest

from room_manager.media.loops import shipped
from room_manager.recording.jpeg import MAX_BYTES, WIDTH_PX, still


def size(jpeg: bytes) -> tuple[int, int]:
    decoder = av.CodecContext.create("mjpeg", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    [frame] = [*decoder.decode(av.Packet(jpeg)), *decoder.decode(None)]
    return frame.width, frame.height


def noise(width: int, height: int) -> bytes:
    """A keyframe of the worst picture for whoever wants it small."""
    return keyframe(width, height, random.Random(1).randbytes)


def flat(width: int, height: int) -> bytes:
    """A keyframe of nothing."""
    return keyframe(width, height, bytes)


def keyframe(width: int, height: int, fill: Callable[[int], bytes]) -> bytes:
    encoder = av.CodecContext.create("libvpx", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.bit_rate = Fraction(1, 30), 20_000_000
    encoder.options = {"deadline": "realtime", "cpu-used": "8"}
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane in frame.planes:
        plane.update(fill(plane.buffer_size))
    frame.pts = 0
    return bytes([*encoder.encode(frame), *encoder.encode(None)][0])


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_keyframe_becomes_a_small_picture_of_its_shape(layer: int) -> None:
    loop = shipped()[0].layers[layer]

    made = still("vp8", loop.frames[0])

    assert made is not None
    assert len(made) <= MAX_BYTES
    assert size(made) == ((WIDTH_PX, 180) if loop.width_px >= WIDTH_PX else (160, 90))


def test_even_noise_becomes_small() -> None:
    made = still("vp8", noise(1280, 720))

    assert made is not None
    assert len(made) <= MAX_BYTES


@pytest.mark.parametrize("data", [b"", b"\x00", bytes(200), shipped()[0].layers[0].frames[1]])
def test_what_is_no_keyframe_is_no_picture(data: bytes) -> None:
    assert still("vp8", data) is None


def test_a_picture_larger_than_any_camera_makes_is_not_decoded() -> None:
    assert still("vp8", flat(3_840, 2_160)) is not None
    assert still("vp8", flat(4_112, 2_320)) is None
