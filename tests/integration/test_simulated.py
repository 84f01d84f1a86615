"""Simulated sites come back by themselves, as the pages do: server and media process are killed."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from room_manager.roster.builtin import hanoi_579
from signaling.simulate.door import Door
from signaling.simulate.job import Job, Place
from signaling.wire import client as say
from signaling.wire import server as told
from tests.helpers.client import Client
from tests.helpers.server import CHAIR, LiveServer, Planned, ward

CODES = [unit.code for unit in hanoi_579()[:6]]
LIMIT_S = 40.0


def test_simulated_sites_return_after_both_processes_were_killed(server: LiveServer) -> None:
    planned = server.plan([CHAIR, *map(ward, CODES)], simulated=frozenset(CODES))
    with _simulating(server, planned):
        asyncio.run(_all_present_and_one_on_stage(server, planned, "before"))

        server.kill_media()
        asyncio.run(_all_present_and_one_on_stage(server, planned, "without media"))

        server.kill()
        server.start()
        asyncio.run(_all_present_and_one_on_stage(server, planned, "after"))


def test_simulated_sites_of_a_killed_worker_return_and_monitoring_sees_it(tmp_path: Path) -> None:
    server = LiveServer(tmp_path, flags=("--media-workers", "2"))
    server.start()
    try:
        planned = server.plan([CHAIR, *map(ward, CODES)], simulated=frozenset(CODES))
        with _simulating(server, planned):
            asyncio.run(_all_present_and_one_on_stage(server, planned, "before"))

            server.kill_media()

            asyncio.run(_all_present_and_one_on_stage(server, planned, "with one worker more or less"))
            asyncio.run(_both_at_work(server))
    finally:
        server.stop()


async def _both_at_work(server: LiveServer) -> None:
    """Until /metrics shows two workers that take calls and tell figures, one of them started again."""
    wanted = {f'diemcau_media_{name}{{worker="{n}"}} 1.0' for name in ("up", "rooms") for n in (0, 1)}
    async with asyncio.timeout(LIMIT_S):
        while True:
            page = (await asyncio.to_thread(server.get, "/metrics")).decode().splitlines()
            restarts = sorted(line[-3:] for line in page if line.startswith("diemcau_media_restarts_total{"))
            if wanted <= set(page) and restarts == ["0.0", "1.0"]:
                return
            await asyncio.sleep(0.1)


async def _all_present_and_one_on_stage(server: LiveServer, planned: Planned, when: str) -> None:
    """The chair counts everybody, puts one on stage and is sent its picture."""
    chair = Client(Door(server.origin, None))
    try:
        await chair.enter(planned.tokens[0])
        await chair.until(told.Counts, lambda counts: counts.present == len(CODES), LIMIT_S)
        peer = await chair.send_media()
        stage = await chair.until(told.Stage, lambda _: True)
        await chair.command(say.SetStage, main=CODES[0], tiles=(), stage_version=stage.version)
        async with asyncio.timeout(LIMIT_S):
            while peer.slots["main"].packets < 20:  # noqa: ASYNC110 - packets come without a word
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"{when}: {chair.latest.get(told.Counts)}") from None
    finally:
        await chair.close()


@contextlib.contextmanager
def _simulating(server: LiveServer, planned: Planned) -> Iterator[None]:
    places = tuple(Place(code, token) for code, token in zip(CODES, planned.tokens[1:], strict=True))
    job = Job(server.origin, None, places, seed=1, lively=False)
    with subprocess.Popen([sys.executable, "-m", "signaling.simulate"], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(job) + b"\n")
        process.stdin.flush()
        yield
        process.stdin.close()  # which ends it
        assert process.wait(LIMIT_S) == 0
