"""Who may come in: accounts, log-in sessions, links, and the keys they are signed with."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy.exc import StatementError

from room_manager.ids import RoomId, SiteId
from room_manager.meeting.values import Device, Role
from room_manager.store.accounts import AccountExists, AccountStore, UnknownAccount
from room_manager.store.database import Database, open_database
from room_manager.store.journal import UnknownMeeting
from room_manager.store.links import Link, LinkStore
from room_manager.store.meetings import MeetingState, MeetingStore
from room_manager.store.secrets import SecretStore
from room_manager.store.sessions import Session, SessionStore
from tests.helpers import databases

ROOM, OTHER = RoomId("room"), RoomId("other")
NOW = datetime(2026, 11, 22, 1, 30, 0, 125_000, UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def with_database(tmp_path: Path) -> Callable[[Callable[[Database], Awaitable[None]]], None]:
    databases.prepare()

    def run(test: Callable[[Database], Awaitable[None]]) -> None:
        async def inside() -> None:
            database = await open_database(databases.new(tmp_path))
            try:
                meetings = MeetingStore(database)
                await meetings.create(ROOM, "Giao ban", [SiteId("00001")])
                await meetings.create(OTHER, "Hội nghị", [])
                await test(database)
            finally:
                await database.close()

        asyncio.run(inside())

    return run


With = Callable[[Callable[[Database], Awaitable[None]]], None]


def test_a_meeting_goes_from_scheduled_to_open_to_ended_and_never_back(with_database: With) -> None:
    async def test(database: Database) -> None:
        meetings = MeetingStore(database)
        await meetings.mark_ended(ROOM)
        assert (await meetings.get(ROOM)).state is MeetingState.SCHEDULED

        await meetings.mark_open(ROOM)
        opened = await meetings.get(ROOM)
        await meetings.mark_open(ROOM)
        assert await meetings.get(ROOM) == opened
        assert opened.state is MeetingState.OPEN
        assert opened.opened_at is not None
        assert opened.opened_at.tzinfo is UTC
        assert [row.id for row in await meetings.list(MeetingState.OPEN)] == [ROOM]

        await meetings.mark_ended(ROOM)
        await meetings.mark_open(ROOM)
        assert (await meetings.get(ROOM)).state is MeetingState.ENDED
        assert {row.id for row in await meetings.list()} == {ROOM, OTHER}
        with pytest.raises(UnknownMeeting):
            await meetings.get(RoomId("nowhere"))

    with_database(test)


def test_a_meeting_knows_its_sites_and_which_are_simulated(with_database: With) -> None:
    async def test(database: Database) -> None:
        meetings = MeetingStore(database)
        real, unreal = SiteId("00004"), SiteId("00001")
        await meetings.create(RoomId("third"), "Diễn tập", [real, unreal], frozenset({unreal}))

        assert await meetings.sites(RoomId("third")) == {unreal: True, real: False}

    with_database(test)


def test_an_account_has_its_own_role_unless_a_meeting_says_otherwise(with_database: With) -> None:
    async def test(database: Database) -> None:
        accounts = AccountStore(database)
        added = await accounts.add("binh", "Ông Bình", "hash", Role.OBSERVER)
        await accounts.set_membership(ROOM, "binh", Role.OPERATOR)
        await accounts.set_membership(ROOM, "binh", Role.CHAIR)

        assert await accounts.get("binh") == added
        assert await accounts.get("nobody") is None
        assert await accounts.count() == 1
        assert await accounts.role_in(ROOM, "binh") is Role.CHAIR
        assert await accounts.role_in(OTHER, "binh") is Role.OBSERVER
        assert await accounts.role_in(ROOM, "nobody") is None
        assert await accounts.memberships("binh") == {ROOM: Role.CHAIR}
        await accounts.set_membership(ROOM, "binh", None)
        assert await accounts.role_in(ROOM, "binh") is Role.OBSERVER

    with_database(test)


def test_a_disabled_account_has_no_role_and_no_session(with_database: With) -> None:
    async def test(database: Database) -> None:
        accounts, sessions = AccountStore(database), SessionStore(database)
        await accounts.add("binh", "Ông Bình", "hash", Role.CHAIR)
        await sessions.begin(Session(b"t", "binh", "csrf", NOW, NOW, NOW + HOUR))

        await accounts.set_disabled("binh", True)

        found = await accounts.get("binh")
        assert found is not None
        assert found.disabled
        assert await accounts.role_in(ROOM, "binh") is None
        assert await sessions.get(b"t", NOW) is None

    with_database(test)


def test_an_account_name_is_given_once(with_database: With) -> None:
    async def test(database: Database) -> None:
        accounts = AccountStore(database)
        await accounts.add("binh", "Ông Bình", "hash", None)

        with pytest.raises(AccountExists):
            await accounts.add("binh", "Bà Bình", "other", Role.CHAIR)
        with pytest.raises(UnknownAccount):
            await accounts.set_password_hash("nobody", "hash")
        await accounts.set_password_hash("binh", "new")

        found = await accounts.get("binh")
        assert found is not None
        assert (found.display_name, found.password_hash, found.role) == ("Ông Bình", "new", None)

    with_database(test)


def test_a_session_lasts_until_it_expires_or_is_ended(with_database: With) -> None:
    async def test(database: Database) -> None:
        sessions = SessionStore(database)
        await AccountStore(database).add("binh", "Ông Bình", "hash", Role.CHAIR)
        for token in (b"a", b"b", b"c"):
            await sessions.begin(Session(token, "binh", "csrf", NOW, NOW, NOW + HOUR))

        assert await sessions.get(b"a", NOW) == Session(b"a", "binh", "csrf", NOW, NOW, NOW + HOUR)
        assert await sessions.get(b"a", NOW + HOUR) is None
        await sessions.touch(b"a", NOW + HOUR, NOW + 2 * HOUR)
        assert await sessions.get(b"a", NOW + HOUR) is not None
        await sessions.end(b"b")
        assert await sessions.get(b"b", NOW) is None
        assert await sessions.forget_expired(NOW + HOUR) == 1
        await sessions.end_all("binh")
        assert await sessions.get(b"a", NOW) is None

    with_database(test)


def test_a_link_opens_until_it_expires_or_is_revoked(with_database: With) -> None:
    async def test(database: Database) -> None:
        links = LinkStore(database)
        ward = Link("l1", ROOM, Role.SITE, SiteId("00001"), Device.PRIMARY, "binh", NOW, NOW + HOUR)
        chair = Link("l2", ROOM, Role.CHAIR, None, None, "binh", NOW + HOUR / 2, NOW + 2 * HOUR)
        await links.add(ward)
        await links.add_all([chair])
        await links.add_all([])

        assert await links.get("l1", NOW) == ward
        assert await links.get("l1", NOW + HOUR) is None
        assert await links.get("nothing", NOW) is None
        assert await links.list(ROOM, NOW) == [chair, ward]
        assert await links.list(ROOM, NOW, offset=1) == [ward]
        assert not await links.revoke(OTHER, "l1", NOW)
        assert await links.revoke(ROOM, "l1", NOW)
        assert not await links.revoke(ROOM, "l1", NOW)
        assert await links.get("l1", NOW) is None
        assert await links.list(ROOM, NOW) == [chair]
        assert await links.revoked(NOW) == {"l1"}
        assert await links.revoked(NOW + HOUR) == set()

    with_database(test)


def test_a_secret_is_made_once_even_when_many_ask(with_database: With) -> None:
    async def test(database: Database) -> None:
        store = SecretStore(database)
        numbers = iter(range(100))

        made = await asyncio.gather(
            *(store.get_or_make("key", lambda: bytes([next(numbers)])) for _ in range(8))
        )

        assert len(set(made)) == 1
        assert await store.get_or_make("key", lambda: b"never") == made[0]

    with_database(test)


def test_times_are_aware_and_the_same_in_every_zone(with_database: With) -> None:
    async def test(database: Database) -> None:
        links = LinkStore(database)
        in_hanoi = NOW.astimezone(timezone(7 * HOUR))
        await links.add(Link("l", ROOM, Role.SITE, None, None, "binh", in_hanoi, in_hanoi + HOUR))

        found = await links.get("l", in_hanoi)
        assert found is not None
        assert (found.created_at, found.created_at.tzinfo) == (NOW, UTC)
        with pytest.raises(StatementError, match="without a zone"):
            await links.get("l", NOW.replace(tzinfo=None))

    with_database(test)
