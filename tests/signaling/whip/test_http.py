"""The HTTP of WHIP and WHEP: tokens, entity tags, ICE, CORS, methods, limits."""

from pathlib import Path

import pytest

from room_manager.ids import SiteId
from room_manager.media.fake import FakeEngine
from room_manager.meeting.values import Device, LinkKind, Role, SiteState
from signaling.limits import Buckets
from signaling.wire.server import IceServer
from tests.helpers.servers import A, B
from tests.helpers.whip import FRAGMENT, SDP, Caller, Guests, credentials, fragment, play, publishing

HARDLY_EVER = 0.001  # a second: however slow the machine is


def test_a_token_opens_its_own_door_only(tmp_path: Path) -> None:
    async def scenario(here: Guests, engine: FakeEngine) -> None:
        encoder, player = await here.encoder(A), await here.player()
        _, page = await here.here.link(Role.SITE, A)
        token = encoder.bearer["authorization"].removeprefix("Bearer ")

        for caller in (
            Caller(here.http, LinkKind.WHEP, token),
            Caller(here.http, LinkKind.WHIP, player.bearer["authorization"].removeprefix("Bearer ")),
            Caller(here.http, LinkKind.WHIP, page),
        ):
            refused = await caller.begin(publishing())
            assert (refused.status_code, refused.json()["code"]) == (403, "not-allowed")
        ticket = await here.http.post("/api/tickets", json={"link": token})
        assert (ticket.status_code, ticket.json()["code"]) == (403, "not-allowed")

    play(tmp_path, scenario)


def test_nobody_begins_or_ends_a_session_without_its_token(tmp_path: Path) -> None:
    async def scenario(here: Guests, engine: FakeEngine) -> None:
        nobody, liar = Caller(here.http, LinkKind.WHIP, ""), Caller(here.http, LinkKind.WHIP, "made.up")
        begun = await (await here.encoder(A)).begin(publishing())
        session = begun.headers["location"]

        for caller, challenge in (
            (nobody, 'Bearer realm="diemcau"'),
            (liar, 'Bearer realm="diemcau", error="invalid_token"'),
        ):
            for answer in (
                await caller.begin(publishing()),
                await caller.ask("DELETE", session),
                await caller.patch(session, fragment(), "*"),
            ):
                assert answer.status_code == 401
                assert answer.headers["www-authenticate"] == challenge
        other = await (await here.encoder(B)).ask("DELETE", session)
        assert (other.status_code, other.json()["code"]) == (403, "not-allowed")
        assert here.site(A).state is SiteState.PRESENT

    play(tmp_path, scenario)


def test_candidates_are_read_and_left_aside(tmp_path: Path) -> None:
    async def scenario(here: Guests, engine: FakeEngine) -> None:
        encoder, offer = await here.encoder(A), publishing()
        begun = await encoder.begin(offer)
        session, etag = begun.headers["location"], begun.headers["etag"]
        same = fragment(*credentials(offer))

        trickled = await encoder.patch(session, same, etag)
        unasked = await encoder.patch(session, same, None)
        stale = await encoder.patch(session, same, '"another"')
        weak = await encoder.patch(session, same, f"W/{etag}")
        crowd = await encoder.patch(session, fragment(*credentials(offer), candidates=65), etag)
        typed = await encoder.ask("PATCH", session, same, content_type=SDP, if_match=etag)
        broken = await encoder.patch(session, "v=0\r\nhello", etag)

        assert (trickled.status_code, trickled.content) == (204, b"")
        assert "etag" not in trickled.headers
        assert (unasked.status_code, unasked.json()["code"]) == (428, "precondition-required")
        assert (stale.status_code, weak.status_code) == (412, 412)
        assert (crowd.status_code, broken.status_code) == (400, 400)
        assert typed.status_code == 415

    play(tmp_path, scenario)


def test_new_credentials_restart_ice_and_give_another_entity_tag(tmp_path: Path) -> None:
    async def scenario(here: Guests, engine: FakeEngine) -> None:
        encoder = await here.encoder(A)
        begun = await encoder.begin(publishing())
        session, etag = begun.headers["location"], begun.headers["etag"]

        restarted = await encoder.patch(session, fragment("neww"), '"*"')

        assert restarted.status_code == 200
        assert restarted.headers["content-type"] == FRAGMENT
        assert restarted.headers["etag"] != etag
        assert "a=ice-ufrag:" in restarted.text
        assert "a=candidate:" in restarted.text
        assert (await encoder.patch(session, fragment("neww"), etag)).status_code == 412
        again = await encoder.patch(session, fragment("neww"), restarted.headers["etag"])
        assert again.status_code == 204
        half = await encoder.patch(session, "a=ice-ufrag:other\r\n", "*")
        assert half.status_code == 400
        assert here.site(A).state is SiteState.PRESENT

    play(tmp_path, scenario)


def test_a_restart_that_fails_leaves_the_session_as_it_was(tmp_path: Path) -> None:
    async def scenario(here: Guests, engine: FakeEngine) -> None:
        encoder = await here.encoder(A)
        begun = await encoder.begin(publishing())
        session, etag = begun.headers["location"], begun.headers["etag"]
        engine.away = True

        refused = await encoder.patch(session, fragment("neww"), "*")

        engine.away = False
        assert refused.status_code == 503
        assert (await encoder.patch(session, fragment("neww"), etag)).status_code == 200

    play(tmp_path, scenario)


