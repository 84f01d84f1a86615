"""The city's side of rollouts over a real database: devices that are only records, a clock set by hand."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.ids import CommandId, DeviceId, Fingerprint, IncidentId, RolloutId
from kiosk_hub.fleet.news import DeviceTime, Installing
from kiosk_hub.fleet.orders import DeviceSettings, InstallStep, Offer, Order
from kiosk_hub.fleet.permissions import Grant, Staff
from kiosk_hub.fleet.places import Place
from kiosk_hub.fleet.values import BundleKind, DeviceKind, DeviceState, FleetRole
from kiosk_hub.services.bundles import Bundles
from kiosk_hub.services.directory import Directory
from kiosk_hub.services.geography import Geography
from kiosk_hub.services.reports import Reports
from kiosk_hub.services.rollouts import Rollouts
from kiosk_hub.services.signing import Repository
from room_manager.ids import SiteId
from room_manager.roster.units import Unit
from room_manager.store.database import Database, open_database
from room_manager.store.stores import Stores
from tests.helpers import bundles as files

LIMIT_S = 20.0
AN = Staff("an", "Lê Văn An", Grant(FleetRole.ADMINISTRATOR), "10.0.0.1")
BINH = Staff("binh", "Trần Thị Bình", Grant(FleetRole.ADMINISTRATOR), "10.0.0.2")
TECHNICIAN = Staff("chi", "Ngô Chi", Grant(FleetRole.TECHNICIAN, frozenset({"001"})), "10.0.0.3")
UNITS = [Unit(SiteId(f"{n:05}"), f"P{n}", "Phường", f"Phường P{n}", f"{n:03}", f"Q{n}") for n in (1, 2, 3)]


class Lines:
    """A switchboard that remembers what each device was offered last."""

    def __init__(self) -> None:
        self.connected: set[DeviceId] = set()
        self.offers: dict[DeviceId, Offer | None] = {}

    def is_connected(self, device: DeviceId) -> bool:
        return device in self.connected

    def offer(self, device: DeviceId, offer: Offer | None) -> bool:
        if device in self.connected:
            self.offers[device] = offer
        return device in self.connected

    def order(self, device: DeviceId, order: Order) -> bool:
        return False

    def take_back(self, device: DeviceId, command: CommandId) -> bool:
        return False

    def tell_settings(self, device: DeviceId, settings: DeviceSettings) -> bool:
        return False

    def hang_up(self, device: DeviceId, code: str, text: str) -> bool:
        return False


class SilentFeed:
    """Nobody looks."""

    def row_changed(self, device: DeviceId) -> None: ...

    def incident_changed(self, incident: IncidentId) -> None: ...

    def commands_changed(self, device: DeviceId) -> None: ...

    def rollout_changed(self, rollout: RolloutId) -> None: ...

    def enrolments_changed(self) -> None: ...

    def audit_changed(self) -> None: ...


class City:
    """What a test holds in its hands."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.now = 1_800_000_000.0
        self.database = database
        self.folder = folder
        self.lines = Lines()
        self._told = 0

    async def open(self) -> None:
        geography = Geography(Stores(self.database).roster)
        geography.set(UNITS)
        self.directory = Directory(self.database, geography, lambda: self.now)
        await self.directory.start()
        self.reports = Reports(self.database, lambda: self.now)
        self.reports.start()
        repository = Repository(self.folder / "bundles")
        self.bundles = Bundles(self.database, repository, lambda: self.now, keep_free_bytes=0)
        await self.bundles.start(renew=False)
        self.rollouts = Rollouts(
            self.database, self.directory, self.bundles, self.lines, SilentFeed(), lambda: self.now
        )
        await self.rollouts.start(self.reports)

    async def close(self) -> None:
        await self.rollouts.close()
        await self.reports.close()
        await self.bundles.close()

    async def add_devices(self, count: int, start: int = 0, hardware: str = "") -> list[DeviceId]:
        ids = [DeviceId(f"k{n:03}") for n in range(start, start + count)]
        async with self.directory.change() as change:
            for n, id_ in enumerate(ids, start):
                await change.put(self.device(id_, n, hardware))
        self.lines.connected.update(ids)
        return ids

    @staticmethod
    def device(id_: DeviceId, n: int = 0, hardware: str = "") -> Device:
        return Device(
            id=id_,
            kind=DeviceKind.KIOSK,
            name=f"Ki-ốt {id_}",
            state=DeviceState.ACTIVE,
            place=Place(SiteId(f"{n % 3 + 1:05}")),
            public_key=bytes(32),
            fingerprint=Fingerprint(f"{id_:0<64}"),
            enrolled_at=0.0,
            hardware=hardware,
        )

    async def add_bundle(self, version: str, kind: BundleKind = BundleKind.CONTENT) -> str:
        file = files.written(self.folder / "files", files.content(version), f"{version}.zip")
        return (await self.bundles.add(file, kind, version, account="an")).id

    async def tells(self, device: DeviceId, rollout: RolloutId, step: InstallStep, code: str = "") -> None:
        self._told += 1
        at = DeviceTime("boot-0001", self._told, 1.0, self.now)
        bundle = self.rollouts.shelf.book(rollout).rollout.plan.bundle
        news = Installing(rollout, bundle, step, code=code)
        await self.reports.take(device, f"key-{self._told:08}", at, news)

    async def all_tell(self, rollout: RolloutId, step: InstallStep) -> list[DeviceId]:
        """Every device that is offered something by this rollout tells that."""
        offered = [d for d, offer in self.lines.offers.items() if offer and offer.rollout == rollout]
        for device in offered:
            await self.tells(device, rollout, step)
        return offered

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not is_so():
                self.rollouts.nudge()
                await asyncio.sleep(0.01)


@asynccontextmanager
async def city(folder: Path, url: str) -> AsyncIterator[City]:
    """Opened, and closed again."""
    database = await open_database(url)
    here = City(database, folder)
    try:
        await here.open()
        try:
            yield here
        finally:
            await here.close()
    finally:
        await database.close()
