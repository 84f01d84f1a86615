"""The history of what devices measure: hears beats, writes rows a quarter of an hour behind, reads charts."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from kiosk_hub.fleet import history
from kiosk_hub.fleet.facts import Facts
from kiosk_hub.fleet.history import Bucket, Point, Track
from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.services.directory import Directory
from kiosk_hub.store import samples
from room_manager.errors import DomainError
from room_manager.store.database import Database

FLUSH_EVERY_S: Final = 900.0
LOOK_EVERY_S: Final = 5.0
FLUSH_AT_ONCE: Final = 200  # devices in one transaction
PRUNE_EVERY_S: Final = 6 * 3600.0
CLOSE_LIMIT_S: Final = 20.0

log = logging.getLogger(__name__)

_Taken = dict[int, dict[int, Bucket]]


class History:
    """A Listener of the device edge. Nothing is written per beat."""

    def __init__(self, database: Database, directory: Directory, clock: Callable[[], float]) -> None:
        self._database = database
        self._directory = directory
        self._clock = clock
        self._tracks: dict[DeviceId, Track] = {}
        self._flushed_at: dict[DeviceId, float] = {}
        self._pruned_at: dict[DeviceId, float] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._flush_for_ever(), name="keep the history of devices")

    async def close(self) -> None:
        """Stop, and write what is not written."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        try:
            async with asyncio.timeout(CLOSE_LIMIT_S):
                while await self.flush(everything=True):
                    pass
        except (DomainError, TimeoutError) as error:
            log.error("! the last minutes of charts are lost: %s", error)

    # --- Listener ---

    def on_connected(self, device: DeviceId, boot: str, now: float) -> None:
        """Nothing is measured by that."""

    def on_gone(self, device: DeviceId, now: float) -> None:
        """Nor by that."""

    def on_beat(self, device: DeviceId, facts: Facts, now: float) -> None:
        track = self._tracks.get(device)
        if track is None:
            if self._directory.find(device) is None:
                return
            track = self._tracks[device] = Track(now)
            # The first rows of many devices that came at once are written at different times.
            self._flushed_at[device] = now - len(self._tracks) * 37 % FLUSH_EVERY_S
        track.add(facts, now)

    # --- writing ---

    async def flush(self, everything: bool = False) -> int:
        """Write what is due of some devices in one transaction; of how many. Raises what writing raises."""
        now = self._clock()
        due: list[tuple[DeviceId, Track, _Taken]] = []
        for device, track in self._tracks.items():
            if len(due) >= FLUSH_AT_ONCE:
                break
            if not everything and 0 <= now - self._flushed_at[device] < FLUSH_EVERY_S:
                continue
            taken = track.take_closed(now, everything)
            if any(taken.values()):
                due.append((device, track, taken))
            else:
                self._flushed_at[device] = now
        if not due:
            return 0
        await self._write(due, now)
        for device, track, taken in due:
            track.forget(taken)
            self._flushed_at[device] = now
        return len(due)

    async def _write(self, due: list[tuple[DeviceId, Track, _Taken]], now: float) -> None:
        rows: dict[samples.Key, dict[int, Bucket]] = {}
        for device, _, taken in due:
            for step_s, buckets in taken.items():
                for start, bucket in buckets.items():
                    key = (device, step_s, history.row_start(step_s, start))
                    rows.setdefault(key, {})[start] = bucket
        old = [device for device, _, _ in due if now - self._pruned_at.get(device, 0.0) >= PRUNE_EVERY_S]
        async with self._database.write() as connection:
            there = await samples.rows(connection, list(rows))
            bodies = {}
            for key, buckets in rows.items():
                _, step_s, row = key
                before = history.unpack(step_s, row, there[key]) if key in there else {}
                bodies[key] = history.pack(step_s, row, history.merge_rows(before, buckets))
            await samples.put(connection, bodies)
            await samples.prune(connection, old, now)
        for device in old:
            self._pruned_at[device] = now

    async def _flush_for_ever(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                more = True
                while more:
                    more = await self.flush() == FLUSH_AT_ONCE
            except DomainError as error:
                log.error("! the history of devices cannot be kept now: %s", error)
            except Exception:
                log.exception("! keeping the history failed; next time again")

    # --- reading ---

    async def read(
        self, device: DeviceId, metric: str, begins: float, ends: float
    ) -> tuple[int, list[tuple[int, Point | None]]]:
        """The step in seconds, and every step of the stretch. Raises ``Invalid``, ``Busy``."""
        index = history.metric_index(metric)
        step_s = history.step_for(begins, ends, self._clock())
        base_s = history.base_of(step_s)
        first, last = int(begins // step_s) * step_s, int(ends) + 1
        track = self._tracks.get(device)
        if base_s == history.MINUTE_S:
            points = track.minutes(index, first, last) if track is not None else {}
            begun = track.begun_at if track is not None else ends
            if begun > begins and await self._kept(device, history.FINE_S, index, first, int(begun), None):
                # Minutes are in memory only: before this server's own start there are the coarser points.
                base_s, step_s = history.FINE_S, history.FINE_S
                points = await self._kept(device, base_s, index, first, last, track)
        else:
            points = await self._kept(device, base_s, index, first, last, track)
        return step_s, history.coarsen(points, begins, ends, step_s)

    async def _kept(
        self, device: DeviceId, step_s: int, metric: int, first: int, last: int, track: Track | None
    ) -> dict[int, Point]:
        buckets: dict[int, Bucket] = {}
        for row, body in await samples.between(self._database, device, step_s, first, last):
            buckets |= history.unpack(step_s, row, body)
        if track is not None:
            buckets = history.merge_rows(buckets, track.pending(step_s))
        inside = ((start, bucket) for start, bucket in buckets.items() if first - step_s < start < last)
        return history.points_of(inside, metric)
