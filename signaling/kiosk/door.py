"""What all of a server's doors for devices share."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.hub import Hub
from kiosk_hub.ports import Claims, Diary
from signaling.edge import Edge
from signaling.kiosk import limits
from signaling.kiosk.lines import Lines
from signaling.kiosk.tokens import DeviceTokens, Nonces
from signaling.limits import Buckets
from signaling.outbox import MAX_LAG_S

LOOK_EVERY_S: Final = 5.0
FORGET_EVERY_S: Final = 3_600.0
KEYS_KEPT_S: Final = 90 * 86_400.0
"""A report that is told again after so long would be taken twice; no outbox keeps one that long."""

log = logging.getLogger(__name__)


class Door:
    """One for a server. ``claims`` and ``diary`` are those of the hub, once they are there."""

    def __init__(
        self,
        edge: Edge,
        hub: Hub,
        lines: Lines,
        tokens: DeviceTokens,
        clock: Callable[[], float],
    ) -> None:
        self.edge = edge
        self.hub = hub
        self.identities = hub.identities
        self.enrolments = hub.enrolments
        self.lines = lines
        self.tokens = tokens
        self.clock = clock
        self.nonces = Nonces()
        self.askers = Buckets(limits.ASKED_PER_S, limits.ASKED_BURST)
        self.measurers = Buckets(limits.MEASURED_PER_S, limits.MEASURED_BURST)
        self.measuring = 0
        self.claims: Claims | None = None
        self.diary: Diary | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        lines.on_both_alive = self._both_alive

    def start(self) -> None:
        self._own(asyncio.create_task(self._look_after(), name="look after lines"))
        self._own(asyncio.create_task(self._forget(), name="old keys of reports"))

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def _both_alive(self, device: DeviceId) -> None:
        self._own(asyncio.create_task(self._quarantine(device), name=f"clone of {device}"))

    async def _quarantine(self, device: DeviceId) -> None:
        try:
            await self.identities.cloned(device, "both-alive")
        except Exception:
            log.exception("! device %s has a clone and could not be quarantined", device)

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.lines.look_for_laggards(MAX_LAG_S)

    async def _forget(self) -> None:
        while True:
            await asyncio.sleep(FORGET_EVERY_S)
            try:
                await self.hub.reports.forget(self.clock() - KEYS_KEPT_S)
            except Exception:
                log.exception("! forgetting old reports failed; next time again")

    def _own(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
