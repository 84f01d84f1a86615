"""The folder of recordings and the list of them, kept in step.

The list is SQL's, the files are the folder's; a file that a crash left is mended and then listed. What is
deleted, by hand or because its days are over, stays on the list as deleted.
"""

import asyncio
import logging
import re
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from room_manager.ids import RoomId
from room_manager.recording import files
from room_manager.recording.control import Ended
from room_manager.store.recordings import RecordingRow, RecordingState, RecordingStore

RETENTION: Final = "retention"
"""Who deleted a file whose days were over."""

_ID: Final = re.compile(r"\d{8}T\d{6}Z-[a-z0-9]{8}")
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"

log = logging.getLogger(__name__)
audit = logging.getLogger("diemcau.audit")


class Archive:
    """All recordings of one server. All methods are for one event loop."""

    def __init__(self, folder: Path, store: RecordingStore, keep_days: int) -> None:
        """``keep_days`` 0: for ever."""
        self.folder = folder
        self._store = store
        self.keep_days = keep_days
        self._live: set[str] = set()

    def prepare(self) -> None:
        """The folder is there, for its owner alone. Raises ``OSError``."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def begin(self, room: RoomId) -> tuple[str, Path]:
        """A new recording's id, and where to write it. Raises ``OSError`` or what the store raises."""
        self.prepare()
        now = datetime.now(UTC)
        recording = f"{now:%Y%m%dT%H%M%SZ}-{''.join(secrets.choice(_LETTERS) for _ in range(8))}"
        await self._store.begin(recording, room, now)
        self._live.add(recording)
        return recording, self.folder / recording

    async def end(self, recording: str, ended: Ended | None) -> None:
        """The recorder has ended, or (None) died. Never raises: what fails now is settled later."""
        self._live.discard(recording)
        try:
            if ended is None or (ended.name is not None and ended.name.endswith(files.PART)):
                await self._settle(recording)
            elif ended.name is None:
                await self._store.forget(recording)
            else:
                await self._store.finished(
                    recording, datetime.now(UTC), ended.name, ended.duration_s, ended.size_bytes, mended=False
                )
        except Exception:
            log.exception("! recording %s: not on the list yet; tried again later", recording)

    async def settle(self) -> bool:
        """Mend and list what was left, as far as nobody writes it any more. True: all is settled."""
        settled = True
        for row in await self._store.list(state=RecordingState.RECORDING):
            if row.id in self._live:
                continue
            try:
                await self._settle(row.id)
            except files.StillWritten:
                settled = False
            except OSError as error:
                log.error("! recording %s: cannot be mended: %s", row.id, error.strerror)
        return settled

    async def expire(self, now: datetime) -> None:
        """Delete what is older than the days it is kept."""
        if not self.keep_days:
            return
        for row in await self._store.ended_before(now - timedelta(days=self.keep_days)):
            await self.delete(row, RETENTION)

    async def delete(self, row: RecordingRow, by: str) -> None:
        """The file is gone and the list says so. Again is fine. Raises ``OSError``."""
        path = self.path(row)
        if path is not None:
            await asyncio.to_thread(path.unlink, missing_ok=True)
        await self._store.deleted(row.id, datetime.now(UTC), by)
        audit.info("- recording %s of %s: deleted by %s", row.id, row.room, by)

    def path(self, row: RecordingRow) -> Path | None:
        """Where a finished recording is; None: it is not, or not yet."""
        if row.state is not RecordingState.READY or row.file is None:
            return None
        return self.folder / Path(row.file).name

    async def _settle(self, recording: str) -> None:
        ready = await asyncio.to_thread(self._find, recording)
        if ready is None:
            await self._store.forget(recording)
            return
        found, mended = ready
        await self._store.finished(
            recording,
            datetime.now(UTC),
            found.path.name,
            found.duration_s,
            found.size_bytes,
            mended=mended,
        )
        log.warning("= recording %s: %s", recording, "mended" if mended else "found finished")

    def _find(self, recording: str) -> tuple[files.Ready, bool] | None:
        """The file of this recording, finished if it was not; whether it had to be. For a thread."""
        if not _ID.fullmatch(recording):
            return None
        for suffix in files.SUFFIX.values():
            final = self.folder / (recording + suffix)
            part = self.folder / (recording + suffix + files.PART)
            if part.exists():
                ready = files.mend(part)
                return (ready, True) if ready is not None else None
            if final.exists():
                ready = files.read(final)
                return (ready, False) if ready is not None else None
        return None
