"""The server is killed in mid-meeting: ``python -m benchmarks.recover --sites 579 --json -``.

Everybody is in, the chair and the sites act without a pause, and the server's process gets SIGKILL. It is
started again at once, as a supervisor would, on the same database and port. Clients come back as the page
does: the first try after up to a second, then with full jitter and doubling.

- ``back_95_s``: from the kill until 95 % of the sites have their welcome and state again.
- ``acknowledged_events_lost``: acts answered by ``done`` before the kill that the journal does not have.
"""

import argparse
import asyncio
import itertools
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

import uvloop

from benchmarks.host import Host, Prepared, prepare
from benchmarks.member import Member, NotIn
from benchmarks.report import machine, print_json
from room_manager.meeting.events import HandRaised, PeopleCounted
from room_manager.store.database import open_database
from room_manager.store.sql_journal import SqlJournal
from signaling.process import allow_many_files

JOINS_AT_ONCE: Final = 40
ACTS_FOR_S: Final = 3.0
ACTORS: Final = 8
LONGEST_WAIT_S: Final = 15.0
GIVE_UP_S: Final = 60.0

Act = tuple[str, str, int]
"""Type of the event, site, people."""


class Recovery:
    """One meeting, one kill."""

    def __init__(self, prepared: Prepared, seed: int) -> None:
        self._prepared = prepared
        self._chance = random.Random(seed)
        self._host = Host(prepared.url)
        port = self._host.port
        self._chair = Member("127.0.0.1", port, prepared.chair, _nothing)
        self._sites = {
            code: Member("127.0.0.1", port, token, _nothing) for code, token in prepared.sites.items()
        }
        self._acknowledged: list[Act] = []

    async def run(self) -> dict[str, Any]:
        try:
            await self._join_all()
            acting = [asyncio.create_task(self._act(n)) for n in range(ACTORS)]
            await asyncio.sleep(ACTS_FOR_S)
            killed_at = time.monotonic()
            self._host.kill()
            for task in acting:
                task.cancel()
            await asyncio.gather(*acting, return_exceptions=True)
            acknowledged = list(self._acknowledged)
            started, back = await self._come_back(killed_at)
            lost = await self._lost(acknowledged)
        finally:
            self._host.stop()
        back.sort()
        return {
            "sites": len(self._sites),
            "acknowledged": len(acknowledged),
            "acknowledged_events_lost": lost,
            "server_started_s": round(started, 2),
            "back": len(back),
            "back_50_s": round(back[len(back) // 2], 2),
            "back_95_s": round(back[int(len(self._sites) * 0.95)], 2),
            "back_all_s": round(back[-1], 2),
        }

    async def _join_all(self) -> None:
        few = asyncio.Semaphore(JOINS_AT_ONCE)

        async def one(member: Member) -> None:
            async with few:
                await member.enter()

        await asyncio.gather(*(one(member) for member in [self._chair, *self._sites.values()]))

    async def _act(self, place: int) -> None:
        """The chair raises hands for the sites; some sites count their people again and again."""
        codes = list(self._sites)
        if place == 0:
            for code in codes:
                answer = await self._chair.ask("raise-hand", site=code)
                self._note(answer, ("hand-raised", code, 0))
            return
        code = codes[place]
        for people in itertools.count(1):
            answer = await self._sites[code].ask("count-people", people=people)
            self._note(answer, ("people-counted", code, people))

    def _note(self, answer: bytes, act: Act) -> None:
        if json.loads(answer)["type"] == "done":
            self._acknowledged.append(act)

    async def _come_back(self, killed_at: float) -> tuple[float, list[float]]:
        port = self._host.port
        members = [self._chair, *self._sites.values()]
        coming = [asyncio.create_task(self._return(member, killed_at)) for member in members]
        self._host = await asyncio.to_thread(Host, self._prepared.url, port)
        started = time.monotonic() - killed_at
        async with asyncio.timeout(GIVE_UP_S):
            back = await asyncio.gather(*coming)
        return started, list(back[1:])

    async def _return(self, member: Member, killed_at: float) -> float:
        await asyncio.sleep(self._chance.uniform(0, 1))
        for tries in itertools.count():
            try:
                await member.come_back()
                return time.monotonic() - killed_at
            except (OSError, NotIn):
                await asyncio.sleep(self._chance.uniform(0, min(LONGEST_WAIT_S, 0.5 * 2**tries)))
        raise AssertionError("unreachable")

    async def _lost(self, acknowledged: list[Act]) -> int:
        """Look into the journal itself, not at what the server says of it."""
        database = await open_database(self._prepared.url)
        journal = SqlJournal(database)
        kept: Counter[Act] = Counter()
        after = 0
        try:
            while page := await journal.load(self._prepared.meeting, after):
                after = page[-1].seq
                for record in page:
                    match record.event:
                        case HandRaised(site=site):
                            kept["hand-raised", site, 0] += 1
                        case PeopleCounted(site=site, people=people):
                            kept["people-counted", site, people] += 1
        finally:
            await journal.close()
            await database.close()
        return sum((Counter(acknowledged) - kept).values())


def _nothing(member: Member, kind: str, text: bytes) -> None:
    pass


async def measure(sites: int, seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        prepared = await prepare(Path(folder), sites)
        return await Recovery(prepared, seed).run()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recover", description=__doc__)
    parser.add_argument("--sites", type=int, default=579)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--json", default="-", metavar="FILE", help="where to write, - for standard output")
    options = parser.parse_args()
    before = machine()
    allow_many_files()
    figures = uvloop.run(measure(options.sites, options.seed))
    print_json({**figures, "seed": options.seed, "machine": before}, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
