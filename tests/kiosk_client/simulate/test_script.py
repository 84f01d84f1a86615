"""Where simulated devices stand, and which of them a script of faults means."""

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk_client.config import BadConfig
from kiosk_client.simulate.places import NoUnits, Unit, expected_csv, seats, secret
from kiosk_client.simulate.script import Fault, Script, Where, chosen, parse, steps
from kiosk_hub.fleet.preauthorisation import parse as parse_expected
from room_manager.roster.builtin import hanoi_579

UNITS = [Unit(unit.code, unit.district_code) for unit in hanoi_579()]
SEATS = seats(1_000, UNITS, seed=1)
FAULTS = sorted(Path("benchmarks/faults").glob("*.toml"))


def test_a_thousand_devices_stand_all_over_the_city_and_several_in_a_building() -> None:
    assert [seat.number for seat in SEATS] == list(range(1_000))
    assert len({seat.district for seat in SEATS}) == 30
    assert len({seat.name for seat in SEATS}) == 1_000
    buildings = Counter((seat.unit, seat.building) for seat in SEATS)
    assert max(buildings.values()) <= 6
    assert sum(count > 1 for count in buildings.values()) > 100
    assert seats(1_000, UNITS, seed=1) == SEATS
    assert seats(1_000, UNITS, seed=2) != SEATS


def test_a_city_without_units_is_told_in_one_line() -> None:
    with pytest.raises(NoUnits, match="roster is empty"):
        seats(3, [], seed=1)


def test_the_city_takes_the_list_of_them() -> None:
    rows, faults = parse_expected(expected_csv([(seat, f"{seat.number:064x}") for seat in SEATS[:250]]))

    assert not faults
    assert [row.binding.name for row in rows] == [seat.name for seat in SEATS[:250]]
    assert {row.binding.place.building for row in rows} == {seat.building for seat in SEATS[:250]}


def test_keys_differ_and_come_back_with_the_seed() -> None:
    assert (
        len({secret(1, number) for number in range(100)} | {secret(2, number) for number in range(100)})
        == 200
    )
    assert secret(1, 5) == secret(1, 5)


def test_numbers_of_places_go_by_size() -> None:
    sizes = Counter(seat.district for seat in SEATS)

    largest = chosen(Where(district=0), SEATS, _lot())
    second = chosen(Where(district=1), SEATS, _lot())

    assert len(largest) == max(sizes.values())
    assert len({SEATS[number].district for number in largest}) == 1
    assert not set(largest) & set(second)
    assert chosen(Where(district=30), SEATS, _lot()) == ()
    building = chosen(Where(building=0), SEATS, _lot())
    assert len({(SEATS[number].unit, SEATS[number].building) for number in building}) == 1
    assert len(chosen(Where(district=0, share=0.5), SEATS, _lot())) == round(len(largest) / 2)


@given(
    st.builds(
        Where,
        district=st.none() | st.integers(0, 40),
        unit=st.none() | st.integers(0, 3),
        building=st.none() | st.integers(0, 3),
        share=st.none() | st.floats(0.01, 1),
        count=st.none() | st.integers(1, 2_000),
    ),
    st.integers(0, 5),
)
@settings(max_examples=60, deadline=None)
def test_the_same_seed_means_the_same_devices(where: Where, seed: int) -> None:
    script = Script((Fault("power-cut", 5, 10, where, every_s=100), Fault("line-cut", 7)))

    first = steps(script, SEATS, seed, until_s=350)

    assert first == steps(script, SEATS, seed, until_s=350)
    assert first == sorted(first)
    assert sum(step.begins for step in first) == 4 + 1
    assert all(set(step.devices) <= set(range(1_000)) for step in first)
    again = [step.devices for step in first if step.number == 0 and step.begins]
    over = [step.devices for step in first if step.number == 0 and not step.begins]
    assert again == over


@pytest.mark.parametrize("path", FAULTS, ids=lambda path: path.stem)
def test_the_scripts_that_are_shipped_mean_somebody(path: Path) -> None:
    script = parse(path.read_text(encoding="utf-8"))

    found = steps(script, SEATS, seed=1)

    assert found
    assert all(step.devices for step in found)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[[fault]]\nkind = 'earthquake'\nat_s = 1", "earthquake"),
        ("[[fault]]\nkind = 'power-cut'\nat_s = -1", "at_s"),
        ("[[fault]]\nkind = 'power-cut'\nat_s = 1\nwhen = 2", "when"),
        ("[[fault]]\nkind = 'power-cut'\nat_s = 1\nwhere = { share = 2 }", "share"),
        ("[[fault", "faults"),
    ],
)
def test_a_bad_script_is_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(BadConfig, match=named):
        parse(text)


def _lot() -> random.Random:
    return random.Random(1)
