"""What is shipped for a kiosk: the installer shows before it acts, units and policies are what they claim."""

import importlib.util
import json
import mmap
import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

from kiosk_client.body.browser_life import BrowserSettings
from kiosk_client.body.real import BodySettings
from kiosk_client.ports import Standing
from signaling.wire.kiosk.words import RestartPage
from tests.helpers.bodies import living
from tests.helpers.browser import CHROMIUM

SHIPPED: Final = Path(__file__).resolve().parents[2] / "deploy" / "kiosk"
SERVER: Final = "https://diemcau.example"
BINARY: Final = Path("/usr/lib/chromium/chromium")
POLICIES: Final = Path("/etc/chromium")


@pytest.fixture(scope="module")
def installer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("kiosk_install", SHIPPED / "install.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["kiosk_install"] = module
    spec.loader.exec_module(module)
    return module


def said(installer: ModuleType, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[str]]:
    code = installer.main(words)
    seen = capsys.readouterr()
    return code, (seen.out + seen.err).splitlines()


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_dry_run_tells_every_step_and_changes_nothing(
    installer: ModuleType, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    before = tree(tmp_path)

    code, lines = said(
        installer,
        capsys,
        "install",
        "--server",
        SERVER,
        "--allow-reboot",
        "--dry-run",
        "--root",
        str(tmp_path),
    )

    assert code == 0
    assert tree(tmp_path) == before
    assert all(line.startswith("would ") for line in lines)
    for _, path, _ in installer.files(True):
        assert any(f" {path} " in line for line in lines), path
    assert any("useradd --system" in line for line in lines)
    assert any("systemctl enable diemcau-screen.service diemcau-kiosk.service" in line for line in lines)


def test_an_image_gets_the_files_and_the_rest_is_left_for_the_machine(
    installer: ModuleType, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, lines = said(installer, capsys, "install", "--server", SERVER, "--root", str(tmp_path))

    assert code == 0
    for name, path, mode in installer.FILES:
        there = installer.Machine(tmp_path).path(path)
        assert there.read_text() == (SHIPPED / name).read_text()
        assert stat.S_IMODE(there.stat().st_mode) == mode
    assert not installer.Machine(tmp_path).path(installer.REBOOT_RULE[1]).exists()
    settings = tomllib.loads(installer.Machine(tmp_path).path(installer.CONFIG).read_text())
    assert settings == {"server": SERVER, "state": "/var/lib/diemcau-kiosk", "allow_reboot": False}
    assert [line for line in lines if line.startswith("left for the machine itself: apt-get")]


def test_it_can_be_done_twice_keeps_settings_and_is_taken_away_without_the_key(
    installer: ModuleType, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    root = ("--root", str(tmp_path))
    said(installer, capsys, "install", "--server", SERVER, *root)
    config = installer.Machine(tmp_path).path(installer.CONFIG)
    config.write_text('server = "https://other.example"\n')
    key = installer.Machine(tmp_path).path(installer.HOME) / "key"
    key.parent.mkdir(parents=True)
    key.write_bytes(b"secret")

    code, _ = said(installer, capsys, "install", "--server", SERVER, *root)
    assert code == 0
    assert config.read_text() == 'server = "https://other.example"\n'

    code, _ = said(installer, capsys, "uninstall", *root)
    assert code == 0
    assert set(tree(tmp_path)) == {"etc/diemcau-kiosk/agent.toml", "var/lib/diemcau-kiosk/key"}

    said(installer, capsys, "uninstall", "--purge", *root)
    assert tree(tmp_path) == {}


def test_what_runs_as_root_comes_from_no_package_index(installer: ModuleType) -> None:
    chosen = installer.parser().parse_args(["install", "--server", SERVER])

    with pytest.raises(installer.Bad, match="--wheel"):
        installer.check(chosen)


@pytest.mark.parametrize(
    "words",
    [
        ("install", "--server", "diemcau.example"),
        ("install", "--server", "http://diemcau.example"),
        ("install", "--server", 'https://x.example/"\nallow_reboot = true'),
        ("install", "--server", SERVER, "--wheel", "/nowhere/diemcau.whl"),
        ("install", "--server", SERVER, "--root", "/nowhere"),
        ("uninstall", "--root", "/nowhere"),
    ],
)
def test_bad_input_is_refused_in_one_line_before_anything_is_done(
    installer: ModuleType, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    code, lines = said(installer, capsys, *words, "--dry-run")

    assert code == 2
    assert len(lines) == 1


def test_the_settings_are_what_the_agent_reads(installer: ModuleType) -> None:
    written = tomllib.loads(installer.settings(SERVER, allow_reboot=True))

    assert written["allow_reboot"] is True
    assert written["server"] == SERVER


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    for unit in SHIPPED.glob("*.service"):
        # the programs of another machine are not here: each is replaced by one that is
        text = re.sub(r"(?m)^ExecStart=/\S+", "ExecStart=/bin/true", unit.read_text())
        (tmp_path / unit.name).write_text(text)

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.glob("*.service")))],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    ours = [line for line in done.stderr.splitlines() if "diemcau" in line]
    assert (done.returncode, ours) == (0, [])


def test_the_agents_unit_has_a_watchdog_a_budget_and_no_more_rights_than_it_needs() -> None:
    unit = (SHIPPED / "diemcau-kiosk.service").read_text()

    for line in (
        "Type=notify",
        "WatchdogSec=90",
        "Restart=always",
        "StartLimitBurst=40",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "CapabilityBoundingSet=",
        "StateDirectoryMode=0700",
    ):
        assert f"\n{line}\n" in unit
    assert "\nRestrictNamespaces" not in unit  # the browser's own sandbox needs them


def test_the_unit_starts_what_is_installed_with_what_is_written(installer: ModuleType) -> None:
    unit = (SHIPPED / "diemcau-kiosk.service").read_text()
    (line,) = re.findall(r"(?m)^ExecStart=(.*)$", unit)
    python, safe_path, m, module, state, dashes, *rest = line.split()

    assert (python, m, dashes) == (str(installer.PREFIX / "venv/bin/python"), "-m", "--")
    assert safe_path == "-P"  # what lies in the agent's own folder is no module of the launcher's
    assert importlib.util.find_spec(module) is not None
    assert state == str(installer.HOME)
    assert rest == ["agent", "--config", str(installer.CONFIG)]


def policies() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SHIPPED / "chromium-policies.json").read_text())
    return found