def test_whoever_asks_too_often_or_from_one_place_too_much_waits(tmp_path: Path) -> None:
    async def scenario(here: Guests, engine: FakeEngine) -> None:
        here.here.edge.hellos = Buckets(HARDLY_EVER, 5)
        encoder = await here.encoder(A)
        answers = [await encoder.begin(publishing()) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [201] * 5 + [429]
        assert int(answers[-1].headers["retry-after"]) > 0

        players = [await here.player() for _ in range(20)]
        offer = publishing().replace("a=sendonly", "a=recvonly")
        begun = [(await player.begin(offer)).status_code for player in players]
        assert begun[:19] == [201] * 19
        assert begun[19] == 429

    play(tmp_path, scenario, known_networks=())


def test_inventing_tokens_is_slowed_before_they_are_looked_at(tmp_path: Path) -> None:
    async def scenario(here: Guests, engine: FakeEngine) -> None:
        session = (await (await here.encoder(A)).begin(publishing())).headers["location"]
        liar = Caller(here.http, LinkKind.WHIP, "made.up")

        here.here.edge.ticket_rate = Buckets(HARDLY_EVER, 3)

        tried = [(await liar.ask("DELETE", session)).status_code for _ in range(4)]

        assert tried == [401, 401, 401, 429]
        assert (await liar.begin(publishing())).status_code == 429
        assert (await liar.ask("OPTIONS", "/whip")).status_code == 429

    play(tmp_path, scenario, known_networks=())


def test_any_page_may_ask_with_a_token_and_no_cookie(tmp_path: Path) -> None:
    async def scenario(here: Guests, engine: FakeEngine) -> None:
        encoder = await here.encoder(A)
        page = {"origin": "https://studio.example"}
        begun = await encoder.begin(publishing(), **page)
        assert begun.status_code == 201

        for path, methods in (("/whip", "POST"), (begun.headers["location"], "PATCH, DELETE")):
            preflight = await here.http.options(
                path, headers={**page, "access-control-request-method": "POST"}
            )
            assert preflight.status_code == 200
            assert preflight.headers["access-control-allow-origin"] == "*"
            assert preflight.headers["access-control-allow-methods"] == methods
            allowed = preflight.headers["access-control-allow-headers"]
            assert allowed == "Authorization, Content-Type, If-Match"
            assert "access-control-allow-credentials" not in preflight.headers
            assert "link" not in preflight.headers
        assert (await here.http.options("/whip")).headers["accept-post"] == SDP
        assert "Location" in begun.headers["access-control-expose-headers"]
        refused = await Caller(here.http, LinkKind.WHIP, "").begin(publishing(), **page)
        assert refused.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-origin" not in (await here.http.get("/live", headers=page)).headers

    play(tmp_path, scenario)


def test_other_methods_are_kept_for_later(tmp_path: Path) -> None:
    async def scenario(here: Guests, engine: FakeEngine) -> None:
        encoder = await here.encoder(A)
        session = (await encoder.begin(publishing())).headers["location"]

        assert (await encoder.ask("GET", "/whip")).status_code == 204
        for method, path in (("PUT", "/whip"), ("PATCH", "/whip"), ("POST", session), ("PUT", session)):
            answer = await encoder.ask(method, path, "x")
            assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
            assert "OPTIONS" in answer.headers["allow"]
        assert (await encoder.begin("v=0" + "x" * 70_000)).status_code == 413

    play(tmp_path, scenario)


def test_relays_are_told_to_who_may_begin(tmp_path: Path) -> None:
    async def scenario(here: Guests, engine: FakeEngine) -> None:
        told = []

        def relays(connection: object) -> tuple[IceServer, ...]:
            told.append(connection)
            return (
                IceServer(("turn:turn.example?transport=udp", "turns:turn.example:443"), "u:1", "secret"),
            )

        here.here.edge.ice_servers = relays
        encoder = await here.encoder(A)

        begun = await encoder.begin(publishing())
        asked = await encoder.ask("OPTIONS", "/whip")
        liar = await Caller(here.http, LinkKind.WHIP, "made.up").ask("OPTIONS", "/whip")

        assert begun.headers["link"] == (
            '<turn:turn.example?transport=udp>; rel="ice-server"; username="u:1"; credential="secret"; '
            'credential-type="password", '
            '<turns:turn.example:443>; rel="ice-server"; username="u:1"; credential="secret"; '
            'credential-type="password"'
        )
        assert asked.headers["link"] == begun.headers["link"]
        assert told[0] == here.site(A).devices[Device.PRIMARY]
        assert liar.status_code == 401
        assert "link" not in liar.headers

    play(tmp_path, scenario)


@pytest.mark.parametrize("site", [SiteId("99999")])
def test_a_site_that_is_not_expected_is_refused(tmp_path: Path, site: SiteId) -> None:
    async def scenario(here: Guests, engine: FakeEngine) -> None:
        refused = await (await here.encoder(site)).begin(publishing())

        assert (refused.status_code, refused.json()["code"]) == (404, "unknown-site")

    play(tmp_path, scenario)
