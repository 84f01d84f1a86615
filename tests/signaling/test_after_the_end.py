"""A meeting that is over: for a while in memory, then not, and always answered as ended."""

import asyncio
from pathlib import Path

import pytest

from room_manager.meeting.values import Role
from tests.helpers.servers import PATIENCE_S, A, hall, settings


def test_who_enters_a_meeting_that_was_forgotten_is_told_that_it_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("room_manager.manager.FORGET_AFTER_S", 0.2)

    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            chair = await here.enter(Role.CHAIR)
            ward = await here.enter(Role.SITE, A)
            late = await here.ticket(Role.SITE, A)
            await chair.ask("end-meeting")
            assert await ward.closed() == 1000
            assert ward.last("leave")["code"] == "ended"
            async with asyncio.timeout(PATIENCE_S):
                while here.manager.rooms():  # noqa: ASYNC110 - nobody could set an event
                    await asyncio.sleep(0.01)

            for hello in ({"ticket": late}, {"resume": ward.last("welcome")["resume"]}):
                client = await here.dial()
                answer = await client.ask("hello", **hello)
                assert (answer["type"], answer["code"]) == ("problem", "ended")
            assert here.edge.rooms._served == {}
            assert dict(here.edge.rooms._opening) == {}

    asyncio.run(scenario())
