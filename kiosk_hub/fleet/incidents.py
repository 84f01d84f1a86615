"""One incident: what it covers, who has it, and all that happened, as events that can be folded again.

``apply`` alone remembers. Events come from what people want (:mod:`kiosk_hub.fleet.incident_acts`) and from
what the devices do (:mod:`kiosk_hub.fleet.incident_book`, which knows more than one incident).
"""

from collections.abc import Iterable, Mapping
from typing import Final, assert_never

from msgspec import Struct
from msgspec.structs import replace

from kiosk_hub.fleet.correlation import Spot
from kiosk_hub.fleet.ids import DeviceId, IncidentId
from kiosk_hub.fleet.values import IncidentState, Level, Severity, Status
from kiosk_hub.fleet.verdict import Symptom
from room_manager.words import kebab

RANK: Final = {severity: place for place, severity in enumerate(reversed(Severity))}
"""Higher is graver."""

Troubles = dict[str, Symptom]
"""What is wrong with one device, by family."""


# --- what happened ---


class Event(Struct, frozen=True, kw_only=True, tag_field="what", tag=kebab):
    """Base. ``at``: seconds, UTC; ``by``: the account, empty for the server itself."""

    at: float
    by: str = ""


class Opened(Event, frozen=True):
    """It has begun. Who is affected follows."""

    spot: Spot
    severity: Severity
    present: int = 1  # devices that should work there


class FellIll(Event, frozen=True):
    """These devices have these troubles now; they belong to it."""

    devices: dict[DeviceId, Troubles]


class GotWell(Event, frozen=True):
    """These have none any more, or (``withdrawn``) need not work: maintenance, quarantine, out of service."""

    devices: tuple[DeviceId, ...]
    withdrawn: bool = False


class SeverityRose(Event, frozen=True):
    severity: Severity


class FlapBegan(Event, frozen=True):
    """The device comes and goes; nothing more is said of each time."""

    device: DeviceId


class FlapEnded(Event, frozen=True):
    device: DeviceId


class TookIn(Event, frozen=True):
    """Another incident is part of this one now."""

    child: IncidentId


class FoldedInto(Event, frozen=True):
    parent: IncidentId


class Unfolded(Event, frozen=True):
    """The wider one is over for it, and something is still wrong here."""


class Acknowledged(Event, frozen=True):
    """Somebody is looking."""


class Assigned(Event, frozen=True):
    """Empty: nobody has it any more."""

    to: str


class Commented(Event, frozen=True):
    text: str


class Escalated(Event, frozen=True):
    """Nobody acknowledged it in time: others are told, too."""

    step: int


class Closed(Event, frozen=True):
    """It is over. ``note``: what the person wrote, or ``recovered`` or ``with-parent``."""

    note: str = ""


class Reopened(Event, frozen=True):
    """``note``: what the person wrote, or ``again`` or ``worse``."""

    note: str = ""


AnyEvent = (
    Opened
    | FellIll
    | GotWell
    | SeverityRose
    | FlapBegan
    | FlapEnded
    | TookIn
    | FoldedInto
    | Unfolded
    | Acknowledged
    | Assigned
    | Commented
    | Escalated
    | Closed
    | Reopened
)


# --- what is remembered ---


class Affected(Struct, frozen=True):
    """One device of it. ``troubles``: as last told; ``well_at`` None: they hold now."""

    since: float
    troubles: Troubles
    well_at: float | None = None


class Incident(Struct, frozen=True, kw_only=True):
    """Times are seconds, UTC. ``version`` counts what people decide on; a command names the one it saw."""

    id: IncidentId
    spot: Spot
    state: IncidentState
    severity: Severity
    opened_at: float  # or opened again
    changed_at: float
    present: int
    version: int = 1
    events: int = 1
    devices: dict[DeviceId, Affected] = {}
    ill: int = 0  # of the devices, those that are not well
    peak: int = 0  # the most that were ill at once
    joined_at: float = 0.0  # when the last one fell ill
    well_since: float | None = None  # all of them
    flapping: frozenset[DeviceId] = frozenset()
    flapped: bool = False  # ever
    parent: IncidentId | None = None
    children: tuple[IncidentId, ...] = ()
    acknowledged_at: float | None = None
    acknowledged_by: str = ""
    assignee: str = ""
    comments: int = 0
    escalated: int = 0
    reopened: int = 0
    closed_at: float | None = None
    closed_by: str = ""
    closed_note: str = ""

    @property
    def is_open(self) -> bool:
        return self.state in (IncidentState.OPEN, IncidentState.ACKNOWLEDGED)

    def is_ill(self, device: DeviceId) -> bool:
        affected = self.devices.get(device)
        return affected is not None and affected.well_at is None

    def ill_devices(self) -> list[DeviceId]:
        return [device for device, affected in self.devices.items() if affected.well_at is None]


_ANY: Final = (FellIll, GotWell, FlapBegan, FlapEnded, Commented)
_LIVE: Final = (*_ANY, SeverityRose, TookIn, FoldedInto, Assigned, Escalated, Closed)

