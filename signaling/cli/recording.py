"""``diemcau recording``: what was recorded, and deleting it."""

import argparse
import asyncio
import os
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from room_manager.ids import RoomId
from room_manager.recording.archive import Archive
from room_manager.store.recordings import RecordingRow, RecordingState
from signaling.cli.failure import Bad, Failed
from signaling.cli.settings_from import database_url
from signaling.cli.storage import opened
from signaling.cli.subcommands import Commands, add_command, add_db
from signaling.settings import Settings

ZONE: Final = ZoneInfo("Asia/Ho_Chi_Minh")
MIB: Final = 1 << 20
BY: Final = "command line"

EXAMPLES: Final = """\
examples:
  diemcau recording list
  diemcau recording list MEETING
  diemcau recording delete 20261127T020500Z-k3v9x0ab
"""


def add_to(commands: Commands) -> None:
    """Make ``diemcau recording`` known."""
    group = add_command(commands, "recording", "what was recorded, and deleting it", EXAMPLES)
    inner = group.add_subparsers(metavar="COMMAND", required=True)
    list_ = add_command(inner, "list", "list recordings, the newest first", EXAMPLES)
    list_.add_argument("meeting", metavar="MEETING", nargs="?", help="only of this meeting")
    add_db(list_)
    list_.set_defaults(run=run_list)
    delete = add_command(inner, "delete", "delete a recording's file; its line stays on the list", EXAMPLES)
    delete.add_argument("recording", metavar="RECORDING", help="the id that `recording list` prints")
    delete.add_argument(
        "--recordings",
        type=Path,
        metavar="DIR",
        default=Path(os.environ["DIEMCAU_RECORDINGS"]) if "DIEMCAU_RECORDINGS" in os.environ else None,
        help="where they are kept (default: $DIEMCAU_RECORDINGS, else recordings beside the database)",
    )
    add_db(delete)
    delete.set_defaults(run=run_delete)


def run_list(chosen: argparse.Namespace) -> None:
    """One line for each."""
    for row in asyncio.run(_list(chosen)):
        print(_line(row))


async def _list(chosen: argparse.Namespace) -> list[RecordingRow]:
    async with opened(chosen.db) as stores:
        return await stores.recordings.list(RoomId(chosen.meeting) if chosen.meeting else None)


def _line(row: RecordingRow) -> str:
    minutes, seconds = divmod(round(row.duration_s), 60)
    started = row.started_at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M")
    size = f"{row.size_bytes / MIB:.1f} MiB"
    end = f"deleted by {row.deleted_by}" if row.state is RecordingState.DELETED else row.state.value
    return f"{row.id}  {row.room}  {started}  {minutes}:{seconds:02}  {size}  {end}"


def run_delete(chosen: argparse.Namespace) -> None:
    """The file is gone afterwards."""
    asyncio.run(_delete(chosen))
    print(f"Deleted {chosen.recording}.")


async def _delete(chosen: argparse.Namespace) -> None:
    folder: Path = chosen.recordings or Settings(database_url(chosen.db)).recordings_folder
    async with opened(chosen.db) as stores:
        row = await stores.recordings.get(None, chosen.recording)
        if row is None:
            raise Bad(f"RECORDING: there is no recording {chosen.recording}")
        if row.state is RecordingState.RECORDING:
            raise Bad(f"RECORDING: {chosen.recording} is still being written")
        if row.state is RecordingState.DELETED:
            raise Bad(f"RECORDING: {chosen.recording} is deleted already")
        archive = Archive(folder, stores.recordings, 0)
        file = archive.path(row)
        if file is None or not file.is_file():
            # Said to be deleted it would be kept for ever: nobody would look for it any more.
            raise Bad(f"--recordings: {file} is not there; name the folder that the server records to")
        try:
            await archive.delete(row, BY)
        except OSError as error:
            raise Failed(f"{folder}: {error.strerror}") from None
