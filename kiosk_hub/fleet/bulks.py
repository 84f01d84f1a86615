"""One act for many devices: which of them, what would happen at each, and when each has its turn.

A bulk is spread over time, so that hundreds that restart do not load one line or one building's power at
once. What is done is what the dry run showed, never more.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from kiosk_hub.fleet.acts import Beside, rule_of
from kiosk_hub.fleet.commands import Plan
from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.ids import BulkId, DeviceId
from kiosk_hub.fleet.orders import AnyAct
from kiosk_hub.fleet.values import DeviceKind, Status
from room_manager.errors import Invalid

MAX_DEVICES: Final = 2_000
"""In one bulk: more is several bulks. They are made in one transaction, which others wait for."""
MAX_SPREAD_S: Final = 7 * 86_400.0
STALE_SHARE: Final = 0.05
"""If more of the dry run's devices than this have changed their mind, it is to be looked at again."""
STALE_FEW: Final = 2

Some = Annotated[str, Meta(max_length=64)]


class Selection(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which devices: those named, or those that match all of the rest. Empty: any."""

    devices: Annotated[tuple[DeviceId, ...], Meta(max_length=MAX_DEVICES)] = ()
    districts: Annotated[tuple[Some, ...], Meta(max_length=100)] = ()
    units: Annotated[tuple[Some, ...], Meta(max_length=700)] = ()
    kinds: Annotated[tuple[DeviceKind, ...], Meta(max_length=2)] = ()
    statuses: Annotated[tuple[Status, ...], Meta(max_length=10)] = ()
    agents: Annotated[tuple[Some, ...], Meta(max_length=50)] = ()  # versions
    contents: Annotated[tuple[Some, ...], Meta(max_length=50)] = ()


class Pace(Struct, frozen=True):
    """So many at once, then so many seconds' pause."""

    per_batch: Annotated[int, Meta(ge=1, le=500)]
    every_s: Annotated[float, Meta(ge=0, le=86_400)]


GENTLE: Final = Pace(20, 30.0)
QUICK: Final = Pace(100, 10.0)


class Fate(StrEnum):
    """What would happen at one device."""

    AT_ONCE = "at-once"
    WAITS_FOR_SESSION = "waits-for-session"
    WAITS_FOR_LINE = "waits-for-line"  # it is not connected
    REFUSED = "refused"


class Look(Struct, frozen=True):
    """What is known of a device now."""

    status: Status
    agent: str
    content: str
    in_session: bool
    connected: bool


class Bulk(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was asked for. How far it is: its commands."""

    id: BulkId
    do: AnyAct
    plan: Plan
    selection: Selection
    pace: Pace
    by: str
    by_name: str
    why: str
    created_at: float
    second: bool
    many: int  # commands
    lasts_s: float  # from the first batch to the last
    districts: tuple[str, ...]
    refused: tuple[tuple[DeviceId, str], ...] = ()  # and the code of each


def check_selection(selection: Selection) -> None:
    """Raises ``Invalid``: a whole fleet is never meant by an empty filter."""
    if selection == Selection():
        raise Invalid("selection: choose devices, or at least one filter")


def matches(selection: Selection, device: Device, district: str, look: Look | None) -> bool:
    """Is it one of those that are meant?"""
    if selection.devices:
        return device.id in selection.devices
    return (
        (not selection.districts or district in selection.districts)
        and (not selection.units or device.place.unit in selection.units)
        and (not selection.kinds or device.kind in selection.kinds)
        and (not selection.statuses or (look is not None and look.status in selection.statuses))
        and (not selection.agents or (look is not None and look.agent in selection.agents))
        and (not selection.contents or (look is not None and look.content in selection.contents))
    )


def fate_of(do: AnyAct, plan: Plan, look: Look | None) -> Fate:
    """Where nothing refuses it."""
    if look is None or not look.connected:
        return Fate.WAITS_FOR_LINE
    waits = rule_of(do).beside is not Beside.HARMLESS and plan.waits_for_session is not False
    return Fate.WAITS_FOR_SESSION if waits and look.in_session else Fate.AT_ONCE


def default_pace(do: AnyAct) -> Pace:
    return QUICK if rule_of(do).beside is Beside.HARMLESS else GENTLE


def spread(devices: Sequence[Device], do: AnyAct, pace: Pace) -> list[tuple[DeviceId, float]]:
    """Each device with its offset, in seconds from the start, in that order.

    At most ``pace.per_batch`` in a batch; and where the act disturbs, at most one of a building, as
    devices of one building share its power and its line.

    Raises ``Invalid`` if that takes longer than a week.
    """
    apart = rule_of(do).beside is not Beside.HARMLESS and pace.every_s > 0
    filled: Counter[int] = Counter()
    next_at: dict[tuple[str, str], int] = {}
    first_open = 0
    placed: list[tuple[DeviceId, float]] = []
    for device in _round_robin(devices):
        place = (device.place.unit, device.place.building)
        batch = max(first_open, next_at.get(place, 0)) if apart else first_open
        while filled[batch] >= pace.per_batch:
            batch += 1
        filled[batch] += 1
        next_at[place] = batch + 1
        while filled[first_open] >= pace.per_batch:
            first_open += 1
        placed.append((device.id, batch * pace.every_s))
    placed.sort(key=lambda one: one[1])
    if placed and placed[-1][1] > MAX_SPREAD_S:
        raise Invalid("pace: the last batch would come after more than a week")
    return placed


def has_changed_much(shown: Iterable[DeviceId], now: Iterable[DeviceId]) -> bool:
    """Is what was shown no longer what would be done?"""
    before = set(shown)
    lost = len(before - set(now))
    return lost > max(STALE_FEW, STALE_SHARE * len(before))


def _round_robin(devices: Sequence[Device]) -> list[Device]:
    """The first of each place, then the second of each, …: places are far apart in the order."""
    seen: Counter[tuple[str, str]] = Counter()
    ranked: list[tuple[int, int, Device]] = []
    for number, device in enumerate(devices):
        place = (device.place.unit, device.place.building)
        ranked.append((seen[place], number, device))
        seen[place] += 1
    return [device for _, _, device in sorted(ranked, key=lambda one: one[:2])]
