"""``kill -9`` at any moment of an update: the next start goes on, and what is in use is always whole."""

import asyncio
import json
import os
import random
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from kiosk_client.updates.unpack import check_contents
from kiosk_hub.fleet.rings import Ring
from kiosk_hub.fleet.rollouts import RolloutPlan, Transfer
from kiosk_hub.fleet.values import BundleKind
from signaling.wire.kiosk.words import Offer
from tests.helpers import bundles as files
from tests.helpers.databases import prepare
from tests.helpers.fleet_server import Fleet, fleet
from tests.helpers.rollout_city import AN, BINH
from tests.helpers.servers import settings
from tests.helpers.updating import LIMIT_S

prepare()


def play(folder: Path, story: Callable[[Fleet], Awaitable[None]]) -> None:
    chosen = settings(folder / "city")

    async def run() -> None:
        async with fleet(chosen) as here:
            here.hub.bundles.keep_free_bytes = 0
            await story(here)

    asyncio.run(run())


async def _child(state: Path, server: str, token: str, offer: Offer) -> asyncio.subprocess.Process:
    words = (str(state), server, token, msgspec.json.encode(offer).decode())
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.helpers.updating_child", *words, stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    async with asyncio.timeout(LIMIT_S):
        await child.stdout.readline()
    return child


def check_whole(state: Path) -> str:
    """What is in use is complete, whatever happened; its version."""
    current = state / "updates" / "content" / "current"
    if not current.exists():
        assert not current.is_symlink(), "the link leads nowhere"
        return ""
    check_contents(current, BundleKind.CONTENT)
    assert len(list((current / "files").iterdir())) == 40
    return Path(os.readlink(current)).name


async def _kill_and_go_on(here: Fleet, folder: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    one = await here.enrolled()
    state = folder / "device"
    state.mkdir()
    token = await one.token()
    parts = {f"files/{n}.bin": os.urandom(8_000) for n in range(40)}
    for version in ("1", "2"):
        file = files.written(folder / "f", files.content(version, parts))
        bundle = await here.hub.bundles.add(file, BundleKind.CONTENT, version, account="an")
        for book in here.hub.rollouts.shelf.books():
            await here.hub.rollouts.stop(book.rollout.id, "", AN)
        slowly = Transfer(cap_bytes_per_s=1_500_000)
        rollout = await here.hub.rollouts.plan(RolloutPlan(bundle.id, (Ring(),), transfer=slowly), AN)
        await here.hub.rollouts.submit(rollout.id, AN)
        await here.hub.rollouts.approve(rollout.id, BINH)
        offer = here.hub.rollouts.shelf.offer_for(one.id)
        assert offer is not None
        for _ in range(kills):
            child = await _child(state, one.origin, token, offer)
            try:
                # Not a wait for something: the moment of the power cut.
                await asyncio.wait_for(child.wait(), chance.uniform(0.0, 0.8))
            except TimeoutError:
                child.kill()
                await child.wait()
            assert check_whole(state) in ("", "1", version)
        child = await _child(state, one.origin, token, offer)
        async with asyncio.timeout(LIMIT_S):
            assert await child.wait() == 0
        assert check_whole(state) == version
    told = [json.loads(line) for line in (state / "told.jsonl").read_bytes().splitlines()]
    assert {news["step"] for news in told} <= {"downloading", "downloaded", "installing", "installed"}
    assert not list((state / "updates").rglob("*.half"))


def test_an_update_survives_being_killed(tmp_path: Path) -> None:
    play(tmp_path, lambda here: _kill_and_go_on(here, tmp_path, kills=3, seed=11))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_update_survives_being_killed_again_and_again(tmp_path: Path) -> None:
    play(tmp_path, lambda here: _kill_and_go_on(here, tmp_path, kills=30, seed=12))
