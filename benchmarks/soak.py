"""Hours of coming and going in minutes: ``python -m benchmarks.soak --sites 579 --seconds 600 --json -``.

The real server, the unit and as many sites, as in ``benchmarks.stage_switch``. All the while sites lose their
line and resume, reload their page, or make a new peer connection, as fast as the machine takes them, and the
chair gives the floor to another speaker and puts others on tiles. Afterwards everybody goes, and what the
server and the unit then hold beyond what they held before it all began is leaked.

``unit_drift_percent``: median memory of the last tenth against that of the tenth after the warm-up, with as
many sites there. A sample is taken ten times a second or less often.
"""

import argparse
import asyncio
import contextlib
import random
import socket
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

import uvloop
from msgspec import Struct

from benchmarks.host import Host, prepare
from benchmarks.member import NotIn
from benchmarks.report import machine, print_json
from benchmarks.site import Site
from benchmarks.stage_switch import SPEAKERS, Stage
from benchmarks.websocket import Closed
from room_manager.media.light import ConnectFailed
from signaling.process import allow_many_files

AT_ONCE: Final = 8  # sites on their way back
STAY_S: Final = 3.0  # no site goes more often; limits on what one link may do are meant to hold
SWITCH_EVERY_S: Final = 0.5
TILES: Final = 4
WARM_UP_SHARE: Final = 0.2
SAMPLES: Final = 200
SETTLE_LIMIT_S: Final = 40.0
STILL_S: Final = 3.0  # nothing has changed for so long
UNREAD_BYTES: Final = 8_192  # of a receiver's socket that nobody reads
BACK_LIMIT_S: Final = 30.0
MAX_SITES: Final = 1_200
MAX_SECONDS: Final = 86_400.0
SEED: Final = 579


class Held(Struct, frozen=True):
    """What the server and the unit hold."""

    tasks: int  # of the server; the unit's are fixed
    server_files: int  # sockets among them
    unit_files: int
    threads: int

    @property
    def all(self) -> tuple[int, int, int, int]:
        return self.tasks, self.server_files, self.unit_files, self.threads

    def beyond(self, before: "Held") -> "Held":
        return Held(*(now - then for now, then in zip(self.all, before.all, strict=True)))


