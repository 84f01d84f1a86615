"""New software of the agent: made from wheels without a network, confirmed by the city, or gone back from."""

import asyncio
import base64
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from kiosk_client.updates.errors import Unfit
from kiosk_client.updates.files import write
from kiosk_client.updates.launch import MAX_STARTS, chosen, command
from kiosk_client.updates.runtime import LAUNCHED, VenvRuntime, python_of
from kiosk_client.updates.shelf import Shelf, Trial
from kiosk_client.updates.switching import Pace, Switching
from signaling.wire.kiosk.words import BundleId, BundleKind, InstallStep, RolloutId
from tests.helpers import bundles as files
from tests.helpers.updating import SmallMachine

SOFTWARE = BundleKind.SOFTWARE
QUICK = Pace(confirm_within_s=0.05, look_for_s=0.0)


def wheel(version: str, source: str = "") -> bytes:
    """The smallest that is ours by its name (PEP 427)."""
    info = f"diemcau-{version}.dist-info"
    contents = {
        "kiosk_client/__init__.py": source.encode(),
        "kiosk_client/__main__.py": f"print('agent {version}')".encode(),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: diemcau\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    for name, data in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(data)}")
    rows.append(f"{info}/RECORD,,")
    return files.zipped({**contents, f"{info}/RECORD": "\n".join(rows).encode()})


