"""The unit's process: it ends with its parent, comes back when killed, and keeps its port."""

import asyncio
import os
import signal
import socket
import threading
from typing import Final

import psutil
import pytest

from room_manager.ids import RoomId
from room_manager.media.engine import EngineAway, EngineRestarted, Scene
from room_manager.media.sfu.driver import SfuEngine, SfuSettings
from room_manager.media.sfu.udp import open_port

LIMIT_S: Final = 15.0


async def gone(pid: int) -> None:
    deadline = asyncio.get_running_loop().time() + LIMIT_S
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)


def test_a_killed_engine_is_back_on_the_same_port() -> None:
    async def test() -> None:
        engine = SfuEngine(SfuSettings())
        await engine.start()
        port, pid = engine.port, engine.pid
        assert pid is not None

        os.kill(pid, signal.SIGKILL)

        async for event in engine.events():
            assert event == EngineRestarted()
            break
        assert engine.port == port
        assert engine.pid != pid
        assert await engine.stats(RoomId("phong")) is None
        await engine.set_scene(RoomId("phong"), Scene())
        await engine.close()

    asyncio.run(test())


def test_the_process_ends_when_its_parent_is_gone() -> None:
    async def test() -> None:
        engine = SfuEngine(SfuSettings())
        await engine.start()
        pid = engine.pid
        assert pid is not None
        worker = engine._workers[0]
        assert worker._supervisor is not None
        worker._supervisor.cancel()
        assert worker._writer is not None

        worker._writer.close()  # what the kernel does when a process dies

        await gone(pid)
        await engine.close()

    asyncio.run(test())


def test_closing_ends_the_process_and_later_calls_are_refused() -> None:
    async def test() -> None:
        engine = SfuEngine(SfuSettings())
        await engine.start()
        pid = engine.pid
        assert pid is not None

        await engine.close()
        await engine.close()

        await gone(pid)
        with pytest.raises(EngineAway):
            await engine.set_scene(RoomId("phong"), Scene())
        assert [event async for event in engine.events()] == []

    asyncio.run(test())


def test_a_port_that_stays_taken_is_one_clear_error() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))

        with pytest.raises(OSError, match="in use"):
            open_port("127.0.0.1", taken.getsockname()[1], patience_s=0.1)


def test_a_port_that_is_being_given_up_is_waited_for() -> None:
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    giving_up = threading.Timer(0.1, taken.close)
    giving_up.start()

    with open_port("127.0.0.1", port) as ours:
        assert ours.getsockname()[1] == port

    giving_up.join()


def test_an_address_that_is_not_ours_is_one_clear_error() -> None:
    async def test() -> None:
        engine = SfuEngine(SfuSettings(host="192.0.2.1"))

        with pytest.raises(OSError, match="assign"):
            await engine.start()

        await engine.close()

    asyncio.run(test())


def test_listening_everywhere_needs_addresses_to_announce() -> None:
    with pytest.raises(ValueError, match="announce"):
        SfuEngine(SfuSettings(host="0.0.0.0"))
