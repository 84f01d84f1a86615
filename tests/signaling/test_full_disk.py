"""A disk that is full, as those in the meeting see it: told in a word, nothing half done, and on it goes."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from room_manager.meeting.values import Role, SiteState
from tests.helpers.disks import fill, small_disk
from tests.helpers.servers import A, B, C, Client, hall, settings

LEFT_BYTES = 100_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk") as folder:
        yield folder


async def until_refused(chair: Client) -> int:
    """Lock and unlock until it is refused; the number of the last that was done."""
    done = 0
    for turn in range(40):
        answer = await chair.ask("unlock-meeting" if turn % 2 else "lock-meeting")
        if answer["type"] == "problem":
            assert answer["code"] == "not-stored"
            return done
        done = answer["seq"]
    raise AssertionError("the disk never filled")


def test_a_full_disk_refuses_in_a_word_and_the_meeting_goes_on_when_there_is_space(disk: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(disk)) as here:
            chair, ward = await here.enter(Role.CHAIR), await here.enter(Role.SITE, A)
            lost = await here.enter(Role.SITE, C)
            other = await here.ticket(Role.SITE, B)
            await chair.ask("give-floor", site=C, floor_version=0)
            ballast = fill(disk, but_bytes=LEFT_BYTES)
            done = await until_refused(chair)
            locked = here.manager.told(here.meeting).locked

            assert (await ward.ask("raise-hand"))["code"] == "not-stored"
            assert (await ward.ask("count-people", people=3))["code"] == "not-stored"
            assert (await lost.ask("yield-floor"))["code"] == "not-stored"
            newcomer = await here.dial()
            assert (await newcomer.ask("hello", ticket=other))["code"] == "not-stored"
            assert await newcomer.closed() == 4013
            lost.socket.transport.abort()
            assert (await ward.ask("ping"))["type"] == "pong"
            told = here.manager.told(here.meeting)
            assert (here.manager.seq(here.meeting), told.locked) == (done, locked)
            assert (told.floor.site, told.hands, told.sites[A].people) == (C, [], None)

            ballast.unlink()
            assert (await ward.ask("count-people", people=3))["type"] == "done"
            assert (await chair.ask("unlock-meeting"))["type"] == "done"
            await here.enter(Role.SITE, B)
            await chair.hear("counts", where=lambda counts: counts["away"] == 1 and counts["present"] == 2)
            assert told.sites[C].state is SiteState.AWAY
            assert told.floor.held_until is not None

    asyncio.run(scenario())
