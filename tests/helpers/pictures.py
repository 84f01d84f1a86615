"""What fake cameras show and fake microphones hear: a colour and a tone per site, to tell whose they are."""

import math
import struct
import wave
from pathlib import Path
from typing import Final

WIDTH_PX: Final = 960  # below this Chromium sends fewer than three layers
HEIGHT_PX: Final = 540
FRAMES_HZ: Final = 10
RATE_HZ: Final = 48_000

Rgb = tuple[int, int, int]

COLOURS: Final[dict[str, Rgb]] = {
    "red": (220, 30, 30),
    "green": (30, 200, 50),
    "blue": (40, 60, 230),
    "yellow": (230, 220, 30),
    "magenta": (220, 40, 220),
    "cyan": (30, 210, 220),
}


def write_camera(path: Path, colour: Rgb, frames: int = 5) -> Path:
    """A Y4M loop: the colour, with a small square that moves, so that frames differ."""
    y, u, v = yuv(colour)
    header = f"YUV4MPEG2 W{WIDTH_PX} H{HEIGHT_PX} F{FRAMES_HZ}:1 Ip A1:1 C420jpeg\n".encode()
    chroma = bytes([u]) * (WIDTH_PX * HEIGHT_PX // 4) + bytes([v]) * (WIDTH_PX * HEIGHT_PX // 4)
    with path.open("wb") as file:
        file.write(header)
        for frame in range(frames):
            luma = bytearray([y]) * (WIDTH_PX * HEIGHT_PX)
            for row in range(8, 24):
                start = row * WIDTH_PX + 8 + 24 * frame
                luma[start : start + 16] = bytes([235 - y // 2]) * 16
            file.write(b"FRAME\n" + luma + chroma)
    return path


def write_voice(path: Path, tone_hz: int) -> Path:
    """A second of one tone, which the fake microphone repeats.

    It comes in syllables: what never pauses is taken for noise and suppressed by the browser.
    """
    syllable = RATE_HZ // 4
    samples = (
        int(16_000 * math.sin(2 * math.pi * tone_hz * n / RATE_HZ)) if n % syllable < syllable * 3 // 4 else 0
        for n in range(RATE_HZ)
    )
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return path


def nearest(seen: Rgb) -> str | None:
    """The name of the colour that was seen; None for black, grey or anything far from all."""
    name, far = min(
        ((name, math.dist(colour, seen)) for name, colour in COLOURS.items()), key=lambda pair: pair[1]
    )
    return name if far < 90 else None


def yuv(colour: Rgb) -> tuple[int, int, int]:
    """BT.601 in studio range, which is what Chromium takes a Y4M file for."""
    r, g, b = colour
    y = 16 + (65.738 * r + 129.057 * g + 25.064 * b) / 256
    u = 128 + (-37.945 * r - 74.494 * g + 112.439 * b) / 256
    v = 128 + (112.439 * r - 94.154 * g - 18.285 * b) / 256
    return round(y), round(u), round(v)
