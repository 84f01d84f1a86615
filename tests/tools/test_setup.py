"""What a newcomer meets first: the set-up says one line, and does nothing twice."""

import os
import subprocess
import sys
from pathlib import Path

import debian
import pytest
import steps

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs go to a folder of the test's own."""
    monkeypatch.setattr(steps, "ROOT", tmp_path)
    monkeypatch.setattr(steps, "STATE", tmp_path / ".setup")


def test_a_step_is_done_once_for_the_same_inputs(tmp_path: Path) -> None:
    source, stamp = tmp_path / "source", tmp_path / "deep" / "stamp"
    source.write_text("one")
    steps.mark_done(stamp, steps.digest([source]))

    assert steps.is_done(stamp, steps.digest([source]))

    source.write_text("two")
    assert not steps.is_done(stamp, steps.digest([source]))


def test_a_failed_command_is_one_line_with_its_cause(tmp_path: Path) -> None:
    script = (
        "print('fetching'); print('ERROR: no matching distribution for x'); print('bye'); raise SystemExit(1)"
    )

    with pytest.raises(steps.Missing) as missing:
        steps.run("python packages", [sys.executable, "-c", script], cwd=tmp_path, help_="is there a line?")

    assert str(missing.value) == (
        "python packages failed: ERROR: no matching distribution for x"
        " (all of it in .setup/python-packages.log); is there a line?"
    )


def test_a_command_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(steps.Missing, match="cannot start nowhere: No such file or directory"):
        steps.run("page build", ["nowhere"], cwd=tmp_path)


def test_a_machine_without_what_is_needed_gets_one_line_and_exit_code_1(tmp_path: Path) -> None:
    for name in (
        "setup.py",
        "steps.py",
        "python_env.py",
        "web_build.py",
        "browsers.py",
        "debian.py",
        "interop_clients.py",
    ):
        (tmp_path / "tools").mkdir(exist_ok=True)
        (tmp_path / "tools" / name).write_text((ROOT / "tools" / name).read_text())
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "constraints.txt").touch()
    (tmp_path / ".venv").write_text("a file where a folder should be")

    done = subprocess.run(
        [sys.executable, str(tmp_path / "tools" / "setup.py"), "run"],
        env={**os.environ, "PATH": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr == (
        "setup: this Python cannot make a virtual environment; run: sudo apt install python3-venv\n"
    )


class Machine:
    """A Debian machine, as far as the set-up asks it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, offered: set[str], installed: set[str]) -> None:
        self.offered, self.installed = offered, installed
        self.asked: list[tuple[str, ...]] = []
        self.stopped: list[str] = []
        monkeypatch.setattr(debian, "STATE", steps.STATE)
        monkeypatch.setattr(debian, "apt_install", self._install)
        monkeypatch.setattr(debian, "_installed", self.installed.__contains__)
        monkeypatch.setattr(debian, "_known", self.offered.__contains__)
        monkeypatch.setattr(debian, "_stop", self.stopped.append)

    def _install(self, *packages: str) -> bool:
        self.asked.append(packages)
        if not set(packages) <= self.offered:
            return False
        self.installed.update(packages)
        return True


def test_packages_are_asked_for_once_and_together(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, set(debian.PACKAGES), {"iproute2"})

    debian.ensure()
    debian.ensure()

    assert machine.asked == [tuple(p for p in debian.PACKAGES if p != "iproute2")]
    assert machine.stopped == ["coturn"]


def test_what_the_archive_has_not_is_missed_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, {"nftables"}, {"coturn"})

    debian.ensure()

    assert machine.installed == {"nftables", "coturn"}
    assert machine.stopped == []


def test_a_machine_without_apt_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, set(), set())

    debian.ensure()
    debian.ensure()

    assert machine.asked == [debian.PACKAGES]


def test_no_committed_file_names_a_registry() -> None:
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if files.returncode:
        pytest.skip("not a git clone")
    hosts = ["registry." + "npmjs", "pypi." + "org", "python" + "hosted.org", "cdn." + "playwright"]

    naming = [
        name
        for name in files.stdout.split("\0")
        if name and (ROOT / name).is_file() and any(h.encode() in (ROOT / name).read_bytes() for h in hosts)
    ]

    assert naming == []
