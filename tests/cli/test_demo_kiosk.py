"""The demo's kiosk is started again when it ends by order, as systemd does for a real one."""

import asyncio
import time
from pathlib import Path
from typing import Final

import psutil
import pytest

from signaling.cli import fleet_demo
from tests.helpers.server import free_port

LIMIT_S: Final = 60.0


def test_an_agent_that_ends_by_order_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet_demo, "BROWSERS", ())  # what it shows is not asked here

    async def run() -> None:
        agent = asyncio.create_task(
            fleet_demo.real_agent(f"http://127.0.0.1:{free_port()}", None, tmp_path / "kiosk")
        )
        try:
            first = await _agent_but(set())
            await _ready(tmp_path / "kiosk")
            first.terminate()
            second = await _agent_but({first.pid})
        finally:
            agent.cancel()
            await asyncio.gather(agent, return_exceptions=True)
        assert not second.is_running()

    (tmp_path / "kiosk").mkdir()
    asyncio.run(run())


async def _agent_but(others: set[int]) -> psutil.Process:
    """One that runs and is none of these."""
    until = time.monotonic() + LIMIT_S
    while time.monotonic() < until:
        for child in psutil.Process().children():
            if child.pid not in others and "kiosk_client" in child.cmdline():
                return child
        await asyncio.sleep(0.05)
    raise AssertionError("no agent was started")


async def _ready(folder: Path) -> None:
    """It complains of the city that is not there: from then on it ends as it should when it is told to."""
    log = folder / "agent.log"
    until = time.monotonic() + LIMIT_S
    while not log.exists() or "enrolling" not in log.read_text():
        assert time.monotonic() < until, "the agent did not come up"
        await asyncio.sleep(0.05)