@pytest.mark.skipif(not BINARY.is_file(), reason="no Chromium of Debian")
def test_every_policy_is_one_that_this_chromium_knows() -> None:
    with BINARY.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as program:
        unknown = [name for name in policies() if program.find(b"\0" + name.encode() + b"\0") < 0]

    assert unknown == []


def test_the_browser_may_open_this_machines_page_and_nothing_else() -> None:
    told = policies()

    assert told["URLBlocklist"] == ["*", "chrome://*"]
    assert told["URLAllowlist"] == ["http://127.0.0.1", "about:blank"]
    assert told["DownloadRestrictions"] == 3
    assert told["DeveloperToolsAvailability"] == 2
    assert told["VideoCaptureAllowed"] is False  # the agent owns the camera


@pytest.mark.browser
@pytest.mark.skipif(
    CHROMIUM is None or os.geteuid() != 0 or not POLICIES.is_dir() or shutil.which("unshare") is None,
    reason="needs root, unshare and Debian's Chromium",
)
def test_under_the_policies_the_page_is_shown_and_everything_else_is_refused(tmp_path: Path) -> None:
    managed = tmp_path / "etc" / "policies" / "managed"
    managed.mkdir(parents=True)
    shutil.copy(SHIPPED / "chromium-policies.json", managed)
    program = tmp_path / "chromium"
    program.write_text(
        "#!/bin/sh\nexec unshare --mount sh -c "
        f"""'mount --bind {tmp_path}/etc {POLICIES} && exec {CHROMIUM} "$@"' sh "$@"\n"""
    )
    program.chmod(0o755)
    settings = BodySettings(
        browser=BrowserSettings(program=str(program), profiles=tmp_path / "profiles", headless=True),
        camera="",
    )

    with living(settings, tmp_path) as kiosk:
        kiosk.stand(Standing("cut"))
        kiosk.shows("attract")  # the page and DevTools over the pipe, though tools are forbidden
        for url in ("https://example.com/", "file:///etc/passwd", "chrome://settings"):
            answer = kiosk.run(kiosk.browser.life.ask("Page.navigate", {"url": url}))
            assert answer.get("errorText") == "net::ERR_BLOCKED_BY_ADMINISTRATOR"
            assert kiosk.do(RestartPage()).outcome.succeeded  # the tools may not look at an error page
