"""One room's task: durable before told, in order, and nothing half done."""

import asyncio
from collections.abc import Awaitable, Callable
from copy import deepcopy

import pytest

from room_manager.errors import Busy, InDoubt, NotAllowed, NotOwner, NotStored, Stale
from room_manager.ids import RoomId
from room_manager.meeting.commands import GiveFloor, LockMeeting, MuteAll, RaiseHand, UnlockMeeting
from room_manager.meeting.events import AllMuted, HandRaised, MeetingLocked, SiteJoined
from room_manager.meeting.meeting import Meeting
from room_manager.runner import MAX_BATCH, MAX_WAITING, SUBMIT_LIMIT_S, Batch, Internal
from room_manager.store.journal import Recorded
from tests.helpers.loop import run_virtual
from tests.helpers.meeting_driver import CHAIR, OBSERVER, PHUC_XA, SITES, START_S, TRUC_BACH, member
from tests.helpers.rooms import OPENING, ROOM, GatedJournal, Room, running


def with_room(test: Callable[[Room], Awaitable[None]]) -> None:
    async def inside() -> None:
        async with running(GatedJournal()) as room:
            await test(room)

    run_virtual(inside())


def test_a_new_room_begins_with_its_opening() -> None:
    async def test(room: Room) -> None:
        assert room.runner.seq == 1
        assert room.runner.told.state.title == "Họp giao ban"
        assert await room.journal.load(ROOM) == [Recorded(1, START_S, "", OPENING)]

    with_room(test)


def test_an_event_is_durable_before_anyone_hears_it() -> None:
    async def test(room: Room) -> None:
        room.journal.gate.clear()
        asking = asyncio.create_task(room.runner.submit(LockMeeting(), CHAIR))
        await asyncio.sleep(1)

        assert (room.journal.asked, room.batches, room.runner.told.state.locked) == (2, [], False)
        room.journal.gate.set()

        assert await asking == 2
        assert room.runner.told.state.locked
        assert room.heard() == [Recorded(2, START_S, "Chủ tọa", MeetingLocked())]

    with_room(test)


def test_the_one_who_asked_is_answered_after_everybody_has_heard() -> None:
    async def test(room: Room) -> None:
        order: list[str] = []
        room.runner.listen(lambda batch: order.append("heard"))
        asking = asyncio.create_task(room.runner.submit(LockMeeting(), CHAIR))
        asking.add_done_callback(lambda _: order.append("answered"))

        await asking
        await asyncio.sleep(0)

        assert order == ["heard", "answered"]

    with_room(test)


def test_what_waits_during_a_commit_goes_into_the_next_one_together() -> None:
    async def test(room: Room) -> None:
        await room.join_all()
        room.journal.gate.clear()
        first = asyncio.create_task(room.runner.submit(RaiseHand(SITES[0]), member(SITES[0])))
        await asyncio.sleep(1)
        others = [asyncio.create_task(room.runner.submit(RaiseHand(s), member(s))) for s in SITES[1:]]
        await asyncio.sleep(1)
        asked = room.journal.asked

        room.journal.gate.set()

        start = 1 + len(SITES)
        assert await asyncio.gather(first, *others) == list(range(start + 1, start + 1 + len(SITES)))
        assert room.journal.asked == asked + 1
        assert room.runner.told.state.hands == list(SITES)
        assert [record.seq for record in room.heard()] == list(range(2, room.runner.seq + 1))

    with_room(test)


def test_a_refused_command_does_not_disturb_its_neighbours() -> None:
    async def test(room: Room) -> None:
        outcomes = await asyncio.gather(
            room.runner.submit(LockMeeting(), CHAIR),
            room.runner.submit(MuteAll(), OBSERVER),
            room.runner.submit(GiveFloor(PHUC_XA, floor_version=9), CHAIR),
            room.runner.submit(LockMeeting(), CHAIR),
            room.runner.submit(MuteAll(), CHAIR),
            return_exceptions=True,
        )

        assert outcomes[0] == 2
        assert isinstance(outcomes[1], NotAllowed)
        assert isinstance(outcomes[2], Stale)
        assert (outcomes[3], outcomes[4]) == (2, 3)
        assert [record.event for record in room.heard()] == [MeetingLocked(), AllMuted()]

    with_room(test)


