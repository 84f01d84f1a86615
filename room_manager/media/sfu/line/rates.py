"""How many bits per second each stream of a publisher takes, and takes with its base frames only."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from room_manager.media.sfu.line.allot import Layer
from room_manager.media.sfu.line.reading import OVERHEAD_BYTES
from room_manager.media.sfu.track import Track

SAMPLE_S: Final = 1.0
AROUND_BYTES: Final = OVERHEAD_BYTES + 12 + 12 + 16  # RTP header, extensions, protection
FRESH: Final = 0.5  # weight of the newest second
UNKNOWN_BPS: Final = {"q": 150_000.0, "h": 500_000.0, "f": 1_500_000.0}
UNKNOWN_PICTURE_BPS: Final = 1_000_000.0
UNKNOWN_VOICE_BPS: Final = 48_000.0
LEAST_BPS: Final = 2_000.0
"""Less is a pause: what it took before is what it will take again."""


class Sample(Struct):
    """One stream's counters when last looked at, and the rates since."""

    at: float
    bytes: int
    base_bytes: int
    bps: float
    base_bps: float


class Rates:
    """Rates of the streams looked at; *base* is their lowest temporal layer."""

    def __init__(self) -> None:
        self._samples: dict[Track, Sample] = {}

    def sample(self, tracks: Iterable[Track], now: float) -> None:
        """Look at these streams; those not named are forgotten."""
        before, self._samples = self._samples, {}
        for track in tracks:
            total = track.octets + AROUND_BYTES * track.received
            base = track.base_octets + AROUND_BYTES * track.base_received
            known = before.get(track)
            if known is None:
                unknown = _unknown(track)
                self._samples[track] = Sample(now, total, base, unknown, unknown)
                continue
            self._samples[track] = known
            passed_s = now - known.at
            if passed_s < SAMPLE_S / 2:
                continue
            bps, base_bps = (total - known.bytes) * 8 / passed_s, (base - known.base_bytes) * 8 / passed_s
            known.at, known.bytes, known.base_bytes = now, total, base
            if bps >= LEAST_BPS:
                known.bps += FRESH * (bps - known.bps)
                known.base_bps += FRESH * (base_bps - known.base_bps)

    def layer(self, track: Track) -> Layer:
        """What the stream takes."""
        known = self._samples.get(track)
        bps = known.bps if known is not None else _unknown(track)
        return Layer(track.rid, bps, min(bps, known.base_bps) if known is not None else bps)


def _unknown(track: Track) -> float:
    if track.role == "microphone":
        return UNKNOWN_VOICE_BPS
    return UNKNOWN_BPS.get(track.rid, UNKNOWN_PICTURE_BPS)
