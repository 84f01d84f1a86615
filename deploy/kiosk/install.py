#!/usr/bin/env python3
"""Makes a kiosk of a Debian machine, or shows what it would do; and takes everything away again.

    sudo python3 install.py install --server https://diemcau.example --wheel diemcau-0.1.0-py3-none-any.whl
    python3 install.py install --server https://diemcau.example --dry-run
    sudo python3 install.py uninstall [--purge]

Only Python's standard library is needed. With ``--root DIR`` the files go into the image in DIR, and what has
to run on the machine itself is listed for its first start. Every step can be done twice.
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
USER = "diemcau-kiosk"
HOME = Path("/var/lib/diemcau-kiosk")
PREFIX = Path("/opt/diemcau-kiosk")
CONFIG = Path("/etc/diemcau-kiosk/agent.toml")
GROUPS = ("video", "audio", "input", "lp", "render")
PACKAGES = (
    *("chromium", "cage", "wlr-randr", "python3-venv", "cups-client", "alsa-utils", "polkitd"),
    *("xserver-xorg-core", "xserver-xorg-input-libinput", "xinit", "x11-xserver-utils", "chrony"),
)
UNITS = ("diemcau-screen.service", "diemcau-kiosk.service")

FILES: tuple[tuple[str, Path, int], ...] = (
    ("diemcau-kiosk.service", Path("/etc/systemd/system/diemcau-kiosk.service"), 0o644),
    ("diemcau-screen.service", Path("/etc/systemd/system/diemcau-screen.service"), 0o644),
    ("diemcau-screen-x11.service", Path("/etc/systemd/system/diemcau-screen-x11.service"), 0o644),
    ("diemcau-screen.pam", Path("/etc/pam.d/diemcau-screen"), 0o644),
    ("watchdog.conf", Path("/etc/systemd/system.conf.d/diemcau-kiosk.conf"), 0o644),
    ("journal.conf", Path("/etc/systemd/journald.conf.d/diemcau-kiosk.conf"), 0o644),
    ("chromium-policies.json", Path("/etc/chromium/policies/managed/diemcau-kiosk.json"), 0o644),
    ("60-diemcau-kiosk.rules", Path("/etc/udev/rules.d/60-diemcau-kiosk.rules"), 0o644),
)
REBOOT_RULE = ("50-diemcau-kiosk.rules", Path("/etc/polkit-1/rules.d/50-diemcau-kiosk.rules"), 0o644)


class Bad(Exception):
    """What is wrong, in one line."""


@dataclass(frozen=True)
class Step:
    """One thing that is done. ``on_machine``: only on the running system, never in an image."""

    text: str
    do: Callable[[], None]
    on_machine: bool = False


class Machine:
    """Where things are put."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, path: Path) -> Path:
        return self.root / path.relative_to("/")

    def put(self, text: str, path: Path, mode: int) -> Step:
        def do() -> None:
            there = self.path(path)
            there.parent.mkdir(parents=True, exist_ok=True)
            fresh = there.with_name(f".{there.name}.new")
            fresh.write_text(text, encoding="utf-8")
            fresh.chmod(mode)
            os.replace(fresh, there)

        return Step(f"write {path} (mode {mode:o}, {len(text.encode())} bytes)", do)

    def take_away(self, path: Path) -> Step:
        def do() -> None:
            there = self.path(path)
            if there.is_dir() and not there.is_symlink():
                shutil.rmtree(there)
            else:
                there.unlink(missing_ok=True)

        return Step(f"remove {path}", do)


def run(*command: str, may_fail: bool = False) -> Step:
    """A program of the machine."""

    def do() -> None:
        done = subprocess.run(command, check=False)  # noqa: S603 - the commands are those written below
        if done.returncode and not may_fail:
            raise Bad(f"{shlex.join(command)} ended with code {done.returncode}")

    return Step(f"run {shlex.join(command)}", do, on_machine=True)


