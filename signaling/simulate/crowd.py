"""All simulated sites of one job: they come in one after the other, live their lives, and go together."""

import asyncio
import contextlib
import logging
from random import Random
from typing import Final

from room_manager.media.loops import shipped
from signaling.simulate.door import Door
from signaling.simulate.job import Job
from signaling.simulate.life import Life
from signaling.simulate.site import SimulatedSite

COMING_PER_S: Final = 25.0
SETTLED_S: Final = 10.0  # the meeting is left in peace while it fills

BAD_LINES: Final = {3: 0.25, 11: 0.06}  # by the order of coming in; the share that is lost

log = logging.getLogger(__name__)


async def attend(job: Job) -> None:
    """Every site of the job takes part until all are dismissed."""
    chance = Random(job.seed)  # noqa: S311 - nothing here is a secret
    door = Door(job.url, job.certificate)
    loops = shipped()
    sites = {
        place.site: SimulatedSite(
            place,
            door,
            loops[number % len(loops)],
            Random(chance.random()),  # noqa: S311
            _loss_of(number) if job.lively else 0.0,
        )
        for number, place in enumerate(job.places)
    }
    living = asyncio.create_task(_live(sites, chance, len(sites) / COMING_PER_S)) if job.lively else None
    try:
        async with asyncio.TaskGroup() as tasks:
            for site in sites.values():
                tasks.create_task(site.run())
                await asyncio.sleep(1 / COMING_PER_S)
    finally:
        if living is not None:
            living.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await living


def _loss_of(number: int) -> float:
    """Two of a crowd have bad lines from the beginning, so that whoever looks sees how that is shown."""
    return BAD_LINES.get(number, 0.0)


async def _live(sites: dict[str, SimulatedSite], chance: Random, coming_s: float) -> None:
    clock = asyncio.get_running_loop().time
    await asyncio.sleep(coming_s + SETTLED_S)
    life = Life(list(sites), chance, clock())
    while True:
        await asyncio.sleep(max(0.0, life.due() - clock()))
        act = life.act(clock())
        if act is not None:
            log.info("- %s %s", type(act).__name__, act.site)
            await sites[act.site].do(act)
