"""Devices and facts for tests of the fleet: all is well unless said otherwise."""

from collections.abc import Iterable
from typing import Any, Final

from msgspec.structs import replace

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.facts import Camera, Disk, Facts, Load, Network, Painted, Printer, Versions
from kiosk_hub.fleet.ids import DeviceId, Fingerprint
from kiosk_hub.fleet.places import Place
from kiosk_hub.fleet.values import ClockTrust, DeviceKind, DeviceState
from kiosk_hub.services.directory import Directory
from kiosk_hub.services.geography import Geography
from room_manager.ids import SiteId
from room_manager.roster.units import Unit
from room_manager.store.database import Database
from room_manager.store.roster import RosterStore

NOON: Final = 1_629_694_800.0
"""Monday 23 August 2021, 12:00 in Hà Nội."""

DISK: Final = Disk(free_share=0.6, free_bytes=18_000_000_000, wear_share=0.05)
LOAD: Final = Load(cpu_share=0.2, memory_share=0.4, temperature_c=48.0, undervoltage=False, uptime_s=9_000.0)
GOOD: Final = Facts(
    versions=Versions(agent="0.1.0", content="2021.8.1"),
    disk=DISK,
    load=LOAD,
    network=Network(rtt_ms=20.0, loss_share=0.0, kind="wired"),
    clock=ClockTrust.SYNCED,
    painted=Painted(frame_age_s=0.5, changed_age_s=4.0, page="wait", on=True),
    touch_ok=True,
    camera=Camera(state="ok", moving=True, sharpness=180.0, brightness=0.4),
    microphone_share=0.02,
    printer=Printer(),
)
"""A kiosk that is well."""


def facts(**changed: Any) -> Facts:
    return replace(GOOD, **changed)


def device(number: int = 1, *, kind: DeviceKind = DeviceKind.KIOSK, **changed: Any) -> Device:
    """An active one, in the unit 00001 unless a place is given."""
    made = Device(
        id=DeviceId(f"d{number:05}"),
        kind=kind,
        name=f"Ki-ốt {number}",
        state=DeviceState.ACTIVE,
        place=Place(unit=SiteId("00001")),
        public_key=number.to_bytes(32, "big"),
        fingerprint=Fingerprint(f"{number:064x}"),
        enrolled_at=NOON - 86_400,
    )
    return replace(made, **changed)


class Clock:
    """Seconds, UTC, that pass when told to."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def unit(code: str, district: str) -> Unit:
    return Unit(
        code=SiteId(code),
        name=f"Số {code}",
        kind="Phường",
        full_name=f"Phường Số {code}",
        district_code=district,
        district_name=f"Quận {district}",
        district_full_name=f"Quận {district}",
    )


async def open_directory(database: Database, clock: Clock, devices: Iterable[Device] = ()) -> Directory:
    """With units 00001 and 00002 in district 001 and 00003 in 002, and these devices in SQL."""
    geography = Geography(RosterStore(database))
    geography.set([unit("00001", "001"), unit("00002", "001"), unit("00003", "002")])
    directory = Directory(database, geography, clock)
    await directory.start()
    async with directory.change() as change:
        for one in devices:
            await change.put(one)
    return directory