def test_software_that_came_by_a_bundle_makes_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no pip of its own; the installation that the launcher is part of has."""
    for version in ("9.8", "9.9"):
        (tmp_path / version).mkdir()
        (tmp_path / version / f"diemcau-{version}-py3-none-any.whl").write_bytes(wheel(version))
    VenvRuntime().make(tmp_path / "9.8", "9.8")
    monkeypatch.setenv(LAUNCHED, f"{sys.executable}\n{tmp_path}")
    monkeypatch.setattr(sys, "executable", str(python_of(tmp_path / "9.8")))

    VenvRuntime().make(tmp_path / "9.9", "9.9")

    said = subprocess.run(
        [python_of(tmp_path / "9.9"), "-P", "-m", "kiosk_client"],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    assert said.stdout.strip() == "agent 9.9"


def trial_of(version: str, previous: str) -> Trial:
    return Trial(SOFTWARE, version, previous, RolloutId("r"), BundleId(f"software-{version}"), 1)


def shelf_with(folder: Path, *versions: str) -> Shelf:
    """Versions that are there, complete, without anything in them that runs."""
    shelf = Shelf(folder / "updates" / "software")
    shelf.open()
    for version in versions:
        shelf.half(version).mkdir()
        shelf.keep(version, "0" * 64)
    return shelf


def test_wheels_become_an_environment_that_runs(tmp_path: Path) -> None:
    half = tmp_path / "updates" / "software" / "versions" / ".9.9.half"
    half.mkdir(parents=True)
    (half / "diemcau-9.9-py3-none-any.whl").write_bytes(wheel("9.9"))

    VenvRuntime().make(half, "9.9")
    shelf = Shelf(tmp_path / "updates" / "software")
    shelf.keep("9.9", "0" * 64)
    shelf.switch("9.9")

    assert not list(shelf.path.rglob("*.whl"))
    argv, environment = command(tmp_path, ["agent"])
    assert LAUNCHED in environment
    said = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60)
    assert said.stdout.strip() == "agent 9.9"


@pytest.mark.parametrize(
    ("name", "data", "wanted"),
    [
        ("diemcau-9.9-py3-none-any.whl", wheel("9.8"), "9.9"),  # a name that lies
        ("diemcau-9.9-py3-none-any.whl", wheel("9.9", "raise RuntimeError('broken')"), "9.9"),
        ("diemcau-9.9-py3-none-any.whl", wheel("9.9")[:-40], "9.9"),
        ("other-1.0-py3-none-any.whl", wheel("9.9"), "9.9"),
    ],
)
def test_software_that_does_not_come_up_is_refused(
    tmp_path: Path, name: str, data: bytes, wanted: str
) -> None:
    half = tmp_path / ".half"
    half.mkdir()
    (half / name).write_bytes(data)
    with pytest.raises(Unfit) as refused:
        VenvRuntime().make(half, wanted)
    assert refused.value.why == "bad-software"


def test_the_launcher_goes_back_from_what_does_not_start(tmp_path: Path) -> None:
    shelf = shelf_with(tmp_path, "1", "2")
    shelf.switch("1")
    shelf.begin(trial_of("2", "1"))
    shelf.switch("2")

    for start in range(1, MAX_STARTS + 1):
        chosen(tmp_path)
        trial = shelf.trial()
        assert trial is not None
        assert (trial.starts, shelf.current()) == (start, "2")
    chosen(tmp_path)

    trial = shelf.trial()
    assert trial is not None
    assert (trial.gave_up, shelf.current()) == ("did-not-start", "1")


def test_without_updated_software_the_installed_one_starts(tmp_path: Path) -> None:
    assert chosen(tmp_path) == Path(sys.executable)
    shelf = shelf_with(tmp_path, "1")
    shelf.switch("1")  # nothing that runs is in it
    assert chosen(tmp_path) == Path(sys.executable)
    python = python_of(shelf.path)
    python.parent.mkdir()
    write(python, b"#!/bin/sh\n")
    python.chmod(0o755)
    assert chosen(tmp_path) == python


class Ran:
    """What runs is said by the test."""

    is_switchable = True

    def __init__(self, version: str) -> None:
        self.version = version

    def make(self, folder: Path, version: str) -> None: ...

    def close(self) -> None: ...


class Agent:
    """One life of the agent, until it restarts or has settled."""

    def __init__(self, shelf: Shelf, version: str, let_in: bool) -> None:
        self.shelf = shelf
        self.restarts: list[str] = []
        self.told: list[tuple[InstallStep, str]] = []
        self._version = version
        self._let_in = let_in

    async def live(self) -> None:
        async def do(act: object) -> object:
            return act()  # type: ignore[operator]

        async def ended(trial: Trial, step: InstallStep, code: str) -> None:
            self.told.append((step, code))

        switching = Switching(SmallMachine(), Ran(self._version), QUICK, self, do)
        if self._let_in:
            switching.welcomed.set()
        trial = self.shelf.trial()
        assert trial is not None
        self._settling = asyncio.create_task(switching.settle(self.shelf, trial, ended))
        await asyncio.wait([self._settling], timeout=20)
        if not self._settling.cancelled():
            self._settling.result()

    async def configure(self) -> None:
        raise AssertionError("software is no configuration")

    def restart(self, why: str) -> None:
        self.restarts.append(why)
        self._settling.cancel()


def test_new_software_is_good_when_the_city_has_let_it_in(tmp_path: Path) -> None:
    shelf = shelf_with(tmp_path, "1", "2")
    shelf.switch("1")
    shelf.begin(trial_of("2", "1"))

    before = Agent(shelf, "1", let_in=True)
    asyncio.run(before.live())
    assert (before.restarts, before.told, shelf.current()) == (["software 2"], [], "2")

    after = Agent(shelf, "2", let_in=True)
    asyncio.run(after.live())
    assert (after.restarts, after.told) == ([], [("installed", "")])
    assert (shelf.trial(), shelf.last_good()) == (None, "1")


def test_new_software_that_is_not_let_in_goes_back_and_says_so(tmp_path: Path) -> None:
    shelf = shelf_with(tmp_path, "1", "2")
    shelf.switch("1")
    shelf.begin(trial_of("2", "1"))
    asyncio.run(Agent(shelf, "1", let_in=True).live())

    lost = Agent(shelf, "2", let_in=False)
    asyncio.run(lost.live())
    assert (lost.restarts, lost.told, shelf.current()) == (["back to 1"], [], "1")

    old = Agent(shelf, "1", let_in=True)
    asyncio.run(old.live())
    assert old.told == [("returned", "not-let-in")]
    assert shelf.trial() is None
