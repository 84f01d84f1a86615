"""Loudspeaker and microphone, by the sound server's or ALSA's own programs.

Of what the microphone hears one number is made here, the level of one second; no sample is kept.
"""

import array
import math
import sys
from pathlib import Path
from typing import Final

from kiosk_client.body.programs import Programs

RATE_HZ: Final = 16_000
FULL_SCALE: Final = 32_768.0


def level(samples: bytes) -> float | None:
    """Root mean square of 16-bit little-endian samples, of full scale; None without any."""
    heard = array.array("h", samples[: len(samples) // 2 * 2])
    if not heard:
        return None
    if sys.byteorder == "big":
        heard.byteswap()
    mean = sum(heard) / len(heard)  # a microphone's constant offset is no sound
    power = sum((one - mean) ** 2 for one in heard) / len(heard)
    return min(1.0, math.sqrt(power) / FULL_SCALE)


class SoundSense:
    """What can be known of the sound, and how its volume is set."""

    def __init__(self, programs: Programs, root: Path = Path("/")) -> None:
        self._programs = programs
        self._root = root

    async def microphone_share(self) -> float | None:
        """Level of one second; None: no microphone, or nothing here can listen."""
        if not self._has_microphone():
            return None
        command = ["arecord", "-q", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", str(RATE_HZ), "-d", "1"]
        ran = await self._programs.run(command, 4.0)
        return level(ran.output) if ran.ok else None

    async def set_volume(self, share: float) -> str:
        """Empty when it is so, else ``no-mixer``, ``mixer-failed``."""
        percent = f"{round(share * 100)}%"
        ways = (
            ["wpctl", "set-volume", "@DEFAULT_AUDIO_SINK@", percent],
            ["pactl", "set-sink-volume", "@DEFAULT_SINK@", percent],
            ["amixer", "-q", "sset", "Master", percent, "unmute"],
        )
        there = [way for way in ways if self._programs.has(way[0])]
        for way in there:
            if (await self._programs.run(way)).ok:
                return ""
        return "mixer-failed" if there else "no-mixer"

    def _has_microphone(self) -> bool:
        """ALSA names every capture device ``pcmC0D0c``."""
        return any(self._root.glob("proc/asound/card*/pcm*c"))
