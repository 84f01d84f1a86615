"""What the alarms of devices make of incidents, and what people do with them."""

import pytest

from kiosk_hub.fleet import incident_acts as acts
from kiosk_hub.fleet import incidents as i
from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.values import IncidentState, Level, Severity
from room_manager.errors import Invalid, Stale, WrongState
from tests.helpers.alarm_city import CAMERA, SCREEN, City, closed, device

D = DeviceId


def hall(many: int = 4, unit: str = "A1", building: str = "Nhà văn hóa số 3") -> list[Device]:
    return [device(f"{unit}-{building[-1:]}-{place}", unit, building) for place in range(many)]


def district(letter: str, units: int = 6, each: int = 2) -> list[Device]:
    return [
        one for place in range(units) for one in hall(each, f"{letter}{place}", f"Nhà văn hóa số {place}")
    ]


def calm(city: City) -> City:
    city.wait(120)
    assert not city.said
    return city


def test_a_fault_is_one_incident_and_closes_when_it_has_been_well() -> None:
    city = calm(City(hall()))
    who = next(iter(city.devices))

    city.break_(who, CAMERA)
    city.wait(120)
    assert city.only().spot.level is Level.DEVICE
    assert city.only().severity is Severity.MINOR
    assert city.only().devices[who].troubles == {"camera": CAMERA}

    city.mend(who)
    city.wait(300)
    assert city.only().ill == 0
    city.wait(700)
    assert not city.open()
    assert len(city.opened()) == 1


def test_a_second_fault_of_one_device_raises_the_severity_of_the_same_incident() -> None:
    city = calm(City(hall()))
    who = next(iter(city.devices))
    city.break_(who, CAMERA)
    city.wait(120)

    city.break_(who, SCREEN)
    city.wait(120)

    assert city.only().severity is Severity.MAJOR
    assert sum(isinstance(event, i.SeverityRose) for _, _, event in city.said) == 1


def test_a_power_cut_in_a_building_is_one_incident_within_two_minutes() -> None:
    city = calm(City([*hall(), *hall(4, "A1", "Tòa CT2"), *hall(4, "B1", "Tòa CT5")]))
    struck = [name for name, one in city.devices.items() if one.place.building == "Nhà văn hóa số 3"]

    city.kill(*struck)
    city.wait(120)

    assert city.only().spot.level is Level.BUILDING
    assert city.only().severity is Severity.CRITICAL
    assert (city.only().ill, city.only().present) == (4, 4)
    assert len(city.opened()) == 1


def test_one_device_of_a_building_is_told_within_two_minutes_too() -> None:
    city = calm(City([*hall(), *district("B")]))

    city.kill(D("A1-3-0"))
    city.wait(120)

    assert city.only().spot.device == "A1-3-0"
    assert city.only().severity is Severity.MAJOR


def test_a_device_that_is_back_before_its_neighbours_are_looked_at_is_no_incident() -> None:
    city = calm(City(hall()))

    city.kill(D("A1-3-0"))
    city.wait(80)
    city.revive(D("A1-3-0"))
    city.wait(600)

    assert not city.said


def test_half_a_district_is_one_incident() -> None:
    city = calm(City([*district("A"), *district("B"), *district("C")]))
    struck = [name for name, one in city.devices.items() if one.place.unit in ("A0", "A1", "A2")]

    city.kill(*struck)
    city.wait(120)

    assert city.only().spot.level is Level.DISTRICT
    assert (city.only().ill, city.only().present) == (6, 12)
    assert len(city.opened()) == 1


def test_what_grows_from_a_building_to_a_unit_takes_the_building_in() -> None:
    city = calm(City([*hall(4, "A1", "Tòa 1"), *hall(4, "A1", "Tòa 2"), *district("B")]))

    city.kill(*(name for name, one in city.devices.items() if one.place.building == "Tòa 1"))
    city.wait(120)
    building = city.only()
    city.kill(*(name for name, one in city.devices.items() if one.place.building == "Tòa 2"))
    city.wait(120)

    unit = city.only()
    assert unit.spot.level is Level.UNIT
    assert unit.ill == 8
    assert unit.children == (building.id,)
    assert city.book.incidents[building.id].state is IncidentState.FOLDED


