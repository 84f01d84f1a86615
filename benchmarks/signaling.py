"""How many join, how fast, and how fast they hear: ``python -m benchmarks.signaling --sites 579 --json -``.

The real server (SQLite on disk, no media) runs in a process of its own; the load comes from this one, on the
same machine, so every figure pays for both.

- ``join_answer``: from the first question (a ticket by REST) to the whole snapshot, joins spread evenly.
- ``idle_cpu_percent``: of one core, while nobody speaks and the server asks each line whether it lives.
- ``fanout``: from the chair's command leaving to each site having heard what it changed, the commit included.
- ``resume_all_s``: every line breaks at once and everybody comes back at once, without a ramp.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import uvloop

from benchmarks.host import Host, Prepared, prepare
from benchmarks.member import Member
from benchmarks.report import machine, percentile_ms, print_json
from signaling.process import allow_many_files

JOINS_PER_S: Final = 75.0
EVENTS: Final = 100
EVENT_EVERY_S: Final = 0.1
PRESENCE_SETTLES_S: Final = 1.0
IDLE_S: Final = 15.0


class Load:
    """Everybody, and what they hear."""

    def __init__(self, host: Host, prepared: Prepared) -> None:
        self._host = host
        self._prepared = prepared
        self._sent_at: dict[int, float] = {}
        self._latencies: list[float] = []
        self._waiting_for = 0
        self._heard = 0
        self._all_heard = asyncio.Event()
        self.chair = Member("127.0.0.1", host.port, prepared.chair, self._ignore)
        self.sites = [Member("127.0.0.1", host.port, token, self._hear) for token in prepared.sites.values()]

    async def run(self) -> dict[str, Any]:
        await self.chair.enter()
        await self.chair.ask("watch-presence", on=True)
        joined = await self._join_all()
        await asyncio.sleep(PRESENCE_SETTLES_S)
        idle = await self._be_silent()
        heard = await self._tell_all()
        rss_mib = self._host.rss_mib()
        back = await self._resume_all()
        return {"sites": len(self.sites), **joined, **idle, **heard, "server_rss_mib": rss_mib, **back}

    async def _join_all(self) -> dict[str, Any]:
        before_s = self._host.cpu_s()
        began = time.monotonic()

        async def one(place: int, member: Member) -> float:
            await asyncio.sleep(max(0.0, began + place / JOINS_PER_S - time.monotonic()))
            return await member.enter()

        answers = await asyncio.gather(*(one(n, member) for n, member in enumerate(self.sites)))
        took_s = time.monotonic() - began
        used_s = self._host.cpu_s() - before_s
        return {
            "join_all_s": round(took_s, 2),
            "join_answer_p50_ms": round(statistics.median(answers) * 1000, 2),
            "join_answer_p99_ms": percentile_ms(answers, 0.99),
            "join_answer_max_ms": percentile_ms(answers, 1.0),
            "bytes_per_join": round(statistics.mean(member.received_bytes for member in self.sites)),
            "cpu_ms_per_join": round(used_s * 1000 / len(self.sites), 3),
        }

    async def _be_silent(self) -> dict[str, Any]:
        """Members answer the server's pings and say nothing themselves: pages spare it the asking."""
        before_s = self._host.cpu_s()
        began = time.monotonic()
        await asyncio.sleep(IDLE_S)
        share = (self._host.cpu_s() - before_s) / (time.monotonic() - began)
        return {"idle_cpu_percent": round(share * 100, 2)}

    async def _tell_all(self) -> dict[str, Any]:
        """Hands go up and down; everybody hears the queue each time."""
        codes = list(self._prepared.sites)
        before_s = self._host.cpu_s()
        for n in range(EVENTS):
            self._heard = 0
            self._all_heard.clear()
            self._sent = time.monotonic()
            await self.chair.ask("lower-hand" if n % 2 else "raise-hand", site=codes[n // 2 % len(codes)])
            async with asyncio.timeout(10):
                await self._all_heard.wait()
            await asyncio.sleep(max(0.0, self._sent + EVENT_EVERY_S - time.monotonic()))
        used_s = self._host.cpu_s() - before_s
        return {
            "fanout_p50_ms": round(statistics.median(self._latencies) * 1000, 2),
            "fanout_p99_ms": percentile_ms(self._latencies, 0.99),
            "fanout_max_ms": percentile_ms(self._latencies, 1.0),
            "fanout_heard": len(self._latencies),
            "fanout_expected": EVENTS * len(self.sites),
            "cpu_ms_per_fanout": round(used_s * 1000 / EVENTS, 2),
        }

    async def _resume_all(self) -> dict[str, Any]:
        for member in self.sites:
            member.hang_up()
        began = time.monotonic()
        answers = await asyncio.gather(*(member.come_back() for member in self.sites))
        return {
            "resume_all_s": round(time.monotonic() - began, 2),
            "resume_answer_p50_ms": round(statistics.median(answers) * 1000, 2),
        }

    def _hear(self, member: Member, kind: str, text: bytes) -> None:
        if kind == "hands":
            self._latencies.append(time.monotonic() - self._sent)
            self._heard += 1
            if self._heard == len(self.sites):
                self._all_heard.set()

    def _ignore(self, member: Member, kind: str, text: bytes) -> None:
        pass


async def measure(sites: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        prepared = await prepare(Path(folder), sites)
        host = Host(prepared.url)
        try:
            return await Load(host, prepared).run()
        finally:
            host.stop()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.signaling", description=__doc__)
    parser.add_argument("--sites", type=int, default=579)
    parser.add_argument("--json", default="-", metavar="FILE", help="where to write, - for standard output")
    options = parser.parse_args()
    before = machine()
    allow_many_files()
    figures = uvloop.run(measure(options.sites))
    print_json({**figures, "machine": before}, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
