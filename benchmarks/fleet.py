"""A fleet of kiosks on a day when things go wrong: ``python -m benchmarks.fleet --kiosks 1000 --json -``.

The real server (SQLite on disk) in a process of its own, ``diemcau simulate kiosks`` in another, and from
this one four people at the dashboard, who open a list or a device every second and hear the live feed; all on
the same machine, so every figure pays for all three.

Seconds count from when all kiosks are in. Some lines flap, one building loses its power, three kiosks
elsewhere lose theirs, and every third kiosk is told to restart its page, those without a line included.

- ``beats_per_s``: heard by the server, of its own count.
- ``api_p95_ms``: of every request of the dashboard: list, device, history, log, commands, board.
- ``server_cpu_share``, ``rss_mib``: of one core, and memory, of the server while all that goes on.
- ``true_outage_seen_s``: from the power cut to the feed's word that the kiosk is offline, slowest of three.
- ``notices_per_flap``: notices delivered by webhook about kiosks whose line flaps, per such kiosk.
- ``incidents_for_building_outage``: on the board, about that building, that are not part of another one.
- ``commands_final_share``: of the commands, those that are final when their own time has run out.
- ``commands_duplicated``: commands that had their effect more than once, by the kiosks' own count.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import uvloop

from benchmarks.fleet_city import Crowd, Receiver, prepare
from benchmarks.fleet_desk import Desk
from benchmarks.host import Host
from benchmarks.report import machine, percentile_ms, print_json
from signaling.process import allow_many_files

PEOPLE: Final = 4
COMMAND_SHARE: Final = 3  # every third kiosk
MOST_COMMANDS: Final = 1_000
COMMAND_TTL_S: Final = 90.0
GRACE_S: Final = 15.0
START_LIMIT_S: Final = 900.0
ENROL_AT_MOST: Final = 2_000
"""More are let in beforehand; each still asks, and finds itself by its key."""
FINAL: Final = frozenset({"succeeded", "failed", "expired", "cancelled"})

FLAPPING: Final = (0, 1)
BUILDING: Final = 2
SINGLE: Final = 3
SCRIPT: Final = """
[[fault]]
kind = "flapping-line"
at_s = 0
period_s = 20
where = {{ count = 3 }}

[[fault]]
kind = "flapping-line"
at_s = 0
period_s = {long_s}
by_s = 40
where = {{ count = 3 }}

[[fault]]
kind = "power-cut"
at_s = 10
where = {{ building = 0 }}

