"""The city of the fleet's benchmark: a server of its own, an administrator, a receiver of webhooks, and a
crowd of simulated kiosks in a process of its own, with what it tells."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

import psutil
from argon2 import PasswordHasher

from benchmarks.mortal import mortal
from kiosk_hub.fleet.permissions import EVERYWHERE, Grant
from kiosk_hub.fleet.values import FleetRole
from kiosk_hub.store.staff import StaffStore
from room_manager.roster.builtin import hanoi_579
from room_manager.store.database import open_database
from room_manager.store.stores import Stores

ACCOUNT: Final = "an"
PASSWORD: Final = "chỉ để đo đạc"
END_LIMIT_S: Final = 60.0


async def prepare(folder: Path) -> str:
    """A database with the roster and an administrator; its address."""
    url = f"sqlite+aiosqlite:///{folder / 'benchmark.db'}"
    database = await open_database(url)
    try:
        stores = Stores(database)
        await stores.roster.import_units(hanoi_579())
        await stores.accounts.add(ACCOUNT, "An", PasswordHasher().hash(PASSWORD), None)
        await StaffStore(database).set(ACCOUNT, Grant(FleetRole.ADMINISTRATOR, EVERYWHERE))
    finally:
        await database.close()
    return url


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
