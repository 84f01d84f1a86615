"""A real agent restarts into software that the real city rolled out, and back when it does not come up."""

import asyncio
import re
import shutil
import site
import subprocess
import sys
import zipfile
from asyncio.subprocess import Process
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.mortal import mortal
from kiosk_client.folder import DiskFolder
from kiosk_client.key import FileKeys
from kiosk_hub.fleet.experience import ExperienceGate
from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.rings import Ring
from kiosk_hub.fleet.rollouts import Gate, Rollout, RolloutPlan
from kiosk_hub.fleet.values import BundleKind
from signaling.wire.kiosk.fingerprint import fingerprint_of, raw_key
from tests.helpers import bundles as files
from tests.helpers.fleet_server import UNIT, Fleet
from tests.helpers.rollout_city import AN, BINH
from tests.integration.test_agent_and_city import Machine, _facts, play

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 150.0
BROKEN = "raise SystemExit('this version does not come up')\n"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def software(folder: Path, version: str, main: str | None = None) -> bytes:
    """A bundle of this very project as another version; ``main``: in place of its ``__main__``.

    It asks for no dependency and finds this environment's by a ``.pth``: no registry is needed.
    """
    copy = folder / f"source-{version}"
    copy.mkdir()
    for package in ("kiosk_client", "kiosk_hub", "room_manager", "signaling"):
        shutil.copytree(
            ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__", "static")
        )
    for name in ("README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = re.sub(r'(?m)^version = ".*"$', f'version = "{version}"', project, count=1)
    project = re.sub(r"(?ms)^dependencies = \[.*?^\]", "dependencies = []", project, count=1)
    (copy / "pyproject.toml").write_text(project, encoding="utf-8")
    if main is not None:
        (copy / "kiosk_client" / "__main__.py").write_text(main)
    asked = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet", "-w", str(folder), str(copy))
    subprocess.run([sys.executable, "-m", "pip", "wheel", *asked], check=True, timeout=120)
    (wheel,) = folder.glob(f"diemcau-{version}-*.whl")
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("reuse.pth", "\n".join(site.getsitepackages()) + "\n")
    return files.zipped({wheel.name: wheel.read_bytes()}, zipfile.ZIP_STORED)


class ServiceManager:
    """Starts the launcher, and again whenever what it became has ended."""

    def __init__(self, folder: Path, server: str) -> None:
        self._folder = folder
        state = str(folder / "kiosk")
        agent = ("agent", "--server", server, "--state", state, "--browser", "none", "--camera", "none")
        self._command = [sys.executable, "-m", "kiosk_client.updates.launch", state, "--", *agent]
        self.starts = 0

    async def serve(self) -> None:
        while True:
            with (self._folder / "agent.log").open("ab") as log:
                running = await asyncio.create_subprocess_exec(
                    *mortal(self._command), cwd=self._folder, stdout=log, stderr=log
                )
            self.starts += 1
            try:
                await running.wait()
            finally:
                await _ended(running)


async def _ended(process: Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(20):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def roll_out(here: Fleet, folder: Path, version: str, bundle: bytes) -> Rollout:
    here.hub.bundles.keep_free_bytes = 0
    file = files.written(folder / "files", bundle)
    added = await here.hub.bundles.add(file, BundleKind.SOFTWARE, version, account="an")
    gate = Gate(advance_share=1.0, soak_s=0.0, experience=ExperienceGate())
    rollout = await here.hub.rollouts.plan(RolloutPlan(added.id, (Ring(),), gate=gate), AN)
    await here.hub.rollouts.submit(rollout.id, AN)
    return await here.hub.rollouts.approve(rollout.id, BINH)


def runs(here: Fleet, version: str) -> bool:
    """Does the beat of the only device say that it runs this?"""
    for device in here.hub.directory.all():
        facts = _facts(here, device.id)
        if facts is not None and facts.versions.agent == f"diemcau/{version}":  # type: ignore[attr-defined]
            return here.hub.switchboard.is_connected(device.id)
    return False


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-3000:]


async def until(condition: Callable[[], object], serving: asyncio.Task[None], log: Path) -> None:
    try:
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                if serving.done():
                    serving.result()
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(_end_of(log)) from None


def test_software_is_confirmed_by_the_city_or_gone_back_from(tmp_path: Path) -> None:
    good = software(tmp_path, "0.98.0")
    broken = software(tmp_path, "0.99.0", BROKEN)

    async def scenario(here: Fleet, machine: Machine) -> None:
        raw = raw_key(FileKeys(DiskFolder(tmp_path / "kiosk")).current().public)
        assert raw is not None
        staff = await here.staff()
        csv = f"fingerprint,name,unit,kind\n{fingerprint_of(raw)},Ki-ốt 1,{UNIT.code},kiosk\n"
        assert (await staff.post("/expected", {"csv": csv}))["added"] == 1
        manager = ServiceManager(tmp_path, f"http://{here.host}")
        serving = asyncio.create_task(manager.serve())
        log = tmp_path / "agent.log"
        try:
            await until(lambda: any(_facts(here, one.id) for one in here.hub.directory.all()), serving, log)
            (device,) = (one.id for one in here.hub.directory.all())

            def step(rollout: Rollout, device: DeviceId = device) -> tuple[str, str]:
                member = here.hub.rollouts.shelf.book(rollout.id).members[device]
                return member.step, member.code

            first = await roll_out(here, tmp_path, "0.98.0", good)
            await until(lambda: step(first)[0] == "installed", serving, log)
            await until(lambda: runs(here, "0.98.0"), serving, log)
            assert manager.starts == 1  # it started itself anew, by the launcher

            second = await roll_out(here, tmp_path, "0.99.0", broken)
            await until(lambda: step(second)[0] == "returned", serving, log)
            assert step(second) == ("returned", "did-not-start")
            await until(lambda: runs(here, "0.98.0"), serving, log)
            assert manager.starts == 1 + 3
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

    play(tmp_path, scenario)
