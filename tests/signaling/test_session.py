"""Answers to requests, once each."""

import asyncio

import pytest

from room_manager.errors import Busy
from room_manager.ids import RoomId
from room_manager.meeting.values import Role
from signaling.session import MAX_ANSWERS, RidGone, Session, Sessions
from signaling.tokens import Identity
from signaling.wire.server import Done, ServerMessage

WHO = Identity(RoomId("room"), Role.OBSERVER, None, None, "x")


class Work:
    """Something that is done, and how often it was."""

    def __init__(self) -> None:
        self.done: list[int] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.fails = False

    async def ask(self, session: Session, rid: int) -> ServerMessage:
        async def act() -> ServerMessage:
            await self.gate.wait()
            if self.fails:
                raise Busy("not now")
            self.done.append(rid)
            return Done(rid=rid, seq=len(self.done))

        return await session.once(rid, act)


def test_an_answer_is_kept_until_there_are_too_many_and_then_refused() -> None:
    async def scenario() -> None:
        session, work = Session("s", WHO), Work()
        for rid in range(MAX_ANSWERS + 10):
            await work.ask(session, rid)
        assert await work.ask(session, 10) == Done(rid=10, seq=11)
        with pytest.raises(RidGone):
            await work.ask(session, 9)
        assert len(work.done) == MAX_ANSWERS + 10

    asyncio.run(scenario())


def test_who_asks_again_while_it_is_under_way_gets_the_same_answer() -> None:
    async def scenario() -> None:
        session, work = Session("s", WHO), Work()
        work.gate.clear()
        both = [asyncio.create_task(work.ask(session, 1)) for _ in range(2)]
        await asyncio.sleep(0)
        work.gate.set()
        first, second = await asyncio.gather(*both)
        assert first is second
        assert work.done == [1]

    asyncio.run(scenario())


def test_what_was_not_done_may_be_asked_again() -> None:
    async def scenario() -> None:
        session, work = Session("s", WHO), Work()
        work.fails = True
        with pytest.raises(Busy):
            await work.ask(session, 1)
        work.fails = False
        assert await work.ask(session, 1) == Done(rid=1, seq=1)

    asyncio.run(scenario())


def test_sessions_without_a_socket_are_forgotten_when_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("signaling.session.MAX_SESSIONS", 3)
    sessions = Sessions()
    live = sessions.begin(WHO)
    live.replace = lambda: None
    others = [sessions.begin(WHO) for _ in range(5)]

    assert sessions.resume(live.id, WHO) is live
    assert sessions.resume(others[-1].id, WHO) is others[-1]
    assert sessions.resume(others[0].id, WHO) is not others[0]
