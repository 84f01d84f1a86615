"""A city's commands over a real database, with lines that are ours and a clock that is set."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import structs

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.ids import CommandId, DeviceId, Fingerprint, IncidentId, RolloutId
from kiosk_hub.fleet.news import AnyNews, DeviceTime
from kiosk_hub.fleet.orders import DeviceSettings, Offer, Order
from kiosk_hub.fleet.permissions import Grant, Staff
from kiosk_hub.fleet.places import Place
from kiosk_hub.fleet.values import DeviceKind, DeviceState, FleetRole
from kiosk_hub.services.commands import Commands
from kiosk_hub.services.directory import Directory
from kiosk_hub.services.geography import Geography
from kiosk_hub.services.reports import Reports
from kiosk_hub.store import devices
from kiosk_hub.store.staff import StaffStore
from room_manager.ids import SiteId
from room_manager.meeting.values import Role
from room_manager.roster.units import Unit
from room_manager.store.database import Database, open_database
from room_manager.store.stores import Stores
from tests.helpers import databases

BA_DINH, HOAN_KIEM = "001", "002"
UNITS = (
    Unit(SiteId("00001"), "Phúc Xá", "Phường", "Phường Phúc Xá", BA_DINH, "Ba Đình", "Quận Ba Đình"),
    Unit(SiteId("00004"), "Trúc Bạch", "Phường", "Phường Trúc Bạch", BA_DINH, "Ba Đình", "Quận Ba Đình"),
    Unit(SiteId("00037"), "Phúc Tân", "Phường", "Phường Phúc Tân", HOAN_KIEM, "Hoàn Kiếm", "Quận Hoàn Kiếm"),
)

LAN = Staff("lan", "Lan", Grant(FleetRole.TECHNICIAN, frozenset({BA_DINH})), "10.0.0.1")
MINH = Staff("minh", "Minh", Grant(FleetRole.TECHNICIAN, frozenset({BA_DINH})), "10.0.0.2")
HOA = Staff("hoa", "Hoa", Grant(FleetRole.TECHNICIAN, frozenset({HOAN_KIEM})), "10.0.0.3")
QUAN = Staff("quan", "Quân", Grant(FleetRole.ADMINISTRATOR), "10.0.0.4")
XEM = Staff("xem", "Xem", Grant(FleetRole.VIEWER), "10.0.0.5")
EVERYBODY = (LAN, MINH, HOA, QUAN, XEM)


class Clock:
    """Seconds, UTC; stands still."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Lines:
    """A switchboard that keeps what went down each line."""

    def __init__(self) -> None:
        self.connected: set[DeviceId] = set()
        self.orders: list[tuple[DeviceId, Order]] = []
        self.taken_back: list[tuple[DeviceId, CommandId]] = []

    def is_connected(self, device: DeviceId) -> bool:
        return device in self.connected

    def order(self, device: DeviceId, order: Order) -> bool:
        if device in self.connected:
            self.orders.append((device, order))
        return device in self.connected

    def take_back(self, device: DeviceId, command: CommandId) -> bool:
        if device in self.connected:
            self.taken_back.append((device, command))
        return device in self.connected

    def offer(self, device: DeviceId, offer: Offer | None) -> bool:
        return device in self.connected

    def tell_settings(self, device: DeviceId, settings: DeviceSettings) -> bool:
        return device in self.connected

    def hang_up(self, device: DeviceId, code: str, text: str) -> bool:
        return device in self.connected


class Heard:
    """A feed that keeps what it was told."""

    def __init__(self) -> None:
        self.commands: list[DeviceId] = []

    def row_changed(self, device: DeviceId) -> None:
        pass

    def incident_changed(self, incident: IncidentId) -> None:
        pass

    def commands_changed(self, device: DeviceId) -> None:
        self.commands.append(device)

    def rollout_changed(self, rollout: RolloutId) -> None:
        pass

    def enrolments_changed(self) -> None:
        pass

    def audit_changed(self) -> None:
        pass


def a_device(number: int, unit: str = "00001", building: str = "") -> Device:
    return Device(
        id=DeviceId(f"d{number}"),
        kind=DeviceKind.KIOSK,
        name=f"Ki-ốt {number}",
        state=DeviceState.ACTIVE,
        place=Place(SiteId(unit), building),
        public_key=number.to_bytes(32, "big"),
        fingerprint=Fingerprint(f"{number:064x}"),
        enrolled_at=1.0,
    )


class Bench:
    """Everything open. ``again`` closes it and opens it anew, as a server that restarts."""

    def __init__(self, database: Database, clock: Clock, lines: Lines) -> None:
        self.database = database
        self.clock = clock
        self.lines = lines
        self.feed = Heard()
        self.geography = Geography(Stores(database).roster)
        self.geography.set(UNITS)
        self.directory = Directory(database, self.geography, clock)
        self.reports = Reports(database, clock)
        self.staff = StaffStore(database)
        self.commands = Commands(database, self.directory, lines, self.feed, clock)
        self.commands.serve(self.reports)
        self._reported = 0

    async def report(self, device: str, news: AnyNews, key: str | None = None) -> None:
        self._reported += 1
        at = DeviceTime("boot-0001", self._reported, 1.0, 1.0)
        await self.reports.take(DeviceId(device), key or f"report-{self._reported:04}", at, news)

    async def set_state(self, device: str, state: DeviceState) -> None:
        async with self.directory.change() as change:
            await change.put(structs.replace(self.directory.get(DeviceId(device)), state=state))


@asynccontextmanager
async def bench(folder: Path, many: int = 3, clock_runs: bool = True) -> AsyncIterator[Bench]:
    """Devices d0 … in Ba Đình, the last one in Hoàn Kiếm; the five of ``EVERYBODY`` have accounts."""
    url = databases.new(folder)
    database = await open_database(url)
    try:
        async with database.write() as connection:
            for number in range(many):
                unit = "00001" if number < many - 1 else "00037"
                await devices.put(connection, a_device(number, unit, f"Nhà {number // 3}"))
        stores, staff = Stores(database), StaffStore(database)
        for who in EVERYBODY:
            await stores.accounts.add(who.account, who.name, "x", Role.OPERATOR)
            await staff.set(who.account, who.grant)
        async with opened(database, Clock(), Lines(), clock_runs) as found:
            yield found
    finally:
        await database.close()


@asynccontextmanager
async def opened(
    database: Database, clock: Clock, lines: Lines, clock_runs: bool = True
) -> AsyncIterator[Bench]:
    """The services over a database that is there already. ``clock_runs`` false: nobody looks at the clock but
    the test."""
    found = Bench(database, clock, lines)
    await found.directory.start()
    found.reports.start()
    await found.commands.start(clock_runs)
    try:
        yield found
    finally:
        await found.reports.close()
        await found.commands.close()
