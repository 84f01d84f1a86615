"""Which devices share power and line, and when the loss of several is one loss.

A device stands at four *spots*: its building, unit, district, and the city. For each spot it is counted how
many devices should work there now, which of them were lost, and when. When enough were lost close together,
the place is what failed. What was lost long before says nothing about now: it counts on neither side.
"""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.places import Place
from kiosk_hub.fleet.values import Level

WIDEST_FIRST: Final = (Level.CITY, Level.DISTRICT, Level.UNIT, Level.BUILDING)


class Spot(Struct, frozen=True):
    """What an incident is about: one device, or a place. ``key`` is the same for the same thing."""

    level: Level
    key: str
    district: str = ""  # code
    unit: str = ""  # code
    building: str = ""
    device: str = ""  # id


class Share(Struct, frozen=True):
    """When a place counts as lost."""

    least: int  # devices lost …
    share: float  # … and this share of those that should work …
    parts: int  # … in so many of the places it is made of


LOST: Final[Mapping[Level, Share]] = {
    Level.BUILDING: Share(2, 0.5, 1),
    Level.UNIT: Share(2, 0.5, 2),
    Level.DISTRICT: Share(4, 0.4, 2),
    Level.CITY: Share(20, 0.5, 3),  # rather our own line than theirs
}

WINDOW_S: Final = 300.0
"""Lost within so long of now is lost together."""

Overdue = Callable[[DeviceId], bool]
"""Has this device, not lost yet, missed its beat? It is probably lost, too: beats do not come all at once."""


def spots_of(place: Place, district: str) -> tuple[Spot, ...]:
    """The places a device stands at, the widest first. A unit of no district has no district's spot."""
    city = Spot(Level.CITY, "city")
    unit = Spot(Level.UNIT, f"unit:{place.unit}", district, place.unit)
    building = Spot(
        Level.BUILDING, f"building:{place.unit}:{place.building}", district, place.unit, place.building
    )
    if not district:
        return (city, unit, building)
    return (city, Spot(Level.DISTRICT, f"district:{district}", district), unit, building)


def device_spot(device: DeviceId, place: Place, district: str) -> Spot:
    return Spot(Level.DEVICE, f"device:{device}", district, place.unit, place.building, device)


class _Count:
    """One spot's devices that should work now: the part each is in, and when it was lost."""

    __slots__ = ("lost", "present")

    def __init__(self) -> None:
        self.present: dict[DeviceId, str] = {}
        self.lost: dict[DeviceId, float] = {}  # the earliest first


class Places:
    """All spots. Every change costs the same however many devices there are."""

    def __init__(self, window_s: float = WINDOW_S) -> None:
        self._window_s = window_s
        self._counts: dict[str, _Count] = {}

    def enter(self, device: DeviceId, spots: tuple[Spot, ...]) -> None:
        """It should work now."""
        parts = (*(spot.key for spot in spots[1:]), device)
        for spot, part in zip(spots, parts, strict=True):
            self._counts.setdefault(spot.key, _Count()).present[device] = part

    def leave(self, device: DeviceId, spots: tuple[Spot, ...]) -> None:
        """It need not work now, or is gone. A spot without devices is forgotten."""
        for spot in spots:
            count = self._counts.get(spot.key)
            if count is not None:
                count.present.pop(device, None)
                count.lost.pop(device, None)
                if not count.present:
                    del self._counts[spot.key]

    def lose(self, device: DeviceId, spots: tuple[Spot, ...], now: float) -> None:
        for spot in spots:
            count = self._counts[spot.key]
            if device in count.present and device not in count.lost:
                count.lost[device] = now

    def regain(self, device: DeviceId, spots: tuple[Spot, ...]) -> None:
        for spot in spots:
            count = self._counts.get(spot.key)
            if count is not None:
                count.lost.pop(device, None)

    def present(self, spot: Spot) -> int:
        """How many should work there now."""
        count = self._counts.get(spot.key)
        return len(count.present) if count is not None else 0

    def recent(self, spot: Spot, now: float) -> list[DeviceId]:
        """Those lost together, the latest first."""
        count = self._counts.get(spot.key)
        found: list[DeviceId] = []
        if count is not None:
            for device, at in reversed(count.lost.items()):
                if now - at > self._window_s:
                    break
                found.append(device)
        return found

    def is_lost(self, spot: Spot, now: float, overdue: Overdue) -> bool:
        """Is it this place that failed, and not single devices of it?"""
        rule = LOST[spot.level]
        count = self._counts.get(spot.key)
        if count is None:
            return False
        recent = self.recent(spot, now)
        base = len(count.present) - (len(count.lost) - len(recent))
        needed = max(rule.least, rule.share * base)
        parts = {count.present[device] for device in recent}
        gone = len(recent)
        if gone < needed and gone * 4 >= needed:  # few cannot be made many by what is late
            for device, part in count.present.items():
                if device not in count.lost and overdue(device):
                    gone += 1
                    parts.add(part)
        return gone >= needed and len(parts) >= rule.parts