ALLOWED: Final[Mapping[IncidentState, tuple[type[Event], ...]]] = {
    IncidentState.OPEN: (*_LIVE, Acknowledged),
    IncidentState.ACKNOWLEDGED: _LIVE,
    IncidentState.FOLDED: (*_ANY, Assigned, Unfolded, Closed),
    # Closed by a person while a device was still ill: that it got well is worth keeping.
    IncidentState.CLOSED: (*_ANY, Reopened),
}
"""What may happen in which state. Anything else is our bug."""


def severity_of(level: Level, troubles: Iterable[Symptom]) -> Severity:
    """A place that is lost is critical; a device by what its worst symptom makes of it."""
    if level is not Level.DEVICE:
        return Severity.CRITICAL
    grave = (Status.OFFLINE, Status.FAULTY)
    return Severity.MAJOR if any(one.status in grave for one in troubles) else Severity.MINOR


def apply(incident: Incident | None, event: AnyEvent, name: IncidentId) -> Incident:
    """The incident after the event; ``None`` before ``Opened``."""
    if incident is None:
        assert isinstance(event, Opened), "the first event opens"
        return Incident(
            id=name,
            spot=event.spot,
            state=IncidentState.OPEN,
            severity=event.severity,
            opened_at=event.at,
            changed_at=event.at,
            present=event.present,
        )
    assert isinstance(event, ALLOWED[incident.state]), f"{type(event).__name__} in {incident.state}"
    counted = replace(incident, events=incident.events + 1, changed_at=max(incident.changed_at, event.at))
    return _people(counted, event) if isinstance(event, _PEOPLE) else _devices(counted, event)


_Person = Acknowledged | Assigned | Commented | Escalated | Closed | Reopened | FoldedInto | Unfolded
_PEOPLE: Final = (
    Acknowledged,
    Assigned,
    Commented,
    Escalated,
    Closed,
    Reopened,
    FoldedInto,
    Unfolded,
)


def _people(incident: Incident, event: _Person) -> Incident:
    """Who handles it, and where."""
    handled = replace(incident, version=incident.version + 1)
    match event:
        case Acknowledged():
            return replace(
                handled,
                state=IncidentState.ACKNOWLEDGED,
                acknowledged_at=event.at,
                acknowledged_by=event.by,
            )
        case Assigned():
            return replace(handled, assignee=event.to)
        case Commented():
            return replace(incident, comments=incident.comments + 1)
        case Escalated():
            return replace(incident, escalated=event.step)
        case Closed():
            return replace(
                handled,
                state=IncidentState.CLOSED,
                closed_at=event.at,
                closed_by=event.by,
                closed_note=event.note,
            )
        case Reopened():
            return replace(
                handled,
                state=IncidentState.OPEN,
                opened_at=event.at,
                closed_at=None,
                closed_by="",
                closed_note="",
                parent=None,
                acknowledged_at=None,
                acknowledged_by="",
                escalated=0,
                reopened=incident.reopened + 1,
                well_since=None if incident.ill else event.at,
            )
        case FoldedInto():
            well = {device: _well(affected, event.at) for device, affected in incident.devices.items()}
            return replace(
                handled,
                state=IncidentState.FOLDED,
                parent=event.parent,
                devices=well,
                ill=0,
                well_since=event.at,
                flapping=frozenset(),
            )
        case Unfolded():
            seen = incident.acknowledged_at is not None
            return replace(
                handled,
                state=IncidentState.ACKNOWLEDGED if seen else IncidentState.OPEN,
                parent=None,
            )
        case _:
            assert_never(event)


def _devices(incident: Incident, event: AnyEvent) -> Incident:
    """What became of the devices."""
    match event:
        case FellIll():
            devices = dict(incident.devices)
            for device, troubles in event.devices.items():
                before = devices.get(device)
                since = before.since if before is not None and before.well_at is None else event.at
                devices[device] = Affected(since, troubles)
            new = any(not incident.is_ill(device) for device in event.devices)
            return _count(
                replace(incident, joined_at=event.at if new else incident.joined_at), devices, event.at
            )
        case GotWell():
            devices = dict(incident.devices)
            for device in event.devices:
                devices[device] = _well(devices[device], event.at)
            return _count(incident, devices, event.at)
        case SeverityRose():
            return replace(incident, severity=event.severity)
        case FlapBegan():
            return replace(incident, flapping=incident.flapping | {event.device}, flapped=True)
        case FlapEnded():
            return replace(incident, flapping=incident.flapping - {event.device})
        case TookIn():
            return replace(incident, children=(*incident.children, event.child))
        case _:
            raise AssertionError(f"{type(event).__name__} is not about devices")


def _well(affected: Affected, at: float) -> Affected:
    return affected if affected.well_at is not None else replace(affected, well_at=at)


def _count(incident: Incident, devices: dict[DeviceId, Affected], at: float) -> Incident:
    ill = sum(affected.well_at is None for affected in devices.values())
    return replace(
        incident,
        devices=devices,
        ill=ill,
        peak=max(incident.peak, ill),
        present=max(incident.present, ill),
        well_since=None if ill else (incident.well_since if incident.well_since is not None else at),
    )


def fold(name: IncidentId, events: Iterable[AnyEvent]) -> Incident:
    """The incident after all its events."""
    incident: Incident | None = None
    for event in events:
        incident = apply(incident, event, name)
    assert incident is not None, "an incident has events"
    return incident


def tag_of(event: AnyEvent) -> str:
    """Its name everywhere: ``fell-ill``."""
    return kebab(type(event).__name__)
