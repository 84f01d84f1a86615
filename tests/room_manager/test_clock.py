"""Setting the computer's clock changes no meeting."""

import asyncio

import pytest

from room_manager.clock import RoomClock
from room_manager.ids import ConnectionId
from room_manager.meeting.commands import Drop, GiveFloor, Join, LockMeeting
from room_manager.meeting.presence import PRESENCE_GRACE_S
from room_manager.meeting.values import Device, SiteState
from room_manager.runner import RETURN_GRACE_S, Clock, Runner
from tests.helpers.loop import run_virtual
from tests.helpers.meeting_driver import CHAIR, PHUC_XA, START_S, TRUC_BACH, member
from tests.helpers.rooms import OPENING, ROOM, GatedJournal

HOUR_S = 3_600.0


class Computer:
    """Its wall clock can be set; its steady one is the loop's."""

    def __init__(self) -> None:
        self.set_by_s = 0.0

    def wall(self) -> float:
        return START_S + asyncio.get_running_loop().time() + self.set_by_s

    def clock(self) -> RoomClock:
        return RoomClock(self.wall, asyncio.get_running_loop().time)


async def served(journal: GatedJournal, clock: Clock) -> tuple[Runner, asyncio.Task[None]]:
    runner = Runner(ROOM, journal, clock)
    await runner.open(OPENING)
    return runner, asyncio.create_task(runner.run())


async def end(runner: Runner, task: asyncio.Task[None]) -> None:
    runner.close()
    await task


async def join(runner: Runner, *sites: str) -> None:
    for site in (PHUC_XA, TRUC_BACH):
        if site in sites:
            await runner.submit(Join(site, Device.PRIMARY, ConnectionId(f"c-{site}")), member(site))


@pytest.mark.parametrize("by_s", [HOUR_S, -HOUR_S])
def test_the_room_clock_begins_with_the_wall_clock_and_does_not_follow_it(by_s: float) -> None:
    async def test() -> None:
        computer = Computer()
        clock = computer.clock()
        assert clock() == START_S

        computer.set_by_s = by_s
        await asyncio.sleep(5)

        assert clock() == START_S + 5

    run_virtual(test())


@pytest.mark.parametrize("by_s", [HOUR_S, -HOUR_S])
def test_speaking_time_and_grace_last_as_long_when_the_wall_clock_is_set(by_s: float) -> None:
    async def test() -> None:
        computer = Computer()
        runner, task = await served(GatedJournal(), computer.clock())
        await join(runner, PHUC_XA, TRUC_BACH)
        await runner.submit(GiveFloor(PHUC_XA, floor_version=0, speaking_time_s=60), CHAIR)
        await runner.submit(Drop(TRUC_BACH, ConnectionId(f"c-{TRUC_BACH}")), member(TRUC_BACH))

        computer.set_by_s = by_s
        await asyncio.sleep(PRESENCE_GRACE_S - 0.01)
        assert runner.told.state.sites[TRUC_BACH].state is SiteState.AWAY
        await asyncio.sleep(0.02)
        assert runner.told.state.sites[TRUC_BACH].state is SiteState.LEFT

        await asyncio.sleep(60 - PRESENCE_GRACE_S - 0.02)
        assert runner.told.state.floor.site == PHUC_XA
        await asyncio.sleep(0.02)
        assert runner.told.state.floor.site is None
        await end(runner, task)

    run_virtual(test())


def test_a_clock_that_was_set_back_before_a_restart_keeps_order_and_durations() -> None:
    async def test() -> None:
        computer, journal = Computer(), GatedJournal()
        runner, task = await served(journal, computer.clock())
        await asyncio.sleep(10)
        await join(runner, PHUC_XA)
        await end(runner, task)

        computer.set_by_s = -HOUR_S
        runner, task = await served(journal, computer.clock())
        await asyncio.sleep(2)
        await join(runner, TRUC_BACH)
        await runner.submit(LockMeeting(), CHAIR)
        await asyncio.sleep(RETURN_GRACE_S - 2 + 0.01)
        assert runner.told.state.sites[PHUC_XA].state is SiteState.AWAY
        await asyncio.sleep(PRESENCE_GRACE_S)
        assert runner.told.state.sites[PHUC_XA].state is SiteState.LEFT

        times = [record.at for record in await journal.load(ROOM)]
        assert times == sorted(times)
        assert times[-1] == pytest.approx(START_S + 10 + RETURN_GRACE_S + PRESENCE_GRACE_S, abs=0.1)
        await end(runner, task)

    run_virtual(test())
