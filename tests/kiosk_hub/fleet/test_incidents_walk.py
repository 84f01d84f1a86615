"""Devices die, break, are mended and moved while people decide; whatever comes of it, the rules hold."""

from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kiosk_hub.fleet import incident_acts as acts
from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.incidents import fold
from kiosk_hub.fleet.values import IncidentState, Level
from kiosk_hub.fleet.verdict import Symptom
from room_manager.errors import DomainError
from tests.helpers.alarm_city import CAMERA, SCREEN, City, closed, device

BUILDINGS: Final = (
    ("A1", "Tòa 1", 3),
    ("A1", "Tòa 2", 2),
    ("A2", "", 2),
    ("B1", "", 2),
    ("B2", "Tòa 3", 1),
    ("C1", "", 3),
)
DEVICES: Final = tuple(
    device(f"{unit}-{building[-1:]}{place}", unit, building)
    for unit, building, many in BUILDINGS
    for place in range(many)
)
NAMES: Final = tuple(one.id for one in DEVICES)
TOLD_WITHIN_S: Final = 125.0

names = st.sampled_from(NAMES)
off_by = st.sampled_from([0, 0, 0, 0, -1, 1])
waits = st.sampled_from([5.0, 35.0, 70.0, 120.0, 120.0, 300.0, 900.0])