def test_when_nothing_can_be_stored_nothing_has_happened_and_later_it_goes_on() -> None:
    async def test(room: Room) -> None:
        room.journal.room_for = 0

        outcomes = await asyncio.gather(
            room.runner.submit(LockMeeting(), CHAIR),
            room.runner.submit(UnlockMeeting(), CHAIR),
            room.runner.submit(MuteAll(), OBSERVER),
            return_exceptions=True,
        )

        assert [type(outcome) for outcome in outcomes] == [NotStored] * 3
        assert (room.batches, room.runner.seq, room.runner.told.state.locked) == ([], 1, False)
        room.journal.room_for = None
        assert await room.runner.submit(LockMeeting(), CHAIR) == 2
        assert room.runner.told.state.locked

    with_room(test)


def test_time_that_can_not_be_stored_is_tried_again() -> None:
    async def test(room: Room) -> None:
        await room.join_all()
        await room.runner.submit(GiveFloor(PHUC_XA, floor_version=0, speaking_time_s=60), CHAIR)
        room.journal.room_for = 0
        asked = room.journal.asked

        await asyncio.sleep(65)
        assert room.runner.told.state.floor.site == PHUC_XA
        assert 3 <= room.journal.asked - asked <= 7
        room.journal.room_for = None
        await asyncio.sleep(2)

        assert room.runner.told.state.floor.site is None

    with_room(test)


def test_a_replaced_owner_closes_the_room_and_tells_why() -> None:
    async def test(room: Room) -> None:
        await room.journal.take_over(ROOM)

        with pytest.raises(NotOwner):
            await room.runner.submit(LockMeeting(), CHAIR)
        with pytest.raises(NotOwner):
            await room.runner.submit(LockMeeting(), CHAIR)

        assert [type(why) for why in room.closed] == [NotOwner]
        assert room.batches == []

    with_room(test)


def test_an_answer_that_got_lost_is_looked_up() -> None:
    async def test(room: Room) -> None:
        room.journal.loses_answers = True
        epoch = room.runner.epoch

        seq = await room.runner.submit(LockMeeting(), CHAIR)

        assert seq == 2
        assert room.runner.told.state.locked
        assert room.runner.epoch > epoch
        assert [(batch.first_seq, batch.epoch) for batch in room.batches] == [(2, room.runner.epoch)]

    with_room(test)


def test_a_question_that_got_lost_is_refused_and_the_room_goes_on() -> None:
    async def test(room: Room) -> None:
        room.journal.loses_questions = True
        with pytest.raises(NotStored):
            await room.runner.submit(LockMeeting(), CHAIR)

        room.journal.loses_questions = False
        assert await room.runner.submit(LockMeeting(), CHAIR) == 2

        assert [record.event for record in room.heard()] == [MeetingLocked()]

    with_room(test)


def test_a_room_in_doubt_does_not_take_itself_back_from_its_successor() -> None:
    async def test(room: Room) -> None:
        room.journal.gate.clear()
        asking = asyncio.create_task(room.runner.submit(LockMeeting(), CHAIR))
        await asyncio.sleep(1)
        successor = await room.journal.take_over(ROOM)
        room.journal.loses_questions = True
        room.journal.gate.set()

        with pytest.raises(NotOwner):
            await asking
        room.journal.loses_questions = False
        await room.journal.append(ROOM, successor, [Recorded(2, 0.0, "", AllMuted())])

        assert [type(why) for why in room.closed] == [NotOwner]

    with_room(test)


def test_who_asks_a_journal_that_hangs_is_told_that_it_is_in_doubt() -> None:
    async def test(room: Room) -> None:
        room.journal.gate.clear()
        room.journal.take_over = hang  # type: ignore[method-assign]

        with pytest.raises(InDoubt):
            await room.runner.submit(LockMeeting(), CHAIR)
        assert asyncio.get_running_loop().time() == pytest.approx(SUBMIT_LIMIT_S)

    async def hang(room: RoomId, owned: int | None = None) -> int:
        await asyncio.Event().wait()
        raise AssertionError

    with_room(test)


def test_more_commands_than_may_wait_are_refused_as_busy() -> None:
    async def test(room: Room) -> None:
        room.journal.gate.clear()
        waiting = [asyncio.create_task(room.runner.submit(MuteAll(), CHAIR))]
        await asyncio.sleep(1)
        waiting += [asyncio.create_task(room.runner.submit(MuteAll(), CHAIR)) for _ in range(MAX_WAITING)]
        await asyncio.sleep(1)

        with pytest.raises(Busy):
            await room.runner.submit(MuteAll(), CHAIR)
        room.journal.gate.set()

        assert set(await asyncio.gather(*waiting)) == {2}

    with_room(test)


