"""A line that breaks while the database takes nothing: the ward is away once it does again."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from room_manager.meeting.values import Role, SiteState
from tests.helpers.servers import A, hall, settings


def test_a_ward_lost_while_the_database_is_locked_is_away_when_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("room_manager.store.database.BUSY_TIMEOUT_MS", 20)

    async def scenario() -> None:
        chosen = settings(tmp_path)
        path = chosen.database_url.removeprefix("sqlite+aiosqlite:///")
        async with hall(chosen) as here:
            chair = await here.enter(Role.CHAIR)
            ward = await here.enter(Role.SITE, A)
            await chair.ask("give-floor", site=A, floor_version=0)
            with closing(sqlite3.connect(path, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                ward.socket.transport.abort()
                async with asyncio.timeout(5):
                    while "nothing can be stored: database is locked" not in caplog.text:  # noqa: ASYNC110
                        await asyncio.sleep(0.005)
                refused = await chair.ask("mute-all")
                assert here.manager.told(here.meeting).sites[A].state is SiteState.PRESENT
                other.execute("ROLLBACK")

            floor = await chair.hear("floor", where=lambda told: told.get("held_until") is not None)

            assert refused["code"] == "not-stored"
            assert floor["site"]["code"] == A
            assert here.manager.told(here.meeting).sites[A].state is SiteState.AWAY

    asyncio.run(scenario())
