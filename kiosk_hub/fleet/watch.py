"""Every device's alarms, and at which places devices are lost, before anybody is told.

A device that is well and has nothing to remember costs one look per judgement. Whose alarms changed is
*dirty*, until :mod:`kiosk_hub.fleet.incident_book` has seen to it.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final

from kiosk_hub.fleet import alerts
from kiosk_hub.fleet.alerts import OFFLINE, Alarm, Rule
from kiosk_hub.fleet.correlation import Places, device_spot, spots_of
from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.incidents import Troubles
from kiosk_hub.fleet.places import Place
from kiosk_hub.fleet.values import DeviceState, Status
from kiosk_hub.fleet.verdict import Symptom, Verdict

OVERDUE_BEATS: Final = 1.6
SEEN_WITHIN_S: Final = 110.0
"""A lost device waits for its neighbours at most until this long after it was last heard, so that an outage
is told within 120 s."""


class Standing(Enum):
    """Whether what a device's facts say counts."""

    JUDGED = "judged"
    WITHHELD = "withheld"  # outside opening hours: nothing begins, nothing ends
    WITHDRAWN = "withdrawn"  # by staff, or never heard of: nothing is wrong there


class Watched:
    """What is remembered of one device."""

    __slots__ = ("alarms", "home", "id", "lost", "place", "spots", "standing")

    def __init__(self, device: Device, district: str) -> None:
        self.id = device.id
        self.place: Place = device.place
        self.home = device_spot(device.id, device.place, district)
        self.spots = spots_of(device.place, district)
        self.standing = Standing.WITHDRAWN
        self.alarms: dict[str, Alarm] = {}
        self.lost = False


