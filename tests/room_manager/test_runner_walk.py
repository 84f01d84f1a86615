"""A walk: random commands, crashes and failures of the journal. Nothing acknowledged is ever lost.

After every step: what is told is the fold of the journal, numbers have no gap, every acknowledged number
is there with what was asked for, and everybody who listened heard the journal and nothing else.
"""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from room_manager.errors import DomainError
from room_manager.ids import HOST, ConnectionId
from room_manager.meeting import commands as c
from room_manager.meeting.commands import AnyCommand
from room_manager.meeting.meeting import Meeting
from room_manager.meeting.member import Member
from room_manager.meeting.values import Device, Mode
from room_manager.runner import Runner
from tests.helpers.loop import run_virtual
from tests.helpers.meeting_driver import CHAIR, SITES, member
from tests.helpers.rooms import OPENING, ROOM, GatedJournal, room_clock

SITE = st.sampled_from((*SITES[:3], HOST))
CONNECTION = st.sampled_from("abcdef").map(ConnectionId)
DEVICE = st.sampled_from(Device)
VERSION = st.integers(0, 3)
COMMAND: st.SearchStrategy[AnyCommand] = st.one_of(
    st.builds(c.Join, SITE, DEVICE, CONNECTION),
    st.builds(c.Join, SITE, DEVICE, CONNECTION),
    st.builds(c.Drop, SITE, CONNECTION),
    st.builds(c.RaiseHand, SITE),
    st.builds(c.GiveFloor, SITE, VERSION, st.none() | st.just(30.0)),
    st.builds(c.TakeFloor, VERSION),
    st.builds(c.SetMode, st.sampled_from(Mode), VERSION),
    st.builds(c.MuteSite, SITE),
    st.builds(c.MuteAll),
)
STEP = st.one_of(
    st.tuples(st.just("ask"), st.lists(COMMAND, min_size=1, max_size=5)),
    st.tuples(st.just("ask"), st.lists(COMMAND, min_size=1, max_size=5)),
    st.tuples(st.just("gone"), st.builds(c.Drop, SITE, CONNECTION)),
    st.tuples(st.just("wait"), st.sampled_from((0.5, 21.0, 35.0))),
    st.tuples(st.sampled_from(("full", "lose answers", "lose questions", "heal", "crash")), st.none()),
)


def asker(command: AnyCommand) -> Member:
    return member(command.site) if isinstance(command, c.Join | c.Drop) else CHAIR


class Walk:
    """A journal that outlives its servers, and what was promised to those who asked."""

    def __init__(self) -> None:
        self.journal = GatedJournal()
        self.acknowledged = 0
        self.heard = 0

    async def serve(self) -> None:
        self.runner = Runner(ROOM, self.journal, room_clock)
        self.runner.listen(lambda batch: self.hear(batch.first_seq, batch.records[-1].seq))
        await self.runner.open(OPENING)
        self.heard = self.runner.seq
        self.task = asyncio.create_task(self.runner.run())

    def hear(self, first: int, last: int) -> None:
        assert first == self.heard + 1
        self.heard = last

    async def crash(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])

    async def ask(self, commands: list[AnyCommand]) -> None:
        async def one(command: AnyCommand) -> None:
            try:
                seq = await self.runner.submit(command, asker(command))
            except DomainError:
                return
            assert seq <= self.heard
            self.acknowledged = max(self.acknowledged, seq)

        await asyncio.gather(*(one(command) for command in commands))

    async def step(self, what: str, how: object) -> None:
        match what, how:
            case "ask", list(commands):
                await self.ask(commands)
            case "gone", c.Drop(site=site, connection=connection):
                self.runner.gone(site, connection)
            case "wait", float(seconds):
                await asyncio.sleep(seconds)
            case "full", _:
                self.journal.room_for = 1
            case "lose answers", _:
                self.journal.loses_answers = True
            case "lose questions", _:
                self.journal.loses_questions = True
            case "heal", _:
                self.heal()
            case "crash", _:
                await self.crash()
                self.heal()
                await self.serve()

    def heal(self) -> None:
        self.journal.room_for = None
        self.journal.loses_answers = self.journal.loses_questions = False

    async def check(self) -> None:
        stored = await self.journal.load(ROOM, limit=100_000)
        assert [record.seq for record in stored] == list(range(1, len(stored) + 1))
        assert len(stored) >= self.acknowledged
        fold = Meeting()
        for record in stored[: self.runner.seq]:
            fold.apply(record.event)
        assert self.runner.told.state == fold.state
        assert self.runner._in_doubt is not None or self.runner._tentative.state == fold.state
        assert self.heard == self.runner.seq


@settings(max_examples=60, deadline=None)
@given(st.lists(STEP, max_size=25))
def test_nothing_acknowledged_is_lost_and_nothing_is_told_that_is_not_stored(
    steps: list[tuple[str, object]],
) -> None:
    async def walk() -> None:
        walk = Walk()
        await walk.serve()
        for what, how in steps:
            await walk.step(what, how)
            await walk.check()
        walk.heal()
        await asyncio.sleep(60)
        assert await walk.runner.submit(c.UnlockMeeting(), CHAIR) == walk.runner.seq
        await walk.check()
        assert walk.runner._gone.next_at() is None  # all of them are stored by now
        assert len(await walk.journal.load(ROOM, limit=100_000)) == walk.runner.seq
        await walk.crash()

    run_virtual(walk())
