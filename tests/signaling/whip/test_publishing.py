"""An encoder in a meeting: it is its site's device, from 201 to its end."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from room_manager.ids import HOST, ConnectionId
from room_manager.media.engine import LineQuality
from room_manager.media.fake import FakeEngine
from room_manager.meeting.values import Device, LinkKind, Role, SiteState
from signaling.links import LinkFor
from tests.helpers.servers import A, B, Message, hall, settings
from tests.helpers.whip import SDP, Caller, Guests, guests, play, publishing


def test_an_encoder_is_its_site(tmp_path: Path) -> None:
    async def scenario(here: Guests, engine: FakeEngine) -> None:
        encoder = await here.encoder(A)

        begun = await encoder.begin(publishing())

        assert begun.status_code == 201
        assert begun.headers["content-type"] == SDP
        assert begun.headers["etag"].startswith('"')
        assert begun.headers["location"].startswith("/whip/")
        assert "a=recvonly" in begun.text
        assert here.site(A).state is SiteState.PRESENT
        assert here.site(A).active is Device.PRIMARY
        await here.until(lambda: (here.here.meeting, A) in engine.uses)
        assert engine.uses[here.here.meeting, A] == here.site(A).devices[Device.PRIMARY]

        ended = await encoder.ask("DELETE", begun.headers["location"], if_match='"whatever"')

        assert ended.status_code == 200
        assert here.site(A).state is SiteState.LEFT
        assert len(here.whip) == 0
        assert (await encoder.ask("DELETE", begun.headers["location"])).status_code == 404

    play(tmp_path, scenario)


def test_a_lost_encoder_is_away_and_comes_back_with_its_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.whip.session.GOODBYE_S", 0.05)

    async def scenario(here: Guests, engine: FakeEngine) -> None:
        encoder = await here.encoder(A)
        begun = await encoder.begin(publishing())
        connection = here.site(A).devices[Device.PRIMARY]
        engine.connect(connection)
        chair = await here.here.enter(Role.CHAIR)
        assert (await chair.ask("raise-hand", site=A))["type"] == "done"

        engine.drop(connection)

        await here.until(lambda: here.site(A).state is SiteState.AWAY)
        gone = await encoder.ask("GET", begun.headers["location"])
        assert (gone.status_code, gone.json()["code"]) == (404, "unknown-session")
        assert (await encoder.begin(publishing())).status_code == 201
        assert here.site(A).state is SiteState.PRESENT
        assert here.here.manager.told(here.here.meeting).hands == [A]

    play(tmp_path, scenario)


def test_an_encoder_that_closes_its_media_first_may_still_say_that_it_goes(tmp_path: Path) -> None:
    async def scenario(here: Guests, engine: FakeEngine) -> None:
        encoder = await here.encoder(A)
        begun = await encoder.begin(publishing())
        connection = here.site(A).devices[Device.PRIMARY]
        engine.connect(connection)

        engine.drop(connection)
        ended = await encoder.ask("DELETE", begun.headers["location"])

        assert ended.status_code == 200
        assert here.site(A).state is SiteState.LEFT

    play(tmp_path, scenario)


def test_of_encoders_that_begin_at_once_only_the_one_that_stands_is_told_201(tmp_path: Path) -> None:
    async def scenario(here: Guests, engine: FakeEngine) -> None:
        encoders = [await here.encoder(A) for _ in range(4)]

        answers = await asyncio.gather(*(encoder.begin(publishing()) for encoder in encoders))

        [session] = here.whip.sessions()
        assert session.connection == here.site(A).devices[Device.PRIMARY]
        assert {answer.status_code for answer in answers} <= {201, 409}
        for encoder, answer in zip(encoders, answers, strict=True):
            if answer.status_code == 201 and not answer.headers["location"].endswith(session.id):
                gone = await encoder.ask("GET", answer.headers["location"])
                assert gone.status_code == 404

    play(tmp_path, scenario)


def test_city_hall_sees_how_an_encoders_line_is(tmp_path: Path) -> None:
    async def scenario(here: Guests, engine: FakeEngine) -> None:
        operator = await here.here.enter(Role.OPERATOR)
        await operator.ask("watch-presence", on=True)
        await (await here.encoder(A)).begin(publishing())
        connection = here.site(A).devices[Device.PRIMARY]
        engine.connect(connection)

        engine.happens(LineQuality(here.here.meeting, connection, "bad", 900.0, 0.2))

        def told(line: str | None) -> Callable[[Message], bool]:
            return lambda message: any((row["code"], row["line"]) == (A, line) for row in message["sites"])

        await operator.hear("presence", where=told("bad"))
        engine.drop(connection)
        await operator.hear("presence", where=told(None))

    play(tmp_path, scenario)


def test_an_encoder_comes_back_after_the_servers_restart(tmp_path: Path) -> None:
    async def scenario() -> None:
        chosen = settings(tmp_path)
        async with hall(chosen, engine=FakeEngine()) as served, guests(served) as here:
            meeting = served.meeting
            token = (await here.encoder(A)).bearer["authorization"].removeprefix("Bearer ")
            assert (await Caller(here.http, LinkKind.WHIP, token).begin(publishing())).status_code == 201
        async with hall(chosen, sites=(), engine=FakeEngine()) as served:
            served.meeting = meeting
            async with guests(served) as here:
                assert here.site(A).state is SiteState.PRESENT  # within the grace of a restart

                again = await Caller(here.http, LinkKind.WHIP, token).begin(publishing())

                assert again.status_code == 201
                assert here.site(A).state is SiteState.PRESENT
                assert len(here.site(A).devices) == 1

    asyncio.run(scenario())


def test_the_same_token_takes_its_own_place_and_no_other_does(tmp_path: Path) -> None:
    async def scenario(here: Guests, engine: FakeEngine) -> None:
        encoder, other = await here.encoder(A), await here.encoder(A)
        first = await encoder.begin(publishing())

        refused = await other.begin(publishing())
        second = await encoder.begin(publishing())

        assert (refused.status_code, refused.json()["code"]) == (409, "already-sending")
        assert int(refused.headers["retry-after"]) > 0
        assert second.status_code == 201
        assert (await encoder.ask("GET", first.headers["location"])).status_code == 404
        assert (await encoder.ask("GET", second.headers["location"])).status_code == 204
        assert (await (await here.encoder(A, Device.BACKUP)).begin(publishing())).status_code == 201
        assert set(here.site(A).devices) == {Device.PRIMARY, Device.BACKUP}

    play(tmp_path, scenario)


def test_a_person_takes_an_encoders_place_and_never_an_encoder_a_persons(tmp_path: Path) -> None:
    async def scenario(here: Guests, engine: FakeEngine) -> None:
        encoder = await here.encoder(A)
        begun = await encoder.begin(publishing())

        await here.here.enter(Role.SITE, A)

        await here.until(lambda: len(here.whip) == 0)
        assert (await encoder.ask("GET", begun.headers["location"])).status_code == 404
        assert here.site(A).state is SiteState.PRESENT
        assert (await encoder.begin(publishing())).json()["code"] == "already-sending"

    play(tmp_path, scenario)


def test_city_halls_room_may_be_an_encoder(tmp_path: Path) -> None:
    async def scenario(here: Guests, engine: FakeEngine) -> None:
        _, token = await here.link(LinkFor(Role.CHAIR, kind=LinkKind.WHIP))
        hall_room = Caller(here.http, LinkKind.WHIP, token)

        assert (await hall_room.begin(publishing())).status_code == 201

        assert here.site(HOST).state is SiteState.PRESENT

    play(tmp_path, scenario)


def test_a_refused_offer_leaves_no_trace(tmp_path: Path) -> None:
    async def scenario(here: Guests, engine: FakeEngine) -> None:
        encoder = await here.encoder(A)
        seq = here.here.manager.seq(here.here.meeting)

        answers = [
            await encoder.begin("no description"),
            await encoder.begin(publishing().replace("a=rtcp-mux\r\n", "")),
            await encoder.begin(publishing().replace("VP8", "H261")),
            await encoder.begin(publishing().replace("a=sendonly", "a=recvonly")),
            await encoder.begin(publishing(), content_type="application/json"),
        ]

        assert [answer.status_code for answer in answers] == [422, 400, 406, 422, 415]
        assert here.here.manager.seq(here.here.meeting) == seq
        assert here.site(A).state is SiteState.EXPECTED
        assert len(here.whip) == 0

    play(tmp_path, scenario)


def test_while_the_engine_is_away_nobody_joins(tmp_path: Path) -> None:
    async def scenario(here: Guests, engine: FakeEngine) -> None:
        encoder = await here.encoder(A)
        engine.die()

        refused = await encoder.begin(publishing())

        assert (refused.status_code, refused.json()["code"]) == (503, "engine-away")
        assert int(refused.headers["retry-after"]) > 0
        assert here.site(A).state is SiteState.EXPECTED
        engine.revive()
        assert (await encoder.begin(publishing())).status_code == 201

    play(tmp_path, scenario)


def test_a_restarted_engine_ends_the_session(tmp_path: Path) -> None:
    async def scenario(here: Guests, engine: FakeEngine) -> None:
        encoder = await here.encoder(A)
        await encoder.begin(publishing())

        engine.revive()

        await here.until(lambda: here.site(A).state is SiteState.AWAY)
        assert len(here.whip) == 0
        assert (await encoder.begin(publishing())).status_code == 201

    play(tmp_path, scenario)


def test_a_session_whose_worker_died_ends_and_others_go_on(tmp_path: Path) -> None:
    async def scenario(here: Guests, engine: FakeEngine) -> None:
        for site in (A, B):
            await (await here.encoder(site)).begin(publishing())
        [lost] = here.site(A).devices.values()
        [room] = engine.scenes

        engine.lose(room, lost, ConnectionId("somebody-else"))

        await here.until(lambda: here.site(A).state is SiteState.AWAY)
        assert here.site(B).state is SiteState.PRESENT
        assert len(here.whip) == 1

    play(tmp_path, scenario)


def test_a_session_whose_media_never_comes_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.whip.session.UP_WITHIN_S", 0.05)

    async def scenario(here: Guests, engine: FakeEngine) -> None:
        await (await here.encoder(A)).begin(publishing())

        await here.until(lambda: here.site(A).state is SiteState.AWAY)
        assert len(here.whip) == 0

    play(tmp_path, scenario)


def test_a_revoked_link_ends_its_session_and_opens_no_door(tmp_path: Path) -> None:
    async def scenario(here: Guests, engine: FakeEngine) -> None:
        chair = await here.here.enter(Role.CHAIR)
        bearer = {"authorization": f"Bearer {chair.last('welcome')['resume']}"}
        links = f"/api/meetings/{here.here.meeting}/links"
        asked = {"kind": "whip", "site": A, "ttl_s": 600}
        made = (await here.http.post(links, json=asked, headers=bearer)).json()
        assert made["url"] == f"{here.here.origin}/whip"
        encoder = Caller(here.http, LinkKind.WHIP, made["token"])
        assert (await encoder.begin(publishing())).status_code == 201
        listed = (await here.http.get(links, headers=bearer)).json()["links"]
        assert [link["kind"] for link in listed if link["id"] == made["id"]] == ["whip"]

        await here.http.delete(f"{links}/{made['id']}", headers=bearer)

        await here.until(lambda: here.site(A).state is SiteState.AWAY)
        refused = await encoder.begin(publishing())
        assert (refused.status_code, refused.json()["code"]) == (401, "revoked")

    play(tmp_path, scenario)


def test_the_end_of_the_meeting_ends_its_sessions(tmp_path: Path) -> None:
    async def scenario(here: Guests, engine: FakeEngine) -> None:
        encoder = await here.encoder(A)
        await encoder.begin(publishing())
        await (await here.player()).begin(publishing().replace("a=sendonly", "a=recvonly"))
        chair = await here.here.enter(Role.CHAIR)

        assert (await chair.ask("end-meeting"))["type"] == "done"

        await here.until(lambda: len(here.whip) == 0)
        refused = await encoder.begin(publishing())
        assert (refused.status_code, refused.json()["code"]) == (409, "ended")
        assert "retry-after" not in refused.headers

    play(tmp_path, scenario)
