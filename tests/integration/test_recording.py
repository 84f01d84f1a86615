"""A recorded meeting over real sockets: who is told, what is listed, and what survives which death."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import psutil
import pytest

from room_manager.media.light import LightPeer
from room_manager.media.loops import shipped
from room_manager.meeting.values import Role
from room_manager.recordist import Recordist
from room_manager.store.recordings import RecordingRow, RecordingState
from signaling.settings import MediaSettings, RecordingSettings, Settings
from tests.helpers import databases
from tests.helpers.films import longest_gap_s, play
from tests.helpers.servers import A, Client, Hall, hall, settings

pytestmark = pytest.mark.timeout(100)

LIMIT_S = 30.0
NO_FLOOR = RecordingSettings(start_above_bytes=0, stop_below_bytes=0)


@pytest.fixture(autouse=True)
def schema() -> None:
    databases.prepare()


@asynccontextmanager
async def meeting(chosen: Settings) -> AsyncIterator[tuple[Hall, Client, Client]]:
    """City hall plays a loop; a secretary and the ward are there."""
    async with hall(chosen) as here:
        chair = await here.enter(Role.CHAIR)
        peer = await sending(chair)
        secretary, ward = await here.enter(Role.SECRETARY), await here.enter(Role.SITE, A)
        try:
            yield here, secretary, ward
        finally:
            peer.close()


async def sending(client: Client) -> LightPeer:
    peer = LightPeer()
    async with asyncio.timeout(LIMIT_S):
        while (answer := await client.ask("offer", sdp=peer.offer()))["type"] != "answer":
            assert answer["code"] in ("engine-away", "busy"), answer
            await asyncio.sleep(2)  # so often an offer may be made
    await peer.accept(answer["sdp"], answer["slots"])
    await peer.connected()
    peer.play(shipped()[0])
    return peer


def recordist(here: Hall) -> Recordist:
    found: Recordist = here.server.app.state.recordist
    return found


async def listed(here: Hall, fits: Callable[[list[RecordingRow]], bool]) -> list[RecordingRow]:
    """Every recording, once the list fits."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            rows = await here.stores.recordings.list()
            if fits(rows):
                return rows
            await asyncio.sleep(0.05)


