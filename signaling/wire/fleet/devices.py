"""Devices as the pages see them: one compact row each, and one page each."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from kiosk_hub.fleet.facts import Facts
from kiosk_hub.fleet.places import Place
from kiosk_hub.fleet.reasons import Reason
from kiosk_hub.fleet.values import DeviceKind, DeviceState, Status


class DeviceRow(Struct, frozen=True, omit_defaults=True):
    """One line of the list, small: a page holds all of them. Of two of the same id the higher ``version``
    holds."""

    id: str
    version: int  # grows over the whole fleet with each change of a row
    name: str
    kind: DeviceKind
    state: DeviceState
    unit: str  # code
    district: str  # code
    building: str
    status: Status
    since: float  # seconds, UTC, of this status
    reason: Reason | None = None  # the worst; None: all is well
    more: int = 0  # reasons beside it
    floor: str = ""
    seen_at: float | None = None  # last beat; None: never
    agent: str = ""
    content: str = ""
    flapping: bool = False
    in_session: bool = False
    connected: bool = False
    incident: str | None = None  # the open one it belongs to


class DevicesAnswer(Struct, frozen=True):
    """One page of all rows, as of ``version``; what changes after it comes by the live feed."""

    version: int
    total: int
    devices: tuple[DeviceRow, ...]


class UnitRef(Struct, frozen=True):
    """A unit of the roster, with what the map and the filters need."""

    code: str
    name: str  # "Phường Phúc Xá"
    district: str
    sort: str  # Vietnamese sort key


class DistrictRef(Struct, frozen=True):
    """A district, and its place on the schematic tile map."""

    code: str
    name: str  # "Quận Ba Đình"
    row: int
    col: int


class PlacesAnswer(Struct, frozen=True):
    """The roster, as the fleet's pages use it."""

    districts: tuple[DistrictRef, ...]
    units: tuple[UnitRef, ...]


class Threshold(Struct, frozen=True):
    """Where a fact begins to be a reason; drawn in its chart."""

    metric: str
    enter: float
    leave: float  # hysteresis
    above: bool  # bad when above; else when below
    status: Status


class DeviceAnswer(Struct, frozen=True):
    """One device's page."""

    row: DeviceRow
    place: Place
    fingerprint_words: str  # four words
    enrolled_at: float
    hardware: str
    state_reason: str
    maintenance_until: float | None
    reasons: tuple[Reason, ...]  # all that hold now, the worst first
    facts: Facts | None
    facts_at: float | None
    beat_every_s: float
    thresholds: tuple[Threshold, ...]
    open_now: bool  # by its opening hours
    may: tuple[str, ...]  # actions of this person at this device


class AskEditDevice(Struct, frozen=True):
    """Fields that are None stay as they are."""

    name: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    place: Place | None = None
    maintenance_minutes: Annotated[int, Meta(ge=0, le=10_080)] | None = None  # 0: the window ends now


class AskWhy(Struct, frozen=True):
    """For what is decided about a device: quarantine, release, retirement."""

    why: Annotated[str, Meta(min_length=3, max_length=300)]


class MetricPoint(Struct, frozen=True, array_like=True):
    """One point of a chart: when (s, UTC), and lowest, mean and highest of its step; None: nothing was
    heard."""

    at: float
    low: float | None
    mean: float | None
    high: float | None


class HistoryAnswer(Struct, frozen=True):
    """One metric of one device over a stretch of time, in steps as coarse as that needs."""

    metric: str
    step_s: int
    points: tuple[MetricPoint, ...]


class StatusSpan(Struct, frozen=True):
    """A stretch of one status, for the strip above the charts."""

    status: Status
    since: float
    until: float | None
    reason: Reason | None = None


class SpansAnswer(Struct, frozen=True):
    spans: tuple[StatusSpan, ...]


class LogEntry(Struct, frozen=True):
    """One line of a device's log."""

    at: float
    level: Literal["info", "warning", "error"]
    code: str
    text: str  # as the device said it; empty where ``reason`` says it in both languages
    by: str = ""  # empty: the device itself; ``city``: the server; else who of the staff
    reason: Reason | None = None


class LogAnswer(Struct, frozen=True):
    entries: tuple[LogEntry, ...]


class SessionHour(Struct, frozen=True, array_like=True):
    """Counts of one hour: hours since 1970, begun, finished, abandoned, scans, scans failed, help calls."""

    hour: int
    begun: int
    finished: int
    abandoned: int
    scans: int
    scans_failed: int
    help_calls: int


class SessionsAnswer(Struct, frozen=True):
    hours: tuple[SessionHour, ...]


class View(Struct, frozen=True):
    """A saved view of the list: its filters, as the page writes them into its own address."""

    id: str
    name: Annotated[str, Meta(min_length=1, max_length=60)]
    query: Annotated[str, Meta(max_length=500)]


class ViewsAnswer(Struct, frozen=True):
    views: tuple[View, ...]


class AskView(Struct, frozen=True):
    name: Annotated[str, Meta(min_length=1, max_length=60)]
    query: Annotated[str, Meta(max_length=500)]


class StaffAnswer(Struct, frozen=True):
    """Who the page is shown to. ``csrf`` as everywhere."""

    account: str
    name: str
    role: str
    districts: tuple[str, ...]  # empty: all
    may: tuple[str, ...]  # actions, somewhere
    csrf: str


TYPES: Final[tuple[type[Struct], ...]] = (
    DeviceRow,
    DevicesAnswer,
    PlacesAnswer,
    DeviceAnswer,
    AskEditDevice,
    AskWhy,
    HistoryAnswer,
    SpansAnswer,
    LogAnswer,
    SessionsAnswer,
    View,
    ViewsAnswer,
    AskView,
    StaffAnswer,
)
