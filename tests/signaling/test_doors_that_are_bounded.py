"""Who comes in again and again, in many windows, while the meeting is locked, or after having left."""

import asyncio
import time
from pathlib import Path

import pytest

from room_manager.meeting.values import Role
from signaling import limits
from signaling.edge import RETURN_RAMP_S
from tests.helpers.servers import A, B, C, Client, Hall, hall, settings


async def another_window(here: Hall, first: Client) -> Client:
    """With a ticket by the same link, as REST gives it."""
    who = next(iter(here.edge.live)).who
    window = await here.dial()
    await window.ask("hello", ticket=here.edge.tickets.issue(who))
    return window


def test_a_leave_that_comes_again_after_coming_back_leaves_no_ghost(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            chair = await here.enter(Role.CHAIR)
            member = await here.enter(Role.SITE, A)
            assert (await member.ask("leave", rid=40))["type"] == "done"
            assert await member.closed() == 1000
            back = await here.come_back(member)
            await chair.hear("counts", where=lambda m: m["present"] == 1)

            assert (await back.ask("leave", rid=40))["type"] == "done"

            assert await back.closed() == 1000
            assert (await chair.hear("counts", where=lambda m: m["present"] == 0))["left"] == 1

    asyncio.run(scenario())


@pytest.mark.parametrize("role", [Role.OBSERVER, Role.SECRETARY, Role.OPERATOR])
def test_a_locked_meeting_takes_no_new_observer(tmp_path: Path, role: Role) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            chair = await here.enter(Role.CHAIR)
            inside = await here.enter(role)
            await chair.ask("lock-meeting")
            late = await here.dial()
            answer = await late.ask("hello", ticket=await here.ticket(role))
            if role is Role.OBSERVER:
                assert answer["code"] == "locked"
                assert await late.closed() == 4003
            else:
                assert answer["type"] == "welcome"
            inside.socket.transport.abort()
            await here.come_back(inside)

    asyncio.run(scenario())


def test_who_comes_in_again_and_again_waits(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            now = [0.0]
            here.edge.monotonic = lambda: now[0]
            member = await here.enter(Role.SITE, A)
            before = here.manager.seq(here.meeting)
            for _ in range(int(limits.HELLO_BURST)):
                member = await here.come_back(member)
            refused = await here.dial()
            resume = member.last("welcome")["resume"]
            assert (await refused.ask("hello", resume=resume))["code"] == "busy"
            assert await refused.closed() == 4013
            assert here.manager.seq(here.meeting) <= before + 2 * limits.HELLO_BURST
            now[0] += 1
            await here.come_back(member)

    asyncio.run(scenario())


def test_tickets_are_no_way_around_that_for_a_site(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            here.edge.monotonic = lambda: 0.0
            member = await here.enter(Role.SITE, A)
            for _ in range(int(limits.HELLO_BURST) - 1):
                member = await another_window(here, member)
                assert member.last("welcome")
            refused = await another_window(here, member)
            assert refused.last("problem")["code"] == "busy"

    asyncio.run(scenario())


def test_one_link_opens_so_many_windows_and_the_oldest_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WINDOWS", 3)

    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            first = await here.enter(Role.OBSERVER)
            others = [await another_window(here, first) for _ in range(3)]
            assert (await first.hear("leave"))["code"] == "superseded"
            assert await first.closed() == 4009
            for other in others:
                assert (await other.ask("ping"))["type"] == "pong"
            assert len(here.edge.live) == 3
            await others[0].close()
            another = await another_window(here, others[1])
            assert (await others[1].ask("ping"))["type"] == "pong"
            assert another.last("welcome")

    asyncio.run(scenario())


def test_when_a_room_moves_everybody_gets_a_place_in_the_ramp(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            members = [await here.enter(Role.SITE, site) for site in (A, B, C)]
            here.edge.room_lost(here.meeting)
            leaves = [await member.hear("leave") for member in members]
            assert {(leave["action"], leave["code"]) for leave in leaves} == {("resume", "moved")}
            waits = sorted(leave["retry_after_ms"] for leave in leaves)
            assert len(set(waits)) == 3
            assert waits[0] > 0
            assert RETURN_RAMP_S * 500 < waits[-1] <= RETURN_RAMP_S * 1_000
            assert [await member.closed() for member in members] == [1012] * 3

    asyncio.run(scenario())


def test_who_is_in_comes_back_after_its_link_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            member = await here.enter(Role.SITE, A)  # by a link of ten minutes
            later = time.time() + 3_600
            monkeypatch.setattr("signaling.seat.time.time", lambda: later)
            back = await here.come_back(member)
            assert (await back.ask("raise-hand"))["type"] == "done"

    asyncio.run(scenario())