class Soak:
    """One meeting through all of it."""

    def __init__(self, host: Host, stage: Stage, chance: random.Random) -> None:
        self._host = host
        self._stage = stage
        self._chance = chance
        self._server, self._unit = host.processes()
        self._at_once = max(1, min(AT_ONCE, len(stage.sites) // 2))
        self.returns = self.switches = 0
        self.failures: Counter[str] = Counter()
        self.samples: list[tuple[int, int]] = []  # bytes of the unit, of the server

    async def run(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        idle = list(self._stage.sites)
        self._chance.shuffle(idle)
        async with asyncio.TaskGroup() as group:
            for _ in range(self._at_once):
                group.create_task(self._come_and_go(idle, until))
            group.create_task(self._switch(until))
            group.create_task(self._sample(seconds / SAMPLES, until))

    def held(self) -> Held:
        return Held(
            tasks=self._host.tasks(),
            server_files=self._server.num_fds(),
            unit_files=sum(process.num_fds() for process in self._unit),
            threads=self._server.num_threads() + sum(process.num_threads() for process in self._unit),
        )

    async def settled(self, before: Held | None = None) -> Held:
        """What is held when it changes no more, or is no more than ``before``."""
        limit, last, same = time.monotonic() + SETTLE_LIMIT_S, self.held(), 0
        while time.monotonic() < limit and same < 10:
            await asyncio.sleep(STILL_S / 10)
            now = self.held()
            same = same + 1 if now == last else 0
            last = now
            if before is not None and max(now.beyond(before).all) <= 0:
                break
        return last

    def drift_percent(self, which: int) -> float:
        """Of the unit (0) or the server (1)."""
        sizes = [sample[which] for sample in self.samples[int(len(self.samples) * WARM_UP_SHARE) :]]
        tenth = max(1, len(sizes) // 10)
        first, last = statistics.median(sizes[:tenth]), statistics.median(sizes[-tenth:])
        return round((last / first - 1) * 100, 2)

    async def _come_and_go(self, idle: list[Site], until: float) -> None:
        every_s = self._at_once * STAY_S / len(self._stage.sites)
        while (began := time.monotonic()) < until:
            site = idle.pop(0)
            try:
                async with asyncio.timeout(BACK_LIMIT_S):
                    await self._again(site)
                self.returns += 1
            except (NotIn, Closed, ConnectFailed, TimeoutError, OSError, RuntimeError) as error:
                self.failures[f"{type(error).__name__} {error}"[:90]] += 1
                await self._mend(site)
            idle.append(site)
            await asyncio.sleep(max(0.0, began + every_s - time.monotonic()))

    async def _again(self, site: Site) -> None:
        how = self._chance.choice(("line", "page", "media"))
        if how == "media":
            site.leave_media()
        else:
            site.leave()
            await (site.member.come_back() if how == "line" else site.enter())
        await site.connect()
        read_nothing(site)

    async def _mend(self, site: Site) -> None:
        """After a failure: in by the front door, once more."""
        site.leave()
        with contextlib.suppress(NotIn, Closed, ConnectFailed, TimeoutError, OSError, RuntimeError):
            async with asyncio.timeout(BACK_LIMIT_S):
                await site.enter()
                await site.connect()
                read_nothing(site)

    async def _switch(self, until: float) -> None:
        while time.monotonic() < until:
            await self._stage.give_floor(self.switches % SPEAKERS)
            tiles = [(self.switches + n) % SPEAKERS for n in range(1, min(TILES, SPEAKERS))]
            await self._stage.show(tiles)
            self.switches += 1
            await asyncio.sleep(SWITCH_EVERY_S)

    async def _sample(self, every_s: float, until: float) -> None:
        while time.monotonic() < until:
            unit = sum(process.memory_info().rss for process in self._unit)
            self.samples.append((unit, self._server.memory_info().rss))
            await asyncio.sleep(max(0.1, every_s))


def read_nothing(site: Site) -> None:
    """The kernel drops what comes: thousands of packets a second for nobody."""
    if site.receiver is not None:
        site.receiver.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UNREAD_BYTES)


async def measure(sites: int, seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        prepared = await prepare(Path(folder), sites)
        host = Host(prepared.url, engine="sfu")
        stage = Stage(host, prepared)
        soak = Soak(host, stage, random.Random(SEED))
        try:
            await stage.gather()  # a room that has been opened stays open: that is no leak
            await stage.scatter()
            before = await soak.settled()
            await stage.gather()
            for site in stage.sites:
                read_nothing(site)
            await soak.run(seconds)
            await stage.scatter()
            leaked = (await soak.settled(before)).beyond(before)
        finally:
            try:
                await stage.close()
            finally:
                host.stop()
    return {
        "sites": sites,
        "seconds": seconds,
        "returns": soak.returns,
        "switches": soak.switches,
        "failures": soak.failures.total(),
        "failed_with": dict(soak.failures.most_common(5)),
        "unit_rss_mib": round(soak.samples[-1][0] / 2**20, 1),
        "unit_drift_percent": soak.drift_percent(0),
        "server_rss_mib": round(soak.samples[-1][1] / 2**20, 1),
        "server_drift_percent": soak.drift_percent(1),
        "leaked_tasks": leaked.tasks,
        "leaked_sockets": leaked.server_files + leaked.unit_files,
        "leaked_threads": leaked.threads,
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--sites", type=int, default=579)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--json", default="-", metavar="FILE", help="where to write, - for standard output")
    options = parser.parse_args()
    if not SPEAKERS < options.sites <= MAX_SITES or not 1 <= options.seconds <= MAX_SECONDS:
        parser.error(f"{SPEAKERS + 1} to {MAX_SITES} sites, 1 to {MAX_SECONDS:.0f} seconds")
    before = machine()
    allow_many_files()
    figures = uvloop.run(measure(options.sites, options.seconds))
    print_json({**figures, "machine": before}, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