[[fault]]
kind = "power-cut"
at_s = 12
where = {{ count = 3 }}
"""


class Day:
    """One run."""

    def __init__(
        self, host: Host, crowd: Crowd, desks: Sequence[Desk], receiver: Receiver, lasts_s: float
    ) -> None:
        self._host = host
        self._crowd = crowd
        self._desks = desks
        self._desk = desks[0]
        self._receiver = receiver
        self._lasts_s = lasts_s
        self._devices: dict[int, dict[str, Any]] = {}

    async def run(self) -> dict[str, Any]:
        began = time.monotonic()
        async with asyncio.timeout(START_LIMIT_S):
            await self._crowd.all_in.wait()
        all_in_s = time.monotonic() - began
        if not self._crowd.find("all-in"):
            raise RuntimeError("the simulator has ended")
        await self._know_devices()
        for desk in self._desks:
            await desk.open_feed()
            desk.took_s.clear()
        measured = await self._watch()
        return {
            "kiosks": len(self._devices),
            "all_in_s": round(all_in_s, 1),
            **measured,
            **self._outages(),
            **await self._commands_told(),
            **await self._incidents(),
            "simulator_rss_mib": self._crowd.rss_mib(),
        }

    async def _know_devices(self) -> None:
        """Which kiosk has which device: the simulator writes its number into the name."""
        for row in await self._desk.rows():
            self._devices[int(row["name"].split()[3]) - 1] = row

    async def _watch(self) -> dict[str, Any]:
        lot = random.Random(1)
        ids = [row["id"] for row in self._devices.values()]
        began, cpu_s, crowd_cpu_s = time.monotonic(), self._host.cpu_s(), self._crowd.cpu_s()
        beats = await self._desk.metric("diemcau_kiosk_beats_total")
        browsing = asyncio.gather(*(desk.browse(lambda: lot.choice(ids)) for desk in self._desks))
        try:
            await asyncio.sleep(15)  # the outages have begun
            await self._command()
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + self._left_s(began)):
                await browsing
        except TimeoutError:
            pass
        finally:
            browsing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await browsing
        took_s = time.monotonic() - began
        heard = await self._desk.metric("diemcau_kiosk_beats_total") - beats
        took: dict[str, list[float]] = {}
        for desk in self._desks:
            for what, seconds in desk.took_s.items():
                took.setdefault(what, []).extend(seconds)
        every = [second for seconds in took.values() for second in seconds]
        return {
            "watched_s": round(took_s, 1),
            "beats_per_s": round(heard / took_s, 2),
            "api_p95_ms": percentile_ms(every, 0.95),
            "api_p50_ms": percentile_ms(every, 0.5),
            "api_requests": len(every),
            "api_p95_ms_of": {what: percentile_ms(s, 0.95) for what, s in took.items()},
            "server_cpu_share": round((self._host.cpu_s() - cpu_s) / took_s, 4),
            "simulator_cpu_share": round((self._crowd.cpu_s() - crowd_cpu_s) / took_s, 4),
            "rss_mib": self._host.rss_mib(),
        }

    def _left_s(self, began: float) -> float:
        return max(1.0, self._lasts_s - (time.monotonic() - began))

    # --- commands ---

    async def _command(self) -> None:
        """Every third kiosk, and each whose line flaps or is gone: in bulk, as staff do it."""
        faults = (*FLAPPING, BUILDING, SINGLE)
        faulty = [number for fault in faults for number in self._crowd.fault(fault)["kiosks"]]
        others = [n for n in self._devices if n % COMMAND_SHARE == 0 and n not in faulty]
        chosen = [self._devices[n]["id"] for n in [*faulty, *others][:MOST_COMMANDS]]
        foreseen = await self._desk.send(
            "POST",
            "/dry-runs",
            {
                "selection": {"devices": chosen},
                "do": {"act": "restart-page"},
                "plan": {"ttl_s": COMMAND_TTL_S},
                "pace": {"per_batch": 500, "every_s": 0},
            },
        )
        body = {"token": foreseen["token"], "why": "đo đạc", "request_key": "benchmark"}
        self._bulk = await self._desk.send("POST", "/bulks", body)
        self._asked_at = time.time()

    async def _commands_told(self) -> dict[str, Any]:
        await asyncio.sleep(max(0.0, self._asked_at + COMMAND_TTL_S + GRACE_S - time.time()))
        told = await self._desk.get("bulk", f"/bulks/{self._bulk['id']}")
        states: dict[str, int] = {state: count for state, count in told["counts"].items() if count}
        final = sum(count for state, count in states.items() if state in FINAL)
        effects = self._crowd.effects
        return {
            "commands": told["many"],
            "commands_states": states,
            "commands_final_share": round(final / told["many"], 4),
            "commands_duplicated": sum(count > 1 for count in effects.values()),
            "commands_with_effect": len(effects),
        }

    # --- outages ---

    def _outages(self) -> dict[str, Any]:
        seen = []
        for fault in (SINGLE, BUILDING):
            told = self._crowd.fault(fault)
            for number in told["kiosks"]:
                at = self._desk.offline_at.get(self._devices[number]["id"])
                seen.append(None if at is None else round(at - told["at"], 1))
        single = seen[: len(self._crowd.fault(SINGLE)["kiosks"])]
        missed = [one for one in seen if one is None]
        return {
            "true_outage_seen_s": None if None in single else max(one for one in single if one is not None),
            "outages_not_seen": len(missed),
        }

    async def _incidents(self) -> dict[str, Any]:
        board = await self._desk.get("incidents", "/incidents")
        dark = [self._devices[number] for number in self._crowd.fault(BUILDING)["kiosks"]]
        ids, unit, building = {row["id"] for row in dark}, dark[0]["unit"], dark[0]["building"]

        def concerns(row: dict[str, Any]) -> bool:
            at_place = row.get("unit") == unit and row.get("building", "") in ("", building)
            return bool(at_place and not row.get("device")) or row.get("device") in ids

        of_building = [row for row in board["incidents"] if concerns(row) and not row.get("parent")]
        flapping = [n for fault in FLAPPING for n in self._crowd.fault(fault)["kiosks"]]
        flapping_ids = {self._devices[n]["id"] for n in flapping}
        notices = [one for one in self._receiver.notices if _device_of(one) in flapping_ids]
        return {
            "incidents_for_building_outage": len(of_building),
            "incidents_on_board": board["total"],
            "notices_per_flap": round(len(notices) / len(flapping), 3),
            "notices": len(self._receiver.notices),
            "notices_of": dict(Counter(one.get("type", "") for one in self._receiver.notices)),
        }


def _device_of(notice: dict[str, Any]) -> str:
    """What a webhook is about, if it is about one device."""
    found = notice.get("data", notice).get("incident") or {}
    return str(found.get("device", ""))


async def measure(
    kiosks: int, beat_every_s: float, lasts_s: float, per_s: float, seed: int
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = await prepare(folder, kiosks if kiosks > ENROL_AT_MOST else 0, seed)
        faults = folder / "faults.toml"
        faults.write_text(SCRIPT.format(long_s=max(100.0, 3.4 * beat_every_s)), encoding="utf-8")
        receiver = Receiver()
        await receiver.open()
        host = await asyncio.to_thread(Host, url, 0, "fake", beat_every_s)
        crowd: Crowd | None = None
        try:
            origin = f"http://127.0.0.1:{host.port}"
            async with contextlib.AsyncExitStack() as stack:
                desks = [await stack.enter_async_context(Desk(origin)) for _ in range(PEOPLE)]
                await _tell_notices_to(desks[0], receiver.url)
                crowd = await Crowd.start(origin, kiosks, faults, per_s, seed)
                return await Day(host, crowd, desks, receiver, lasts_s).run()
        finally:
            if crowd is not None:
                await crowd.stop()
            await asyncio.to_thread(host.stop)
            await receiver.close()


async def _tell_notices_to(desk: Desk, url: str) -> None:
    settings = (await desk.get("setup", "/notices/settings"))["settings"]
    route = {
        "id": "bench",
        "name": "Đo đạc",
        "channel": "webhook",
        "url": url,
        "least": "minor",
        "quiet": False,
    }
    await desk.send("PUT", "/notices/settings", {**settings, "routes": [route]})


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description=__doc__)
    parser.add_argument("--kiosks", type=int, default=1_000)
    parser.add_argument("--beat", type=float, default=30.0, metavar="S", help="seconds between beats")
    parser.add_argument("--seconds", type=float, default=200.0, metavar="S", help="how long it is watched")
    parser.add_argument(
        "--per-second", type=float, default=50.0, metavar="N", help="kiosks that start each second"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", default="-", metavar="FILE", help="where to write, - for standard output")
    options = parser.parse_args()
    before = machine()
    allow_many_files()
    figures = uvloop.run(
        measure(options.kiosks, options.beat, options.seconds, options.per_second, options.seed)
    )
    print_json(
        {**figures, "beat_every_s": options.beat, "seed": options.seed, "machine": before}, options.json
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
