"""A line that is lost while nothing can be stored: its site is away as soon as that can be said."""

import asyncio
from collections.abc import Awaitable, Callable

from room_manager.gone import LONGEST_RETRY_S
from room_manager.ids import HOST, ConnectionId
from room_manager.meeting.commands import EndMeeting, GiveFloor, Join, LockMeeting
from room_manager.meeting.events import SiteDropped, SiteJoined
from room_manager.meeting.floor import FLOOR_GRACE_S
from room_manager.meeting.values import Device, SiteState
from tests.helpers.loop import run_virtual
from tests.helpers.meeting_driver import CHAIR, PHUC_XA, SITES, member
from tests.helpers.rooms import GatedJournal, Room, running

LINE = ConnectionId(f"c-{PHUC_XA}")


def with_speaker(test: Callable[[Room], Awaitable[None]]) -> None:
    """Everybody is there, and Phúc Xá has the floor."""

    async def inside() -> None:
        async with running(GatedJournal()) as room:
            await room.join_all()
            await room.runner.submit(GiveFloor(PHUC_XA, floor_version=0), CHAIR)
            room.batches.clear()
            await test(room)

    run_virtual(inside())


def state_of(room: Room) -> SiteState:
    return room.runner.told.state.sites[PHUC_XA].state


def drops(room: Room) -> list[object]:
    return [record.event for record in room.heard() if isinstance(record.event, SiteDropped)]


def test_a_lost_line_is_dropped_at_once() -> None:
    async def test(room: Room) -> None:
        room.runner.gone(PHUC_XA, LINE)
        room.runner.gone(PHUC_XA, LINE)
        await asyncio.sleep(0.01)

        assert state_of(room) is SiteState.AWAY
        assert len(drops(room)) == 1

    with_speaker(test)


def test_a_drop_that_is_refused_for_an_hour_is_stored_afterwards_and_asked_for_seldom() -> None:
    async def test(room: Room) -> None:
        room.journal.room_for = 0
        asked = room.journal.asked
        room.runner.gone(PHUC_XA, LINE)
        await asyncio.sleep(3_600)
        assert state_of(room) is SiteState.PRESENT
        assert 3 < room.journal.asked - asked < 3_600 / LONGEST_RETRY_S + 10

        room.journal.room_for = None
        await asyncio.sleep(LONGEST_RETRY_S)

        assert state_of(room) is SiteState.AWAY
        await asyncio.sleep(FLOOR_GRACE_S)
        assert room.runner.told.state.floor.site is None
        assert len(drops(room)) == 1

    with_speaker(test)


def test_a_drop_whose_question_is_lost_is_asked_again_and_not_without_a_pause() -> None:
    async def test(room: Room) -> None:
        room.journal.loses_questions = True
        asked = room.journal.asked
        room.runner.gone(PHUC_XA, LINE)
        await asyncio.sleep(20)
        assert 3 <= room.journal.asked - asked <= 6

        room.journal.loses_questions = False
        await asyncio.sleep(LONGEST_RETRY_S)

        assert state_of(room) is SiteState.AWAY

    with_speaker(test)


def test_a_join_in_doubt_whose_line_is_gone_does_not_stay_present() -> None:
    async def test(room: Room) -> None:
        newer = ConnectionId("newer")
        room.journal.gate.clear()
        joining = asyncio.create_task(
            room.runner.submit(Join(PHUC_XA, Device.PRIMARY, newer), member(PHUC_XA))
        )
        await asyncio.sleep(1)
        joining.cancel()
        room.runner.gone(PHUC_XA, newer)

        room.journal.gate.set()
        await asyncio.sleep(0.01)

        assert state_of(room) is SiteState.AWAY

    with_speaker(test)


def test_who_has_come_back_meanwhile_is_not_dropped() -> None:
    async def test(room: Room) -> None:
        room.journal.room_for = 0
        room.runner.gone(PHUC_XA, LINE)
        await asyncio.sleep(10)
        room.journal.room_for = None

        back = Join(PHUC_XA, Device.PRIMARY, ConnectionId("back"))
        await room.runner.submit(back, member(PHUC_XA))
        await asyncio.sleep(LONGEST_RETRY_S)

        assert [type(record.event) for record in room.heard()] == [SiteJoined]
        assert state_of(room) is SiteState.PRESENT
        assert room.runner._gone.next_at() is None

    with_speaker(test)


def test_when_all_lines_break_at_once_all_are_dropped() -> None:
    async def test(room: Room) -> None:
        await room.runner.submit(Join(HOST, Device.PRIMARY, ConnectionId("c-host")), CHAIR)
        for site in (HOST, *SITES):
            room.runner.gone(site, ConnectionId("c-host" if site == HOST else f"c-{site}"))
        await asyncio.sleep(0.01)

        assert len(drops(room)) == 1 + len(SITES)

    with_speaker(test)


def test_what_stands_for_nothing_or_a_meeting_that_is_over_is_not_remembered() -> None:
    async def test(room: Room) -> None:
        room.runner.gone(PHUC_XA, ConnectionId("unknown"))
        assert room.runner._gone.next_at() is None

        await room.runner.submit(EndMeeting(), CHAIR)
        asked = room.journal.asked
        room.runner.gone(PHUC_XA, LINE)
        await asyncio.sleep(60)

        assert room.runner._gone.next_at() is None
        assert room.journal.asked == asked

    with_speaker(test)


def test_commands_go_on_while_a_drop_waits() -> None:
    async def test(room: Room) -> None:
        room.journal.room_for = 0
        room.runner.gone(PHUC_XA, LINE)
        await asyncio.sleep(30)
        room.journal.room_for = 1

        await room.runner.submit(LockMeeting(), CHAIR)
        assert room.runner.told.state.locked

    with_speaker(test)