def test_a_batch_is_bounded_and_the_rest_follows() -> None:
    async def test(room: Room) -> None:
        commands = [LockMeeting() if number % 2 == 0 else UnlockMeeting() for number in range(MAX_BATCH + 10)]

        seqs = await asyncio.gather(*(room.runner.submit(command, CHAIR) for command in commands))

        assert list(seqs) == list(range(2, MAX_BATCH + 12))
        assert [len(batch.records) for batch in room.batches] == [MAX_BATCH, 10]

    with_room(test)


def test_a_command_that_was_withdrawn_is_not_done() -> None:
    async def test(room: Room) -> None:
        room.journal.gate.clear()
        first = asyncio.create_task(room.runner.submit(MuteAll(), CHAIR))
        await asyncio.sleep(1)
        second = asyncio.create_task(room.runner.submit(LockMeeting(), CHAIR))
        await asyncio.sleep(1)

        second.cancel()
        room.journal.gate.set()
        await first
        await asyncio.sleep(1)

        assert [record.event for record in room.heard()] == [AllMuted()]

    with_room(test)


class BrokenMeeting(Meeting):
    """The real rules with one bug: a raised hand is half remembered."""

    def apply(self, event: object) -> None:
        if isinstance(event, HandRaised):
            self.state.hands.append(event.site)
            raise KeyError("a bug")
        super().apply(event)  # type: ignore[arg-type]


def test_a_bug_in_the_rules_costs_one_command_and_leaves_nothing_behind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test(room: Room) -> None:
        await room.join_all()
        room.runner._tentative = BrokenMeeting(deepcopy(room.runner.told.state))

        outcomes = await asyncio.gather(
            room.runner.submit(LockMeeting(), CHAIR),
            room.runner.submit(RaiseHand(PHUC_XA), member(PHUC_XA)),
            room.runner.submit(MuteAll(), CHAIR),
            return_exceptions=True,
        )

        before = 1 + len(SITES)
        assert [outcomes[0], outcomes[2]] == [before + 1, before + 2]
        assert isinstance(outcomes[1], Internal)
        assert room.runner.told.state.hands == []
        assert room.runner._tentative.state == room.runner.told.state

    with_room(test)
    assert "! room room: bug in RaiseHand" in caplog.text


def test_a_listener_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async def test(room: Room) -> None:
        def fail(batch: Batch) -> None:
            raise RuntimeError("a bug")

        unlisten = room.runner.listen(fail)
        room.runner.listen(room.hear)

        assert await room.runner.submit(LockMeeting(), CHAIR) == 2
        unlisten()
        unlisten()

        assert len(room.batches) == 2  # the room's own ear and the one after the failing one

    with_room(test)
    assert "a listener failed" in caplog.text


def test_closing_finishes_what_is_being_stored_and_refuses_what_waits() -> None:
    async def test(room: Room) -> None:
        room.journal.gate.clear()
        begun = asyncio.create_task(room.runner.submit(MuteAll(), CHAIR))
        await asyncio.sleep(1)
        waiting = asyncio.create_task(room.runner.submit(LockMeeting(), CHAIR))
        await asyncio.sleep(1)

        room.runner.close()
        room.journal.gate.set()

        assert await begun == 2
        with pytest.raises(Busy):
            await waiting
        with pytest.raises(Busy):
            await room.runner.submit(LockMeeting(), CHAIR)

    with_room(test)


def test_every_told_state_is_the_fold_of_the_journal_so_far() -> None:
    async def test(room: Room) -> None:
        await room.join_all()
        await asyncio.gather(*(room.runner.submit(RaiseHand(site), member(site)) for site in SITES))
        await room.runner.submit(GiveFloor(TRUC_BACH, floor_version=0), CHAIR)

        fold = Meeting()
        stored = await room.journal.load(ROOM)
        for batch, state in zip(room.batches, room.states, strict=True):
            fold = Meeting()
            for record in stored[: batch.records[-1].seq]:
                fold.apply(record.event)
            assert fold.state == state
        assert isinstance(stored[1].event, SiteJoined)

    with_room(test)
