"""Make the loops that simulated sites play: ``python -m room_manager.media.make_loops``.

For developers only: draws a meeting room with the words MÔ PHỎNG (simulated), encodes it with PyAV as VP8 in
three sizes and a murmur as Opus, and writes ``data/*.bin``.
"""

import math
import random
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import msgspec
from av.video.frame import PictureType

from room_manager.media.loops import AUDIO_CLOCK_HZ, AUDIO_FRAME_S, Layer, Loop, Sound

WIDTH_PX: Final = 640
HEIGHT_PX: Final = 360
FRAMES_PER_S: Final = 8
FRAMES: Final = 32
KEYFRAME_EVERY: Final = 8
LAYERS: Final = (("q", 160, 90, 20_000), ("h", 320, 180, 50_000), ("f", 640, 360, 110_000))
FOLDER: Final = Path(__file__).parent / "data"

Colour = tuple[int, int, int]  # Y, U, V

WALLS: Final[dict[str, Colour]] = {
    "amber": (160, 100, 150),
    "blue": (120, 160, 110),
    "green": (130, 115, 105),
    "grey": (150, 128, 128),
}
WOOD: Final[Colour] = (85, 110, 150)
DARK: Final[Colour] = (40, 128, 128)
LIGHT: Final[Colour] = (225, 128, 128)
SKIN: Final[Colour] = (175, 108, 150)
SIGN: Final[Colour] = (70, 90, 220)

# Five columns wide; the first three rows hold the marks above the letter.
GLYPHS: Final = {
    "M": ".....|.....|.....|#...#|##.##|#.#.#|#.#.#|#...#|#...#|#...#",
    "Ô": "..#..|.#.#.|.....|.###.|#...#|#...#|#...#|#...#|#...#|.###.",
    "P": ".....|.....|.....|####.|#...#|#...#|####.|#....|#....|#....",
    "H": ".....|.....|.....|#...#|#...#|#...#|#####|#...#|#...#|#...#",
    "Ỏ": ".##..|...#.|..#..|.###.|#...#|#...#|#...#|#...#|#...#|.###.",
    "N": ".....|.....|.....|#...#|##..#|#.#.#|#..##|#...#|#...#|#...#",
    "G": ".....|.....|.....|.###.|#...#|#....|#.###|#...#|#...#|.###.",
    " ": ".....|.....|.....|.....|.....|.....|.....|.....|.....|.....",
}


