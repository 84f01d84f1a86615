"""kill -9 at any moment: nothing acknowledged is lost, nothing is done twice, every order has an end."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from kiosk_client.orders import OrderState
from kiosk_client.outbox import Outbox
from kiosk_client.store import Store
from tests.helpers.short_lives import ACTS, KEPT, HarshCity, Lives

LIMIT_S = 60.0


@pytest.mark.parametrize("kills", [40, pytest.param(250, marks=[pytest.mark.slow, pytest.mark.timeout(400)])])
def test_nothing_is_lost_or_done_twice_over_many_kills(tmp_path: Path, kills: int) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    asyncio.run(_kill_again_and_again(tmp_path, kills, random.Random(seed)))


async def _kill_again_and_again(folder: Path, kills: int, dice: random.Random) -> None:
    city = HarshCity(dice)
    lives = Lives(folder, await city.open())
    try:
        for _ in range(kills):
            welcomes = len(city.hellos_at)
            lives.begin()
            if dice.random() < 0.8:  # else it dies before it has a line
                await _until(lambda before=welcomes: len(city.hellos_at) > before)  # type: ignore[misc]
            await asyncio.sleep(dice.uniform(0, 0.12))
            await asyncio.to_thread(lives.kill)
        city.is_harsh = False
        lives.begin()
        await _until(lambda: all(id_ in city.outcomes for id_ in city.orders))
        lives.kill()
        _check(folder, city, lives)
    finally:
        lives.end()
        await city.close()


def _check(folder: Path, city: HarshCity, lives: Lives) -> None:
    acts = Counter(lives.lines(ACTS))
    assert len(city.orders) > 20
    assert max(acts.values()) == 1, "done twice"
    for id_, outcomes in city.outcomes.items():
        assert len(outcomes) == 1, f"{id_} has ended twice"
        if outcomes[0].succeeded:
            assert acts[id_] == 1, f"{id_} was told as done and was not"
        else:
            assert outcomes[0].code == "interrupted"
    store = Store(str(folder / "state" / "agent.db"))
    waiting = {str(one.news.rollout) for one in Outbox(store).pending(10**6) if hasattr(one.news, "rollout")}
    (unfinished,) = store.read("SELECT count(*) FROM orders WHERE state = ?", OrderState.BEGUN)[0]
    store.close()
    kept = lives.lines(KEPT)
    assert len(kept) > 100
    assert set(kept) <= set(city.reported) | waiting, "a report was lost"
    assert max(city.reported.values()) == 1, "a report was taken twice"
    assert unfinished == 0


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not condition():  # noqa: ASYNC110 - it is another process that makes it true
            await asyncio.sleep(0.01)
