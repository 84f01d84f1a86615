"""The server is killed while it records, with its recorder or without: nothing that was durable is lost."""

import asyncio
import time
from pathlib import Path

import psutil
import pytest

from room_manager.media.loops import shipped
from room_manager.store.recordings import RecordingRow, RecordingState
from signaling.cli.storage import opened
from signaling.simulate.door import Door
from signaling.wire import client as say
from signaling.wire import server as told
from tests.helpers.client import Client
from tests.helpers.films import play
from tests.helpers.server import CHAIR, LiveServer, Planned

LIMIT_S = 30.0
ENOUGH_BYTES = 25_000  # some seconds of a loop


@pytest.mark.timeout(100)
@pytest.mark.parametrize(
    "with_recorder",
    [pytest.param(False, marks=pytest.mark.slow, id="server"), pytest.param(True, id="server-and-recorder")],
)
def test_after_a_kill_the_file_is_whole_and_the_recording_goes_on(
    tmp_path: Path, with_recorder: bool
) -> None:
    server = LiveServer(tmp_path, flags=("--recordings-free", "0"))
    planned = server.plan([CHAIR])
    server.start()
    try:
        asyncio.run(_scenario(server, planned, with_recorder))
    finally:
        server.stop()
    rows = asyncio.run(_listed(server, 2))
    assert [row.mended for row in rows] == [with_recorder, False]
    for row in rows:
        assert row.file is not None
        film = play(tmp_path / "recordings" / row.file)
        assert len(film.sound) > 50
        assert row.duration_s == pytest.approx(film.duration_s, abs=0.01)
    assert not list((tmp_path / "recordings").glob("*.part"))


async def _scenario(server: LiveServer, planned: Planned, with_recorder: bool) -> None:
    door = Door(server.origin, None)
    chair = await Client(door).enter(planned.tokens[0])
    (await chair.send_media()).play(shipped()[0])
    await chair.command(say.StartRecording)
    await _grown(server, 1)
    if with_recorder:
        _recorder(server).kill()
    await asyncio.to_thread(server.kill)
    await chair.gone()
    await chair.close()

    await asyncio.to_thread(server.start)

    back = Client(door)
    await back.come_back(chair)
    assert back.latest[told.Recording].since is not None
    (await back.send_media()).play(shipped()[0])
    await _grown(server, 2)
    await back.command(say.EndMeeting)
    await back.close()


def _recorder(server: LiveServer) -> psutil.Process:
    children = psutil.Process(server.pid).children()
    return next(child for child in children if "room_manager.recording.process" in child.cmdline())


async def _grown(server: LiveServer, count: int) -> None:
    """So many files are there, and each holds some seconds."""
    folder = server.db.parent / "recordings"

    def sizes() -> list[int]:
        return [path.stat().st_size for path in folder.glob("*.webm*")] if folder.exists() else []

    until = time.monotonic() + LIMIT_S
    while time.monotonic() < until:
        found = sizes()
        if len(found) == count and min(found) > ENOUGH_BYTES:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"not recorded: {sizes()}\n{server.log()}")


async def _listed(server: LiveServer, count: int) -> list[RecordingRow]:
    """The oldest first."""
    async with opened(server.db) as stores:
        rows = await stores.recordings.list()
    assert [row.state for row in rows] == [RecordingState.READY] * count
    return rows[::-1]
