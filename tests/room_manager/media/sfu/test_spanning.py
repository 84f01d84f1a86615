"""A meeting that spans workers: who watches there sees and hears who sends here, whoever dies between."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import pytest

from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import ConnectionsLost, EngineEvent, Scene
from room_manager.media.light import LightPeer, Sections
from room_manager.media.loops import shipped
from room_manager.media.sfu.driver import SfuEngine, SfuSettings

LIMIT_S: Final = 30.0
ROOM: Final = RoomId("phong")
STAGE: Final = SiteId("00001")
WATCHER: Final = Sections(microphone=False, camera=False, screen=False, audio_slots=1, video_slots=1)
UNDER_WAY: Final = 20


class Meeting:
    """Sites of one meeting on several workers."""

    def __init__(self, engine: SfuEngine) -> None:
        self.engine = engine
        self.events: list[EngineEvent] = []
        self.peers: dict[SiteId, LightPeer] = {}
        self._turn = asyncio.Semaphore(UNDER_WAY)

    async def join(self, site: SiteId, sections: Sections = WATCHER) -> LightPeer:
        """The site comes (back) in, under the same name of connection."""
        async with self._turn:
            if site in self.peers:
                self.peers[site].close()
            peer = self.peers[site] = LightPeer(sections, count_only=True)
            answer = await self.engine.join(ROOM, ConnectionId(f"c-{site}"), site, peer.offer())
            await peer.accept(answer.sdp, answer.slots)
            await peer.connected()
            return peer

    async def on_stage(self) -> LightPeer:
        """The site all see and hear, playing."""
        peer = await self.join(STAGE, Sections(screen=False))
        peer.play(shipped()[0], layers=("q", "h", "f"), voice=True)
        return peer

    def of_worker(self, worker: int) -> list[LightPeer]:
        port = self.engine.ports[worker]
        return [peer for peer in self.peers.values() if not peer.closed and peer.remote_port == port]

    def kill(self, worker: int) -> None:
        pid = self.engine.pids[worker]
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    async def until(self, look: Callable[[], bool]) -> None:
        deadline = asyncio.get_running_loop().time() + LIMIT_S
        while not look():
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.02)

    async def all_get_more(self, peers: list[LightPeer], packets: int = 5) -> None:
        """Each gets this many packets more of picture and of sound."""
        before = [{slot: a.packets for slot, a in peer.slots.items()} for peer in peers]

        def got() -> bool:
            return all(
                arrived.packets >= counts[slot] + packets
                for peer, counts in zip(peers, before, strict=True)
                for slot, arrived in peer.slots.items()
                if slot in ("main", "audio-1", "programme")
            )

        await self.until(got)

    async def lost(self) -> list[SiteId]:
        """Whoever the engine says has lost its worker."""

        def told() -> list[ConnectionsLost]:
            return [event for event in self.events if isinstance(event, ConnectionsLost)]

        await self.until(lambda: bool(told()))
        return [SiteId(c.removeprefix("c-")) for event in told() for c in event.connections]


@asynccontextmanager
async def meeting(workers: int = 2) -> AsyncIterator[Meeting]:
    engine = SfuEngine(SfuSettings(workers=workers))
    await engine.start()
    here = Meeting(engine)

    async def listen() -> None:
        async for event in engine.events():
            here.events.append(event)

    listening = asyncio.create_task(listen())
    try:
        await engine.set_scene(ROOM, Scene(main=STAGE, heard_only=frozenset({STAGE}), voices=(STAGE,)))
        yield here
    finally:
        for peer in here.peers.values():
            peer.close()
        await engine.close()
        await asyncio.wait_for(listening, LIMIT_S)


def wards(count: int) -> list[SiteId]:
    return [SiteId(f"{number:05}") for number in range(2, count + 2)]


def test_when_a_worker_is_killed_the_sites_of_the_other_miss_nothing() -> None:
    async def test() -> None:
        async with meeting() as here:
            await here.on_stage()
            watchers = await asyncio.gather(*(here.join(site) for site in wards(8)))
            await here.all_get_more(watchers)
            kept = [peer for peer in here.of_worker(0) if peer is not here.peers[STAGE]]
            assert len(kept) == 4

            here.kill(1)
            lost = await here.lost()
            await here.all_get_more(kept, 20)

            assert [peer.slots["main"].lost for peer in kept] == [0] * 4
            assert STAGE not in lost
            assert len(lost) == 4
            again = await asyncio.gather(*(here.join(site) for site in lost))
            await here.all_get_more(again)

    asyncio.run(test())


def test_when_the_worker_of_the_stage_is_killed_all_see_it_again_once_it_is_back() -> None:
    async def test() -> None:
        async with meeting() as here:
            await here.on_stage()
            watchers = await asyncio.gather(*(here.join(site) for site in wards(6)))
            await here.all_get_more(watchers)
            kept = here.of_worker(1)
            assert len(kept) == 3

            here.kill(0)
            lost = await here.lost()
            assert STAGE in lost
            await here.on_stage()

            await here.all_get_more(kept)
            assert not any(peer.closed for peer in kept)

    asyncio.run(test())


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_meeting_of_hundreds_is_seen_and_heard_on_both_workers() -> None:
    async def test() -> None:
        async with meeting() as here:
            await here.on_stage()
            watchers = await asyncio.gather(*(here.join(site) for site in wards(400)))
            assert {len(here.of_worker(0)), len(here.of_worker(1))} == {200, 201}

            await here.all_get_more(watchers, 50)

            passed = {
                sample.labels["direction"]: sample.value
                for family in here.engine.figures()
                if family.name == "diemcau_media_relayed"
                for sample in family.samples
                if sample.labels["worker"] == "0"
            }
            stats = await here.engine.stats(ROOM)
            assert stats is not None
            assert stats.connections == 401
            assert passed["dropped"] == 0
            assert 0 < passed["out"] < stats.video_forwarded / 50  # once for 200, not once for each

    asyncio.run(test())
