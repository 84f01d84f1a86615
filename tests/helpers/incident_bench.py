"""Incidents over a real database and registry: devices beat or do not, the clock is set, turns are taken."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.facts import Facts
from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.incident_book import Pace
from kiosk_hub.fleet.incident_words import IncidentRow
from kiosk_hub.fleet.notice import Notice
from kiosk_hub.fleet.notices import Route
from kiosk_hub.fleet.permissions import Grant, Staff
from kiosk_hub.fleet.places import Place
from kiosk_hub.fleet.values import FleetRole
from kiosk_hub.services.channels import Channel
from kiosk_hub.services.directory import Directory
from kiosk_hub.services.feed import Changes
from kiosk_hub.services.incidents import Incidents
from kiosk_hub.services.mail import MailChannel, MailServer
from kiosk_hub.services.notice_settings import NoticeBook
from kiosk_hub.services.notifier import Notifier
from kiosk_hub.services.registry import Registry
from kiosk_hub.services.webhook import WebhookChannel
from kiosk_hub.store.staff import StaffStore
from room_manager.ids import SiteId
from room_manager.meeting.values import Role
from room_manager.store.database import Database, open_database
from room_manager.store.stores import Stores
from tests.helpers import databases
from tests.helpers.fleet import Clock, device, facts, open_directory

LAN = Staff("lan", "Lan", Grant(FleetRole.TECHNICIAN, frozenset({"001"})), "10.0.0.1")
HOA = Staff("hoa", "Hoa", Grant(FleetRole.TECHNICIAN, frozenset({"002"})), "10.0.0.3")
QUAN = Staff("quan", "Quân", Grant(FleetRole.ADMINISTRATOR), "10.0.0.4")
XEM = Staff("xem", "Xem", Grant(FleetRole.VIEWER), "10.0.0.5")


def at(number: int, unit: str, building: str = "") -> Device:
    return device(number, place=Place(unit=SiteId(unit), building=building))


HALL = [at(number, "00001", "Nhà văn hóa số 3") for number in range(1, 5)]
OTHERS = [at(number, "00003", f"Tòa CT{number}") for number in range(11, 15)]


class Bench:
    def __init__(self, database: Database, directory: Directory, clock: Clock, pace: Pace) -> None:
        self.database = database
        self.directory = directory
        self.clock = clock
        self.changes = Changes(directory, clock)
        self.registry = Registry(database, directory, self.changes, clock)
        self.incidents = Incidents(
            database,
            directory,
            directory.geography,
            self.changes,
            clock,
            pace=pace,
        )
        self.registry.listen(self.incidents)
        self.registry.marks = self.incidents
        self.book = NoticeBook(database, clock, private_webhooks=True)
        self.notifier: Notifier | None = None
        self.dead: set[DeviceId] = set()
        self.facts: dict[DeviceId, Facts] = {}

    async def load(self) -> None:
        await self.incidents.load()
        await self.registry.load()

    async def tells(
        self,
        mail_port: int,
        *routes: Route,
        limit_s: float = 20.0,
        channels: Mapping[str, Channel] | None = None,
        **more: Any,
    ) -> Notifier:
        """From now on incidents are told by these routes; what is due goes out with ``deliver``."""
        mail = MailServer(host="127.0.0.1", port=mail_port, security="none", sender="diemcau@city.vn")
        ways: Mapping[str, Channel] = channels or {
            "email": MailChannel(mail, limit_s),
            "webhook": WebhookChannel(private=True, clock=self.clock, limit_s=limit_s),
        }
        made = Notifier(
            self.database, self.book, ways, self.clock, origin="https://meet.city.vn", draw=lambda: 0.5
        )
        made.watch(self.incidents, self.registry)
        await made.load()
        if routes:
            now = self.book.settings
            await self.book.save(QUAN, replace(now, routes=routes, **more))
        self.incidents.notices = self.notifier = made
        return made

    async def deliver(self) -> None:
        assert self.notifier is not None
        async with asyncio.timeout(30):
            await self.notifier.deliver()

    async def outgoing(self) -> list[Notice]:
        """The earliest first."""
        found, _ = await self.book.page(None, 0, 100)
        return found[::-1]

    async def wait(self, seconds: float, step_s: float = 5.0) -> None:
        """Each living device beats every 30 s, at a place of its own within them."""
        end = self.clock.now + seconds
        while self.clock.now < end:
            self.clock.now += step_s
            for place, one in enumerate(self.directory):
                mine = (self.clock.now - 6.0 * place) % 30.0 < step_s
                if mine and one.id not in self.dead:
                    self.registry.on_beat(one.id, self.facts.get(one.id, facts()), self.clock.now)
            self.registry.look()
            await self.incidents.turn()

    def kill(self, *devices: Device) -> None:
        self.dead.update(one.id for one in devices)

    def revive(self, *devices: Device) -> None:
        self.dead.difference_update(one.id for one in devices)

    def breaks(self, one: Device, **changed: Any) -> None:
        self.facts[one.id] = facts(**changed)

    def rows(self, staff: Staff = QUAN) -> list[IncidentRow]:
        return self.incidents.open_rows(staff.grant)

    def only(self) -> IncidentRow:
        (row,) = self.rows()
        return row


@asynccontextmanager
async def bench(
    folder: Path, devices: Sequence[Device] = (*HALL, *OTHERS), pace: Pace | None = None
) -> AsyncIterator[Bench]:
    """A city that has been well for two minutes."""
    clock = Clock()
    database = await open_database(databases.new(folder))
    try:
        stores = Stores(database)
        staff = StaffStore(database)
        for one in (LAN, HOA, QUAN, XEM):
            await stores.accounts.add(one.account, one.name, "x", Role.OBSERVER)
            await staff.set(one.account, one.grant)
        directory = await open_directory(database, clock, devices)
        made = Bench(database, directory, clock, pace if pace is not None else Pace())
        await made.load()
        await made.wait(120.0)
        assert not made.rows()
        yield made
    finally:
        await database.close()


async def again(old: Bench) -> Bench:
    """The server comes back over the same database; the old one is dead without a word."""
    directory = Directory(old.database, old.directory.geography, old.clock)
    await directory.start()
    new = Bench(old.database, directory, old.clock, Pace())
    new.dead, new.facts = old.dead, old.facts
    await new.load()
    return new
