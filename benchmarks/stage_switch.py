"""How long until a new speaker is seen everywhere.

``python -m benchmarks.stage_switch --sites 579 --json -``

The whole way: the real server with its rules and its journal, the unit, and as many sites, each with a line
and a peer connection that offers what a page offers. Speakers have processes of their own, send a keyframe
when asked, and only what the server wants of them. The chair gives them the floor in turn; measured is, for
every other site, from the chair's command leaving to the first packet of the new speaker's keyframe in the
kernel's hands. ``renegotiations`` are offers after each site's first one; there should be none.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import uvloop

from benchmarks.arrivals import Arrivals
from benchmarks.host import Host, Prepared, prepare
from benchmarks.member import Member
from benchmarks.report import machine, percentile_ms, print_json
from benchmarks.site import Site, SpeakingSite, enter_all
from benchmarks.speaker import KEY_BYTES, MARKS
from signaling.process import allow_many_files

SPEAKERS: Final = 3
JOINS_PER_S: Final = 60.0
UNDER_WAY: Final = 20
SWITCH_EVERY_S: Final = 0.7
LOOK_S: Final = 0.02
SEEN_LIMIT_S: Final = 5.0
TURN: Final = 16
MAX_SITES: Final = 1_200
MAX_SWITCHES: Final = 200
PATIENCE_S: Final = 120.0


class Watchers:
    """All sites that only watch, and what they wait for."""

    def __init__(self, sites: list[Site]) -> None:
        self._arrivals = Arrivals()
        self._watched = []
        for place, site in enumerate(sites):
            assert site.receiver is not None
            self._arrivals.stamp(site.receiver.socket)
            main = next(
                ssrc for ssrc, slot in site.receiver.by_ssrc.items() if slot is site.receiver.slots["main"]
            )
            self._watched.append((place, site.receiver.socket, main))
        self._mark = -1
        self._since_ns = 0
        self.seen_ns: dict[int, int] = {}
        self.packets = 0

    def expect(self, mark: int, since_ns: int) -> None:
        """Look for a keyframe of the speaker with this mark from now on."""
        self._mark, self._since_ns = mark, since_ns
        self.seen_ns = {}

    @property
    def all_seen(self) -> bool:
        return len(self.seen_ns) == len(self._watched)

    async def look(self) -> None:
        """Read everybody once."""
        for turn, (place, sock, main) in enumerate(self._watched):
            for ssrc, size, at_ns in self._arrivals.of(sock):
                self.packets += 1
                if (
                    ssrc == main
                    and size > KEY_BYTES
                    and size % MARKS == self._mark
                    and at_ns > self._since_ns
                ):
                    self.seen_ns.setdefault(place, at_ns)
            if turn % TURN == 0:
                await asyncio.sleep(0)


class Stage:
    """The meeting and its chair."""

    def __init__(self, host: Host, prepared: Prepared) -> None:
        self._codes = list(prepared.sites)
        links = list(prepared.sites.values())
        self._chair = Member("127.0.0.1", host.port, prepared.chair, self._hear)
        self.speakers = [SpeakingSite(host.port, link, mark) for mark, link in enumerate(links[:SPEAKERS])]
        self.sites = [Site(host.port, link) for link in links[SPEAKERS:]]
        self._floor_version = self._stage_version = 0

    async def gather(self) -> None:
        await self._chair.enter()
        for kind, text in self._chair.told.items():
            self._hear(self._chair, kind, text)
        await enter_all([*self.speakers, *self.sites], JOINS_PER_S, UNDER_WAY)

    async def give_floor(self, speaker: int) -> None:
        site = self._codes[speaker]
        await self._do("give-floor", site=site, floor_version=self._floor_version, speaking_time_s=None)

    async def show(self, speakers: list[int]) -> None:
        """These on tiles."""
        tiles = [self._codes[speaker] for speaker in speakers]
        await self._do("set-stage", main=None, tiles=tiles, stage_version=self._stage_version)

    async def _do(self, what: str, **words: object) -> None:
        answer = json.loads(await self._chair.ask(what, **words))
        if answer["type"] != "done":
            raise RuntimeError(f"{what} was refused: {answer}")

    async def switch(self, watchers: Watchers, speaker: int) -> tuple[list[float], int]:
        """Seconds until it was seen, by site, and how many sites have not seen it."""
        began_ns = time.time_ns()
        # sizes on the wire differ from payloads by multiples of four: header, extensions, tag of AES-GCM
        watchers.expect((KEY_BYTES + speaker) % MARKS, began_ns)
        until = time.monotonic() + SWITCH_EVERY_S
        limit = time.monotonic() + SEEN_LIMIT_S
        asking = asyncio.create_task(self.give_floor(speaker))
        while time.monotonic() < until or not (watchers.all_seen or time.monotonic() > limit):
            await asyncio.sleep(LOOK_S)
            await watchers.look()
        await asking
        took = [(at_ns - began_ns) / 1e9 for at_ns in watchers.seen_ns.values()]
        return took, len(self.sites) - len(took)

    def renegotiations(self) -> int:
        everybody: list[Site] = [*self.speakers, *self.sites]
        return sum(site.offers - 1 + site.sent_away for site in everybody)

    async def scatter(self) -> None:
        """Everybody goes; :meth:`gather` brings them back."""
        await self.close()

    async def close(self) -> None:
        self._chair.hang_up()
        for site in self.sites:
            site.leave()
        for speaker in self.speakers:
            await speaker.close()

    def _hear(self, member: Member, kind: str, text: bytes) -> None:
        if kind == "floor":
            self._floor_version = json.loads(text)["version"]
        elif kind == "stage":
            self._stage_version = json.loads(text)["version"]


async def measure(sites: int, switches: int) -> dict[str, Any]:
    """Figures over all switches and sites; the first one is a rehearsal."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = await prepare(Path(folder), sites)
        host = Host(prepared.url, engine="sfu")
        stage = Stage(host, prepared)
        try:
            async with asyncio.timeout(PATIENCE_S + switches * SEEN_LIMIT_S):
                await stage.gather()
                watchers = Watchers(stage.sites)
                await stage.switch(watchers, 0)
                took: list[float] = []
                missed, packets, at = 0, watchers.packets, time.monotonic()
                for number in range(1, switches + 1):
                    seen, blind = await stage.switch(watchers, number % SPEAKERS)
                    took += seen
                    missed += blind
                pps = (watchers.packets - packets) / (time.monotonic() - at)
        finally:
            try:
                await stage.close()
            finally:
                host.stop()
    return {
        "sites": sites,
        "switches": switches,
        "p50_ms": percentile_ms(took, 0.5),
        "p99_ms": percentile_ms(took, 0.99),
        "max_ms": percentile_ms(took, 1.0),
        "not_seen": missed,
        "renegotiations": stage.renegotiations(),
        "pps_meanwhile": round(pps),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stage_switch", description=__doc__)
    parser.add_argument("--sites", type=int, default=579)
    parser.add_argument("--switches", type=int, default=20)
    parser.add_argument("--json", default="-", metavar="FILE", help="where to write, - for standard output")
    options = parser.parse_args()
    if not SPEAKERS < options.sites <= MAX_SITES or not 1 <= options.switches <= MAX_SWITCHES:
        parser.error(f"{SPEAKERS + 1} to {MAX_SITES} sites, up to {MAX_SWITCHES} switches")
    before = machine()
    allow_many_files()
    figures = uvloop.run(measure(options.sites, options.switches))
    print_json({**figures, "machine": before}, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
