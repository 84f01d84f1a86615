"""What a recording is made of, whichever codec: one frame, and where it belongs.

Pure. Knows neither packets nor files.
"""

from typing import Final, Literal

from msgspec import Struct

Track = Literal["main", "content", "sound"]
Codec = Literal["vp8", "h264"]

TRACKS: Final[tuple[Track, ...]] = ("main", "content", "sound")

CLOCK_HZ: Final[dict[Track, int]] = {"main": 90_000, "content": 90_000, "sound": 48_000}
"""Ticks of an RTP timestamp in a second."""


class Frame(Struct, frozen=True):
    """One picture or 20 ms of sound, encoded, as its sender encoded it.

    ``timestamp`` is RTP's, 32 bits wide. A picture of H.264 is Annex B: NAL units behind start codes.
    """

    timestamp: int
    data: bytes
    key: bool
