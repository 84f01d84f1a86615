"""What every journal keeps, whatever it is made of."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from room_manager.errors import NotOwner, NotStored
from room_manager.ids import HOST, ConnectionId, RoomId, SiteId
from room_manager.meeting.events import AnyEvent, FloorGiven, HandRaised, MeetingOpened, SiteJoined
from room_manager.meeting.values import Device
from room_manager.store.database import open_database
from room_manager.store.journal import MAX_APPEND, Gap, Journal, Recorded, UnknownMeeting
from room_manager.store.meetings import MeetingStore
from room_manager.store.memory import MemoryJournal
from room_manager.store.sql_journal import SqlJournal
from tests.helpers import databases

ROOM, OTHER, NOWHERE = RoomId("room"), RoomId("other"), RoomId("nowhere")
PHUC_XA = SiteId("00001")


class Bench:
    """A journal under test, with two rooms, and a way to take away the space it writes to."""

    def __init__(
        self, journal: Journal, fill: Callable[[], Awaitable[None]], free: Callable[[], Awaitable[None]]
    ):
        self.journal = journal
        self.fill = fill
        self.free = free


@asynccontextmanager
async def memory(folder: Path) -> AsyncIterator[Bench]:
    journal = MemoryJournal()
    journal.add(ROOM)
    journal.add(OTHER)

    async def fill() -> None:
        journal.room_for = 0

    async def free() -> None:
        journal.room_for = None

    yield Bench(journal, fill, free)


@asynccontextmanager
async def sql(folder: Path) -> AsyncIterator[Bench]:
    database = await open_database(databases.new(folder))
    meetings = MeetingStore(database)
    for room in (ROOM, OTHER):
        await meetings.create(room, "Giao ban", [PHUC_XA])
    journal = SqlJournal(database)
    await journal.start()

    async def limit_pages(pages: int) -> None:
        # A limit of the writing connection stands for the end of the disk (SQLITE_FULL is the same).
        def limit() -> None:
            assert journal._connection is not None
            with journal._connection.begin():
                journal._connection.execute(text(f"PRAGMA max_page_count = {pages}"))

        await journal._in_thread(limit)

    try:
        yield Bench(journal, lambda: limit_pages(1), lambda: limit_pages(2**30))
    finally:
        await journal.close()
        await database.close()


Adapter = Callable[[Path], AbstractAsyncContextManager[Bench]]


@pytest.fixture(params=[memory, sql], ids=["memory", "sql"])
def adapter(request: pytest.FixtureRequest) -> Adapter:
    databases.prepare()
    chosen: Adapter = request.param
    return chosen


def opened(seq: int = 1) -> Recorded:
    return Recorded(seq, 1_000.5, "chủ tọa", MeetingOpened("Giao ban", (HOST, PHUC_XA)))


def hand(seq: int) -> Recorded:
    return Recorded(seq, 1_000.0 + seq, "", HandRaised(PHUC_XA))


def many(first: int, number: int) -> list[Recorded]:
    return [hand(seq) for seq in range(first, first + number)]


async def append_until_refused(journal: Journal, epoch: int, first: int) -> int:
    """How many events were still stored: pages that have been begun may be filled."""
    for stored in range(0, 4_000, 200):
        try:
            await journal.append(ROOM, epoch, many(first + stored, 200))
        except NotStored:
            return stored
    raise AssertionError("4000 events were stored where there is no space")


def run(adapter: Adapter, folder: Path, test: Callable[[Bench], Awaitable[None]]) -> None:
    async def inside() -> None:
        async with adapter(folder) as bench:
            await test(bench)

    asyncio.run(inside())


def test_what_was_appended_is_read_back_in_order(adapter: Adapter, tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        epoch = await bench.journal.take_over(ROOM)

        await bench.journal.append(ROOM, epoch, [opened()])
        await bench.journal.append(ROOM, epoch, many(2, 3))

        assert await bench.journal.load(ROOM) == [opened(), *many(2, 3)]
        assert await bench.journal.load(OTHER) == []

    run(adapter, tmp_path, test)


def test_a_long_journal_is_read_in_pages(adapter: Adapter, tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        epoch = await bench.journal.take_over(ROOM)
        await bench.journal.append(ROOM, epoch, many(1, 7))

        assert await bench.journal.load(ROOM, limit=3) == many(1, 3)
        assert await bench.journal.load(ROOM, after=3, limit=3) == many(4, 3)
        assert await bench.journal.load(ROOM, after=6, limit=3) == many(7, 1)
        assert await bench.journal.load(ROOM, after=7, limit=3) == []

    run(adapter, tmp_path, test)


def test_an_owner_that_was_replaced_can_append_no_more(adapter: Adapter, tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        old = await bench.journal.take_over(ROOM)
        await bench.journal.append(ROOM, old, [opened()])
        new = await bench.journal.take_over(ROOM)

        with pytest.raises(NotOwner):
            await bench.journal.append(ROOM, old, [hand(2)])
        await bench.journal.append(ROOM, new, [hand(2)])

        assert new > old
        assert await bench.journal.load(ROOM) == [opened(), hand(2)]

    run(adapter, tmp_path, test)


def test_an_owner_in_doubt_takes_back_only_what_is_still_its_own(adapter: Adapter, tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        first = await bench.journal.take_over(ROOM)
        second = await bench.journal.take_over(ROOM, owned=first)

        with pytest.raises(NotOwner):
            await bench.journal.take_over(ROOM, owned=first)
        with pytest.raises(UnknownMeeting):
            await bench.journal.take_over(NOWHERE, owned=first)

        await bench.journal.append(ROOM, second, [opened()])

    run(adapter, tmp_path, test)


def test_a_replaced_owner_harms_nobody_who_appends_with_it(adapter: Adapter, tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        old = await bench.journal.take_over(ROOM)
        new = await bench.journal.take_over(ROOM)
        other = await bench.journal.take_over(OTHER)

        verdicts = await asyncio.gather(
            bench.journal.append(ROOM, old, many(1, 2)),
            bench.journal.append(OTHER, other, many(1, 2)),
            bench.journal.append(NOWHERE, 1, many(1, 2)),
            bench.journal.append(ROOM, new, many(1, 3)),
            return_exceptions=True,
        )

        assert [type(verdict) for verdict in verdicts] == [NotOwner, type(None), UnknownMeeting, type(None)]
        assert await bench.journal.load(ROOM) == many(1, 3)
        assert await bench.journal.load(OTHER) == many(1, 2)

    run(adapter, tmp_path, test)


def test_a_gap_is_refused_and_leaves_no_trace(adapter: Adapter, tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        epoch = await bench.journal.take_over(ROOM)
        await bench.journal.append(ROOM, epoch, [opened()])

        for records in ([hand(3)], [opened()], [hand(2), hand(4)]):
            with pytest.raises(Gap):
                await bench.journal.append(ROOM, epoch, records)
        with pytest.raises(ValueError, match="at most"):
            await bench.journal.append(ROOM, epoch, many(2, MAX_APPEND + 1))

        assert await bench.journal.load(ROOM) == [opened()]

    run(adapter, tmp_path, test)


def test_an_unknown_room_can_not_be_taken_over(adapter: Adapter, tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        with pytest.raises(UnknownMeeting):
            await bench.journal.take_over(NOWHERE)
        assert await bench.journal.load(NOWHERE) == []

    run(adapter, tmp_path, test)


def test_nothing_to_append_is_nothing_to_refuse(adapter: Adapter, tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await bench.journal.append(ROOM, 99, [])

    run(adapter, tmp_path, test)


def test_without_space_nothing_is_half_done_and_with_space_it_goes_on(
    adapter: Adapter, tmp_path: Path
) -> None:
    async def test(bench: Bench) -> None:
        epoch = await bench.journal.take_over(ROOM)
        await bench.journal.append(ROOM, epoch, [opened()])
        await bench.fill()

        stored = 1 + await append_until_refused(bench.journal, epoch, first=2)
        assert len(await bench.journal.load(ROOM, limit=4_000)) == stored
        await bench.free()
        await bench.journal.append(ROOM, epoch, many(stored + 1, 200))

        assert len(await bench.journal.load(ROOM, limit=4_000)) == stored + 200

    run(adapter, tmp_path, test)


EVENTS: st.SearchStrategy[AnyEvent] = st.one_of(
    st.builds(HandRaised, st.text(max_size=8).map(SiteId)),
    st.builds(FloorGiven, st.text(max_size=8).map(SiteId), st.none() | st.floats(0, 1e10)),
    st.builds(
        SiteJoined, st.text(max_size=8).map(SiteId), st.sampled_from(Device), st.text().map(ConnectionId)
    ),
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(EVENTS, min_size=1, max_size=5), max_size=8))
def test_any_event_survives_the_journey(
    adapter: Adapter, tmp_path_factory: pytest.TempPathFactory, appends: list[list[AnyEvent]]
) -> None:
    async def test(bench: Bench) -> None:
        epoch = await bench.journal.take_over(ROOM)
        told: list[Recorded] = []
        waiting = []
        for happened in appends:
            records = [Recorded(len(told) + n, 0.125, "ai", event) for n, event in enumerate(happened, 1)]
            told += records
            waiting.append(bench.journal.append(ROOM, epoch, records))

        await asyncio.gather(*waiting)

        assert await bench.journal.load(ROOM) == told

    run(adapter, tmp_path_factory.mktemp("journey"), test)
