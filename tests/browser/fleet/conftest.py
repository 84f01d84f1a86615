"""One city with a thousand devices, and one browser, for every test of a file that looks at the pages."""

from collections.abc import Iterator
from itertools import cycle
from typing import Final

import pytest
from msgspec.structs import replace

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.places import Contact, Place
from kiosk_hub.fleet.values import DeviceKind
from room_manager.roster.builtin import hanoi_579
from tests.helpers.fleet import device
from tests.helpers.fleet_city import Desk, FleetCity, desk, fleet_city

DEVICES: Final = 1_000
BUILDINGS: Final = ("", "Nhà văn hóa số 3", "Tòa CT1")


def thousand() -> list[Device]:
    """A bridge point in each unit, then kiosks in its buildings."""
    made = []
    for number, unit, building in zip(
        range(1, DEVICES + 1), cycle(hanoi_579()), cycle(BUILDINGS), strict=False
    ):
        first = number <= len(hanoi_579())
        kind = DeviceKind.BRIDGE_POINT if first else DeviceKind.KIOSK
        name = f"Phòng họp {unit.full_name}" if first else f"Ki-ốt {building or 'trụ sở'}"
        place = Place(unit=unit.code, building="" if first else building, contact=Contact(name="Bà Hoa"))
        made.append(replace(device(number, kind=kind), name=name, place=place))
    return made


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FleetCity]:
    """Every device but the last ten has been heard and is well."""
    devices = thousand()
    with fleet_city(tmp_path_factory.mktemp("fleet"), devices) as opened:
        for one in devices[:-10]:
            opened.beat(one.id)
        yield opened


@pytest.fixture(scope="module")
def browser_of_staff(city: FleetCity) -> Iterator[Desk]:
    with desk(city) as opened:
        yield opened


@pytest.fixture
def staff(browser_of_staff: Desk) -> Iterator[Desk]:
    """Windows for this test; they are closed after it, and no page has complained."""
    browser_of_staff.complaints.clear()
    yield browser_of_staff
    browser_of_staff.close_windows()
    assert browser_of_staff.complaints == []