def source(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def settings(server: str, allow_reboot: bool) -> str:
    """The agent's settings file."""
    return (
        source("agent.toml").replace("@SERVER@", server).replace("@ALLOW_REBOOT@", str(allow_reboot).lower())
    )


def install_steps(chosen: argparse.Namespace, machine: Machine) -> list[Step]:
    """Everything, in order."""
    steps: list[Step] = []
    if not chosen.no_packages:
        steps.append(run("apt-get", "install", "--yes", "--no-install-recommends", *PACKAGES))
    if not has_user(machine):
        steps.append(
            run("useradd", "--system", "--home-dir", str(HOME), "--shell", "/usr/sbin/nologin", USER)
        )
    steps.append(run("usermod", "--append", "--groups", ",".join(GROUPS), USER))
    steps.append(run("python3", "-m", "venv", str(PREFIX / "venv")))
    pip = [str(PREFIX / "venv/bin/pip"), "install", "--upgrade"]
    if chosen.constraints:
        pip += ["--constraint", str(chosen.constraints)]
    steps.append(run(*pip, str(chosen.wheel or "WHEEL")))
    steps += [machine.put(source(name), path, mode) for name, path, mode in files(chosen.allow_reboot)]
    if not chosen.allow_reboot and machine.path(REBOOT_RULE[1]).exists():
        steps.append(machine.take_away(REBOOT_RULE[1]))
    if machine.path(CONFIG).exists() and not chosen.overwrite:
        steps.append(Step(f"keep {CONFIG} as it is (--overwrite replaces it)", lambda: None))
    else:
        steps.append(machine.put(settings(chosen.server, chosen.allow_reboot), CONFIG, 0o644))
    steps += [
        run("systemctl", "daemon-reload"),
        run("udevadm", "control", "--reload", may_fail=True),
        run("systemctl", "restart", "systemd-journald.service", may_fail=True),
        run("systemctl", "enable", *UNITS),
        run("systemctl", "restart", *UNITS),
    ]
    return steps


def uninstall_steps(chosen: argparse.Namespace, machine: Machine) -> list[Step]:
    """Everything but what cannot be had again: the device's key and what it has not told yet."""
    steps = [
        run("systemctl", "disable", "--now", *reversed(UNITS), "diemcau-screen-x11.service", may_fail=True)
    ]
    paths = [path for _, path, _ in (*FILES, REBOOT_RULE)]
    steps += [machine.take_away(path) for path in paths if machine.path(path).exists()]
    if machine.path(PREFIX).exists():
        steps.append(machine.take_away(PREFIX))
    steps.append(run("systemctl", "daemon-reload"))
    if chosen.purge:
        steps += [machine.take_away(path) for path in (CONFIG.parent, HOME) if machine.path(path).exists()]
        steps.append(run("userdel", USER, may_fail=True))
    else:
        steps.append(
            Step(f"keep {HOME} and {CONFIG.parent} (--purge removes key, outbox and settings)", lambda: None)
        )
    return steps


def files(allow_reboot: bool) -> tuple[tuple[str, Path, int], ...]:
    return (*FILES, REBOOT_RULE) if allow_reboot else FILES


def has_user(machine: Machine) -> bool:
    """Is the agent's user there already?"""
    try:
        lines = machine.path(Path("/etc/passwd")).read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    return any(line.startswith(f"{USER}:") for line in lines)


def check(chosen: argparse.Namespace) -> None:
    """What can be known to be wrong before anything is done."""
    if chosen.command == "install":
        if not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+", chosen.server):
            raise Bad(f"--server: an address like https://diemcau.example, not {chosen.server!r}")
        if chosen.server.startswith("http://") and not chosen.insecure:
            raise Bad("--server: only https; on a line of your own, say --insecure as well")
        if chosen.wheel is None and chosen.root == Path("/") and not chosen.dry_run:
            # An index that anybody may add names to must not decide what runs as root on a kiosk.
            raise Bad("--wheel: the agent's wheel; it comes from no package index")
        for name in ("wheel", "constraints"):
            file = getattr(chosen, name)
            if file is not None and not file.is_file():
                raise Bad(f"--{name}: there is no file {file}")
    if chosen.root != Path("/") and not chosen.root.is_dir():
        raise Bad(f"--root: there is no folder {chosen.root}")
    if not chosen.dry_run and chosen.root == Path("/") and os.geteuid() != 0:
        raise Bad("only root can do this; --dry-run shows it to anybody")


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(prog="install.py", description=(__doc__ or "").split("\n", 1)[0])
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, about in (("install", "make a kiosk of this machine"), ("uninstall", "take it all away again")):
        command = commands.add_parser(name, help=about)
        command.add_argument("--dry-run", action="store_true", help="print every step, change nothing")
        command.add_argument("--root", type=Path, default=Path("/"), metavar="DIR", help="of an image")
        if name == "uninstall":
            command.add_argument("--purge", action="store_true", help="the key, the outbox, the settings too")
            continue
        command.add_argument("--server", required=True, metavar="URL", help="the city's address")
        command.add_argument(
            "--wheel", type=Path, metavar="FILE", help="the software; it comes from no package index"
        )
        command.add_argument("--constraints", type=Path, metavar="FILE", help="versions of what it needs")
        command.add_argument("--allow-reboot", action="store_true", help="the city may restart the machine")
        command.add_argument("--no-packages", action="store_true", help="the system's packages are there")
        command.add_argument("--overwrite", action="store_true", help="replace the agent's settings")
        command.add_argument("--insecure", action="store_true", help="allow http")
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """0: done, or shown; 1: a step failed; 2: bad input."""
    chosen = parser().parse_args(arguments)
    machine = Machine(chosen.root)
    try:
        check(chosen)
    except Bad as error:
        print(f"install.py: {error}", file=sys.stderr)
        return 2
    make = install_steps if chosen.command == "install" else uninstall_steps
    in_image = chosen.root != Path("/")
    for step in make(chosen, machine):
        if chosen.dry_run:
            print(f"would {step.text}")
        elif step.on_machine and in_image:
            print(f"left for the machine itself: {step.text.removeprefix('run ')}")
        else:
            print(step.text, flush=True)
            try:
                step.do()
            except (Bad, OSError) as error:
                print(f"install.py: {error}", file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
