"""The agent's software as environments beside each other, made from a bundle's wheels without any network."""

import os
import subprocess
import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Final

from kiosk_client.updates.errors import Unfit
from kiosk_client.updates.files import sync_folder

PACKAGE: Final = "diemcau"
MODULE: Final = "kiosk_client"
LAUNCHED: Final = "DIEMCAU_LAUNCHED"
"""Set by the launcher: the agent runs what the link points to, and is counted when it does not come up."""
MAKE_WITHIN_S: Final = 600.0


def python_of(folder: Path) -> Path:
    return folder / "bin" / "python"


def installing_python() -> str:
    """The launcher's interpreter, if there is a launcher: what was installed by a bundle has no pip."""
    return os.environ.get(LAUNCHED, "").partition("\n")[0] or sys.executable


class VenvRuntime:
    """A virtual environment for each version. It may be moved: it is only ever run as ``bin/python -m …``."""

    def __init__(self, within_s: float = MAKE_WITHIN_S) -> None:
        self._within_s = within_s
        self._running: subprocess.Popen[bytes] | None = None
        self._closed = False

    @property
    def version(self) -> str:
        return installed_version(PACKAGE)

    @property
    def is_switchable(self) -> bool:
        return LAUNCHED in os.environ

    def make(self, folder: Path, version: str) -> None:
        installer = installing_python()
        self._run([installer, "-m", "venv", "--without-pip", str(folder)])
        self._run(
            [
                installer,
                "-m",
                "pip",
                "--disable-pip-version-check",
                "--no-input",
                "--python",
                str(python_of(folder)),
                "install",
                "--quiet",
                "--no-index",
                "--no-cache-dir",
                "--find-links",
                str(folder),
                f"{PACKAGE}=={version}",
            ]
        )
        # Not what the file's name says counts, but what comes up.
        look = f"import importlib.metadata as m, {MODULE}; print(m.version('{PACKAGE}'))"
        found = self._run([str(python_of(folder)), "-I", "-c", look]).strip()
        if found != version:
            raise Unfit("bad-software", f"Gói chứa phiên bản {found or 'không rõ'}, không phải {version}")
        for wheel in folder.rglob("*.whl"):
            wheel.unlink()
        os.sync()  # thousands of small files: one call for all of them
        sync_folder(folder)

    def close(self) -> None:
        self._closed = True
        if self._running is not None:
            self._running.kill()

    def _run(self, command: list[str]) -> str:
        if self._closed:
            raise Unfit("interrupted", "Tác nhân đang dừng")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        environment["PIP_CONFIG_FILE"] = os.devnull
        with subprocess.Popen(  # noqa: S603
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        ) as running:
            self._running = running
            try:
                said, _ = running.communicate(timeout=self._within_s)
            except subprocess.TimeoutExpired:
                running.kill()
                running.communicate()
                raise Unfit("bad-software", "Cài phần mềm quá lâu") from None
            finally:
                self._running = None
        text = said.decode(errors="replace")
        if running.returncode != 0:
            last = text.strip().splitlines()[-1:] or [""]
            raise Unfit("bad-software", f"Không cài được phần mềm: {last[0][:300]}")
        return text
