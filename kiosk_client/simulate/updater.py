"""Takes up offers as a device would, in some seconds, without bytes: for rollouts watched from the city."""

import asyncio
import logging
import random
from typing import Final

from kiosk_client.errors import NotKept
from kiosk_client.ports import Core
from signaling.wire.kiosk.words import BundleKind, Installing, InstallStep, Offer, Outcome

STEPS_S: Final = (2.0, 15.0)

log = logging.getLogger(__name__)


class SimulatedUpdater:
    """What was installed outlives the agent; ``fails`` is what a bad bundle does to this device."""

    def __init__(self, lot: random.Random) -> None:
        self._lot = lot
        self._core: Core | None = None
        self._task: asyncio.Task[None] | None = None
        self._taken: tuple[str, str] | None = None
        self._versions: dict[BundleKind, str] = {}
        self.fails = False

    async def start(self, core: Core) -> None:
        self._core = core

    async def close(self) -> None:
        self._drop()
        self._core = None

    def offered(self, offer: Offer | None) -> None:
        if offer is None:
            self._drop()
            return
        if self._taken == (offer.rollout, offer.bundle):
            return
        self._drop()
        self._taken = (offer.rollout, offer.bundle)
        self._task = asyncio.create_task(self._install(offer), name="simulated install")

    def welcomed(self) -> None:
        pass

    def content(self) -> str:
        return self._versions.get(BundleKind.CONTENT, "")

    def configuration(self) -> str:
        return self._versions.get(BundleKind.CONFIGURATION, "")

    async def refresh(self) -> Outcome:
        return Outcome(succeeded=True)

    def _drop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
            self._taken = None

    async def _install(self, offer: Offer) -> None:
        await self._step(offer, "downloading", offer.length_bytes // 2)
        await self._step(offer, "installing", offer.length_bytes)
        if self.fails:
            await self._step(offer, "failed", offer.length_bytes, "bad-content")
            return
        self._versions[offer.kind] = offer.version
        await self._step(offer, "installed", offer.length_bytes)

    async def _step(self, offer: Offer, step: InstallStep, done: int, code: str = "") -> None:
        await asyncio.sleep(self._lot.uniform(*STEPS_S))
        if self._core is None:
            return
        try:
            await self._core.report(Installing(offer.rollout, offer.bundle, step, done, code))
        except NotKept as error:
            log.info("- %s", error)