def test_the_whole_city_lost_is_told_as_that() -> None:
    city = calm(City([*district("A"), *district("B"), *district("C")]))

    city.kill(*city.devices)
    city.wait(120)

    assert city.only().spot.level is Level.CITY
    assert len(city.opened()) == 1


def test_a_fault_before_the_power_cut_is_folded_in_and_comes_back_with_the_power() -> None:
    city = calm(City([*hall(), *district("B")]))
    who = D("A1-3-0")
    city.break_(who, CAMERA)
    city.wait(120)
    fault = city.only()

    struck = [name for name in city.devices if name.startswith("A1-3")]
    city.kill(*struck)
    city.wait(120)
    assert city.only().spot.level is Level.BUILDING
    assert city.book.incidents[fault.id].parent == city.only().id

    city.revive(*struck)
    city.wait(200)
    assert city.book.incidents[fault.id].is_open
    assert city.book.incidents[fault.id].devices[who].troubles == {"camera": CAMERA}

    city.mend(who)
    city.wait(1_500)
    assert not city.open()
    assert not city.book.ill_in
    assert not city.book.folded


def test_one_dead_for_days_does_not_make_the_next_a_power_cut() -> None:
    city = calm(City([*hall(2), *district("B")]))
    city.kill(D("A1-3-0"))
    city.wait(2_000)

    city.kill(D("A1-3-1"))
    city.wait(120)

    assert {incident.spot.level for incident in city.open()} == {Level.DEVICE}


def test_a_line_that_comes_and_goes_is_one_incident_that_says_so() -> None:
    city = calm(City([*hall(1), *district("B")]))
    who = D("A1-3-0")

    for _ in range(12):
        city.kill(who)
        city.wait(130)
        city.revive(who)
        city.wait(100)

    incident = city.only()
    assert who in incident.flapping
    told = [event for _, _, event in city.said if isinstance(event, i.Opened | i.Reopened | i.SeverityRose)]
    assert len(told) == 1

    city.wait(2_500)
    assert not city.open()
    assert not city.watch.is_flapping(who)


def test_nothing_begins_outside_opening_hours_and_nothing_ends() -> None:
    city = calm(City(hall(1)))
    who = D("A1-3-0")
    city.above[who] = closed()
    city.kill(who)
    city.wait(600)
    assert not city.said

    del city.above[who]
    city.wait(120)
    assert city.only().ill == 1

    city.above[who] = closed()
    city.wait(50_000, step_s=60)
    assert city.only().ill == 1
    assert city.only().escalated == 0

    del city.above[who]
    city.revive(who)
    city.wait(1_000)
    assert not city.open()
    assert len(city.opened()) == 1


def test_what_staff_take_out_of_service_is_wrong_no_more() -> None:
    city = calm(City(hall(1)))
    who = D("A1-3-0")
    city.break_(who, SCREEN)
    city.wait(120)
    assert city.only().ill == 1

    city.devices[who] = device("A1-3-0", "A1", "Nhà văn hóa số 3", in_maintenance_until=city.now + 9_000)
    city.above[who] = closed("maintenance")
    city.wait(60)

    assert city.only().ill == 0


def test_our_own_restart_is_nobodys_outage() -> None:
    city = City([*district("A"), *district("B")], quiet_for_s=120.0)
    city.kill(*city.devices)
    city.wait(110)
    city.revive(*city.devices)
    city.wait(600)

    assert not city.said


def test_an_outage_that_outlasts_our_own_restart_is_told() -> None:
    city = City([*district("A"), *district("B")], quiet_for_s=120.0)
    city.kill(D("A0-0-0"))

    city.wait(180)

    assert city.only().spot.device == "A0-0-0"