class Walk(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.city = City(DEVICES)
        self.city.wait(60)
        self.dead_since: dict[DeviceId, float] = {}
        self.quiet_until = 0.0

    # --- the world ---

    @rule(name=names, then=waits)
    def one_dies(self, name: DeviceId, then: float) -> None:
        self.city.kill(name)
        self.pass_time(then)

    @rule(place=st.sampled_from(BUILDINGS), then=waits)
    def a_building_loses_power(self, place: tuple[str, str, int], then: float) -> None:
        self.city.kill(*(d.id for d in DEVICES if (d.place.unit, d.place.building) == place[:2]))
        self.pass_time(then)

    @rule(district=st.sampled_from("ABC"), then=waits)
    def a_district_loses_power(self, district: str, then: float) -> None:
        self.city.kill(*(d.id for d in DEVICES if d.place.unit[0] == district))
        self.pass_time(then)

    @rule(name=names, then=waits)
    def one_comes_back(self, name: DeviceId, then: float) -> None:
        self.city.revive(name)
        self.pass_time(then)

    @rule(then=waits)
    def all_come_back(self, then: float) -> None:
        self.city.revive(*NAMES)
        self.pass_time(then)

    @rule(name=names, symptom=st.sampled_from([CAMERA, SCREEN]), then=waits)
    def something_breaks(self, name: DeviceId, symptom: Symptom, then: float) -> None:
        self.city.break_(name, symptom)
        self.pass_time(then)

    @rule(name=names)
    def it_is_mended(self, name: DeviceId) -> None:
        self.city.mend(name)

    @rule(name=names, why=st.sampled_from(["closed", "maintenance", "retired"]))
    def it_need_not_work(self, name: DeviceId, why: str) -> None:
        one = self.city.devices[name]
        until = self.city.now + 1e6 if why == "maintenance" else None
        self.city.devices[name] = device(name, one.place.unit, one.place.building, in_maintenance_until=until)
        self.city.above[name] = closed(why)

    @rule(name=names)
    def it_should_work_again(self, name: DeviceId) -> None:
        self.city.above.pop(name, None)

    @rule(name=names, to=st.sampled_from(BUILDINGS))
    def it_is_carried_elsewhere(self, name: DeviceId, to: tuple[str, str, int]) -> None:
        self.city.devices[name] = device(name, to[0], to[1])

    @rule(name=names, times=st.integers(3, 8))
    def its_line_comes_and_goes(self, name: DeviceId, times: int) -> None:
        for _ in range(times):
            self.city.kill(name)
            self.pass_time(100)
            self.city.revive(name)
            self.pass_time(70)

    @rule(seconds=waits)
    def pass_time(self, seconds: float) -> None:
        for _ in range(int(seconds // 5)):
            self.city.wait(5)
            self.note_the_dead()

    @rule()
    def the_server_restarts(self) -> None:
        self.city.restart()
        self.quiet_until = self.city.now + 120.0

    # --- people ---

    @rule(data=st.data(), off=off_by, what=st.sampled_from(["ack", "assign", "comment", "close", "reopen"]))
    @precondition(lambda self: self.city.book.incidents)
    def somebody_decides(self, data: st.DataObject, off: int, what: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.city.book.incidents)))
        version = self.city.book.incidents[name].version + off
        command: acts.AnyCommand
        match what:
            case "ack":
                command = acts.Acknowledge(by="lan", version=version)
            case "assign":
                command = acts.Assign(by="lan", to=data.draw(st.sampled_from(["", "minh"])), version=version)
            case "comment":
                command = acts.Comment(by="lan", text="Đã gọi người trông nhà văn hóa")
            case "close":
                command = acts.Close(
                    by="lan", note=data.draw(st.sampled_from(["", "Báo nhầm"])), version=version
                )
            case _:
                command = acts.Reopen(by="lan", note="", version=version)
        before = self.city.book
        try:
            self.city.do(name, command)
        except DomainError:
            assert self.city.book is before

    # --- what always holds ---

    @invariant()
    def the_folded_journal_is_the_live_state(self) -> None:
        for name, incident in self.city.book.incidents.items():
            assert fold(name, self.city.journal[name]) == incident

    @invariant()
    def a_device_is_ill_in_one_incident_at_most(self) -> None:
        seen: dict[DeviceId, str] = {}
        for incident in self.city.book.incidents.values():
            for name in incident.ill_devices():
                assert name not in seen, (name, seen[name], incident.id)
                seen[name] = incident.id
        assert seen == self.city.book.ill_in

    @invariant()
    def one_open_incident_at_a_spot(self) -> None:
        spots = [one.spot.key for one in self.city.book.incidents.values() if one.is_open]
        assert len(spots) == len(set(spots))
        assert set(spots) == set(self.city.book.at_spot)

    @invariant()
    def what_is_folded_is_in_something_open(self) -> None:
        for incident in self.city.book.incidents.values():
            if incident.state is IncidentState.FOLDED:
                assert incident.parent is not None
                assert not incident.ill
                parent = self.city.book.incidents[incident.parent]
                assert parent.state is not IncidentState.CLOSED

    @invariant()
    def every_true_outage_is_told(self) -> None:
        for name, since in self.dead_since.items():
            start = max(since, self.quiet_until)
            if self.city.now - start > TOLD_WITHIN_S:
                assert name in self.city.book.ill_in, name

    @invariant()
    def nothing_is_told_of_what_need_not_work(self) -> None:
        for name in self.city.above:
            watched = self.city.watch.find(name)
            if watched is not None and not watched.alarms:
                assert name not in self.city.book.ill_in or name in self.city.watch.dirty

    def note_the_dead(self) -> None:
        """Since when each has been dead while it should have worked."""
        for name in NAMES:
            if name in self.city.dead and name not in self.city.above:
                self.dead_since.setdefault(name, self.city.now)
            else:
                self.dead_since.pop(name, None)

    def teardown(self) -> None:
        """All is mended: in the end nothing is left."""
        city = self.city
        city.above.clear()
        city.faults.clear()
        city.revive(*NAMES)
        city.wait(8_000, step_s=30.0)
        assert not city.open()
        assert not city.book.ill_in
        assert not city.book.at_spot
        assert not city.book.folded
        assert not city.watch.waiting
        assert not city.watch.dirty
        assert not [one for one in city.book.incidents.values() if one.ill]
        assert not [one for one in NAMES if city.watch.is_flapping(one)]
        levels = {incident.spot.level for incident in city.book.incidents.values()}
        assert levels <= set(Level)


BOUNDS: Final = settings(max_examples=60, stateful_step_count=40, suppress_health_check=list(HealthCheck))

Walk.TestCase.settings = BOUNDS
TestIncidentsWalk = Walk.TestCase


class LongWalk(Walk):
    pass


LongWalk.TestCase.settings = settings(
    max_examples=300, stateful_step_count=50, suppress_health_check=list(HealthCheck)
)
TestIncidentsLongWalk = pytest.mark.slow(LongWalk.TestCase)
