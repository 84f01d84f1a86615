"""A real ``diemcau agent`` as a child of the test, and eyes on its screen.

The screen is read as a person reads it: its Chromium gets a debugging port of its own beside the agent's
pipe, and Playwright looks at the page through it.
"""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.mortal import mortal
from kiosk_client.demo import film

LIMIT_S: Final = 60.0
END_LIMIT_S: Final = 20.0


class RealAgent:
    """One device on this machine: its folder, its camera (a film), its content, its process."""

    def __init__(self, folder: Path, server: str, announcements: list[dict[str, Any]]) -> None:
        self.state = folder / "state"
        self.camera = folder / "camera.avi"
        self._log = folder / "agent.log"
        content = folder / "content"
        content.mkdir(parents=True)
        (content / "announcements.json").write_text(
            json.dumps({"format": 1, "announcements": announcements}), encoding="utf-8"
        )
        film(self.camera)
        self._config = folder / "agent.toml"
        settings = {
            "server": server,
            "state": str(self.state),
            "camera": str(self.camera),
            "content": str(content),
        }
        lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
        lines += ["headless = true", 'browser_arguments = ["--remote-debugging-port=0"]']
        self._config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                mortal(
                    [
                        sys.executable,
                        "-m",
                        "signaling.cli",
                        "agent",
                        "--config",
                        str(self._config),
                        "--verbose",
                    ]
                ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def log(self) -> str:
        return self._log.read_text("utf-8", errors="replace") if self._log.exists() else ""

    def unplug_camera(self) -> None:
        self.camera.unlink()

    def screen_url(self) -> str | None:
        """Where a debugger finds the browser that is up now; None: none is."""
        for file in sorted(self.state.glob("browser/*/DevToolsActivePort")):
            with contextlib.suppress(OSError, IndexError):
                return f"http://127.0.0.1:{file.read_text().split()[0]}"
        return None

    def children(self) -> list[psutil.Process]:
        """All that it has started and that lives."""
        assert self._process is not None
        return psutil.Process(self._process.pid).children(recursive=True)

    def kill(self) -> None:
        """As the kernel does when memory runs out."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(END_LIMIT_S)

    def stop(self) -> None:
        """As the service manager does. Nothing of it is left."""
        if self._process is None or self._process.poll() is not None:
            return
        children = self.children()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(END_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(END_LIMIT_S)
        _, alive = psutil.wait_procs(children, timeout=END_LIMIT_S)
        for child in alive:
            child.kill()
        assert alive == []


@contextmanager
def real_agent(folder: Path, server: str, announcements: list[dict[str, Any]]) -> Iterator[RealAgent]:
    """Started, and ended however the test ends."""
    agent = RealAgent(folder, server, announcements)
    try:
        agent.start()
        yield agent
    finally:
        agent.stop()
