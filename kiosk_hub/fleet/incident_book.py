"""All incidents that matter now, and what the alarms of the devices make of them.

At any time a device is ill in at most one incident. A device that is lost waits a little for its neighbours;
if enough of a place are lost, the place is the incident, the narrower ones are folded into it, and later
losses join it. What a turn decides is a list of events on a copy; the copy takes the book's place once they
are durable.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Final, Self, assert_never

from msgspec import Struct

from kiosk_hub.fleet import incident_acts as acts
from kiosk_hub.fleet import incidents as i
from kiosk_hub.fleet.alerts import OFFLINE
from kiosk_hub.fleet.correlation import Spot
from kiosk_hub.fleet.ids import DeviceId, IncidentId
from kiosk_hub.fleet.incidents import AnyEvent, Incident, Troubles, severity_of
from kiosk_hub.fleet.values import IncidentState, Level, Severity
from kiosk_hub.fleet.watch import Watch
from room_manager.errors import WrongState

_WIDTH: Final = {level: place for place, level in enumerate(Level)}
"""Less is wider."""


class Pace(Struct, frozen=True, kw_only=True):
    """How long things take. Seconds."""

    close_after_s: float = 600.0  # all well for so long, and it is over
    reopen_within_s: float = 1_800.0  # the same again after that is the same incident
    joins_within_s: float = 1_800.0  # so long after the last loss a place still takes in another
    escalate_critical_s: float | None = 900.0  # unacknowledged for so long; None: never
    escalate_major_s: float | None = 3_600.0
    escalations: int = 2  # at most

    def escalate_after_s(self, severity: Severity) -> float | None:
        """What is minor can wait for whoever looks at the board."""
        match severity:
            case Severity.CRITICAL:
                return self.escalate_critical_s
            case Severity.MAJOR:
                return self.escalate_major_s
            case Severity.MINOR:
                return None
            case _:
                assert_never(severity)


class Book:
    """Incidents by their names, and who is where. Mutable; ``copy`` is cheap, for incidents are frozen."""

    def __init__(self) -> None:
        self.incidents: dict[IncidentId, Incident] = {}
        self.ill_in: dict[DeviceId, IncidentId] = {}
        self.at_spot: dict[str, IncidentId] = {}  # open ones
        self.folded: dict[str, IncidentId] = {}  # of single devices
        self.closed: dict[str, IncidentId] = {}  # the latest at each spot, while it may be opened again

    def copy(self) -> Self:
        other = type(self)()
        other.incidents = dict(self.incidents)
        other.ill_in = dict(self.ill_in)
        other.at_spot = dict(self.at_spot)
        other.folded = dict(self.folded)
        other.closed = dict(self.closed)
        return other

    def open(self) -> list[Incident]:
        return [self.incidents[name] for name in self.at_spot.values()]

    def put(self, incident: Incident) -> None:
        """As it is now, whatever it was."""
        before = self.incidents.get(incident.id)
        for device in before.ill_devices() if before is not None else ():
            if self.ill_in.get(device) == incident.id:
                del self.ill_in[device]
        self.incidents[incident.id] = incident
        for device in incident.ill_devices():
            self.ill_in[device] = incident.id
        key = incident.spot.key
        _set(self.at_spot, key, incident.id, incident.is_open)
        is_folded = incident.state is IncidentState.FOLDED and incident.spot.level is Level.DEVICE
        _set(self.folded, key, incident.id, is_folded)
        is_closed = incident.state is IncidentState.CLOSED and incident.closed_note != WITH_PARENT
        newer = self.incidents.get(self.closed.get(key, incident.id))
        if is_closed and newer is not None and (newer.closed_at or 0.0) > (incident.closed_at or 0.0):
            return
        _set(self.closed, key, incident.id, is_closed)

    def forget_old(self, now: float, within_s: float, spared: Collection[IncidentId] = ()) -> None:
        """What is closed, long ago, and covers nobody. ``spared``: what this very turn says something of."""
        for key, name in list(self.closed.items()):
            incident = self.incidents[name]
            if now - (incident.closed_at or 0.0) > within_s and not incident.ill:
                del self.closed[key]
        kept = {*self.closed.values(), *spared}
        for name, incident in list(self.incidents.items()):
            if incident.state is IncidentState.CLOSED and not incident.ill and name not in kept:
                del self.incidents[name]


WITH_PARENT: Final = "with-parent"
RECOVERED: Final = "recovered"
AGAIN: Final = "again"
WORSE: Final = "worse"


def _set(index: dict[str, IncidentId], key: str, name: IncidentId, holds: bool) -> None:
    if holds:
        index[key] = name
    elif index.get(key) == name:
        del index[key]


class Turn:
    """One look at everything that changed, on a copy of the book. ``events``: what it comes to, in order."""

    def __init__(
        self, book: Book, watch: Watch, now: float, pace: Pace, new_id: Callable[[], IncidentId]
    ) -> None:
        self.book = book.copy()
        self.events: list[tuple[IncidentId, AnyEvent]] = []
        self._watch = watch
        self._now = now
        self._pace = pace
        self._new_id = new_id
        self._seen: dict[str, bool] = {}
        self._joins: dict[IncidentId, dict[DeviceId, Troubles]] = {}

    def add(self, name: IncidentId, event: AnyEvent) -> None:
        self.book.put(i.apply(self.book.incidents.get(name), event, name))
        self.events.append((name, event))

    def devices(self, changed: Iterable[DeviceId]) -> None:
        """These devices' alarms changed, or have waited long enough."""
        well: dict[IncidentId, list[DeviceId]] = {}
        ill: list[tuple[DeviceId, Troubles]] = []
        for device in dict.fromkeys(changed):
            troubles = self._watch.troubles(device)
            if troubles:
                ill.append((device, troubles))
            elif (name := self.book.ill_in.get(device)) is not None:
                well.setdefault(name, []).append(device)
        for name, them in well.items():
            self._got_well(name, them)
        for device, troubles in ill:
            self._is_ill(device, troubles)
        joins, self._joins = self._joins, {}
        for name, them_all in joins.items():
            if self.book.incidents[name].is_open:
                self._join(name, them_all)
        for device in (device for them_all in joins.values() for device in them_all):
            self._try_wider(device)
        self._flapping(device for device, _ in ill)

    def time(self) -> None:
        """What only time brings: closing and escalation."""
        now, pace = self._now, self._pace
        for incident in self.book.open():
            if not incident.ill:
                if incident.well_since is not None and now - incident.well_since >= pace.close_after_s:
                    self.close(incident.id, RECOVERED)
                continue
            after_s = pace.escalate_after_s(incident.severity)
            step = incident.escalated + 1
            due = (
                incident.state is IncidentState.OPEN
                and after_s is not None
                and step <= pace.escalations
                and now - incident.opened_at >= step * after_s
            )
            if due and any(self._watch.is_judged(device) for device in incident.ill_devices()):
                self.add(incident.id, i.Escalated(step=step, at=now))
        self.book.forget_old(now, pace.reopen_within_s, {name for name, _ in self.events})

    def command(self, name: IncidentId, command: acts.AnyCommand) -> None:
        """A person wants something. Raises what :func:`incident_acts.decide` raises."""
        incident = self.book.incidents[name]
        for event in acts.decide(incident, command, self._now):
            if isinstance(event, i.Closed):
                self.close(name, event.note, event.by)
            elif isinstance(event, i.Reopened):
                if incident.spot.key in self.book.at_spot or incident.spot.key in self.book.folded:
                    raise WrongState("a newer incident is open there")
                self.add(name, event)
            else:
                self.add(name, event)

    def close(self, name: IncidentId, note: str, by: str = "") -> None:
        """It, and all that was folded into it."""
        incident = self.book.incidents[name]
        for child in incident.children:
            inside = self.book.incidents.get(child)
            if inside is not None and inside.state is IncidentState.FOLDED:
                self.close(child, WITH_PARENT)
        self.add(name, i.Closed(at=self._now, by=by, note=note))

    # --- devices ---

    def _got_well(self, name: IncidentId, devices: list[DeviceId]) -> None:
        withdrawn = not any(self._watch.is_judged(device) for device in devices)
        self.add(name, i.GotWell(devices=tuple(devices), withdrawn=withdrawn, at=self._now))
        incident = self.book.incidents[name]
        for device in incident.flapping.intersection(devices):
            self.add(name, i.FlapEnded(device=device, at=self._now))
        if incident.spot.level is not Level.DEVICE:
            for device in devices:
                self._let_go(device)

    def _let_go(self, device: DeviceId) -> None:
        """The place has it no more; what was folded for this device alone ends with it."""
        child = self.book.folded.get(f"device:{device}")
        if child is not None and not self._watch.troubles(device):
            self.close(child, WITH_PARENT)

    def _is_ill(self, device: DeviceId, troubles: Troubles) -> None:
        name = self.book.ill_in.get(device)
        if name is not None:
            self._still_ill(self.book.incidents[name], device, troubles)
            return
        watched = self._watch.find(device)
        assert watched is not None, "who has troubles is watched"
        if not self._watch.is_judged(device):
            return  # nothing begins outside its hours
        if watched.lost:
            self._is_lost(device, watched.spots, watched.home, troubles)
            return
        if not self._watch.is_flapping(device):
            # Heard again before anybody was told: that alarm ends by itself.
            troubles = {family: symptom for family, symptom in troubles.items() if family != OFFLINE}
        if troubles:
            self._at_home(device, watched.home, troubles)

    def _still_ill(self, incident: Incident, device: DeviceId, troubles: Troubles) -> None:
        place = incident.spot.level is not Level.DEVICE
        if place and OFFLINE not in troubles:
            # Heard again, with something else wrong: that is the device's own.
            self._got_well(incident.id, [device])
            self._is_ill(device, troubles)
            return
        told = incident.devices[device].troubles
        if incident.state is IncidentState.CLOSED:
            self._settled(incident, device, troubles)
        elif place or _same(told, troubles):
            if not place and OFFLINE in troubles:
                self._try_wider(device)
        else:
            self.add(incident.id, i.FellIll(devices={device: troubles}, at=self._now))
            self._rise(incident.id, troubles)
            if OFFLINE in troubles and OFFLINE not in told:
                self._try_wider(device)

    def _settled(self, incident: Incident, device: DeviceId, troubles: Troubles) -> None:
        """A person closed it though the device is ill: only what is worse opens it again."""
        told = incident.devices[device].troubles
        worse = severity_of(Level.DEVICE, troubles.values()), severity_of(Level.DEVICE, told.values())
        free = incident.spot.level is Level.DEVICE and incident.spot.key not in self.book.at_spot
        if free and i.RANK[worse[0]] > i.RANK[worse[1]]:
            self.add(incident.id, i.Reopened(note=WORSE, at=self._now))
            self.add(incident.id, i.FellIll(devices={device: troubles}, at=self._now))
            self._rise(incident.id, troubles)

    def _is_lost(self, device: DeviceId, spots: tuple[Spot, ...], home: Spot, troubles: Troubles) -> None:
        for spot in spots:
            name = self.book.at_spot.get(spot.key)
            if name is not None and self._takes_in(self.book.incidents[name]):
                self._joins.setdefault(name, {})[device] = troubles
                return
        until = self._watch.waiting.get(device)
        if until is not None and self._now < until:
            return
        if not self._try_wider(device):
            self._at_home(device, home, troubles)

    def _takes_in(self, incident: Incident) -> bool:
        recent = self._now - incident.joined_at <= self._pace.joins_within_s
        return recent and 2 * incident.ill >= incident.peak

    def _try_wider(self, device: DeviceId) -> bool:
        """Is it the place that failed? Then the place is the incident, with all that is lost there."""
        watched = self._watch.find(device)
        if watched is None or not watched.lost:
            return False
        for spot in watched.spots:
            name = self.book.at_spot.get(spot.key)
            if name is not None:
                if self.book.ill_in.get(device) == name:
                    return True
                if self._takes_in(self.book.incidents[name]):
                    self._join(name, {device: self._watch.troubles(device)})
                    return True
                if self._is_place_lost(spot):
                    self._lost_again(name, spot)
                    return True
                continue
            if self._is_place_lost(spot):
                self._open_place(spot)
                return True
        return False

    def _is_place_lost(self, spot: Spot) -> bool:
        found = self._seen.get(spot.key)
        if found is None:
            found = self._watch.places.is_lost(
                spot, self._now, lambda device: self._watch.is_overdue(device, self._now)
            )
            self._seen[spot.key] = found
        return found

    def _open_place(self, spot: Spot) -> None:
        now = self._now
        devices = {device: self._watch.troubles(device) for device in self._watch.places.recent(spot, now)}
        closed = self._closed_lately(spot)
        if closed is not None:
            name = closed
            self.add(name, i.Reopened(note=AGAIN, at=now))
        else:
            name = self._new_id()
            present = self._watch.places.present(spot)
            self.add(name, i.Opened(spot=spot, severity=Severity.CRITICAL, present=present, at=now))
        self._join(name, devices)

    def _lost_again(self, name: IncidentId, spot: Spot) -> None:
        """All but a straggler had come back: that loss is over, and this is another one, to be told."""
        now = self._now
        self.add(name, i.Closed(at=now, note=RECOVERED))
        self.add(name, i.Reopened(note=AGAIN, at=now))
        self._join(
            name, {device: self._watch.troubles(device) for device in self._watch.places.recent(spot, now)}
        )

    def _join(self, name: IncidentId, devices: dict[DeviceId, Troubles]) -> None:
        """They are ill in this place's incident; whatever covered them before is folded into it."""
        joining = {
            device: {OFFLINE: troubles[OFFLINE]}
            for device, troubles in devices.items()
            if OFFLINE in troubles
        }
        narrower: dict[IncidentId, None] = {}
        for device in joining:
            covered = self.book.ill_in.get(device)
            if covered is not None and covered != name:
                narrower[covered] = None
            home = self.book.at_spot.get(f"device:{device}")
            if home is not None:
                narrower[home] = None
        for other in narrower:
            inside = self.book.incidents[other]
            if _WIDTH[inside.spot.level] < _WIDTH[self.book.incidents[name].spot.level]:
                moved = tuple(device for device in joining if inside.is_ill(device))
                self.add(other, i.GotWell(devices=moved, at=self._now))
                continue
            for device in inside.ill_devices():
                told = inside.devices[device].troubles
                if OFFLINE in told:
                    joining.setdefault(device, {OFFLINE: told[OFFLINE]})
            if inside.is_open:
                self.add(name, i.TookIn(child=other, at=self._now))
                self.add(other, i.FoldedInto(parent=name, at=self._now))
            else:  # closed by a person while ill: the place covers them now
                self.add(other, i.GotWell(devices=tuple(inside.ill_devices()), at=self._now))
        if joining:
            self.add(name, i.FellIll(devices=joining, at=self._now))

    def _at_home(self, device: DeviceId, home: Spot, troubles: Troubles) -> None:
        """In the device's own incident: the open one, the folded one, the one of just now, or a new one."""
        now = self._now
        name = self.book.at_spot.get(home.key)
        folded = self.book.folded.get(home.key)
        if name is None and folded is not None:
            name = folded
            self.add(name, i.Unfolded(at=now))
        if name is None:
            name = self._closed_lately(home)
            if name is not None:
                self.add(name, i.Reopened(note=AGAIN, at=now))
        if name is None:
            name = self._new_id()
            severity = severity_of(Level.DEVICE, troubles.values())
            self.add(name, i.Opened(spot=home, severity=severity, at=now))
        self.add(name, i.FellIll(devices={device: troubles}, at=now))
        self._rise(name, troubles)

    def _closed_lately(self, spot: Spot) -> IncidentId | None:
        name = self.book.closed.get(spot.key)
        if name is None:
            return None
        incident = self.book.incidents[name]
        lately = self._now - (incident.closed_at or 0.0) <= self._pace.reopen_within_s
        return name if lately else None

    def _rise(self, name: IncidentId, troubles: Troubles) -> None:
        incident = self.book.incidents[name]
        severity = severity_of(incident.spot.level, troubles.values())
        if i.RANK[severity] > i.RANK[incident.severity]:
            self.add(name, i.SeverityRose(severity=severity, at=self._now))

    def _flapping(self, devices: Iterable[DeviceId]) -> None:
        for device in devices:
            name = self.book.ill_in.get(device)
            if name is None:
                continue
            incident = self.book.incidents[name]
            flaps = self._watch.is_flapping(device)
            if flaps and device not in incident.flapping:
                self.add(name, i.FlapBegan(device=device, at=self._now))
            elif not flaps and device in incident.flapping:
                self.add(name, i.FlapEnded(device=device, at=self._now))


def _same(one: Troubles, other: Troubles) -> bool:
    """Do both say the same, whatever the numbers in their sentences?"""
    return one.keys() == other.keys() and all(
        one[family].status is symptom.status and one[family].reason.code == symptom.reason.code
        for family, symptom in other.items()
    )