class Canvas:
    """A picture in planes, 4:2:0."""

    def __init__(self, colour: Colour) -> None:
        self.y = bytearray([colour[0]]) * (WIDTH_PX * HEIGHT_PX)
        self.u = bytearray([colour[1]]) * (WIDTH_PX * HEIGHT_PX // 4)
        self.v = bytearray([colour[2]]) * (WIDTH_PX * HEIGHT_PX // 4)

    def box(self, x: int, y: int, width: int, height: int, colour: Colour) -> None:
        """A filled rectangle, cut at the edges."""
        left, right = max(0, x), min(WIDTH_PX, x + width)
        if right <= left:
            return
        for row in range(max(0, y), min(HEIGHT_PX, y + height)):
            self.y[row * WIDTH_PX + left : row * WIDTH_PX + right] = bytes([colour[0]]) * (right - left)
            if row % 2 == 0:
                begin, end = row // 2 * WIDTH_PX // 2 + left // 2, row // 2 * WIDTH_PX // 2 + right // 2
                self.u[begin:end] = bytes([colour[1]]) * (end - begin)
                self.v[begin:end] = bytes([colour[2]]) * (end - begin)

    def disc(self, x: int, y: int, radius: int, colour: Colour) -> None:
        """A filled circle."""
        for row in range(-radius, radius + 1):
            half = int(math.sqrt(radius * radius - row * row))
            self.box(x - half, y + row, 2 * half + 1, 1, colour)

    def words(self, text: str, x: int, y: int, size: int, colour: Colour) -> None:
        """Text in big squares."""
        for letter in text:
            for row, line in enumerate(GLYPHS[letter].split("|")):
                for column, mark in enumerate(line):
                    if mark == "#":
                        self.box(x + column * size, y + row * size, size, size, colour)
            x += 6 * size

    def frame(self) -> Any:
        """As PyAV wants it."""
        made = av.VideoFrame(WIDTH_PX, HEIGHT_PX, "yuv420p")
        for plane, data, width in zip(
            made.planes, (self.y, self.u, self.v), (WIDTH_PX, WIDTH_PX // 2, WIDTH_PX // 2), strict=True
        ):
            rows = len(data) // width
            padded = b"".join(
                bytes(data[r * width : (r + 1) * width]).ljust(plane.line_size, b"\0") for r in range(rows)
            )
            plane.update(padded)
        return made


def drawn(wall: Colour, number: int) -> Canvas:
    """A room with three delegates; the middle one nods, and a mark runs along the foot."""
    canvas = Canvas(wall)
    canvas.box(0, 250, WIDTH_PX, 110, (90, 128, 128))
    for i, x in enumerate((160, 320, 480)):
        nod = int(6 * math.sin(2 * math.pi * number / FRAMES)) if i == 1 else 0
        canvas.box(x - 45, 200, 90, 90, DARK)
        canvas.disc(x, 170 + nod, 32, SKIN)
    canvas.box(60, 270, 520, 50, WOOD)
    canvas.box(110, 14, 420, 74, LIGHT)
    canvas.words("MÔ PHỎNG", 152, 18, 7, SIGN)
    canvas.box(number * WIDTH_PX // FRAMES, 340, 40, 16, LIGHT)
    return canvas


def encoded(pictures: list[Any], width_px: int, height_px: int, bitrate_bps: int) -> tuple[bytes, ...]:
    """VP8 without look-ahead or hidden frames, one packet per picture."""
    codec: Any = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt = width_px, height_px, "yuv420p"
    codec.time_base = Fraction(1, FRAMES_PER_S)
    codec.framerate = FRAMES_PER_S
    codec.bit_rate = bitrate_bps
    codec.gop_size = KEYFRAME_EVERY
    codec.options = {
        "deadline": "good",
        "cpu-used": "1",
        "lag-in-frames": "0",
        "auto-alt-ref": "0",
        "error-resilient": "1",
        "qmin": "4",
        "qmax": "50",
    }
    frames: list[bytes] = []
    for number, picture in enumerate(pictures):
        scaled = picture.reformat(width_px, height_px, "yuv420p")
        scaled.pts = number
        scaled.pict_type = PictureType.I if number % KEYFRAME_EVERY == 0 else PictureType.NONE
        frames += [bytes(packet) for packet in codec.encode(scaled)]
    frames += [bytes(packet) for packet in codec.encode(None)]
    if len(frames) != FRAMES or any(frames[i][0] & 1 for i in range(0, FRAMES, KEYFRAME_EVERY)):
        raise RuntimeError("the encoder did not give one frame per picture with keyframes where asked")
    return tuple(frames)


def murmured(seed: int) -> Sound:
    """Syllables with pauses, soft: what a voice does to a level meter."""
    rng = random.Random(seed)  # noqa: S311
    rate, size = AUDIO_CLOCK_HZ, int(AUDIO_CLOCK_HZ * AUDIO_FRAME_S)
    samples: list[int] = []
    pitch = rng.uniform(110, 220)
    phase = 0.0
    while len(samples) < 4 * rate:
        spoken = rng.random() < 0.75
        length = int(rate * rng.uniform(0.12, 0.28))
        tone = pitch * rng.uniform(0.9, 1.15)
        for i in range(length):
            phase += 2 * math.pi * tone / rate
            swell = math.sin(math.pi * i / length) if spoken else 0.0
            wave = math.sin(phase) + 0.5 * math.sin(3 * phase) + 0.25 * math.sin(7 * phase)
            samples.append(int(2200 * swell * wave))
    samples = samples[: 4 * rate]
    codec: Any = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format = rate, "mono", "s16"
    codec.bit_rate = 16_000
    codec.options = {"application": "voip", "frame_duration": "20"}
    packets: list[bytes] = []
    levels: list[int] = []
    for start in range(0, len(samples), size):
        chunk = samples[start : start + size]
        frame: Any = av.AudioFrame("s16", "mono", size)
        frame.sample_rate, frame.pts = rate, start
        frame.planes[0].update(b"".join(s.to_bytes(2, "little", signed=True) for s in chunk))
        packets += [bytes(packet) for packet in codec.encode(frame)]
        power = math.sqrt(sum(s * s for s in chunk) / size) / 32768
        levels.append(min(127, round(-20 * math.log10(power))) if power > 1e-6 else 127)
    return Sound(tuple(packets[: len(levels)]), tuple(levels[: len(packets)]))


def main() -> None:
    """Write all loops and say how large they are."""
    FOLDER.mkdir(exist_ok=True)
    for seed, (name, wall) in enumerate(WALLS.items(), 1):
        pictures = [drawn(wall, number).frame() for number in range(FRAMES)]
        layers = tuple(
            Layer(rid, width, height, encoded(pictures, width, height, rate))
            for rid, width, height, rate in LAYERS
        )
        keyframes = tuple(range(0, FRAMES, KEYFRAME_EVERY))
        loop = Loop(name, FRAMES_PER_S, keyframes, layers, murmured(seed))
        data = msgspec.msgpack.encode(loop)
        (FOLDER / f"{name}.bin").write_bytes(data)
        sizes = {layer.name: sum(map(len, layer.frames)) for layer in layers}
        print(f"{name}: {len(data)} bytes, layers {sizes}, {len(loop.sound.packets)} sound packets")


if __name__ == "__main__":
    main()
