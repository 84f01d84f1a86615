"""Which devices a bulk means, and when each has its turn."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kiosk_hub.fleet import bulks as rules
from kiosk_hub.fleet.bulks import Fate, Look, Pace, Selection
from kiosk_hub.fleet.commands import Plan
from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.orders import CollectLogs, Reboot, RestartPage, SetVolume
from kiosk_hub.fleet.places import Place
from kiosk_hub.fleet.values import DeviceKind, Status
from room_manager.errors import Invalid
from room_manager.ids import SiteId
from tests.helpers.fleet import device

WELL = Look(Status.OK, "0.1.0", "2021.8.1", in_session=False, connected=True)


def at(number: int, building: str) -> Device:
    return device(number, place=Place(SiteId("00001"), building))


def test_an_empty_selection_is_not_the_whole_fleet() -> None:
    with pytest.raises(Invalid):
        rules.check_selection(Selection())


@pytest.mark.parametrize(
    ("selection", "meant"),
    [
        (Selection(devices=(device(1).id,)), True),
        (Selection(devices=(device(2).id,)), False),
        (Selection(districts=("001",)), True),
        (Selection(districts=("002",)), False),
        (Selection(districts=("001",), units=("00004",)), False),
        (Selection(kinds=(DeviceKind.KIOSK,)), True),
        (Selection(statuses=(Status.OFFLINE, Status.FAULTY)), False),
        (Selection(statuses=(Status.OK,), agents=("0.1.0",)), True),
        (Selection(agents=("0.0.9",)), False),
        (Selection(contents=("2021.8.1",)), True),
    ],
)
def test_what_is_meant(selection: Selection, meant: bool) -> None:
    assert rules.matches(selection, device(1), "001", WELL) is meant


def test_what_would_happen() -> None:
    busy, away = replace(WELL, in_session=True), replace(WELL, connected=False)

    assert rules.fate_of(RestartPage(), Plan(), WELL) is Fate.AT_ONCE
    assert rules.fate_of(RestartPage(), Plan(), busy) is Fate.WAITS_FOR_SESSION
    assert rules.fate_of(RestartPage(), Plan(waits_for_session=False), busy) is Fate.AT_ONCE
    assert rules.fate_of(SetVolume(0.5), Plan(), busy) is Fate.AT_ONCE
    assert rules.fate_of(RestartPage(), Plan(), away) is Fate.WAITS_FOR_LINE
    assert rules.fate_of(RestartPage(), Plan(), None) is Fate.WAITS_FOR_LINE


def test_those_of_one_building_restart_one_after_the_other() -> None:
    devices = [at(number, "CT1") for number in range(3)] + [at(9, "CT2")]

    placed = dict(rules.spread(devices, Reboot(), Pace(20, 30.0)))

    assert sorted(placed[one.id] for one in devices[:3]) == [0.0, 30.0, 60.0]
    assert placed[devices[3].id] == 0.0


def test_what_disturbs_nobody_only_spares_the_line() -> None:
    devices = [at(number, "CT1") for number in range(5)]

    placed = rules.spread(devices, CollectLogs(), Pace(2, 10.0))

    assert [offset for _, offset in placed] == [0.0, 0.0, 10.0, 10.0, 20.0]


def test_a_spread_of_more_than_a_week_is_refused() -> None:
    with pytest.raises(Invalid):
        rules.spread([at(number, "CT1") for number in range(10)], Reboot(), Pace(1, 86_400))


@settings(max_examples=60)
@given(
    buildings=st.lists(st.integers(0, 12), max_size=120),
    pace=st.builds(Pace, st.integers(1, 20), st.sampled_from([1.0, 30.0])),
)
def test_whatever_the_fleet_no_batch_is_too_full(buildings: list[int], pace: Pace) -> None:
    devices = [at(number, f"CT{building}") for number, building in enumerate(buildings)]
    building_of = {one.id: one.place.building for one in devices}

    placed = rules.spread(devices, Reboot(), pace)

    assert {id for id, _ in placed} == {one.id for one in devices}
    assert len(placed) == len(devices)
    for offset, many in Counter(offset for _, offset in placed).items():
        assert many <= pace.per_batch
        there = [building_of[id] for id, at in placed if at == offset]
        assert len(there) == len(set(there))


def test_what_has_changed_since_the_look() -> None:
    shown = [DeviceId(f"d{number}") for number in range(100)]

    assert not rules.has_changed_much(shown, [*shown[5:], DeviceId("new")])
    assert rules.has_changed_much(shown, shown[6:])
    assert not rules.has_changed_much(shown[:3], shown[:1])
    assert rules.has_changed_much(shown[:3], [])
