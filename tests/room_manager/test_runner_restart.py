"""What a room is like after its server died: as before, and with time to come back."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from room_manager.ids import HOST, ConnectionId
from room_manager.meeting.commands import Drop, GiveFloor, Join, RaiseHand, SetStage
from room_manager.meeting.events import DeviceDropped, GraceEnded, SiteDropped
from room_manager.meeting.floor import FLOOR_GRACE_S
from room_manager.meeting.presence import PRESENCE_GRACE_S
from room_manager.meeting.values import Device, SiteState
from room_manager.runner import RETURN_GRACE_S, Runner
from tests.helpers.loop import run_virtual
from tests.helpers.meeting_driver import CHAIR, PHUC_XA, SITES, TRUC_BACH, VINH_PHUC, member
from tests.helpers.rooms import GatedJournal, Room, running

AWAY_S = 3_600.0  # how long the server was dead


async def before_the_crash(journal: GatedJournal) -> Runner:
    """Phúc Xá has the floor, Trúc Bạch a hand and a tile, Vĩnh Phúc has just been lost."""
    async with running(journal) as room:
        await room.join_all()
        runner = room.runner
        await runner.submit(Join(HOST, Device.PRIMARY, ConnectionId("c-host")), CHAIR)
        await runner.submit(Join(TRUC_BACH, Device.BACKUP, ConnectionId("c-backup")), member(TRUC_BACH))
        await runner.submit(RaiseHand(TRUC_BACH), member(TRUC_BACH))
        await runner.submit(GiveFloor(PHUC_XA, floor_version=0, speaking_time_s=60), CHAIR)
        stage = runner.told.state.stage.version
        await runner.submit(SetStage(PHUC_XA, (TRUC_BACH,), stage), CHAIR)
        await runner.submit(Drop(VINH_PHUC, ConnectionId(f"c-{VINH_PHUC}")), member(VINH_PHUC))
    return runner


def after_a_crash(test: Callable[[Room, Runner], Awaitable[None]]) -> None:
    async def inside() -> None:
        journal = GatedJournal()
        dead = await before_the_crash(journal)
        await asyncio.sleep(AWAY_S)
        async with running(journal) as room:
            await test(room, dead)

    run_virtual(inside())


def test_the_state_is_as_before() -> None:
    async def test(room: Room, dead: Runner) -> None:
        assert room.runner.told.state == dead.told.state
        assert room.runner.seq == dead.seq
        assert room.runner.epoch > dead.epoch
        assert room.runner.told.state.floor.site == PHUC_XA
        assert room.runner.told.state.hands == [TRUC_BACH]

    after_a_crash(test)


def test_nothing_expires_before_everybody_has_had_time_to_return() -> None:
    async def test(room: Room, dead: Runner) -> None:
        await asyncio.sleep(RETURN_GRACE_S - 0.01)

        assert room.batches == []
        await room.runner.submit(Join(VINH_PHUC, Device.PRIMARY, ConnectionId("new")), member(VINH_PHUC))
        assert room.runner.told.state.sites[VINH_PHUC].state is SiteState.PRESENT

    after_a_crash(test)


def test_who_has_come_back_stays_and_who_has_not_is_away_with_the_usual_grace() -> None:
    async def test(room: Room, dead: Runner) -> None:
        for site in SITES[3:]:
            await room.runner.submit(Join(site, Device.PRIMARY, ConnectionId(f"new-{site}")), member(site))
        await room.runner.submit(
            Join(TRUC_BACH, Device.BACKUP, ConnectionId("new-backup")), member(TRUC_BACH)
        )
        room.batches.clear()

        await asyncio.sleep(RETURN_GRACE_S + 0.01)

        state = room.runner.told.state
        assert [state.sites[site].state for site in (HOST, PHUC_XA)] == [SiteState.AWAY] * 2
        assert all(state.sites[site].state is SiteState.PRESENT for site in (TRUC_BACH, *SITES[3:]))
        assert state.sites[VINH_PHUC].state is SiteState.LEFT
        assert state.floor.site is None  # its speaking time ended while the server was dead
        happened = [record.event for record in room.heard()]
        assert GraceEnded(VINH_PHUC) in happened
        assert DeviceDropped(TRUC_BACH, Device.PRIMARY) in happened
        assert sum(isinstance(event, SiteDropped) for event in happened) == 2
        assert {record.by for record in room.heard()} == {""}

        await asyncio.sleep(PRESENCE_GRACE_S)
        assert room.runner.told.state.sites[PHUC_XA].state is SiteState.LEFT

    after_a_crash(test)


def test_a_speaker_without_a_time_limit_keeps_the_floor_through_crash_and_grace() -> None:
    async def test() -> None:
        journal = GatedJournal()
        async with running(journal) as room:
            await room.join_all()
            await room.runner.submit(GiveFloor(PHUC_XA, floor_version=0), CHAIR)
        await asyncio.sleep(AWAY_S)

        async with running(journal) as room:
            await asyncio.sleep(RETURN_GRACE_S + FLOOR_GRACE_S - 0.01)
            assert room.runner.told.state.floor.site == PHUC_XA
            await asyncio.sleep(0.02)
            assert room.runner.told.state.floor.site is None

    run_virtual(test())


def test_ghosts_are_dropped_once_the_disk_has_space_again() -> None:
    async def test(room: Room, dead: Runner) -> None:
        room.journal.room_for = 0
        await asyncio.sleep(RETURN_GRACE_S + 10)
        assert room.batches == []

        room.journal.room_for = None
        await asyncio.sleep(2)

        assert room.runner.told.state.sites[PHUC_XA].state is SiteState.AWAY

    after_a_crash(test)


@pytest.mark.parametrize("times", [2, 3])
def test_crash_after_crash_loses_nothing(times: int) -> None:
    async def test() -> None:
        journal = GatedJournal()
        dead = await before_the_crash(journal)
        for _ in range(times):
            await asyncio.sleep(RETURN_GRACE_S / 2)
            async with running(journal) as room:
                await asyncio.sleep(RETURN_GRACE_S / 2)
                assert room.runner.told.state == dead.told.state

    run_virtual(test())
