"""What a living meeting costs: ``python -m benchmarks.demo --sites 40 --json -``.

``diemcau demo`` as a newcomer starts it, and a chair without a camera who puts one site on the main picture
and four on tiles, so that everybody is sent five pictures; processor per process as a share of one core, over
half a minute in which sites raise hands, go and come back.
"""

import argparse
import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.member import Member
from benchmarks.mortal import mortal
from benchmarks.report import machine, print_json
from room_manager.ids import HOST
from signaling.simulate.crowd import COMING_PER_S, SETTLED_S

LOOK_S: Final = 30.0
END_LIMIT_S: Final = 20.0
LINK: Final = re.compile(rb"/m/\S+#(\S+)")
TILES: Final = 4
NAMES: Final = {"room_manager.media.sfu.process": "media", "signaling.simulate": "simulated"}


class Chair:
    """Puts the first sites that it hears of on stage."""

    def __init__(self, port: int, link: str) -> None:
        self._member = Member("127.0.0.1", port, link, self._hear)
        self._present: dict[str, None] = {}
        self._enough = asyncio.Event()

    async def set_stage(self) -> None:
        await self._member.enter()
        await self._member.ask("watch-presence", on=True)
        async with asyncio.timeout(END_LIMIT_S):
            await self._enough.wait()
        main, *tiles = list(self._present)[: 1 + TILES]
        answer = await self._member.ask("set-stage", main=main, tiles=tiles, stage_version=0)
        if json.loads(answer)["type"] != "done":
            raise RuntimeError(f"no stage: {answer!r}")

    def _hear(self, member: Member, kind: str, text: bytes) -> None:
        if kind == "presence":
            self._present.update(
                (site["code"], None)
                for site in json.loads(text)["sites"]
                if site["state"] == "present" and site["code"] != HOST
            )
            if len(self._present) > TILES:
                self._enough.set()


async def look(pid: int, port: int, link: str) -> tuple[dict[str, float], dict[str, int]]:
    """Seconds used and memory in bytes, by process."""
    await Chair(port, link).set_stage()
    watched = _named(pid)
    before = {name: _cpu_s(process) for name, process in watched.items()}
    await asyncio.sleep(LOOK_S)
    used = {name: _cpu_s(process) - before[name] for name, process in watched.items()}
    return used, {name: process.memory_info().rss for name, process in watched.items()}


def measure(sites: int) -> dict[str, Any]:
    """Shares of a core, by process."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        words = ["demo", "--sites", str(sites), "--port", str(port), "--db", str(Path(folder) / "demo.db")]
        words.append("--no-kiosk")  # a meeting is measured, not a fleet
        demo = subprocess.Popen(
            mortal([sys.executable, "-m", "signaling.cli", *words]), stdout=subprocess.PIPE
        )
        try:
            assert demo.stdout is not None
            printed = b""
            while b"Ctrl-C" not in (line := demo.stdout.readline()):
                printed += line
                if not line:
                    raise RuntimeError("the demo did not start")
            link = LINK.findall(printed)[0].decode()
            time.sleep(sites / COMING_PER_S + SETTLED_S)
            used, rss = asyncio.run(look(demo.pid, port, link))
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(END_LIMIT_S)
    shares = {f"{name}_core_percent": round(100 * seconds / LOOK_S, 1) for name, seconds in used.items()}
    return {"sites": sites, **shares, **{f"{name}_rss_mib": round(b / 2**20, 1) for name, b in rss.items()}}


def _named(pid: int) -> dict[str, psutil.Process]:
    server = psutil.Process(pid)
    found = {"server": server}
    for child in server.children():
        for word in child.cmdline():
            if word in NAMES:
                found[NAMES[word]] = child
    return found


def _cpu_s(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demo", description=__doc__)
    parser.add_argument("--sites", type=int, default=40)
    parser.add_argument("--json", default="-", metavar="FILE", help="where to write, - for standard output")
    options = parser.parse_args()
    before = machine()
    print_json({**measure(options.sites), "machine": before}, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
