"""``diemcau simulate kiosks`` against the real city: let in without a hand, cut off, cloned, ordered."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from argon2 import PasswordHasher

from benchmarks.mortal import mortal
from kiosk_hub.fleet.commands import FINAL, CommandState, Plan
from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.orders import RestartPage
from kiosk_hub.fleet.permissions import EVERYWHERE, Grant, Staff
from kiosk_hub.fleet.values import DeviceState, FleetRole
from signaling.settings import FleetSettings
from tests.helpers.fleet_server import Fleet, fleet
from tests.helpers.servers import settings

LIMIT_S = 60.0
MANY = 12
PASSWORD = "mật khẩu đủ dài"
FAULTS = """
[[fault]]
kind = "cloned-key"
at_s = 0
where = { count = 1 }

[[fault]]
kind = "power-cut"
at_s = 0
for_s = 8
where = { building = 0 }
"""


class Simulated:
    """The process, and what it has told."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.told: list[dict[str, Any]] = []
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.told.append(json.loads(line))

    def find(self, what: str) -> list[dict[str, Any]]:
        return [said for said in self.told if said["what"] == what]

    async def stop(self) -> int:
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(LIMIT_S):
            code = await self._process.wait()
            await self._reading
        return code


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not condition():  # noqa: ASYNC110 - many things
            await asyncio.sleep(0.05)


async def _crowd(here: Fleet, folder: Path) -> Simulated:
    stores = here.hall.stores
    await stores.accounts.add("an", "An", PasswordHasher(1, 8, 1).hash(PASSWORD), None)
    await here.hub.staff.set("an", Grant(FleetRole.ADMINISTRATOR, EVERYWHERE))
    script = folder / "faults.toml"
    script.write_text(FAULTS, encoding="utf-8")
    return Simulated(
        await asyncio.create_subprocess_exec(
            *mortal([sys.executable, "-m", "kiosk_client", "simulate", "kiosks", "-n", str(MANY)]),
            *(
                "--server",
                f"http://{here.host}",
                "--account",
                "an",
                "--faults",
                str(script),
                "--tell",
                "-",
                "--busy",
                "0",
            ),
            env={**os.environ, "DIEMCAU_SIMULATE_PASSWORD": PASSWORD},
            stdout=asyncio.subprocess.PIPE,
        )
    )


def test_a_crowd_comes_obeys_loses_power_and_is_cloned(tmp_path: Path) -> None:
    chosen = msgspec.structs.replace(settings(tmp_path), fleet=FleetSettings(beat_every_s=1.0))

    async def scenario() -> None:
        async with fleet(chosen) as here:
            crowd = await _crowd(here, tmp_path)
            try:
                await _all_in(here, crowd)
                await _a_clone_is_noticed(here)
                await _power_is_lost_and_returns(here, crowd)
                await _each_order_is_done_once(here, crowd)
            finally:
                code = await crowd.stop()
            assert code == 0

    asyncio.run(scenario())


async def _all_in(here: Fleet, crowd: Simulated) -> None:
    await until(lambda: crowd.find("all-in"))
    assert crowd.find("all-in")[0]["connected"] == MANY
    devices = list(here.hub.directory.all())
    assert len(devices) == MANY
    assert all(device.name.startswith("Ki-ốt mô phỏng") for device in devices)


async def _a_clone_is_noticed(here: Fleet) -> None:
    def cloned() -> list[Device]:
        return [one for one in here.hub.directory.all() if one.state is DeviceState.QUARANTINED]

    await until(cloned)
    assert [one.state_reason for one in cloned()] == ["cloned-key"]


async def _power_is_lost_and_returns(here: Fleet, crowd: Simulated) -> None:
    await until(
        lambda: any(said["kind"] == "power-cut" and not said["begins"] for said in crowd.find("fault"))
    )
    fault = next(said for said in crowd.find("fault") if said["kind"] == "power-cut")
    seats = {seat["kiosk"]: seat for seat in crowd.find("places")[0]["kiosks"]}
    dark = {(seats[number]["unit"], seats[number]["building"]) for number in fault["kiosks"]}
    assert len(dark) == 1

    def those() -> list[Device]:
        return [one for one in here.hub.directory.all() if (one.place.unit, one.place.building) in dark]

    assert len(those()) == len(fault["kiosks"])
    await until(
        lambda: all(
            here.hub.switchboard.is_connected(one.id) for one in those() if one.state is DeviceState.ACTIVE
        )
    )
    active = [one for one in those() if one.state is DeviceState.ACTIVE]
    assert active
    assert all(len(one.past_boots) == 1 for one in active)


async def _each_order_is_done_once(here: Fleet, crowd: Simulated) -> None:
    staff = Staff("an", "An", Grant(FleetRole.ADMINISTRATOR, EVERYWHERE))
    active = [one for one in here.hub.directory.all() if one.state is DeviceState.ACTIVE]
    asked = [await here.hub.commands.ask(staff, one.id, RestartPage(), Plan(), "thử") for one in active]
    async with asyncio.timeout(LIMIT_S):
        for one in asked:
            while True:
                found = await here.hub.commands.find(one.id)
                assert found is not None
                if found.state in FINAL:
                    break
                await asyncio.sleep(0.05)
            assert found.state is CommandState.SUCCEEDED
    done = [said["command"] for said in crowd.find("effect")]
    assert sorted(done) == sorted(one.id for one in asked)
