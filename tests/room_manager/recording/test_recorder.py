"""A recorder's process before a real engine, with light peers that play the shipped loops."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import Answer, EngineAway, EngineRestarted, Scene
from room_manager.media.light import LightPeer, Sections
from room_manager.media.light_sdp import H264_TYPE, MID_ID, mids
from room_manager.media.loops import shipped
from room_manager.media.sfu import vp8
from room_manager.media.sfu.driver import SfuEngine, SfuSettings
from room_manager.media.sfu.rtp import build, extension_block
from room_manager.meeting.values import RecordingEnd
from room_manager.recording.control import Ended
from room_manager.recording.driver import RecorderProcess
from room_manager.recording.files import mend
from tests.helpers.disks import fill, small_disk
from tests.helpers.films import longest_gap_s, play
from tests.room_manager.recording.test_h264_film import FPS, FRAMES, encoded, packets

pytestmark = pytest.mark.timeout(90)

ROOM = RoomId("recorded")
LIMIT_S = 30.0
HALL, WARD = SiteId("TP"), SiteId("00001")


class Stage:
    """An engine with two sites that play, and a recorder that is told when the engine died."""

    def __init__(self, engine: SfuEngine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self.peers: dict[SiteId, LightPeer] = {}
        self.joins = 0

    async def enter(self, site: SiteId, loop: int, layers: tuple[str, ...] = ("q", "h", "f")) -> None:
        peer = LightPeer()
        while True:
            try:
                answer = await self.engine.join(ROOM, ConnectionId(f"c-{site}"), site, peer.offer())
                break
            except EngineAway:
                await asyncio.sleep(0.1)
        await peer.accept(answer.sdp, answer.slots)
        await peer.connected()
        peer.play(shipped()[loop], layers=layers, voice=site == HALL)
        self.peers[site] = peer

    async def show(self, main: SiteId, content: SiteId | None = None) -> None:
        await self.engine.set_scene(
            ROOM, Scene(main=main, host=HALL, content=content, heard_only=None, voices=(HALL,))
        )

    async def join(self, sdp: str) -> Answer:
        self.joins += 1
        return await self.engine.join(ROOM, ConnectionId(f"recorder-{self.joins}"), None, sdp)

    def recorder(self, stop_below_bytes: int = 0) -> RecorderProcess:
        return RecorderProcess(self.folder / "film", stop_below_bytes, self.join)


def on_stage(folder: Path, scenario: Callable[[Stage], Awaitable[None]]) -> None:
    async def run() -> None:
        async with playing(folder) as stage, asyncio.timeout(60):
            await scenario(stage)

    asyncio.run(run())


@asynccontextmanager
async def playing(folder: Path) -> AsyncIterator[Stage]:
    engine = SfuEngine(SfuSettings())
    await engine.start()
    stage = Stage(engine, folder)
    try:
        await stage.show(HALL)
        await stage.enter(HALL, 0)
        await stage.enter(WARD, 1, layers=("h",))
        yield stage
    finally:
        for peer in stage.peers.values():
            peer.close()
        await engine.close()


async def recorded(recorder: RecorderProcess, seconds: float) -> float:
    """Wait until so much is durable; how much is."""
    async with asyncio.timeout(LIMIT_S):
        while recorder.progress is None or recorder.progress.duration_s < seconds:  # noqa: ASYNC110 - a file grows
            await asyncio.sleep(0.05)
    return recorder.progress.duration_s


def share_screen(peer: LightPeer) -> asyncio.Task[None]:
    """A shared screen: the loop's smallest layer, in the section for screens."""

    async def send() -> None:
        loop = shipped()[2]
        for number in range(10_000):
            frame = loop.layers[0].frames[number % len(loop.layers[0].frames)]
            payload = vp8.descriptor(number, starts_frame=True) + frame[:1100]
            if len(frame) <= 1100:
                peer.send_rtp("screen", payload, timestamp=number * 11_250, marker=True)
            else:
                peer.send_rtp("screen", payload, timestamp=number * 11_250)
                rest = vp8.descriptor(number, starts_frame=False) + frame[1100:]
                peer.send_rtp("screen", rest, timestamp=number * 11_250, marker=True)
            await asyncio.sleep(0.125)

    return asyncio.create_task(send())


def test_the_programme_is_in_the_file_with_its_content_beside_it(tmp_path: Path) -> None:
    async def scenario(stage: Stage) -> None:
        recorder = stage.recorder()
        running = asyncio.create_task(recorder.run())
        before = await recorded(recorder, 2)
        sharing = share_screen(stage.peers[HALL])
        await stage.show(WARD, content=HALL)
        stage.peers[HALL].play(shipped()[0], voice=False)
        stage.peers[WARD].play(shipped()[1], layers=("h",), voice=True)  # heard in another slot
        await recorded(recorder, before + 4)
        sharing.cancel()

        recorder.finish()
        ended = await running

        assert ended is not None
        assert (ended.why, ended.name) == (RecordingEnd.ASKED, "film.webm")
        film = play(tmp_path / "film.webm")
        assert film.duration_s == pytest.approx(ended.duration_s, abs=0.01)
        assert film.sizes[0] >= {(640, 360), (320, 180)}  # the hall's largest layer, then the ward's only one
        assert len(film.content) >= 4
        assert film.content[0] > 2
        # Honest: what was played is there, at the pace at which it was played.
        assert longest_gap_s(film.sound) < 2
        played = film.sound[-1] - film.sound[0] - longest_gap_s(film.sound)
        assert len(film.sound) == pytest.approx(played * 50, rel=0.05)
        assert len(film.main) >= (film.main[-1] - film.main[0]) * 8 * 0.8
        assert abs(film.main[-1] - film.sound[-1]) < 2

    on_stage(tmp_path, scenario)


