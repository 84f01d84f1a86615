"""All rooms of a server, on real SQLite: opened, crashed, opened again; and the engine beside them."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from room_manager.errors import Busy, Ended, Invalid, NotOwner, NotStored, UnknownSite, WrongState
from room_manager.ids import HOST, ConnectionId, RoomId, SiteId
from room_manager.manager import Manager
from room_manager.media.engine import (
    MAX_SDP_BYTES,
    BadOffer,
    ConnectionsLost,
    EngineAway,
    EngineEvent,
    EngineRestarted,
    LineQuality,
    Speaking,
)
from room_manager.meeting.commands import EndMeeting, GiveFloor, Join, Leave, LockMeeting, RaiseHand
from room_manager.meeting.values import Device, SiteState
from room_manager.reactors import scene_of
from room_manager.roster.builtin import hanoi_579
from room_manager.runner import Batch
from room_manager.store.database import open_database
from room_manager.store.journal import UnknownMeeting
from room_manager.store.meetings import MeetingState
from room_manager.store.sql_journal import SqlJournal
from room_manager.store.stores import Stores
from tests.helpers import databases
from tests.helpers.engines import GatedEngine, offer
from tests.helpers.meeting_driver import CHAIR, PHUC_XA, SITES, TRUC_BACH, member

LIMIT_S = 10.0


class Server:
    """What the composition root would hold."""

    def __init__(self, manager: Manager, stores: Stores, engine: GatedEngine, journal: SqlJournal) -> None:
        self.manager = manager
        self.stores = stores
        self.engine = engine
        self.journal = journal

    async def join(self, room: RoomId, site: SiteId, connection: str | None = None) -> ConnectionId:
        name = ConnectionId(connection or f"c-{site}")
        await self.manager.submit(room, Join(site, Device.PRIMARY, name), member(site))
        return name

    async def meeting(self) -> RoomId:
        room = await self.manager.create_meeting("Họp giao ban", SITES, {TRUC_BACH})
        await self.manager.open_meeting(room)
        return room


@asynccontextmanager
async def serving(url: str) -> AsyncIterator[Server]:
    database = await open_database(url)
    stores = Stores(database)
    await stores.roster.import_units(hanoi_579())
    journal = SqlJournal(database)
    await journal.start()
    engine = GatedEngine()
    manager = Manager(stores, journal, engine, time.time)
    try:
        await manager.start()
        yield Server(manager, stores, engine, journal)
    finally:
        await manager.close()
        await manager.close()
        await engine.close()
        await journal.close()
        await database.close()


@pytest.fixture
def url(tmp_path: Path) -> str:
    databases.prepare()
    return databases.new(tmp_path)


def serve(url: str, test: Callable[[Server], Awaitable[None]]) -> None:
    async def inside() -> None:
        async with asyncio.timeout(60), serving(url) as server:
            await test(server)

    asyncio.run(inside())


async def until(is_so: Callable[[], bool]) -> None:
    """Look again and again until it is so."""

    async def look() -> bool:
        return is_so()

    await until_async(look)


async def until_async(is_so: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not await is_so():
        assert time.monotonic() < deadline, "it never came to that"
        await asyncio.sleep(0.002)


async def until_ended(server: Server, room: RoomId) -> None:
    async def look() -> bool:
        return (await server.stores.meetings.get(room)).state is MeetingState.ENDED

    await until_async(look)


def test_a_meeting_is_made_opened_and_served(url: str) -> None:
    async def test(server: Server) -> None:
        manager = server.manager
        room = await manager.create_meeting("  Họp giao ban ", SITES, {TRUC_BACH})
        assert (await server.stores.meetings.get(room)).state is MeetingState.SCHEDULED
        with pytest.raises(UnknownMeeting):
            manager.told(room)

        await asyncio.gather(manager.open_meeting(room), manager.open_meeting(room))

        assert (await server.stores.meetings.get(room)).state is MeetingState.OPEN
        assert (await server.stores.meetings.sites(room))[TRUC_BACH]
        assert manager.rooms() == [room]
        assert (manager.seq(room), manager.epoch(room)) == (1, 1)
        assert manager.told(room).title == "Họp giao ban"
        assert set(manager.told(room).sites) == {HOST, *SITES}

        heard: list[Batch] = []
        unlisten = manager.listen(room, heard.append)
        assert await manager.submit(room, LockMeeting(), CHAIR) == 2
        unlisten()
        assert [batch.first_seq for batch in heard] == [2]

    serve(url, test)


def test_a_meeting_of_unknown_or_doubled_units_is_refused(url: str) -> None:
    async def test(server: Server) -> None:
        with pytest.raises(UnknownSite, match="99999"):
            await server.manager.create_meeting("Họp", [PHUC_XA, SiteId("99999")])
        with pytest.raises(Invalid):
            await server.manager.create_meeting("Họp", [PHUC_XA, PHUC_XA])
        with pytest.raises(Invalid):
            await server.manager.create_meeting(" ", [PHUC_XA])
        with pytest.raises(UnknownMeeting):
            await server.manager.open_meeting(RoomId("nowhere"))
        assert await server.stores.meetings.list() == []

    serve(url, test)


def test_after_a_restart_meetings_that_were_open_are_as_before(url: str) -> None:
    rooms: list[RoomId] = []

    async def before(server: Server) -> None:
        room = await server.meeting()
        rooms.extend([room, await server.manager.create_meeting("Sau này", [PHUC_XA])])
        for site in SITES:
            await server.join(room, site)
        await server.manager.submit(room, RaiseHand(TRUC_BACH), member(TRUC_BACH))
        await server.manager.submit(room, GiveFloor(PHUC_XA, floor_version=0), CHAIR)

    async def after(server: Server) -> None:
        room, scheduled = rooms
        assert server.manager.rooms() == [room]
        told = server.manager.told(room)
        assert told.floor.site == PHUC_XA
        assert told.hands == [TRUC_BACH]
        assert all(told.sites[site].state is SiteState.PRESENT for site in SITES)
        assert server.manager.epoch(room) == 2
        assert server.manager.seq(room) == 1 + len(SITES) + 2
        assert (await server.stores.meetings.get(scheduled)).state is MeetingState.SCHEDULED
        await until(lambda: server.engine.scenes.get(room) == scene_of(server.manager.meeting(room)))

    serve(url, before)
    serve(url, after)


def test_an_ended_meeting_is_on_the_list_as_ended_and_is_not_opened_again(url: str) -> None:
    rooms: list[RoomId] = []

    async def before(server: Server) -> None:
        room = await server.meeting()
        rooms.append(room)
        await until(lambda: room in server.engine.scenes)
        await server.manager.submit(room, EndMeeting(), CHAIR)

        with pytest.raises(Ended):
            await server.manager.submit(room, LockMeeting(), CHAIR)
        with pytest.raises(Ended):
            await server.manager.offer(room, ConnectionId("c"), None, offer(sends=False))
        await until(lambda: room not in server.engine.scenes)
        await until_ended(server, room)

    async def after(server: Server) -> None:
        assert server.manager.rooms() == []
        with pytest.raises(Ended):
            await server.manager.open_meeting(rooms[0])

    serve(url, before)
    serve(url, after)


def test_a_meeting_that_ended_just_before_the_crash_is_marked_at_the_next_start(url: str) -> None:
    rooms: list[RoomId] = []

    async def before(server: Server) -> None:
        room = await server.meeting()
        rooms.append(room)

        async def never(room: RoomId) -> None:
            raise OSError("the server died first")

        server.stores.meetings.mark_ended = never  # type: ignore[method-assign]
        await server.manager.submit(room, EndMeeting(), CHAIR)

    async def after(server: Server) -> None:
        assert server.manager.told(rooms[0]).ended
        await until_ended(server, rooms[0])

    serve(url, before)
    serve(url, after)


def test_a_meeting_that_is_over_is_forgotten_after_a_while(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("room_manager.manager.FORGET_AFTER_S", 0.05)

    async def test(server: Server) -> None:
        manager = server.manager
        other = await server.meeting()
        tasks = len(manager._tasks)
        room = await server.meeting()
        connection = await server.join(room, PHUC_XA)
        await manager.offer(room, connection, PHUC_XA, offer())
        why: list[Exception] = []
        manager.listen(room, lambda batch: None, why.append)

        await manager.submit(room, EndMeeting(), CHAIR)
        assert manager.told(room).ended
        await until(lambda: len(manager._tasks) == tasks)

        assert manager.rooms() == [other]
        assert [type(error) for error in why] == [Ended]
        assert (dict(manager._media), dict(manager._opening)) == ({}, {})
        with pytest.raises(Ended):
            await manager.open_meeting(room)
        assert dict(manager._opening) == {}

    serve(url, test)


def test_after_a_restart_whichever_device_returns_first_is_the_picture(url: str) -> None:
    rooms: list[RoomId] = []

    async def join(server: Server, device: Device, name: str) -> None:
        await server.manager.submit(rooms[0], Join(PHUC_XA, device, ConnectionId(name)), member(PHUC_XA))

    async def before(server: Server) -> None:
        rooms.append(await server.meeting())
        await join(server, Device.PRIMARY, "old-primary")
        await join(server, Device.BACKUP, "old-backup")
        await until(lambda: server.engine.uses.get((rooms[0], PHUC_XA)) == "old-primary")

    async def after(server: Server) -> None:
        await join(server, Device.BACKUP, "new-backup")
        await until(lambda: server.engine.uses.get((rooms[0], PHUC_XA)) == "new-backup")
        assert server.manager.told(rooms[0]).sites[PHUC_XA].active is Device.PRIMARY

        await join(server, Device.PRIMARY, "new-primary")
        await until(lambda: server.engine.uses.get((rooms[0], PHUC_XA)) == "new-primary")

    serve(url, before)
    serve(url, after)


def test_while_a_drop_can_not_be_stored_the_other_device_is_the_picture(url: str) -> None:
    async def test(server: Server) -> None:
        room = await server.meeting()
        for device in Device:
            name = ConnectionId(f"c-{device}")
            await server.manager.submit(room, Join(PHUC_XA, device, name), member(PHUC_XA))
        await until(lambda: server.engine.uses.get((room, PHUC_XA)) == "c-primary")
        async with server.journal._database.writing():  # a commit that takes long
            server.manager.gone(room, PHUC_XA, ConnectionId("c-primary"))
            await until(lambda: server.engine.uses[room, PHUC_XA] == "c-backup")
            assert server.manager.told(room).sites[PHUC_XA].active is Device.PRIMARY

        await until(lambda: server.manager.told(room).sites[PHUC_XA].active is Device.BACKUP)
        assert server.engine.uses[room, PHUC_XA] == "c-backup"
        server.manager.gone(RoomId("nowhere"), PHUC_XA, ConnectionId("c-backup"))

    serve(url, test)


def test_a_meeting_that_can_not_be_opened_at_the_start_is_opened_later(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms: list[RoomId] = []
    take_over = SqlJournal.take_over
    refused: list[RoomId] = []

    async def before(server: Server) -> None:
        rooms.append(await server.meeting())

    async def full_at_first(self: SqlJournal, room: RoomId, owned: int | None = None) -> int:
        if len(refused) < 2:
            refused.append(room)
            raise NotStored("no space is left")
        return await take_over(self, room, owned)

    async def after(server: Server) -> None:
        assert server.manager.rooms() == []
        await until(lambda: server.manager.rooms() == rooms)
        assert await server.manager.submit(rooms[0], LockMeeting(), CHAIR) == 2

    serve(url, before)
    monkeypatch.setattr("room_manager.manager.OPEN_RETRY_S", 0.01)
    monkeypatch.setattr(SqlJournal, "take_over", full_at_first)
    serve(url, after)


def test_a_second_server_takes_the_room_and_the_first_says_so(url: str) -> None:
    async def test(first: Server) -> None:
        room = await first.meeting()
        why: list[Exception] = []
        first.manager.listen(room, lambda batch: None, why.append)
        async with serving(url) as second:
            assert second.manager.epoch(room) > first.manager.epoch(room)
            with pytest.raises(NotOwner):
                await first.manager.submit(room, LockMeeting(), CHAIR)
            assert await second.manager.submit(room, LockMeeting(), CHAIR) == 2

        assert [type(error) for error in why] == [NotOwner]
        assert first.manager.rooms() == []
        with pytest.raises(UnknownMeeting):
            await first.manager.submit(room, LockMeeting(), CHAIR)

    serve(url, test)


def test_a_site_sends_only_as_itself_and_whoever_is_replaced_leaves_the_engine(url: str) -> None:
    async def test(server: Server) -> None:
        manager, engine = server.manager, server.engine
        room = await server.meeting()
        chair, ward = await server.join(room, HOST), await server.join(room, PHUC_XA)
        for connection, site in ((chair, HOST), (ward, PHUC_XA)):
            await manager.offer(room, connection, site, offer())
            engine.connect(connection)

        with pytest.raises(WrongState):
            await manager.offer(room, ward, TRUC_BACH, offer())
        with pytest.raises(WrongState):
            await manager.offer(room, ConnectionId("nobody"), PHUC_XA, offer())
        await manager.submit(room, GiveFloor(PHUC_XA, floor_version=0), CHAIR)
        await until(lambda: engine.arrives(chair).get("main") == PHUC_XA)
        assert engine.arrives(ward)["main"] == HOST

        await server.join(room, PHUC_XA, "newer")
        await until(lambda: ward in engine.left)
        assert engine.uses[room, PHUC_XA] == "newer"

        await manager.submit(room, Leave(PHUC_XA, ConnectionId("newer")), member(PHUC_XA))
        await until(lambda: "newer" in engine.left)

    serve(url, test)


def test_an_official_without_a_site_leaves_when_the_session_says_so(url: str) -> None:
    async def test(server: Server) -> None:
        room = await server.meeting()
        connection = ConnectionId("secretary")
        await server.manager.offer(room, connection, None, offer(sends=False))

        server.manager.media_left(connection)
        server.manager.media_left(connection)
        server.manager.media_left(ConnectionId("unknown"))

        await until(lambda: server.engine.left == [connection])

    serve(url, test)


def test_a_connection_that_ends_while_it_offers_does_not_stay_in_the_engine(url: str) -> None:
    async def test(server: Server) -> None:
        room = await server.meeting()
        await until(lambda: room in server.engine.scenes)
        connection = ConnectionId("quick")
        server.engine.gate.clear()
        calls = server.engine.calls
        offering = asyncio.create_task(server.manager.offer(room, connection, None, offer(sends=False)))
        await until(lambda: server.engine.calls > calls)

        server.manager.media_left(connection)
        server.engine.gate.set()

        with pytest.raises(WrongState):
            await offering
        await until(lambda: connection in server.engine.left)

    serve(url, test)


def test_bad_offers_and_an_engine_that_is_away_are_told_in_words(url: str) -> None:
    async def test(server: Server) -> None:
        room = await server.meeting()
        connection = ConnectionId("c")
        for bad in ("", "v=0", "x" * (MAX_SDP_BYTES + 1), "é" * (MAX_SDP_BYTES // 2 + 1)):
            with pytest.raises(BadOffer):
                await server.manager.offer(room, connection, None, bad)

        server.engine.die()
        with pytest.raises(EngineAway):
            await server.manager.offer(room, connection, None, offer(sends=False))
        assert await server.manager.submit(room, LockMeeting(), CHAIR) == 2

        server.engine.revive()
        await server.manager.offer(room, connection, None, offer(sends=False))

    serve(url, test)


def test_what_the_engine_says_reaches_the_room_it_concerns_and_a_restart_all(url: str) -> None:
    async def test(server: Server) -> None:
        manager, engine = server.manager, server.engine
        first, second = await server.meeting(), await server.meeting()
        heard: dict[RoomId, list[EngineEvent]] = {first: [], second: []}

        def fail(event: EngineEvent) -> None:
            raise RuntimeError("a bug")

        manager.listen_media(first, fail)
        stop = [manager.listen_media(room, heard[room].append) for room in heard]
        quality = LineQuality(second, ConnectionId("c"), "weak", 300.0, 0.05)
        for event in (Speaking(first, (HOST,)), quality, Speaking(RoomId("elsewhere"), ())):
            engine.happens(event)
        engine.revive()

        await until(lambda: len(heard[first]) == 2 and len(heard[second]) == 2)
        assert heard == {
            first: [Speaking(first, (HOST,)), EngineRestarted()],
            second: [quality, EngineRestarted()],
        }
        await until(lambda: set(engine.scenes) == {first, second})
        stop[0]()
        stop[0]()
        engine.happens(Speaking(first, ()))
        engine.happens(Speaking(second, ()))
        await until(lambda: len(heard[second]) == 3)
        assert len(heard[first]) == 2

    serve(url, test)


def test_connections_lost_concern_their_room_which_need_not_be_said_anew(url: str) -> None:
    async def test(server: Server) -> None:
        manager, engine = server.manager, server.engine
        first, second = await server.meeting(), await server.meeting()
        heard: dict[RoomId, list[EngineEvent]] = {first: [], second: []}
        for room in heard:
            manager.listen_media(room, heard[room].append)
        await until(lambda: set(engine.scenes) == {first, second})
        scenes = dict(engine.scenes)

        engine.lose(second, ConnectionId("c"))

        await until(lambda: heard[second] == [ConnectionsLost(second, (ConnectionId("c"),))])
        assert heard[first] == []
        assert engine.scenes == scenes

    serve(url, test)


def test_a_closed_manager_refuses_and_loses_nothing(url: str) -> None:
    rooms: list[RoomId] = []
    outcomes: list[object] = []

    async def before(server: Server) -> None:
        rooms.append(await server.meeting())
        asking = [
            asyncio.create_task(server.manager.submit(rooms[0], RaiseHand(site), CHAIR)) for site in SITES
        ]
        joining = [asyncio.create_task(server.join(rooms[0], site)) for site in SITES]
        await asyncio.wait([joining[0]])
        await server.manager.close()
        outcomes.extend(await asyncio.gather(*asking, *joining, return_exceptions=True))

    async def after(server: Server) -> None:
        present = [s for s in SITES if server.manager.told(rooms[0]).sites[s].state is SiteState.PRESENT]
        joined = [outcome for outcome in outcomes if isinstance(outcome, str)]
        assert len(present) == len(joined) > 0
        assert {type(outcome) for outcome in outcomes} <= {str, WrongState, Busy}

    serve(url, before)
    serve(url, after)
