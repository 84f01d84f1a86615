"""``diemcau demo`` as a newcomer starts it: links printed, simulated sites in, and gone at Ctrl-C."""

import asyncio
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from benchmarks.mortal import mortal
from room_manager.ids import HOST
from signaling.simulate.door import Door
from signaling.wire import client as say
from signaling.wire import server as told
from tests.helpers.browser import CHROMIUM
from tests.helpers.client import Client
from tests.helpers.server import free_port

SITES = 8
END_LIMIT_S = 10.0
LIMIT_S = 40.0
KIOSK_LIMIT_S = 90.0
LINK = re.compile(r"http://localhost:\d+/m/(?P<room>\S+)#(?P<token>\S+)")


ACCOUNT = re.compile(r"account: (\S+)\n.*password: (\S+)\n")


class Demo:
    """The command as a child; its process group is its own, as a terminal would have it."""

    def __init__(self, folder: Path, port: int, *flags: str) -> None:
        self.port = port
        words = ["demo", "--port", str(port), "--db", str(folder / "demo.db"), "--sites", str(SITES), *flags]
        self.process = subprocess.Popen(
            mortal([sys.executable, "-m", "signaling.cli", *words]),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.printed = ""
        watchdog = threading.Timer(LIMIT_S, self.process.kill)
        watchdog.start()
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.printed += line
            if "Ctrl-C" in line:
                break
        watchdog.cancel()
        account = ACCOUNT.search(self.printed)
        self.account = account.groups() if account else None
        self.rooms = [match["room"] for match in LINK.finditer(self.printed)]
        self.tokens = [match["token"] for match in LINK.finditer(self.printed)]

    def __enter__(self) -> "Demo":
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def interrupt(self) -> tuple[int, str]:
        """Ctrl-C; returns its exit code and what it complained of. Nothing of it is left."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(signal.SIGINT)
        _, complaints = self.process.communicate(timeout=END_LIMIT_S)
        _, alive = psutil.wait_procs(children, timeout=END_LIMIT_S)
        assert alive == []
        return self.process.returncode, complaints


def test_a_demo_lives_ends_at_once_and_goes_on_with_the_same_meeting(tmp_path: Path) -> None:
    with Demo(tmp_path, free_port(), "--no-kiosk") as demo:
        assert len(demo.tokens) == 3, demo.printed
        assert demo.account is None
        asyncio.run(_look_around(demo))
        assert demo.interrupt() == (0, "")

    with Demo(tmp_path, free_port(), "--no-kiosk") as again:
        assert again.rooms == demo.rooms
        asyncio.run(_end_the_meeting(again))
        again.interrupt()

    with Demo(tmp_path, free_port(), "--no-kiosk") as another:
        assert another.rooms != demo.rooms
        another.interrupt()


@pytest.mark.slow
def test_the_demos_administrator_sees_a_real_kiosk_with_a_camera_and_a_page_that_paints(
    tmp_path: Path,
) -> None:
    with Demo(tmp_path, free_port(), "--no-simulate") as demo:
        assert demo.account is not None, demo.printed
        origin = f"http://localhost:{demo.port}"
        with httpx.Client(base_url=origin, headers={"origin": origin}, trust_env=False, timeout=20) as client:
            name, password = demo.account
            assert client.post("/api/session", json={"name": name, "password": password}).status_code == 200
            device = _the_device(client)
            told = client.get(f"/api/fleet/devices/{device['id']}").json()

        assert device["name"] == "Ki-ốt thật trên máy này"
        facts = told["facts"]
        assert facts["camera"]["state"] == "ok"
        assert facts["disk"]["writable"]
        if CHROMIUM is not None:
            assert facts["painted"]["page"] == "attract"
        assert demo.interrupt() == (0, "")


def _the_device(client: httpx.Client) -> dict[str, Any]:
    """Once it has told of its camera, and of its page where there is a browser."""
    until = time.monotonic() + KIOSK_LIMIT_S
    while time.monotonic() < until:
        rows = client.get("/api/fleet/devices").json()["devices"]
        for row in rows:
            facts = client.get(f"/api/fleet/devices/{row['id']}").json()["facts"]
            painted = (
                facts is not None and facts["painted"] is not None and facts["painted"]["page"] == "attract"
            )
            if facts is not None and facts["camera"] is not None and (painted or CHROMIUM is None):
                return dict(row)
        threading.Event().wait(0.2)
    raise AssertionError("no kiosk came")


async def _look_around(demo: Demo) -> None:
    """The chair sees the simulated sites come, marked as what they are, and hears the one it calls."""
    chair = Client(Door(f"http://127.0.0.1:{demo.port}", None))
    try:
        await chair.enter(demo.tokens[0])
        await chair.until(told.Counts, lambda counts: counts.present == SITES, LIMIT_S)
        peer = await chair.send_media()
        page = await chair.rest(f"/api/meetings/{demo.rooms[0]}/roster?state=present")
        present = [site for site in page["sites"] if site["code"] != HOST]
        assert len(present) == SITES
        assert all(site["simulated"] for site in present)
        assert "00004" not in [site["code"] for site in present]

        version = chair.latest[told.Floor].version
        await chair.command(say.GiveFloor, site=present[0]["code"], floor_version=version)
        async with asyncio.timeout(LIMIT_S):
            while peer.slots["main"].packets < 20 or peer.slots["audio-1"].packets < 20:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

        await chair.say(say.WatchPresence(rid=chair.number(), on=True))
        await chair.until(told.Presence, _somebody_is_sent_less, LIMIT_S)
    finally:
        await chair.close()


def _somebody_is_sent_less(presence: told.Presence) -> bool:
    """One of the simulated sites on a bad line stands on a lower step, and it is said why."""
    return any(row.step not in (None, "full") and row.reason != "room" for row in presence.sites)


async def _end_the_meeting(demo: Demo) -> None:
    chair = Client(Door(f"http://127.0.0.1:{demo.port}", None))
    try:
        await chair.enter(demo.tokens[0])
        await chair.say(say.EndMeeting(rid=chair.number()))
        await chair.until(told.Leave, lambda leave: leave.code == "ended")
    finally:
        await chair.close()
