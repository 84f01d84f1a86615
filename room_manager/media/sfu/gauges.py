"""What one worker has counted, and how all workers' counts are named for monitoring. Pure.

A counter of a room is one of its worker too: closed rooms stay counted, so that sums never fall.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

import msgspec
from msgspec import Struct

from room_manager.media.figures import Family, Sample
from room_manager.media.sfu.room_stats import RoomStats

PREFIX: Final = "diemcau_media_"


class Figures(Struct, frozen=True):
    """One worker's counters since it started, and how it is now."""

    rooms: int
    joins: int  # offers answered
    sent: int  # packets that left, repeats and control included
    send_failed: int  # the socket would not take them
    refused: dict[str, int]  # datagrams at the door, by reason
    relayed: dict[str, int]  # packets over the links to other workers, by direction, and dropped ones
    loop_lag_s: float  # the longest that the worker's loop was late since it was last asked
    cpu_s: float
    rss_bytes: int
    media: RoomStats | None  # of all its rooms, closed ones included; None: there was none yet


class WorkerView(NamedTuple):
    """One worker as its parent sees it. ``figures`` None: none heard since it started."""

    alive: bool
    restarts: int
    figures: Figures | None


class _Name(NamedTuple):
    kind: Literal["counter", "gauge"]
    help: str
    label: str = ""  # for a field of several numbers


NAMES: Final[Mapping[str, _Name]] = {
    "rooms": _Name("gauge", "Rooms the worker knows"),
    "joins": _Name("counter", "Offers answered"),
    "sent": _Name("counter", "Packets sent, repeats and control included"),
    "send_failed": _Name("counter", "Packets the socket would not take"),
    "refused": _Name("counter", "Datagrams turned away at the door", "reason"),
    "relayed": _Name("counter", "Packets handed over between workers", "direction"),
    "loop_lag_s": _Name("gauge", "The longest the worker's loop was late in the last seconds"),
    "cpu_s": _Name("counter", "CPU time used"),
    "rss_bytes": _Name("gauge", "Memory held"),
    "connections": _Name("gauge", "Media connections"),
    "audio_forwarded": _Name("counter", "Sound: packets times receivers"),
    "audio_dropped": _Name("counter", "Sound the mode of the meeting forbids: packets"),
    "video_forwarded": _Name("counter", "Pictures: packets times receivers"),
    "keyframe_requests": _Name("counter", "Keyframes asked of publishers"),
    "repaired": _Name("counter", "Packets sent again to receivers"),
    "lanes": _Name("gauge", "Streams rendered, each for all who see the same"),
    "misplaced": _Name("counter", "Packets of publishers that belong nowhere", "reason"),
    "measured": _Name("gauge", "Receivers whose line is measured"),
    "steps": _Name("gauge", "Receivers at each step of the ladder", "step"),
    "step_reasons": _Name("gauge", "Receivers below the full picture, by reason", "reason"),
}

_UNITS: Final = {"_s": "_seconds"}


def families(workers: Mapping[int, WorkerView]) -> tuple[Family, ...]:
    """Everything monitoring reads, by worker."""
    found = [
        _family("up", _Name("gauge", "1 while the worker takes calls"), workers, lambda v: float(v.alive)),
        _family(
            "restarts",
            _Name("counter", "Times the worker was started again"),
            workers,
            lambda v: v.restarts,
        ),
    ]
    known = {number: view.figures for number, view in workers.items() if view.figures is not None}
    numbers: dict[str, dict[int, Any]] = {}
    for worker, figures in known.items():
        for part in (figures, figures.media):
            for field in msgspec.structs.fields(part) if part is not None else ():
                if field.name != "media":
                    numbers.setdefault(field.name, {})[worker] = getattr(part, field.name)
    for name, values in numbers.items():
        about = NAMES.get(name, _Name("gauge", "See docs/media.md", "what"))
        samples = [
            sample for worker, value in values.items() for sample in _samples(worker, value, about.label)
        ]
        found.append(Family(_full(name), about.help, about.kind, tuple(samples)))
    return tuple(found)


def _family(name: str, about: _Name, workers: Mapping[int, WorkerView], read: Any) -> Family:
    samples = tuple(Sample(read(view), {"worker": str(number)}) for number, view in workers.items())
    return Family(_full(name), about.help, about.kind, samples)


def _samples(worker: int, value: Any, label: str) -> list[Sample]:
    if not isinstance(value, dict):
        return [Sample(float(value), {"worker": str(worker)})]
    return [
        Sample(float(part), {"worker": str(worker), label or "what": str(key)}) for key, part in value.items()
    ]


def _full(name: str) -> str:
    for short, long in _UNITS.items():
        if name.endswith(short):
            name = name.removesuffix(short) + long
    return PREFIX + name
