"""A player over HTTP: it sees the programme, counts nowhere and sends nothing."""

import asyncio
from pathlib import Path

import pytest

from room_manager.media.engine import Scene
from room_manager.media.fake import FakeEngine
from room_manager.meeting.values import Role
from tests.helpers.servers import A, hall, settings
from tests.helpers.whip import guests, publishing, watching


def test_a_player_sees_the_stage_and_is_nobody(tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = FakeEngine()
        async with hall(settings(tmp_path), engine=engine) as served, guests(served) as here:
            chair = await served.enter(Role.CHAIR)
            seq = served.manager.seq(served.meeting)
            player, encoder = await here.player(), await here.encoder(A)

            begun = await player.begin(watching())

            assert begun.status_code == 201
            assert begun.headers["location"].startswith("/whep/")
            assert begun.text.count("a=sendonly") == 2
            assert served.manager.seq(served.meeting) == seq  # nothing has happened in the meeting
            assert len(served.manager.told(served.meeting).sites[A].devices) == 0
            await encoder.begin(publishing())
            await chair.ask("set-stage", main=A, tiles=[], stage_version=0)
            await here.until(lambda: engine.scenes.get(served.meeting, Scene()).main == A)
            for session in served.server.app.state.whip.sessions():
                engine.connect(session.connection)
            watcher = next(
                s.connection for s in served.server.app.state.whip.sessions() if s.who.site is None
            )
            assert engine.arrives(watcher)["main"] == A

            assert (await player.ask("DELETE", begun.headers["location"])).status_code == 200
            assert engine.arrives(watcher) == {}

    asyncio.run(scenario())


def test_a_player_that_offers_to_send_only_receives(tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = FakeEngine()
        async with hall(settings(tmp_path), engine=engine) as served, guests(served) as here:
            player = await here.player()

            both = await player.begin(watching().replace("a=recvonly", "a=sendrecv"))
            sends = await player.begin(publishing())

            assert both.status_code == 201
            assert both.text.count("a=sendonly") == 2
            assert (sends.status_code, sends.json()["code"]) == (422, "unprocessable")

    asyncio.run(scenario())


def test_a_locked_meeting_takes_no_new_player(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path), engine=FakeEngine()) as served, guests(served) as here:
            chair = await served.enter(Role.CHAIR)
            await chair.ask("lock-meeting")

            refused = await (await here.player()).begin(watching())

            assert (refused.status_code, refused.json()["code"]) == (409, "locked")

    asyncio.run(scenario())


def test_a_vanished_player_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.whip.session.GOODBYE_S", 0.05)

    async def scenario() -> None:
        engine = FakeEngine()
        async with hall(settings(tmp_path), engine=engine) as served, guests(served) as here:
            player = await here.player()
            await player.begin(watching())
            (session,) = here.whip.sessions()
            engine.connect(session.connection)

            engine.drop(session.connection)

            await here.until(lambda: len(here.whip) == 0)
            assert session not in served.edge.live

    asyncio.run(scenario())


def test_the_oldest_of_too_many_players_by_one_token_goes(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path), engine=FakeEngine()) as served, guests(served) as here:
            player = await here.player()
            served.edge.hellos = type(served.edge.hellos)(1_000.0, 1_000.0)
            begun = [await player.begin(watching()) for _ in range(21)]

            assert {answer.status_code for answer in begun} == {201}
            assert len(here.whip) == 20
            assert (await player.ask("GET", begun[0].headers["location"])).status_code == 404

    asyncio.run(scenario())
