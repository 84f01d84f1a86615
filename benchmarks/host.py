"""A real server in a process of its own, on a database made ready for a meeting of so many sites."""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import msgspec
import psutil
import uvloop
from msgspec import Struct

from benchmarks.mortal import mortal
from room_manager.ids import RoomId, SiteId
from room_manager.meeting.values import Role
from room_manager.roster.builtin import hanoi_579
from room_manager.roster.units import Unit
from room_manager.store.database import open_database
from room_manager.store.stores import Stores
from signaling.app import Server, serve
from signaling.links import LinkFor, LinkMaker, signers
from signaling.process import allow_many_files
from signaling.settings import FleetSettings, MediaSettings, Settings

START_LIMIT_S: Final = 30.0
LINKS_LAST_S: Final = 3_600.0
BEAT_EVERY_S: Final = 30.0


class Prepared(Struct, frozen=True):
    """A database with a scheduled meeting, and a link for everybody."""

    url: str
    meeting: RoomId
    chair: str
    sites: dict[SiteId, str]


def units(count: int) -> list[Unit]:
    """The city's units; beyond 579, made-up ones, which are load and nothing else."""
    real = hanoi_579()
    made_up = [
        msgspec.structs.replace(real[n % len(real)], code=SiteId(f"9{n:04d}"))
        for n in range(count - len(real))
    ]
    return [*real, *made_up][:count]


async def prepare(folder: Path, count: int) -> Prepared:
    url = f"sqlite+aiosqlite:///{folder / 'benchmark.db'}"
    database = await open_database(url)
    try:
        stores = Stores(database)
        expected = units(count)
        await stores.roster.import_units(expected)
        meeting = RoomId("benchmark")
        await stores.meetings.create(meeting, "Họp giao ban toàn thành phố", [unit.code for unit in expected])
        signer, _ = await signers(stores.secrets)
        maker = LinkMaker(stores.links, signer, time.time)
        whom = [LinkFor(Role.CHAIR), *(LinkFor(Role.SITE, unit.code) for unit in expected)]
        made = await maker.make_all(meeting, whom, LINKS_LAST_S, "benchmark")
        sites = {unit.code: token for unit, (_, token) in zip(expected, made[1:], strict=True)}
        return Prepared(url, meeting, made[0][1], sites)
    finally:
        await database.close()


class Host:
    """The server's process."""

    def __init__(
        self, url: str, port: int = 0, engine: str = "fake", beat_every_s: float = BEAT_EVERY_S
    ) -> None:
        self._process = subprocess.Popen(
            mortal([sys.executable, "-m", "benchmarks.host", url, str(port), engine, str(beat_every_s)]),
            stdin=subprocess.PIPE,  # it ends when we do, however that is
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.strip().isdecimal():
            raise RuntimeError(f"the server did not start: {line!r}")
        self.port = int(line)
        self._watched = psutil.Process(self._process.pid)

    def cpu_s(self) -> float:
        used = self._watched.cpu_times()
        return float(used.user + used.system)

    def tasks(self) -> int:
        """How many tasks its event loop has."""
        assert self._process.stdout is not None
        self._process.send_signal(signal.SIGUSR1)
        return int(self._process.stdout.readline())

    def processes(self) -> tuple[psutil.Process, list[psutil.Process]]:
        """The server, and the processes of its media unit."""
        return self._watched, self._watched.children()

    def rss_mib(self) -> float:
        return round(self._watched.memory_info().rss / 2**20, 1)

    def kill(self) -> None:
        """As the power does."""
        self._process.send_signal(signal.SIGKILL)
        self._gone()

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._gone()

    def _gone(self) -> None:
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


def tell_tasks() -> None:
    print(len(asyncio.all_tasks()), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.host")
    parser.add_argument("url")
    parser.add_argument("port", type=int)
    parser.add_argument("engine", choices=("fake", "sfu"))
    parser.add_argument("beat_every_s", type=float)
    options = parser.parse_args()

    def tell(server: Server) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, tell_tasks)
        loop.add_reader(sys.stdin.fileno(), signal.raise_signal, signal.SIGTERM)
        print(server.port, flush=True)

    settings = Settings(
        database_url=options.url,
        port=options.port,
        media=MediaSettings(engine=options.engine),
        fleet=FleetSettings(beat_every_s=options.beat_every_s, private_webhooks=True),
        host="127.0.0.1",
    )
    allow_many_files()
    profile = os.environ.get("DIEMCAU_PROFILE")
    if profile:
        import cProfile

        watch = cProfile.Profile()
        watch.enable()
        uvloop.run(serve(settings, tell))
        watch.disable()
        watch.dump_stats(profile)
        return 0
    uvloop.run(serve(settings, tell))
    return 0


if __name__ == "__main__":
    sys.exit(main())
