"""A keyframe as a small JPEG: the only place where anything is decoded, in a process of its own."""

from fractions import Fraction
from typing import Final

import av

from room_manager.recording.frames import Codec

MAX_BYTES: Final = 20_000
MAX_PIXELS: Final = 4_096 * 2_304
"""Of a picture that is decoded at all: what a site sends says how large it claims to be, up to 16,383²."""

WIDTH_PX: Final = 320
SCALES: Final = ((WIDTH_PX, 5), (WIDTH_PX, 12), (WIDTH_PX, 25), (WIDTH_PX // 2, 25))
"""Widths and quantisers that are tried until the picture is small enough."""


def still(codec: Codec, keyframe: bytes) -> bytes | None:
    """At most :data:`MAX_BYTES`; None: this is no picture."""
    try:
        decoder = av.CodecContext.create(codec, "r")
        assert isinstance(decoder, av.VideoCodecContext)
        decoder.options = {"max_pixels": str(MAX_PIXELS)}
        frames = [*decoder.decode(av.Packet(keyframe)), *decoder.decode(None)]
    except av.error.FFmpegError:
        return None
    if not frames:
        return None
    for width, quantiser in SCALES:
        made = _encoded(frames[0], min(width, frames[0].width), quantiser)
        if len(made) <= MAX_BYTES:
            return made
    return None


def _encoded(frame: av.VideoFrame, width: int, quantiser: int) -> bytes:
    height = max(2, round(frame.height * width / frame.width / 2) * 2)
    scaled = frame.reformat(max(2, width // 2 * 2), height, format="yuvj420p")
    scaled.pts = 0
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = scaled.width, scaled.height, "yuvj420p"
    encoder.time_base = Fraction(1, 1)
    encoder.qmin = encoder.qmax = quantiser
    return b"".join(bytes(packet) for packet in [*encoder.encode(scaled), *encoder.encode(None)])