def test_a_room_that_speaks_h264_becomes_a_matroska_file(tmp_path: Path) -> None:
    sent = packets(encoded(320, 176))
    rounds = 4
    offered = Sections(screen=False, layers=(), video_codecs=("H264",))

    async def show(peer: LightPeer) -> None:
        """A camera whose keyframes come by themselves, at the pace of its timestamps."""
        number = 0
        for turn in range(rounds):
            for packet in sent:
                number += 1
                mid = extension_block([(MID_ID, mids(offered)["camera"].encode())])
                at = turn * FRAMES * 90_000 // FPS + packet.timestamp
                payload = packet.data[packet.start : packet.end]
                marker = bool(packet.marker)
                peer.send_plain(build(H264_TYPE, number, at, 77, payload, marker=marker, extensions=mid))
                if marker:
                    await asyncio.sleep(1 / FPS)

    async def scenario() -> None:
        engine = SfuEngine(SfuSettings())
        await engine.start()
        stage = Stage(engine, tmp_path)
        peer = LightPeer(offered)
        try:
            await stage.show(HALL)
            answer = await engine.join(ROOM, ConnectionId("c"), HALL, peer.offer())
            await peer.accept(answer.sdp, answer.slots)
            await peer.connected()
            showing = asyncio.create_task(show(peer))
            recorder = stage.recorder()
            running = asyncio.create_task(recorder.run())
            await recorded(recorder, 4)
            recorder.finish()
            ended = await running
            assert ended is not None
            assert ended.name == "film.mkv"
            showing.cancel()
        finally:
            peer.close()
            await engine.close()

    asyncio.run(scenario())
    film = play(tmp_path / "film.mkv")
    assert film.sizes == {0: {(320, 176)}}
    assert len(film.main) > 20


def test_a_killed_recorder_leaves_what_plays_but_for_two_seconds(tmp_path: Path) -> None:
    async def scenario(stage: Stage) -> None:
        recorder = stage.recorder()
        running = asyncio.create_task(recorder.run())
        durable = await recorded(recorder, 3)
        assert recorder.pid is not None
        os.kill(recorder.pid, signal.SIGKILL)

        assert await running is None
        part = tmp_path / "film.webm.part"
        left = play(part)
        assert len(left.main) >= (durable - 1) * 8 * 0.8
        assert left.sound[-1] >= durable - 0.1

        ready = mend(part)
        assert ready is not None
        film = play(ready.path)
        assert (film.main, film.sound) == (left.main, left.sound)
        assert film.duration_s == pytest.approx(left.sound[-1], abs=0.2)

    on_stage(tmp_path, scenario)


@pytest.mark.slow
def test_when_the_media_process_dies_the_same_file_goes_on_with_the_gap(tmp_path: Path) -> None:
    async def scenario(stage: Stage) -> None:
        recorder = stage.recorder()
        running = asyncio.create_task(recorder.run())
        before = await recorded(recorder, 2)
        assert stage.engine.pid is not None
        os.kill(stage.engine.pid, signal.SIGKILL)
        async for event in stage.engine.events():
            if isinstance(event, EngineRestarted):
                break
        recorder.rejoin()
        await stage.show(HALL)
        for peer in stage.peers.values():
            peer.close()
        await stage.enter(HALL, 0)

        await recorded(recorder, before + 3)
        recorder.finish()
        ended = await running

        assert ended is not None
        assert stage.joins >= 2
        film = play(tmp_path / "film.webm")
        gap = longest_gap_s(film.sound)
        assert 0.1 < gap < film.sound[-1]
        assert film.sound[-1] > before + 1
        played = film.sound[-1] - film.sound[0] - gap
        assert len(film.sound) == pytest.approx(played * 50, rel=0.1)

    on_stage(tmp_path, scenario)


def test_a_disk_that_fills_ends_it_with_the_reason_and_a_whole_file(tmp_path: Path) -> None:
    async def scenario(stage: Stage) -> None:
        ended = await stage.recorder(stop_below_bytes=1 << 60).run()

        assert ended is not None
        assert (ended.why, ended.name) == (RecordingEnd.DISK_FULL, "film.webm")
        assert len(play(tmp_path / "film.webm").sound) > 10

    on_stage(tmp_path, scenario)


def test_a_disk_that_is_full_ends_it_with_what_was_durable(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:

        async def scenario(stage: Stage) -> None:
            ended = await stage.recorder().run()
            assert ended is not None
            assert (ended.why, ended.name) == (RecordingEnd.DISK_FULL, "film.webm")

        ballast = fill(disk, but_bytes=40_000)
        on_stage(disk, scenario)
        film = play(disk / "film.webm")
        assert len(film.sound) > 20
        assert len(film.main) > 3
        ballast.unlink()


def test_an_engine_that_is_away_is_asked_again_and_nothing_recorded_leaves_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        asked = 0

        async def refuse(sdp: str) -> Answer:
            nonlocal asked
            asked += 1
            raise EngineAway("starting")

        recorder = RecorderProcess(tmp_path / "film", 0, refuse)
        running = asyncio.create_task(recorder.run())
        async with asyncio.timeout(LIMIT_S):
            while asked < 3:  # noqa: ASYNC110 - the other process asks
                await asyncio.sleep(0.05)
        recorder.finish()
        assert await running == Ended(RecordingEnd.ASKED, None)

    asyncio.run(scenario())
    assert list(tmp_path.iterdir()) == []
