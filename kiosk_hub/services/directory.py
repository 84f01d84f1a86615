"""Every device's record: in memory for reading, in SQL before anybody hears of a change."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import ClassVar

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.ids import DeviceId, Fingerprint
from kiosk_hub.services.geography import Geography
from kiosk_hub.store import audit, devices
from room_manager.errors import DomainError
from room_manager.store.database import Database


class UnknownDevice(DomainError):
    """There is no such device."""

    code: ClassVar[str] = "unknown-device"


Changed = Callable[[Device | None, Device | None], None]
"""Called after the commit with the record before (None: new) and after (None: gone)."""


class Change(Struct):
    """One transaction: what else is written belongs to ``connection``; ``put`` says what becomes of devices.

    Records are looked at *inside* it, by :meth:`get`: what was looked at before may be older than what
    another transaction has written meanwhile (each hello of a device writes its counter).
    """

    connection: AsyncConnection
    now: float
    directory: "Directory"
    puts: list[Device] = []

    def get(self, device: DeviceId) -> Device:
        """The record as this transaction has it. Raises ``UnknownDevice``."""
        for put in reversed(self.puts):
            if put.id == device:
                return put
        return self.directory.get(device)

    async def put(self, device: Device) -> None:
        await devices.put(self.connection, device)
        self.puts.append(device)

    async def put_all(self, many: Sequence[Device]) -> None:
        """Known devices, in one statement."""
        await devices.put_all(self.connection, many)
        self.puts.extend(many)

    async def note(self, entry: audit.Entry) -> None:
        await audit.append(self.connection, entry, self.now)


class Directory:
    """Who is who. Reading never waits."""

    def __init__(self, database: Database, geography: Geography, clock: Callable[[], float]) -> None:
        self.database = database
        self.geography = geography
        self.clock = clock
        """Seconds, UTC."""
        self._devices: dict[DeviceId, Device] = {}
        self._by_key: dict[Fingerprint, DeviceId] = {}
        self._listeners: list[Changed] = []

    async def start(self) -> None:
        for device in await devices.load(self.database):
            self._remember(device)

    def listen(self, changed: Changed) -> None:
        self._listeners.append(changed)

    def __iter__(self) -> Iterator[Device]:
        return iter(list(self._devices.values()))

    def __len__(self) -> int:
        return len(self._devices)

    def get(self, device: DeviceId) -> Device:
        """Raises ``UnknownDevice``."""
        found = self._devices.get(device)
        if found is None:
            raise UnknownDevice("there is no such device")
        return found

    def find(self, device: DeviceId) -> Device | None:
        return self._devices.get(device)

    def by_key(self, fingerprint: Fingerprint) -> Device | None:
        device = self._by_key.get(fingerprint)
        return self._devices[device] if device is not None else None

    def district_of(self, device: Device) -> str:
        return self.geography.district_of(device.place.unit)

    def change(self) -> AbstractAsyncContextManager[Change]:
        """A writing transaction. After it is committed, memory follows and listeners are told; if it
        raises, nothing
        has happened."""
        return self._change()

    @asynccontextmanager
    async def _change(self) -> AsyncIterator[Change]:
        async with self.database.write() as connection:
            change = self.join(connection)
            yield change
        self.follow(change)

    def join(self, connection: AsyncConnection) -> Change:
        """Take part in a writing transaction of somebody else, who calls :meth:`follow` as soon as it is
        committed, before anything is awaited."""
        return Change(connection, self.clock(), self)

    def follow(self, change: Change) -> None:
        """It is committed: memory follows, listeners are told."""
        for device in change.puts:
            before = self._devices.get(device.id)
            self._remember(device)
            for changed in self._listeners:
                changed(before, device)

    def _remember(self, device: Device) -> None:
        before = self._devices.get(device.id)
        if before is not None:
            self._by_key.pop(before.fingerprint, None)
        self._devices[device.id] = device
        self._by_key[device.fingerprint] = device.id

    def all(self) -> Iterable[Device]:
        return self._devices.values()