async def recorded(here: Hall, seconds: float, not_pid: int | None = None) -> int:
    """Wait until so much of the file under way is durable; the recorder's process."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            pid, progress = recordist(here).pid(here.meeting), recordist(here).progress(here.meeting)
            if pid is not None and pid != not_pid and progress is not None and progress.duration_s >= seconds:
                return pid
            await asyncio.sleep(0.05)


def real(folder: Path, recording: RecordingSettings = NO_FLOOR) -> Settings:
    return settings(folder, media=MediaSettings(engine="sfu"), recording=recording)


def ready(rows: list[RecordingRow]) -> bool:
    return bool(rows) and all(row.state is RecordingState.READY for row in rows)


def test_everybody_is_told_and_the_file_is_listed_when_it_is_stopped(tmp_path: Path) -> None:
    async def scenario() -> list[RecordingRow]:
        async with meeting(real(tmp_path)) as (here, secretary, ward):
            assert (await ward.ask("start-recording"))["code"] == "not-allowed"
            assert (await secretary.ask("start-recording"))["type"] == "done"
            told = await ward.hear("recording", where=lambda m: m["since"] is not None)
            assert told["since"] > 1_700_000_000
            late = await here.enter(Role.OBSERVER)
            assert late.last("recording")["since"] == told["since"]
            await recorded(here, 2)
            assert [row.state for row in await here.stores.recordings.list()] == [RecordingState.RECORDING]

            assert (await secretary.ask("stop-recording"))["type"] == "done"

            await ward.hear("recording", where=lambda m: m["since"] is None)
            await secretary.settle()
            act = secretary.last("act")
            assert (act["act"], act["detail"]) == ("recording-stopped", "asked")
            return await listed(here, ready)

    [row] = asyncio.run(scenario())
    assert row.file is not None
    film = play(tmp_path / "recordings" / row.file)
    assert len(film.main) > 8
    assert row.duration_s == pytest.approx(film.duration_s, abs=0.01)
    assert not row.mended
    assert (tmp_path / "recordings").stat().st_mode & 0o777 == 0o700


def test_a_killed_recorder_is_followed_by_another_and_its_part_is_mended(tmp_path: Path) -> None:
    async def scenario() -> list[RecordingRow]:
        async with meeting(real(tmp_path)) as (here, secretary, _):
            await secretary.ask("start-recording")
            first = await recorded(here, 1)
            os.kill(first, signal.SIGKILL)
            await recorded(here, 1, not_pid=first)
            assert here.manager.told(here.meeting).recording_since is not None
            await secretary.ask("stop-recording")
            return await listed(here, ready)

    rows = asyncio.run(scenario())
    assert sorted(row.mended for row in rows) == [False, True]
    assert all(len(play(tmp_path / "recordings" / str(row.file)).sound) > 20 for row in rows)


def test_a_recording_goes_on_after_a_restart_of_the_server_and_ends_with_the_meeting(tmp_path: Path) -> None:
    chosen = real(tmp_path)

    async def before() -> Hall:
        async with meeting(chosen) as (here, secretary, _):
            await secretary.ask("start-recording")
            await recorded(here, 1)
            return here

    async def after(first: Hall) -> list[RecordingRow]:
        async with hall(chosen, sites=()) as here:
            here.meeting = first.meeting
            chair = await here.enter(Role.CHAIR)
            peer = await sending(chair)
            try:
                await recorded(here, 1)
                await chair.ask("end-meeting")
                return await listed(here, lambda rows: len(rows) == 2 and ready(rows))
            finally:
                peer.close()

    rows = asyncio.run(after(asyncio.run(before())))
    assert [row.mended for row in rows] == [False, False]
    assert all(len(play(tmp_path / "recordings" / str(row.file)).sound) > 20 for row in rows)


def test_too_little_space_refuses_to_begin_and_ends_what_is_under_way(tmp_path: Path) -> None:
    never = RecordingSettings(start_above_bytes=1 << 60, stop_below_bytes=1 << 59)
    filling = RecordingSettings(start_above_bytes=0, stop_below_bytes=1 << 59)

    async def refused() -> None:
        async with meeting(real(tmp_path / "a", never)) as (here, secretary, _):
            assert (await secretary.ask("start-recording"))["code"] == "disk-full"
            assert here.manager.told(here.meeting).recording_since is None

    async def ended() -> None:
        async with meeting(real(tmp_path / "b", filling)) as (here, secretary, ward):
            assert (await secretary.ask("start-recording"))["type"] == "done"
            act = await secretary.hear("act", where=lambda m: m["act"] == "recording-stopped")
            assert (act["detail"], act["by"]) == ("disk-full", "")
            await ward.hear("recording", where=lambda m: m["since"] is None)
            await listed(here, lambda rows: all(row.state is RecordingState.READY for row in rows))
            assert (await secretary.ask("ping"))["type"] == "pong"

    asyncio.run(refused())
    asyncio.run(ended())


def test_a_server_told_to_record_nothing_says_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        off = settings(tmp_path, recording=RecordingSettings(on=False))
        async with hall(off) as here:
            chair = await here.enter(Role.CHAIR)
            assert (await chair.ask("start-recording"))["code"] == "no-recorder"
            assert here.manager.told(here.meeting).recording_since is None

    asyncio.run(scenario())


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_the_same_file_goes_on_when_a_media_process_dies(tmp_path: Path, workers: int) -> None:
    chosen = settings(tmp_path, media=MediaSettings(engine="sfu", workers=workers), recording=NO_FLOOR)

    async def scenario() -> list[RecordingRow]:
        async with meeting(chosen) as (here, secretary, _), AsyncExitStack() as stack:
            await secretary.ask("start-recording")
            pid = await recorded(here, 1)
            media = [
                child
                for child in psutil.Process().children()
                if "room_manager.media.sfu.process" in child.cmdline()
            ]
            assert len(media) == workers
            for process in media:  # one of them carries the recorder
                process.kill()
                chair = await here.enter(Role.CHAIR)
                stack.callback((await sending(chair)).close)
                progress = recordist(here).progress(here.meeting)
                assert progress is not None
                assert await recorded(here, progress.duration_s + 2) == pid
            await secretary.ask("stop-recording")
            return await listed(here, ready)

    [row] = asyncio.run(scenario())
    film = play(tmp_path / "recordings" / str(row.file))
    assert longest_gap_s(film.sound) > 0.1
    assert film.duration_s == pytest.approx(film.sound[-1], abs=1.0)


def test_a_server_that_records_nothing_takes_the_sign_away_after_a_restart(tmp_path: Path) -> None:
    async def scenario() -> None:
        chosen = settings(tmp_path, recording=NO_FLOOR)
        async with hall(chosen) as here:
            chair = await here.enter(Role.CHAIR)
            assert (await chair.ask("start-recording"))["type"] == "done"
            meeting = here.meeting
        off = msgspec.structs.replace(chosen, recording=RecordingSettings(on=False))
        async with hall(off, sites=()) as here:
            here.meeting = meeting
            secretary = await here.enter(Role.SECRETARY)
            assert secretary.last("recording")["since"] is None
            assert (await secretary.ask("start-recording"))["code"] == "no-recorder"

    asyncio.run(scenario())
