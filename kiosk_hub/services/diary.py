"""The diary of every device: connects, changes of status, what it reports of itself, what the edge notes.

Lines wait in a bounded list and are written together each two seconds; what a device *reports* is written in
the
transaction that takes the report. One or two seconds of lines are lost when the server is killed; no state
hangs on
them.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.facts import Facts
from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.news import AnyNews, DeviceTime, LogLine, Sessions
from kiosk_hub.fleet.values import Status
from kiosk_hub.fleet.verdict import Verdict
from kiosk_hub.services.directory import Directory
from kiosk_hub.services.reports import AfterCommit, Reports
from kiosk_hub.store import diary
from kiosk_hub.store.diary import Level, Line, Noted, StatusChange, Turned
from room_manager.errors import DomainError
from room_manager.store.database import Database

WRITE_EVERY_S: Final = 2.0
MOST_WAITING: Final = 20_000
WRITE_AT_ONCE: Final = 1_000
PRUNE_EVERY_S: Final = 6 * 3600.0
LATE_S: Final = 30 * 86_400.0  # a line that waited longer on the device has a clock not to be believed
EARLY_S: Final = 60.0
LOOK_BACK_S: Final = 180.0
CLOSE_LIMIT_S: Final = 10.0
CITY: Final = "city"
LEVELS: Final[dict[Status, Level]] = {
    Status.OFFLINE: "error",
    Status.FAULTY: "error",
    Status.DEGRADED: "warning",
}

log = logging.getLogger(__name__)


class DiaryKeeper:
    """The port ``Diary``; a Listener of the device edge and a StatusListener of the registry."""

    def __init__(self, database: Database, directory: Directory, clock: Callable[[], float]) -> None:
        self._database = database
        self._directory = directory
        self._clock = clock
        self._lines: list[Noted] = []
        self._changes: list[Turned] = []
        self._seq = 0
        self._turned_at: dict[DeviceId, float] = {}
        self._pruned_at = 0.0
        self.dropped = 0
        """Lines that found no room."""
        self.sessions_told: Counter[str] = Counter()
        """Counts reported since the start, by their names in ``Sessions``."""
        self._task: asyncio.Task[None] | None = None

    def serve(self, reports: Reports) -> None:
        """Take what devices report for their log and of their sessions."""
        reports.handle(LogLine, self._take_line)
        reports.handle(Sessions, self._take_sessions)

    def start(self) -> None:
        self._task = asyncio.create_task(self._write_for_ever(), name="write the devices' diary")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        try:
            async with asyncio.timeout(CLOSE_LIMIT_S):
                while await self.write():
                    pass
        except (DomainError, TimeoutError) as error:
            log.error("! the last lines of the diary are lost: %s", error)

    # --- Diary, Listener, StatusListener ---

    def note(self, device: DeviceId, line: LogLine, now: float, by: str = CITY) -> None:
        """Never waits."""
        self._add(device, Line(line.level, line.code, line.text, by), now)

    def on_connected(self, device: DeviceId, boot: str, now: float) -> None:
        self._add(device, Line("info", "connected", by=CITY), now)

    def on_gone(self, device: DeviceId, now: float) -> None:
        self._add(device, Line("info", "gone", by=CITY), now)

    def on_beat(self, device: DeviceId, facts: Facts, now: float) -> None:
        """Not a matter for a diary."""

    def on_status(self, device: Device, before: Status | None, after: Verdict, now: float) -> None:
        reason = after.symptoms[0].reason if after.symptoms else None
        since = max(after.since, self._turned_at.get(device.id, now - LOOK_BACK_S))
        at = self._turned_at[device.id] = min(now, since)
        if len(self._changes) < MOST_WAITING:
            self._changes.append(Turned(device.id, at, StatusChange(after.status, reason)))
        line = Line(LEVELS.get(after.status, "info"), f"status-{after.status}", by=CITY, reason=reason)
        self._add(device.id, line, now)

    def _add(self, device: DeviceId, line: Line, now: float) -> None:
        if len(self._lines) >= MOST_WAITING:
            self.dropped += 1
            return
        self._lines.append(Noted(device, self._next(), now, line))

    def _next(self) -> int:
        """Grows over restarts, as the clock does."""
        self._seq = max(self._seq + 1, int(self._clock() * 1_000_000))
        return self._seq

    # --- reports ---

    async def _take_line(
        self, connection: AsyncConnection, device: DeviceId, at: DeviceTime, news: AnyNews, now: float
    ) -> None:
        assert isinstance(news, LogLine)
        when = at.wall if now - LATE_S <= at.wall <= now + EARLY_S else now
        line = Line(news.level, news.code, news.text)
        await diary.add_lines(connection, [Noted(device, self._next(), min(when, now), line)])

    async def _take_sessions(
        self, connection: AsyncConnection, device: DeviceId, at: DeviceTime, news: AnyNews, now: float
    ) -> AfterCommit:
        assert isinstance(news, Sessions)
        await diary.count_sessions(connection, device, news)
        counts = {name: getattr(news, name) for name in Sessions.__struct_fields__ if name != "hour"}
        return lambda: self.sessions_told.update(counts)

    # --- writing ---

    async def write(self) -> int:
        """What waits, at most so much, in one transaction. Raises what writing raises; then it waits on."""
        lines, turned = self._lines[:WRITE_AT_ONCE], self._changes[:WRITE_AT_ONCE]
        if not lines and not turned:
            return 0
        known = self._directory.find
        async with self._database.write() as connection:
            await diary.add_lines(connection, [one for one in lines if known(one.device) is not None])
            await diary.add_changes(connection, [one for one in turned if known(one.device) is not None])
        del self._lines[: len(lines)]
        del self._changes[: len(turned)]
        return len(lines) + len(turned)

    async def prune(self) -> None:
        """Old lines go, a few times a day."""
        now = self._clock()
        if 0 <= now - self._pruned_at < PRUNE_EVERY_S:
            return
        async with self._database.write() as connection:
            await diary.prune(connection, [device.id for device in self._directory], now)
        self._pruned_at = now

    async def _write_for_ever(self) -> None:
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            try:
                more = True
                while more:
                    more = await self.write() >= WRITE_AT_ONCE
                await self.prune()
            except DomainError as error:
                log.error("! the devices' diary cannot be written now: %s", error)
            except Exception:
                log.exception("! writing the devices' diary failed; next time again")
