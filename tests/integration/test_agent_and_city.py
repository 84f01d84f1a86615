"""The device's own agent against the real city: let in by code, ordered about, its key changed; and a real
``diemcau probe`` on this machine."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from benchmarks.mortal import mortal
from kiosk_client.agent import Agent, Ended, Options
from kiosk_client.city import HttpCity
from kiosk_client.disk import ThreadDisk
from kiosk_client.folder import DiskFolder
from kiosk_client.key import FileKeys
from kiosk_client.no_updates import NoUpdates
from kiosk_client.ports import Updater
from kiosk_client.running import words
from kiosk_client.system import LinuxSystem
from kiosk_client.wire import dialler
from kiosk_hub.fleet.commands import FINAL, Command, CommandState, Plan
from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.orders import AnyAct, CheckLine, CollectLogs, RestartAgent, RestartPage
from kiosk_hub.fleet.permissions import EVERYWHERE, Grant, Staff
from kiosk_hub.fleet.values import DeviceState, FleetRole
from signaling.settings import FleetSettings
from signaling.wire.kiosk.fingerprint import fingerprint_of, raw_key
from tests.helpers.fleet_server import UNIT, Fleet, fleet
from tests.helpers.servers import settings
from tests.helpers.toy_city import ToyBody

LIMIT_S = 60.0
ADMINISTRATOR = Staff("an", "An", Grant(FleetRole.ADMINISTRATOR, EVERYWHERE))


class Machine:
    """A machine with an agent that may be started again on the same disk."""

    def __init__(self, folder: Path, host: str) -> None:
        self.body = ToyBody()
        self.updater: Callable[[], Updater] = NoUpdates
        self._folder = folder
        self._server = f"http://{host}"
        self._task: asyncio.Task[Ended] | None = None

    def start(self) -> None:
        folder = DiskFolder(self._folder)
        agent = Agent(
            Options(server=self._server, hardware="thử nghiệm"),
            folder=folder,
            keys=FileKeys(folder),
            disk=ThreadDisk(),
            system=LinuxSystem(),
            body=self.body,
            updater=self.updater(),
            dial=dialler(self._server, None),
            city=HttpCity(self._server),
            logs=lambda hours: b"log\n",
            words=words,
            chance=lambda: 0.1,
        )
        self._task = asyncio.create_task(agent.run())

    async def ended(self) -> Ended:
        assert self._task is not None
        async with asyncio.timeout(LIMIT_S):
            return await self._task

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


def play(folder: Path, scenario: Callable[[Fleet, Machine], Awaitable[None]]) -> None:
    chosen = msgspec.structs.replace(settings(folder), fleet=FleetSettings(beat_every_s=1.0))

    @asynccontextmanager
    async def machine(here: Fleet) -> AsyncIterator[Machine]:
        made = Machine(folder / "state", here.host)
        try:
            yield made
        finally:
            await made.stop()

    async def run() -> None:
        async with fleet(chosen) as here, machine(here) as made:
            await scenario(here, made)

    asyncio.run(run())


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not condition():  # noqa: ASYNC110 - many things
            await asyncio.sleep(0.02)


async def _let_in(here: Fleet, machine: Machine) -> DeviceId:
    """As staff do who stand before the screen."""
    machine.start()
    await until(lambda: any(one.pairing for one in machine.body.shown))
    pairing = next(one.pairing for one in machine.body.shown if one.pairing)
    staff = await here.staff(name=ADMINISTRATOR.account)
    row = await staff.post("/enrolments/find", {"code": pairing.code})
    assert tuple(row["words"]) == pairing.words
    await staff.post(
        f"/enrolments/{row['id']}/bind",
        {
            "code": pairing.code,
            "fingerprint": row["fingerprint"],
            "name": "Ki-ốt sảnh A",
            "kind": "kiosk",
            "place": {"unit": UNIT.code},
        },
    )
    await until(lambda: list(here.hub.directory.all()))
    (device,) = here.hub.directory.all()
    await until(lambda: here.hub.registry.known(device.id) and _facts(here, device.id))
    return device.id


def _facts(here: Fleet, device: DeviceId) -> object:
    known = here.hub.registry.known(device)
    return known.health.facts if known is not None else None


async def _command(here: Fleet, device: DeviceId, do: AnyAct) -> Command:
    asked = await here.hub.commands.ask(ADMINISTRATOR, device, do, Plan(), "thử")
    async with asyncio.timeout(LIMIT_S):
        while True:
            found = await here.hub.commands.find(asked.id)
            assert found is not None
            if found.state in FINAL:
                return found
            await asyncio.sleep(0.02)


def test_a_device_is_let_in_by_its_code_beats_and_obeys(tmp_path: Path) -> None:
    async def scenario(here: Fleet, machine: Machine) -> None:
        device = await _let_in(here, machine)
        assert machine.body.settings[-1].name == "Ki-ốt sảnh A"

        done = await _command(here, device, RestartPage())
        assert done.state is CommandState.SUCCEEDED
        assert machine.body.done == [done.id]

        measured = await _command(here, device, CheckLine())
        assert measured.outcome is not None
        found = {one.name: one.value for one in measured.outcome.findings}
        assert measured.state is CommandState.SUCCEEDED, measured
        assert found["loss_share"] == 0
        assert found["transfer_bytes"] == 2**20
        assert set(found) == {"loss_share", "rtt_ms", "rtt_max_ms", "transfer_bytes", "download_bps"}

        logs = await _command(here, device, CollectLogs())
        assert logs.state is CommandState.SUCCEEDED
        assert logs.outcome is not None
        assert logs.outcome.evidence is not None

        asked = asyncio.create_task(_command(here, device, RestartAgent()))
        assert await machine.ended() == "restart"
        machine.start()
        assert (await asked).state is CommandState.SUCCEEDED

    play(tmp_path, scenario)


def test_a_key_is_changed_while_the_device_goes_on(tmp_path: Path) -> None:
    async def scenario(here: Fleet, machine: Machine) -> None:
        device = await _let_in(here, machine)
        before = here.hub.directory.get(device).fingerprint

        staff = await here.staff()
        await staff.post(f"/devices/{device}/rotate-key")
        await until(lambda: here.hub.directory.get(device).fingerprint != before)
        await until(lambda: here.hub.switchboard.is_connected(device))

        assert here.hub.directory.get(device).state is DeviceState.ACTIVE
        done = await _command(here, device, RestartPage())
        assert done.state is CommandState.SUCCEEDED

    play(tmp_path, scenario)


def test_a_device_that_lost_all_but_its_key_finds_itself(tmp_path: Path) -> None:
    async def scenario(here: Fleet, machine: Machine) -> None:
        device = await _let_in(here, machine)
        await machine.stop()
        for name in ("identity.json", "counter", "agent.db", "agent.db-wal", "agent.db-shm"):
            (tmp_path / "state" / name).unlink(missing_ok=True)

        await until(lambda: not here.hub.switchboard.is_connected(device))
        machine.start()
        await until(lambda: here.hub.switchboard.is_connected(device))

        assert here.hub.directory.get(device).state is DeviceState.ACTIVE
        assert (await _command(here, device, RestartPage())).state is CommandState.SUCCEEDED

    play(tmp_path, scenario)


def test_the_probe_of_a_bridge_point_runs_on_this_machine(tmp_path: Path) -> None:
    async def scenario(here: Fleet, machine: Machine) -> None:
        folder = DiskFolder(tmp_path / "probe")
        raw = raw_key(FileKeys(folder).current().public)
        assert raw is not None
        staff = await here.staff()
        csv = f"fingerprint,name,unit,kind\n{fingerprint_of(raw)},Điểm cầu 1,{UNIT.code},bridge-point\n"
        assert (await staff.post("/expected", {"csv": csv}))["added"] == 1

        probe = await asyncio.create_subprocess_exec(
            *mortal([sys.executable, "-m", "signaling.cli", "probe"]),
            *("--server", f"http://{here.host}", "--state", str(tmp_path / "probe"), "--camera", "none"),
        )
        try:
            await until(lambda: any(_facts(here, one.id) for one in here.hub.directory.all()))
            (device,) = here.hub.directory.all()
            facts = here.hub.registry.known(device.id).health.facts  # type: ignore[union-attr]
            assert facts is not None
            assert facts.disk is not None
            assert facts.disk.writable
            assert facts.load is not None
            assert facts.load.uptime_s > 0
            assert facts.painted is None
            assert facts.camera is None
            began = time.monotonic()
        finally:
            probe.send_signal(signal.SIGTERM)
            async with asyncio.timeout(LIMIT_S):
                code = await probe.wait()
        assert code == 0
        assert time.monotonic() - began < LIMIT_S
        await until(lambda: not here.hub.switchboard.is_connected(device.id))

    play(tmp_path, scenario)
