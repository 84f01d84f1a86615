"""Spoilt inputs, made from good ones: seeded, so that what is found once is found again."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

DATA: Final = Path(__file__).parents[1] / "data"
EDGES: Final = (0, 1, 0x7F, 0x80, 0xFE, 0xFF)
LONGEST: Final = 2_000


def recorded() -> dict[str, Any]:
    """What a real browser sent: ``sdp`` as text, ``stun``, ``rtp`` and ``rtcp`` as plaintext bytes."""
    found: dict[str, Any] = json.loads((DATA / "chromium.json").read_text())
    return {
        name: [bytes.fromhex(one) for one in found[name]] if name != "sdp" else found[name]
        for name in ("sdp", "stun", "rtp", "rtcp")
    }


def spoilt(samples: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """So many inputs: each a sample with one to four changes, or now and then nothing but noise."""
    dice = random.Random(seed)
    for _ in range(count):
        if dice.random() < 0.02:
            yield dice.randbytes(dice.randrange(200))
            continue
        data = bytearray(dice.choice(samples))
        for _ in range(dice.randint(1, 4)):
            dice.choice(CHANGES)(data, dice, samples)
        yield bytes(data[:LONGEST])


def spoilt_texts(samples: Sequence[str], count: int, seed: int) -> Iterator[str]:
    """Texts of lines, spoilt line by line, so that most are still of the right kind."""
    dice = random.Random(seed)
    for _ in range(count):
        lines = dice.choice(samples).split("\r\n")
        for _ in range(dice.randint(1, 3)):
            at = dice.randrange(1, len(lines))
            match dice.randrange(6):
                case 0:
                    del lines[at]
                case 1:
                    lines.insert(at, dice.choice(lines))
                case 2:
                    lines.insert(at, lines.pop(dice.randrange(1, len(lines))))
                case 3:
                    lines[at] = _other_word(lines[at], dice)
                case 4:
                    lines[at] = _other_letter(lines[at], dice)
                case _:
                    lines[at] = lines[at][: dice.randrange(len(lines[at]) + 1)]
        yield "\r\n".join(lines)


WORDS: Final = (
    "",
    "0",
    "-1",
    "96",
    "127",
    "128",
    "65536",
    "4294967296",
    "9" * 40,
    "*",
    "q;h;f",
    "é",
    "²",
    "a=b",
    "x" * 900,
)


def _other_word(line: str, dice: random.Random) -> str:
    words = line.split(" ")
    words[dice.randrange(len(words))] = dice.choice(WORDS)
    return " ".join(words)


def _other_letter(line: str, dice: random.Random) -> str:
    at = dice.randrange(len(line) + 1)
    return line[:at] + chr(dice.choice((0, 9, 32, 47, 58, 59, 65, 0xA0, 0xD800, 0x1F600))) + line[at + 1 :]


def _flip(data: bytearray, dice: random.Random, _: Sequence[bytes]) -> None:
    if data:
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def _edge(data: bytearray, dice: random.Random, _: Sequence[bytes]) -> None:
    if data:
        data[dice.randrange(len(data))] = dice.choice(EDGES)


def _early(data: bytearray, dice: random.Random, _: Sequence[bytes]) -> None:
    """Most of what decides stands in the first bytes."""
    if data:
        data[dice.randrange(min(24, len(data)))] = dice.randrange(256)


def _length(data: bytearray, dice: random.Random, _: Sequence[bytes]) -> None:
    if len(data) >= 2:
        at = dice.randrange(len(data) - 1)
        value = dice.choice((0, 1, 3, len(data), len(data) // 4, 0x7FFF, 0xFFFF))
        data[at : at + 2] = value.to_bytes(2, "big")


def _cut(data: bytearray, dice: random.Random, _: Sequence[bytes]) -> None:
    del data[dice.randrange(len(data) + 1) :]


def _insert(data: bytearray, dice: random.Random, _: Sequence[bytes]) -> None:
    at = dice.randrange(len(data) + 1)
    data[at:at] = dice.randbytes(dice.randint(1, 8))


def _double(data: bytearray, dice: random.Random, _: Sequence[bytes]) -> None:
    at = dice.randrange(len(data) + 1)
    data[at:at] = data[at : at + dice.randint(1, 40)]


def _graft(data: bytearray, dice: random.Random, samples: Sequence[bytes]) -> None:
    other = dice.choice(samples)
    at = dice.randrange(min(len(data), len(other)) + 1)
    data[at:] = other[at:]


Change = Callable[[bytearray, random.Random, Sequence[bytes]], None]
CHANGES: Final[tuple[Change, ...]] = (_flip, _edge, _early, _early, _length, _cut, _insert, _double, _graft)