def test_after_a_restart_nothing_is_told_again_and_all_can_end() -> None:
    city = calm(City([*hall(), *district("B")]))
    city.kill(*(name for name in city.devices if name.startswith("A1-3")))
    city.break_(D("B0-0-0"), CAMERA)
    city.wait(150)
    told = len(city.opened())

    city.restart()
    city.wait(600)
    assert len(city.opened()) == told
    assert len(city.open()) == 2

    city.dead.clear()
    city.mend(D("B0-0-0"))
    city.wait(1_500)
    assert not city.open()
    assert not city.book.ill_in


def test_unacknowledged_it_is_escalated_a_bounded_number_of_times() -> None:
    city = calm(City(hall()))
    city.kill(*city.devices)
    city.wait(10_000, step_s=30)

    steps = [event.step for _, _, event in city.said if isinstance(event, i.Escalated)]
    assert steps == [1, 2]


def test_acknowledged_it_is_not_escalated() -> None:
    city = calm(City(hall()))
    city.kill(*city.devices)
    city.wait(150)
    city.do(city.only().id, acts.Acknowledge(by="lan", version=city.only().version))

    city.wait(10_000, step_s=30)

    assert city.only().state is IncidentState.ACKNOWLEDGED
    assert city.only().acknowledged_by == "lan"
    assert not [event for _, _, event in city.said if isinstance(event, i.Escalated)]


def broken() -> City:
    city = calm(City(hall(1)))
    city.break_(D("A1-3-0"), CAMERA)
    city.wait(120)
    return city


def test_who_decides_on_what_is_gone_is_refused() -> None:
    city = broken()
    name, version = city.only().id, city.only().version
    city.do(name, acts.Acknowledge(by="lan", version=version))

    with pytest.raises(Stale):
        city.do(name, acts.Assign(by="minh", to="minh", version=version))
    with pytest.raises(WrongState):
        city.do(name, acts.Acknowledge(by="minh", version=city.only().version))


def test_whoever_is_given_it_is_looking() -> None:
    city = broken()

    city.do(city.only().id, acts.Assign(by="lan", to="minh", version=city.only().version))

    assert city.only().state is IncidentState.ACKNOWLEDGED
    assert city.only().assignee == "minh"


def test_to_close_what_is_still_wrong_takes_a_reason_and_is_not_opened_again_for_the_same() -> None:
    city = broken()
    name = city.only().id

    with pytest.raises(Invalid):
        city.do(name, acts.Close(by="lan", note=" ", version=city.only().version))
    city.do(name, acts.Close(by="lan", note="Đã đặt camera mới", version=city.only().version))
    city.wait(2_000)
    assert not city.open()

    city.break_(D("A1-3-0"), SCREEN)
    city.wait(120)
    assert city.only().id == name
    assert city.only().severity is Severity.MAJOR


def test_closed_while_wrong_then_well_then_wrong_again_is_told_again() -> None:
    city = broken()
    city.do(city.only().id, acts.Close(by="lan", note="Đã đặt camera mới", version=city.only().version))
    city.mend(D("A1-3-0"))
    city.wait(3_000)

    city.break_(D("A1-3-0"), CAMERA)
    city.wait(120)

    assert city.only().ill == 1


def test_a_device_that_is_gone_leaves_nothing_behind() -> None:
    city = broken()
    del city.devices[D("A1-3-0")]
    city.watch.forget(D("A1-3-0"))

    city.wait(700)

    assert not city.open()
    assert not city.book.ill_in
    assert not len(city.watch)


def test_the_usual_beat_leaves_nothing_to_do() -> None:
    city = calm(City(district("A")))

    assert not city.watch.dirty
    assert not city.watch.waiting
    assert all(not city.watch.find(name).alarms for name in city.devices)  # type: ignore[union-attr]


def test_a_short_cut_that_is_over_does_not_make_one_device_a_power_cut() -> None:
    city = calm(City([*hall(), *district("B")]))
    struck = [name for name in city.devices if name.startswith("A1-3")]
    city.kill(*struck)
    city.wait(82)
    city.revive(*struck)
    city.wait(35)

    city.kill(struck[0])
    city.wait(150)

    assert city.only().spot.device == struck[0]
