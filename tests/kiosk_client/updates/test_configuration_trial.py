"""A configuration under which the screen dies is gone back from, and the one before is in force again."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from kiosk_client.ports import BodyFacts
from kiosk_client.updates.shelf import Shelf, Trial
from kiosk_client.updates.switching import Switching
from signaling.wire.kiosk.words import BundleId, BundleKind, InstallStep, Painted, RolloutId
from tests.helpers.updating import QUICK, WELL, NoRuntime


class Device:
    """Its screen paints under every configuration but ``bad``."""

    def __init__(self, shelf: Shelf, bad: str) -> None:
        self.shelf = shelf
        self.bad = bad
        self.in_force: list[str] = []
        self.told: list[tuple[InstallStep, str]] = []

    def session_active(self) -> bool:
        return False

    async def facts(self) -> BodyFacts:
        dead = self.in_force[-1:] == [self.bad]
        return replace(WELL, painted=Painted(frame_age_s=500.0)) if dead else WELL

    async def configure(self) -> None:
        self.in_force.append(self.shelf.current())

    def restart(self, why: str) -> None:
        raise AssertionError(why)

    async def take(self, version: str) -> None:
        async def do(act: Callable[[], Any]) -> Any:
            return act()

        async def ended(trial: Trial, step: InstallStep, code: str) -> None:
            self.told.append((step, code))

        kind, previous = BundleKind.CONFIGURATION, self.shelf.current()
        trial = Trial(kind, version, previous, RolloutId("r"), BundleId(f"configuration-{version}"), 1)
        async with asyncio.timeout(20):
            await Switching(self, NoRuntime(), QUICK, self, do).begin(self.shelf, trial, ended, lambda: True)


def test_the_one_before_is_in_force_again_when_the_screen_dies(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.open()
    for version in ("1", "2"):
        shelf.half(version).mkdir()
        shelf.keep(version, "0" * 64)

    async def scenario() -> None:
        device = Device(shelf, bad="2")
        await device.take("1")
        await device.take("2")

        assert device.in_force == ["1", "2", "1"]
        assert device.told == [("installed", ""), ("returned", "page-not-painted")]
        assert shelf.current() == "1"

    asyncio.run(scenario())
