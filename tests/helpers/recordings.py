"""Recordings as a recorder leaves them, for whoever lists and fetches them."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from room_manager.ids import RoomId
from room_manager.recording.archive import Archive
from tests.helpers.servers import Hall

BODY = bytes(range(256)) * 40
STARTED = datetime(2026, 11, 27, 2, 5, tzinfo=UTC)


async def put(here: Hall, recording: str, at: datetime = STARTED, room: RoomId | None = None) -> Path:
    """A finished recording of the meeting, as a recorder leaves it."""
    archive = archive_of(here)
    archive.prepare()
    store = here.stores.recordings
    file = archive.folder / f"{recording}.webm"
    await asyncio.to_thread(file.write_bytes, BODY)
    await store.begin(recording, room or here.meeting, at)
    await store.finished(recording, at + timedelta(minutes=10), file.name, 600.0, len(BODY), mended=False)
    return file


def archive_of(here: Hall) -> Archive:
    archive: Archive = here.server.app.state.recordist.archive
    return archive