class Watch:
    """All devices. Mutable; time is an argument."""

    def __init__(
        self,
        district_of: Callable[[Device], str],
        *,
        beat_every_s: float = 30.0,
        quiet_until: float = 0.0,
        rule_for: Callable[[str], Rule] = alerts.rule_for,
    ) -> None:
        """
        Args:
            district_of: The code of the district a device stands in; empty: none.
            beat_every_s: How often devices are asked to beat.
            quiet_until: Before this, silence is not held against a device: it is we who have just come.
        """
        self._district_of = district_of
        self._beat_every_s = beat_every_s
        self._quiet_until = quiet_until
        self._rule_for = rule_for
        self._devices: dict[DeviceId, Watched] = {}
        self._ignored: dict[DeviceId, Symptom] = {}  # silent while we were quiet
        self.places = Places()
        self.dirty: dict[DeviceId, None] = {}
        """In the order in which they changed."""
        self.waiting: dict[DeviceId, float] = {}
        """Lost devices that wait for their neighbours, and until when."""
        self.seen_at: dict[DeviceId, float] = {}
        """When each was last judged to be heard; for finding who is late."""

    def __len__(self) -> int:
        return len(self._devices)

    def find(self, device: DeviceId) -> Watched | None:
        return self._devices.get(device)

    def judged(self, device: Device, verdict: Verdict, now: float) -> None:
        """Take in one judgement. O(1)."""
        watched = self._devices.get(device.id)
        if watched is None:
            watched = self._devices[device.id] = Watched(device, self._district_of(device))
        elif watched.place is not device.place and watched.place != device.place:
            self._move(watched, device, now)
        standing = standing_of(device, verdict, now)
        if standing is not watched.standing:
            self._stand(watched, standing, now)
        if standing is not Standing.JUDGED:
            self._ignored.pop(device.id, None)
            return
        symptoms = verdict.symptoms
        if verdict.status is not Status.OFFLINE:
            self.seen_at[device.id] = now
            if self._ignored:
                self._ignored.pop(device.id, None)
        if not symptoms and not watched.alarms:
            return  # the usual beat
        seen: dict[str, Symptom] = {}
        for symptom in symptoms:
            seen.setdefault(alerts.family_of(symptom), symptom)
        offline = seen.get(OFFLINE)
        if offline is not None:
            known = watched.alarms.get(OFFLINE)
            if now < self._quiet_until and (known is None or not known.is_on):
                self._ignored[device.id] = offline
                return
            # Nothing is known of the rest while nothing is heard.
            self._step(watched, OFFLINE, offline, now, heard_at=verdict.since)
            return
        for family in {**watched.alarms, **seen}:
            self._step(watched, family, seen.get(family), now)

    def forget(self, device: DeviceId) -> None:
        """It is no device any more."""
        watched = self._devices.pop(device, None)
        self.seen_at.pop(device, None)
        self._ignored.pop(device, None)
        self.waiting.pop(device, None)
        if watched is not None:
            self.places.leave(device, watched.spots)
            self.dirty[device] = None

    def restore(self, device: Device, troubles: Troubles, flapping: bool, now: float) -> None:
        """It was ill when the server last ran: so it is until a judgement says otherwise."""
        watched = self._devices.get(device.id)
        if watched is None:
            watched = self._devices[device.id] = Watched(device, self._district_of(device))
        self._stand(watched, Standing.JUDGED, now)
        for family, symptom in troubles.items():
            alarm = alerts.raised(symptom, now)
            if flapping:
                alarm = Alarm(alerts.Phase.FLAPPING, now, alarm.votes, (now,), True, now, symptom)
            watched.alarms[family] = alarm
        if OFFLINE in troubles:
            watched.lost = True
            self.places.lose(device.id, watched.spots, now - 10 * 86_400.0)  # with nothing that is lost now

    def settle(self, now: float) -> None:
        """What was ignored while we were quiet counts from now on."""
        if self._ignored and now >= self._quiet_until:
            ignored, self._ignored = self._ignored, {}
            for device, symptom in ignored.items():
                watched = self._devices.get(device)
                if watched is not None and watched.standing is Standing.JUDGED:
                    self._step(watched, OFFLINE, symptom, now)

    def troubles(self, device: DeviceId) -> Troubles:
        """What is wrong with it now, by family. Empty: nothing that is an alarm."""
        watched = self._devices.get(device)
        if watched is None:
            return {}
        offline = watched.alarms.get(OFFLINE)
        if watched.lost and offline is not None and offline.symptom is not None:
            return {OFFLINE: offline.symptom}
        return {
            family: alarm.symptom
            for family, alarm in watched.alarms.items()
            if alarm.is_on and alarm.symptom is not None
        }

    def is_flapping(self, device: DeviceId) -> bool:
        watched = self._devices.get(device)
        return watched is not None and any(
            alarm.phase is alerts.Phase.FLAPPING for alarm in watched.alarms.values()
        )

    def is_judged(self, device: DeviceId) -> bool:
        """Should it work now?"""
        watched = self._devices.get(device)
        return watched is not None and watched.standing is Standing.JUDGED

    def is_overdue(self, device: DeviceId, now: float) -> bool:
        seen_at = self.seen_at.get(device)
        return seen_at is not None and now - seen_at > OVERDUE_BEATS * self._beat_every_s + 2.0

    def _step(
        self,
        watched: Watched,
        family: str,
        symptom: Symptom | None,
        now: float,
        heard_at: float | None = None,
    ) -> None:
        before = watched.alarms.get(family, _NONE)
        after = alerts.step(before, symptom, now, self._rule_for(family))
        if alerts.is_spent(after):
            watched.alarms.pop(family, None)
        else:
            watched.alarms[family] = after
        if family == OFFLINE:
            self._lose_or_regain(watched, after, now, heard_at)
        came_or_went = family == OFFLINE and before.bad is not after.bad
        if (
            came_or_went
            or before.phase is not after.phase
            or (after.is_on and _differ(before.symptom, after.symptom))
        ):
            self.dirty[watched.id] = None

    def _lose_or_regain(self, watched: Watched, alarm: Alarm, now: float, heard_at: float | None) -> None:
        # One that is heard again is not lost, though its alarm lasts a while yet.
        lost = alarm.is_on and alarm.bad
        if lost is watched.lost:
            return
        watched.lost = lost
        self.dirty[watched.id] = None
        if lost:
            self.places.lose(watched.id, watched.spots, now)
            until = now + 1.1 * self._beat_every_s + 2.0
            if heard_at is not None and heard_at > 0:
                until = min(until, heard_at + SEEN_WITHIN_S)
            self.waiting[watched.id] = max(until, now)
        else:
            self.places.regain(watched.id, watched.spots)
            self.waiting.pop(watched.id, None)

    def _stand(self, watched: Watched, standing: Standing, now: float) -> None:
        watched.standing = standing
        if standing is Standing.JUDGED:
            self.places.enter(watched.id, watched.spots)
            if watched.alarms:
                self.dirty[watched.id] = None
            if watched.lost:
                self.places.lose(watched.id, watched.spots, now - 10 * 86_400.0)
            return
        self.places.leave(watched.id, watched.spots)
        self.seen_at.pop(watched.id, None)
        if standing is Standing.WITHDRAWN:
            if watched.alarms:
                self.dirty[watched.id] = None
            watched.alarms.clear()
            watched.lost = False
            self.waiting.pop(watched.id, None)

    def _move(self, watched: Watched, device: Device, now: float) -> None:
        """Its place was corrected, or it was carried elsewhere: what is wrong with it goes with it."""
        self.places.leave(watched.id, watched.spots)
        moved = Watched(device, self._district_of(device))
        watched.place, watched.spots, watched.home = moved.place, moved.spots, moved.home
        if watched.standing is Standing.JUDGED:
            self._stand(watched, Standing.JUDGED, now)


_NONE: Final = Alarm()


def standing_of(device: Device, verdict: Verdict, now: float) -> Standing:
    """Whether what the facts say counts."""
    if verdict.status not in _ABOVE:
        return Standing.JUDGED
    in_maintenance = device.in_maintenance_until is not None and now < device.in_maintenance_until
    if verdict.status is Status.CLOSED and device.state is DeviceState.ACTIVE and not in_maintenance:
        return Standing.WITHHELD
    return Standing.WITHDRAWN


_ABOVE: Final[Mapping[Status, None]] = dict.fromkeys(
    (Status.OUT_OF_SERVICE, Status.QUARANTINED, Status.NEW, Status.CLOSED)
)


def _differ(one: Symptom | None, other: Symptom | None) -> bool:
    """Is it another thing to say? Sentences carry numbers that change with each beat; they do not count."""
    if one is None or other is None:
        return one is not other
    return one.status is not other.status or one.reason.code != other.reason.code
