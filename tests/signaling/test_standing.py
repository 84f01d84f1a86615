"""What lets somebody in: links revoked at the worst moment, and log-ins whose use cannot be noted."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from room_manager.errors import Busy, DomainError, InDoubt, NotStored
from room_manager.ids import RoomId, SiteId
from room_manager.meeting.values import Device, Role
from room_manager.store.database import open_database
from room_manager.store.links import LinkStore
from room_manager.store.sessions import Session, SessionStore
from room_manager.store.stores import Stores
from signaling.links import LinkFor, LinkMaker, signers
from signaling.logins import REST_AFTER_FAILURE_S, LoginUse
from signaling.standing import Revoked, Standing
from signaling.tokens import STAYS_AFTER_LINK_S, Identity
from tests.helpers.databases import new

NOW = 1_000_000.0
WARD = SiteId("00001")


def member(link: str, until: float = NOW + 600) -> Identity:
    return Identity(RoomId("m"), Role.SITE, WARD, Device.PRIMARY, "Phường", link=link, until=until)


class Present:
    def __init__(self, who: Identity) -> None:
        self.who = who


class SlowLinks(LinkStore):
    """Has read, and takes its time to say what."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.has_read = asyncio.Event()

    async def revoked(self, now: datetime) -> set[str]:
        self.has_read.set()
        await self.go.wait()
        return set()


def test_what_is_revoked_while_the_list_is_being_read_stays_revoked(tmp_path: Path) -> None:
    async def scenario() -> None:
        database = await open_database(new(tmp_path))
        stores = Stores(database)
        stores.links = links = SlowLinks()
        standing = Standing(stores, lambda: NOW)
        reading = asyncio.create_task(standing.refresh())
        await links.has_read.wait()

        standing.revoke("x")
        links.go.set()
        await reading

        with pytest.raises(Revoked):
            await standing.check(member("x"))
        await database.close()

    asyncio.run(scenario())


def test_a_revoked_link_lets_nobody_back_also_after_its_end(tmp_path: Path) -> None:
    async def scenario() -> None:
        database = await open_database(new(tmp_path))
        stores = Stores(database)
        meeting = RoomId("m")
        await stores.meetings.create(meeting, "Họp", [])
        maker = LinkMaker(stores.links, (await signers(stores.secrets))[0], lambda: NOW)
        link, _ = await maker.make(meeting, LinkFor(Role.OBSERVER), 600, "test")
        await stores.links.revoke(meeting, link.id, datetime.fromtimestamp(NOW + 10, UTC))
        late = NOW + 600 + STAYS_AFTER_LINK_S - 1
        standing = Standing(stores, lambda: late)

        await standing.refresh()

        with pytest.raises(Revoked):
            await standing.check(member(link.id))
        await database.close()

    asyncio.run(scenario())


def test_who_came_in_by_a_link_stays_a_while_after_its_end(tmp_path: Path) -> None:
    async def scenario() -> None:
        database = await open_database(new(tmp_path))
        at = [NOW + 601]
        standing = Standing(Stores(database), lambda: at[0])
        here = Present(member("x"))
        assert await standing.fallen([here]) == []
        at[0] = NOW + 600 + STAYS_AFTER_LINK_S
        assert await standing.fallen([here]) == [here]
        await database.close()

    asyncio.run(scenario())


class FullDisk(SessionStore):
    """Stores nothing, and counts how often it was asked to."""

    def __init__(self, error: DomainError) -> None:
        self.error = error
        self.asked = 0

    async def touch(self, token_hash: bytes, now: datetime, expires_at: datetime) -> None:
        self.asked += 1
        raise self.error


@pytest.mark.parametrize("error", [NotStored("full"), Busy("busy"), InDoubt("slow")])
def test_a_disk_that_fails_refuses_no_question(error: DomainError) -> None:
    began = datetime.fromtimestamp(NOW, UTC)
    login = Session(b"hash", "binh", "csrf", began, began, began + timedelta(hours=1))
    store = FullDisk(error)
    use = LoginUse(store)

    async def scenario() -> None:
        later = began + timedelta(minutes=2)
        for _ in range(50):
            await use.note(login, later)
        await use.note(login, later + timedelta(seconds=REST_AFTER_FAILURE_S))

    asyncio.run(scenario())
    assert store.asked == 2
