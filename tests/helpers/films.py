"""Playing a recording as a viewer would: every frame of every track is decoded by PyAV."""

from itertools import pairwise
from pathlib import Path

import av
from msgspec import Struct, field


class Film(Struct):
    """What is in a file, in seconds; tracks by their order: main, content, sound."""

    duration_s: float | None
    titles: tuple[str, ...]
    times: dict[int, list[float]] = field(default_factory=dict)  # of decoded frames, by track
    sizes: dict[int, set[tuple[int, int]]] = field(default_factory=dict)  # of decoded pictures

    @property
    def main(self) -> list[float]:
        return self.times.get(0, [])

    @property
    def content(self) -> list[float]:
        return self.times.get(1, [])

    @property
    def sound(self) -> list[float]:
        return self.times.get(2, [])


def play(path: Path) -> Film:
    """Decode all of it. What does not decode raises."""
    with av.open(str(path)) as file:
        film = Film(
            file.duration / 1_000_000 if file.duration is not None else None,
            tuple(stream.metadata.get("title", "") for stream in file.streams),
        )
        for packet in file.demux():
            for frame in packet.decode():
                assert isinstance(frame, av.VideoFrame | av.AudioFrame)
                assert frame.time is not None
                index = packet.stream.index
                film.times.setdefault(index, []).append(frame.time)
                if isinstance(frame, av.VideoFrame):
                    film.sizes.setdefault(index, set()).add((frame.width, frame.height))
    return film


def longest_gap_s(times: list[float]) -> float:
    """Between two frames that follow each other."""
    return max((later - earlier for earlier, later in pairwise(times)), default=0.0)
