"""The city of the fleet's benchmark: a server of its own, an administrator, a receiver of webhooks, and a
crowd of simulated kiosks in a process of its own, with what it tells."""

import asyncio
import json
import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

import psutil
from argon2 import PasswordHasher

from benchmarks.mortal import mortal
from kiosk_client.key import FileKey
from kiosk_client.simulate.places import Unit, seats, secret
from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.ids import DeviceId, Fingerprint
from kiosk_hub.fleet.permissions import EVERYWHERE, Grant
from kiosk_hub.fleet.places import Place
from kiosk_hub.fleet.values import DeviceKind, DeviceState, FleetRole
from kiosk_hub.store import devices
from kiosk_hub.store.staff import StaffStore
from room_manager.ids import SiteId
from room_manager.roster.builtin import hanoi_579
from room_manager.store.database import open_database
from room_manager.store.stores import Stores
from signaling.wire.kiosk.fingerprint import fingerprint_of, raw_key

ACCOUNT: Final = "an"
PASSWORD: Final = "chỉ để đo đạc"
END_LIMIT_S: Final = 60.0


async def prepare(folder: Path, enrolled: int, seed: int) -> str:
    """A database with the roster, an administrator, and so many kiosks that are let in already: enrolling
    thousands costs a sync of the disk for each of several steps, and is not what is measured. Its address."""
    url = f"sqlite+aiosqlite:///{folder / 'benchmark.db'}"
    database = await open_database(url)
    try:
        stores = Stores(database)
        await stores.roster.import_units(hanoi_579())
        await stores.accounts.add(ACCOUNT, "An", PasswordHasher().hash(PASSWORD), None)
        await StaffStore(database).set(ACCOUNT, Grant(FleetRole.ADMINISTRATOR, EVERYWHERE))
        async with database.write() as connection:
            for device in known(enrolled, seed):
                await devices.put(connection, device)
    finally:
        await database.close()
    return url


def known(many: int, seed: int) -> list[Device]:
    """The records of the kiosks that the simulator makes of this seed."""
    found = []
    units = [Unit(unit.code, unit.district_code) for unit in hanoi_579()]
    for seat in seats(many, units, seed):
        key = raw_key(FileKey(secret(seed, seat.number)).public)
        assert key is not None
        found.append(
            Device(
                id=DeviceId(f"sim{seat.number:06d}"),
                kind=DeviceKind.KIOSK,
                name=seat.name,
                state=DeviceState.ACTIVE,
                place=Place(SiteId(seat.unit), building=seat.building, floor="1"),
                public_key=key,
                fingerprint=Fingerprint(fingerprint_of(key)),
                enrolled_at=time.time(),
            )
        )
    return found


class Crowd:
    """``diemcau simulate kiosks``, as anybody starts it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._watched = psutil.Process(process.pid)
        self._reading = asyncio.create_task(self._read())
        self.told: list[dict[str, Any]] = []
        self.effects: Counter[str] = Counter()
        self.all_in = asyncio.Event()

    @classmethod
    async def start(cls, server: str, kiosks: int, faults: Path, per_s: float, seed: int) -> "Crowd":
        command = [
            *(sys.executable, "-m", "kiosk_client", "simulate", "kiosks", "-n", str(kiosks)),
            *("--server", server, "--account", ACCOUNT, "--faults", str(faults), "--tell", "-"),
            *("--per-second", str(per_s), "--seed", str(seed)),
        ]
        process = await asyncio.create_subprocess_exec(
            *mortal(command),
            env={**os.environ, "DIEMCAU_SIMULATE_PASSWORD": PASSWORD},
            stdout=asyncio.subprocess.PIPE,
            limit=2**24,
        )
        return cls(process)

    def find(self, what: str) -> list[dict[str, Any]]:
        return [said for said in self.told if said["what"] == what]

    def fault(self, number: int) -> dict[str, Any]:
        """Its beginning: when, and which kiosks."""
        return next(said for said in self.find("fault") if said["number"] == number and said["begins"])

    def cpu_s(self) -> float:
        used = self._watched.cpu_times()
        return float(used.user + used.system)

    def rss_mib(self) -> float:
        return round(self._watched.memory_info().rss / 2**20, 1)

    async def stop(self) -> None:
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(END_LIMIT_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            said = json.loads(line)
            if said["what"] == "effect":
                self.effects[said["command"]] += 1
            else:
                self.told.append(said)
            if said["what"] == "all-in":
                self.all_in.set()
        self.all_in.set()  # it has ended: whoever waits looks


class Receiver:
    """Takes webhooks, and keeps which incident each was about."""

    def __init__(self) -> None:
        self.notices: list[dict[str, Any]] = []
        self._server: asyncio.Server | None = None
        self.url = ""

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/notices"

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(10):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                length = next(line for line in head.split("\r\n") if line.startswith("content-length:"))
                self.notices.append(json.loads(await reader.readexactly(int(length.split(":")[1]))))
                writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
                await writer.drain()
        except (TimeoutError, StopIteration, asyncio.IncompleteReadError, ValueError, OSError):
            pass
        finally:
            writer.close()
