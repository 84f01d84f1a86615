"""Several workers: one that dies or hangs costs only its own, and none outlives the engine."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import psutil
import pytest

from room_manager.errors import Limit
from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import (
    ConnectionsLost,
    EngineAway,
    EngineEvent,
    EngineRestarted,
    MediaUp,
    NotJoined,
    Scene,
)
from room_manager.media.light import LightPeer, Sections
from room_manager.media.sfu.driver import MAX_WORKERS, SfuEngine, SfuSettings

LIMIT_S: Final = 20.0
ROOM: Final = RoomId("phong")
QUIET: Final = Sections(microphone=False, camera=False, screen=False)


class Crew:
    """An engine of several workers, what it told, and the peers in it."""

    def __init__(self, engine: SfuEngine) -> None:
        self.engine = engine
        self.events: list[EngineEvent] = []
        self.peers: dict[ConnectionId, LightPeer] = {}
        self.ups: dict[ConnectionId, int] = {}

    async def join(self, name: str, site: str | None = None) -> LightPeer:
        connection = ConnectionId(name)
        if connection in self.peers:
            self.peers[connection].close()
        peer = self.peers[connection] = LightPeer(QUIET)
        answer = await self.engine.join(ROOM, connection, SiteId(site) if site else None, peer.offer())
        await peer.accept(answer.sdp, answer.slots)
        await peer.connected()
        before = self.ups.get(connection, 0)
        await self.until(lambda: self.events.count(MediaUp(ROOM, connection)) > before)
        self.ups[connection] = before + 1
        return peer

    async def until(self, look: Callable[[], bool]) -> None:
        deadline = asyncio.get_running_loop().time() + LIMIT_S
        while not look():
            assert asyncio.get_running_loop().time() < deadline, self.events
            await asyncio.sleep(0.01)

    def kill(self, worker: int) -> int:
        pid = self.engine.pids[worker]
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        return pid

    async def listen(self) -> None:
        async for event in self.engine.events():
            self.events.append(event)


@asynccontextmanager
async def crew(workers: int = 2, look_s: float = 0.05, patience_s: float = 30.0) -> AsyncIterator[Crew]:
    engine = SfuEngine(SfuSettings(workers=workers, look_s=look_s, patience_s=patience_s))
    await engine.start()
    here = Crew(engine)
    listening = asyncio.create_task(here.listen())
    try:
        yield here
    finally:
        for peer in here.peers.values():
            peer.close()
        await engine.close()
        await asyncio.wait_for(listening, LIMIT_S)


def alive(pid: int | None) -> bool:
    if pid is None or not psutil.pid_exists(pid):
        return False
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_worker_that_dies_costs_only_its_own_connections() -> None:
    async def test() -> None:
        async with crew() as here:
            engine, pids = here.engine, here.engine.pids
            await engine.set_scene(ROOM, Scene())
            for n in range(4):
                await here.join(f"c{n}", f"0000{n}")
            ports = {port: peer for peer in here.peers.values() for port in [peer.remote_port]}
            assert set(ports) == set(engine.ports)
            lost = [c for c, peer in here.peers.items() if peer.remote_port == engine.ports[1]]

            here.kill(1)

            await here.until(lambda: ConnectionsLost(ROOM, tuple(lost)) in here.events)
            with pytest.raises(NotJoined):
                await engine.watch(lost[0], ())
            kept = next(c for c in here.peers if c not in lost)
            await engine.watch(kept, ())
            await here.until(lambda: engine.pids[1] not in (None, pids[1]))
            assert engine.pids[0] == pids[0]
            assert EngineRestarted() not in here.events
            await engine.use(ROOM, SiteId("00001"), lost[0])

    asyncio.run(test())


def test_who_lost_its_worker_is_taken_by_another_and_then_by_its_successor() -> None:
    async def test() -> None:
        async with crew() as here:
            engine, ports = here.engine, here.engine.ports
            await here.join("a", "00001")
            await here.join("b", "00002")
            here.kill(1)
            await here.until(lambda: ConnectionsLost(ROOM, (ConnectionId("b"),)) in here.events)

            again = await here.join("b", "00002")

            assert again.remote_port in ports
            await here.until(lambda: engine.pids[1] is not None)
            assert engine.ports == ports

    asyncio.run(test())


def test_when_all_workers_have_died_the_engine_is_away_and_comes_back_empty() -> None:
    async def test() -> None:
        async with crew() as here:
            await here.join("a", "00001")
            await here.join("b", "00002")

            for worker in (0, 1):
                here.kill(worker)

            await here.until(lambda: EngineRestarted() in here.events)
            await here.until(lambda: None not in here.engine.pids)
            assert here.events.count(EngineRestarted()) == 1
            assert await here.engine.stats(ROOM) is None

    asyncio.run(test())


def test_a_worker_that_hangs_holds_up_nobody() -> None:
    async def test() -> None:
        async with crew() as here:
            await here.join("a", "00001")
            await here.join("b", "00002")
            hung = here.engine.pids[1]
            assert hung is not None
            os.kill(hung, signal.SIGSTOP)

            await here.engine.set_scene(ROOM, Scene(main=SiteId("00001")))
            await here.engine.use(ROOM, SiteId("00001"), ConnectionId("a"))
            assert await here.engine.stats(ROOM) is not None

            await here.engine.close()
            assert not alive(hung)

    asyncio.run(test())


def test_a_call_to_a_worker_that_dies_meanwhile_is_refused_at_once() -> None:
    async def test() -> None:
        async with crew() as here:
            await here.join("a", "00001")
            await here.join("b", "00002")
            hung = here.engine.pids[1]
            assert hung is not None
            os.kill(hung, signal.SIGSTOP)
            calling = asyncio.create_task(here.engine.watch(ConnectionId("b"), ()))
            await asyncio.sleep(0)

            os.kill(hung, signal.SIGKILL)

            with pytest.raises(EngineAway):
                await asyncio.wait_for(calling, LIMIT_S)

    asyncio.run(test())


def test_a_worker_that_hangs_and_can_be_told_no_more_is_put_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("room_manager.media.sfu.worker.MAX_CALLS", 3)
    monkeypatch.setattr("room_manager.media.sfu.worker.STUCK_S", 0.2)

    async def test() -> None:
        async with crew(look_s=30.0) as here:
            await here.join("a", "00001")
            await here.join("b", "00002")
            hung = here.engine.pids[1]
            assert hung is not None
            os.kill(hung, signal.SIGSTOP)

            for n in range(6):
                await here.engine.set_scene(ROOM, Scene(main=SiteId(f"{n:05}")))

            await here.until(lambda: ConnectionsLost(ROOM, (ConnectionId("b"),)) in here.events)
            await here.until(lambda: here.engine.pids[1] not in (None, hung))

    asyncio.run(test())


def test_a_burst_of_calls_is_refused_beyond_a_bound_and_kills_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("room_manager.media.sfu.worker.MAX_CALLS", 10)

    async def test() -> None:
        async with crew(look_s=30.0) as here:
            pids = here.engine.pids

            calls = (here.engine.set_scene(ROOM, Scene(main=SiteId(f"{n:05}"))) for n in range(50))
            done = await asyncio.gather(*calls, return_exceptions=True)

            assert {type(outcome) for outcome in done} == {type(None), Limit}
            await here.engine.set_scene(ROOM, Scene())
            assert here.engine.pids == pids

    asyncio.run(test())


def test_a_worker_that_hangs_too_long_is_replaced() -> None:
    async def test() -> None:
        async with crew(patience_s=3.0) as here:
            await here.join("a", "00001")
            await here.join("b", "00002")
            hung = here.engine.pids[1]
            assert hung is not None

            os.kill(hung, signal.SIGSTOP)

            await here.until(lambda: ConnectionsLost(ROOM, (ConnectionId("b"),)) in here.events)
            await here.until(lambda: here.engine.pids[1] not in (None, hung))
            assert not alive(hung)

    asyncio.run(test())


def test_figures_of_every_worker_are_known_a_moment_later() -> None:
    async def test() -> None:
        async with crew() as here:
            await here.join("a", "00001")
            await here.join("b", "00002")

            def joins() -> dict[str, float]:
                found = [f for f in here.engine.figures() if f.name == "diemcau_media_joins"]
                return {s.labels["worker"]: s.value for family in found for s in family.samples}

            await here.until(lambda: joins() == {"0": 1.0, "1": 1.0})
            here.kill(1)
            await here.until(lambda: joins() == {"0": 1.0, "1": 0.0})

    asyncio.run(test())


def test_closing_ends_every_worker() -> None:
    async def test() -> None:
        async with crew(3) as here:
            pids = here.engine.pids
            assert all(alive(pid) for pid in pids)

            await here.engine.close()

            assert not any(alive(pid) for pid in pids)

    asyncio.run(test())


def test_a_port_that_is_taken_starts_no_worker_at_all() -> None:
    async def test() -> None:
        engine = SfuEngine(SfuSettings(host="192.0.2.1", workers=2))

        with pytest.raises(OSError, match="assign"):
            await engine.start()

        assert engine.pids == (None, None)

    asyncio.run(test())


@pytest.mark.parametrize("workers", [0, -1, MAX_WORKERS + 1])
def test_the_number_of_workers_is_bounded(workers: int) -> None:
    with pytest.raises(ValueError, match="workers"):
        SfuEngine(SfuSettings(workers=workers))
