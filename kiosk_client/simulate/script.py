"""A script of faults: what happens to which devices, when, for how long. Read from TOML. Pure."""

import random
import tomllib
from collections.abc import Sequence
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from kiosk_client.config import BadConfig
from kiosk_client.simulate.places import Seat

Kind = Literal[
    "power-cut",
    "line-cut",
    "flapping-line",
    "clock-jump",
    "frozen-camera",
    "frozen-page",
    "paper-out",
    "full-disk",
    "slow-disk",
    "cloned-key",
    "bad-install",
    "worse-experience",
]
"""power-cut: gone without a word, back with another boot. line-cut: lives on without a line. flapping-line:
cut for ``period_s``, back for ``by_s`` (0: as long), and so on. clock-jump: set by ``by_s``. slow-disk: each
write takes ``by_s``. cloned-key: a second machine with the same disk. bad-install: what is offered fails.
worse-experience: residents give up."""


class Where(Struct, frozen=True, forbid_unknown_fields=True):
    """Which devices; all conditions hold. ``district``, ``unit``, ``building`` are numbers in the order of
    size: 0 has the most devices."""

    district: int | None = None
    unit: int | None = None
    building: int | None = None
    share: Annotated[float, Meta(gt=0, le=1)] | None = None  # of those that are left, by lot
    count: Annotated[int, Meta(ge=1)] | None = None  # so many of those that are left, by lot


class Fault(Struct, frozen=True, forbid_unknown_fields=True):
    """Something goes wrong. Seconds count from when all devices are in."""

    kind: Kind
    at_s: Annotated[float, Meta(ge=0)]
    for_s: Annotated[float, Meta(gt=0)] | None = None  # None: to the end
    where: Where = Where()
    by_s: float = 0.0
    period_s: Annotated[float, Meta(ge=1)] = 20.0
    every_s: Annotated[float, Meta(ge=1)] | None = None  # again and again, each time at other devices


class Script(Struct, frozen=True, forbid_unknown_fields=True):
    """A file."""

    fault: tuple[Fault, ...] = ()


class Step(Struct, frozen=True, order=True):
    """One moment of a fault: it begins at these devices, or is over."""

    at_s: float
    number: int  # of the fault in the script
    begins: bool
    devices: tuple[int, ...]


LONGEST_S: Final = 7 * 86_400.0
MOST_STEPS: Final = 100_000


def parse(text: str) -> Script:
    """Raises BadConfig, with the name of the field."""
    try:
        return msgspec.convert(tomllib.loads(text), Script)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BadConfig(f"faults: {error}") from None


def steps(script: Script, seats: Sequence[Seat], seed: int, until_s: float = 86_400.0) -> list[Step]:
    """All that will happen, in order; the same for the same seed."""
    found: list[Step] = []
    for number, fault in enumerate(script.fault):
        at_s, turn = fault.at_s, 0
        while at_s < min(until_s, LONGEST_S) and len(found) < MOST_STEPS:
            lot = random.Random(f"{seed} {number} {turn}")  # noqa: S311 - no secret
            devices = chosen(fault.where, seats, lot)
            found.append(Step(at_s, number, True, devices))
            if fault.for_s is not None:
                found.append(Step(at_s + fault.for_s, number, False, devices))
            if fault.every_s is None:
                break
            at_s, turn = at_s + fault.every_s, turn + 1
    return sorted(found)


def chosen(where: Where, seats: Sequence[Seat], lot: random.Random) -> tuple[int, ...]:
    """The numbers of the devices meant."""
    left = list(seats)
    if where.district is not None:
        left = _nth(left, [seat.district for seat in left], where.district)
    if where.unit is not None:
        left = _nth(left, [seat.unit for seat in left], where.unit)
    if where.building is not None:
        left = _nth(left, [f"{seat.unit} {seat.building}" for seat in left], where.building)
    many = len(left)
    if where.share is not None:
        many = round(many * where.share)
    if where.count is not None:
        many = min(many, where.count)
    return tuple(sorted(seat.number for seat in lot.sample(left, many)))


def _nth(seats: list[Seat], keys: list[str], n: int) -> list[Seat]:
    """Those at the place that has the n-th most of them."""
    sizes: dict[str, int] = {}
    for key in keys:
        sizes[key] = sizes.get(key, 0) + 1
    ordered = sorted(sizes, key=lambda key: (-sizes[key], key))
    if not 0 <= n < len(ordered):
        return []
    return [seat for seat, key in zip(seats, keys, strict=True) if key == ordered[n]]
