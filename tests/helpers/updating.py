"""A real updater whose agent is as small as can be: a token, a clock, a list of what it told."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from kiosk_client.errors import NotKept
from kiosk_client.ports import BodyFacts
from kiosk_client.updates.switching import Pace
from kiosk_client.updates.updater import BundleUpdater
from signaling.wire.kiosk.words import (
    AnyNews,
    BundleKind,
    Disk,
    Installing,
    Load,
    LogLine,
    Offer,
    Painted,
)

LIMIT_S = 30.0
QUICK = Pace(20.0, 0.02, 0.1, 0.0, 5.0, 0.01, 0.05)
WELL = BodyFacts(disk=Disk(0.5, 10**10), load=Load(0.1, 0.2), painted=Painted(frame_age_s=0.1))


class SmallCore:
    """What the updater needs of an agent."""

    def __init__(self, state: Path, server: str, token: str | None) -> None:
        self.state = state
        self.server = server
        self.certificate: Path | None = None
        self.given_token = token
        self.now: float | None = None
        """None: the real time."""
        self.told: list[Installing] = []
        self.restarts: list[str] = []
        self.refusing = False
        self.broken = 0  # so many reports meet a bug
        self.configured = 0

    def token(self) -> str | None:
        return self.given_token

    def city_now(self) -> float | None:
        return time.time() if self.now is None else self.now

    async def configure(self) -> None:
        self.configured += 1

    def session_changed(self) -> None: ...

    async def report(self, news: AnyNews) -> None:
        if self.refusing:
            raise NotKept("full")
        if self.broken:
            self.broken -= 1
            raise RuntimeError("a bug of the agent's")
        assert isinstance(news, Installing)
        self.told.append(news)
        self.written(news)

    def written(self, news: Installing) -> None:
        """For whoever looks from another process."""
        with (self.state / "told.jsonl").open("ab") as file:
            file.write(msgspec.json.encode(news) + b"\n")

    def note(self, line: LogLine) -> None: ...

    def restart(self, why: str) -> None:
        self.restarts.append(why)

    def steps(self) -> list[str]:
        """Each step once, in the order told."""
        return list(dict.fromkeys(news.step for news in self.told))

    def last(self) -> Installing:
        return self.told[-1]


class SmallMachine:
    """A body with a screen that is well until it is not."""

    def __init__(self) -> None:
        self.in_session = False
        self.now = WELL
        self.after_switch: BodyFacts | None = None
        self.current: Callable[[], str] = lambda: ""
        self.before = ""

    def session_active(self) -> bool:
        return self.in_session

    async def facts(self) -> BodyFacts:
        changed = self.after_switch is not None and self.current() != self.before
        return self.after_switch if changed and self.after_switch is not None else self.now


class NoRuntime:
    """Software is not what is tested."""

    version = "0.1"
    is_switchable = False

    def make(self, folder: Path, version: str) -> None: ...

    def close(self) -> None: ...


class Device:
    """One device's updates."""

    def __init__(self, core: SmallCore) -> None:
        self.core = core
        self.machine = SmallMachine()
        self.hardware = "Kiosk K2"
        self.keep_free_bytes = 0

    def make(self) -> BundleUpdater:
        self.updater = BundleUpdater(
            self.machine,
            NoRuntime(),
            agent="diemcau/0.1",
            hardware=self.hardware,
            pace=QUICK,
            keep_free_bytes=self.keep_free_bytes,
            chance=lambda: 0.5,
        )
        return self.updater

    @asynccontextmanager
    async def running(self) -> AsyncIterator[BundleUpdater]:
        updater = self.make()
        await updater.start(self.core)
        try:
            yield updater
        finally:
            await updater.close()

    @property
    def content(self) -> Path:
        return self.core.state / "updates" / "content"

    def current(self) -> str:
        try:
            return Path(os.readlink(self.content / "current")).name
        except OSError:
            return ""

    async def until_told(self, *steps: str) -> Installing:
        """The first of these steps."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                for news in self.core.told:
                    if news.step in steps:
                        return news
                await asyncio.sleep(0.01)

    async def until_settled(self) -> None:
        """Nothing is on trial, and what came of the offer is kept."""
        await until(lambda: not list(self.core.state.glob("updates/*/trial.json")))


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not is_so():  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.01)


def offer_of(rollout: str, version: str, length: int, kind: BundleKind = BundleKind.CONTENT) -> Offer:
    return msgspec.convert(
        {
            "rollout": rollout,
            "bundle": f"{kind}-{version}",
            "kind": kind,
            "version": version,
            "target": f"{kind}/{version}.zip",
            "length_bytes": length,
        },
        type=Offer,
    )
