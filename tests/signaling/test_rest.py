"""Log-in, tickets, forged requests, lists, links and headers, asked over real HTTP."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from room_manager.meeting.values import Role
from signaling import limits
from signaling.app import create_app
from signaling.passwords import hash_password
from tests.helpers.recordings import put
from tests.helpers.servers import A, B, C, Client, Hall, hall, settings

PASSWORD = "một câu dài dễ nhớ"


@asynccontextmanager
async def browser(here: Hall, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client that keeps cookies and says which page it is on."""
    headers.setdefault("origin", here.origin)
    async with httpx.AsyncClient(base_url=here.origin, headers=headers) as client:
        yield client


async def add_account(here: Hall, name: str = "binh", role: Role | None = Role.CHAIR) -> None:
    await here.stores.accounts.add(name, "Ông Bình", hash_password(PASSWORD), role)


async def log_in(client: httpx.AsyncClient, name: str = "binh", password: str = PASSWORD) -> httpx.Response:
    return await client.post("/api/session", json={"name": name, "password": password})


def bearer(client: Client) -> dict[str, str]:
    return {"authorization": f"Bearer {client.last('welcome')['resume']}"}


def test_an_account_logs_in_takes_a_ticket_and_chairs(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here, browser(here) as page:
            await add_account(here)
            assert (await page.get("/api/session")).status_code == 401

            answer = await log_in(page)
            assert answer.json()["display_name"] == "Ông Bình"
            cookie = answer.headers["set-cookie"].lower()
            assert "httponly" in cookie
            assert "samesite=lax" in cookie
            csrf = {"x-csrf-token": answer.json()["csrf"]}
            assert (await page.get("/api/session")).json()["csrf"] == csrf["x-csrf-token"]

            meetings = (await page.get("/api/meetings")).json()["meetings"]
            assert [(m["id"], m["role"]) for m in meetings] == [(here.meeting, "chair")]
            ticket = await page.post("/api/tickets", json={"meeting": here.meeting}, headers=csrf)
            assert ticket.json()["site"]["code"] == "TP"
            chair = await here.dial()
            assert (await chair.ask("hello", ticket=ticket.json()["ticket"]))["type"] == "welcome"

            assert (await page.delete("/api/session", headers=csrf)).status_code == 204
            assert (await chair.hear("leave"))["code"] == "revoked"
            assert await chair.closed() == 4403
            assert (await page.get("/api/session")).status_code == 401
            again = await here.dial()
            await again.say("hello", resume=chair.last("welcome")["resume"])
            assert (await again.hear("problem"))["code"] == "revoked"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"x-csrf-token": "made-up"}, 403),
        ({"x-csrf-token": "right", "origin": "https://evil.example"}, 403),
        ({"x-csrf-token": "right", "origin": "null"}, 403),
        ({"x-csrf-token": "right", "sec-fetch-site": "cross-site"}, 403),
        ({"x-csrf-token": "right", "sec-fetch-site": "same-site"}, 403),
        ({"x-csrf-token": "right"}, 200),
    ],
)
def test_a_cookie_alone_changes_nothing(tmp_path: Path, headers: dict[str, str], status: int) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here, browser(here) as page:
            await add_account(here)
            csrf = (await log_in(page)).json()["csrf"]
            if headers.get("x-csrf-token") == "right":
                headers["x-csrf-token"] = csrf
            answer = await page.post("/api/tickets", json={"meeting": here.meeting}, headers=headers)
            assert answer.status_code == status
            if status == 403:
                assert answer.json()["code"] == "forged"

    asyncio.run(scenario())


def test_wrong_passwords_wait_longer_and_longer_and_a_name_is_not_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path), sites=()) as here, browser(here) as page:
            await add_account(here)
            unknown = await log_in(page, "nobody")
            wrong = await log_in(page, password="wrong")
            assert unknown.json() == wrong.json()
            answers = [await log_in(page, password="wrong") for _ in range(6)]
            assert [a.status_code for a in answers][-1] == 429
            assert int(answers[-1].headers["retry-after"]) >= 1
            assert (await log_in(page)).status_code == 429

    asyncio.run(scenario())


def test_a_disabled_account_is_out_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.edge.LOOK_EVERY_S", 0.05)

    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here, browser(here) as page:
            await add_account(here, role=Role.OPERATOR)
            csrf = {"x-csrf-token": (await log_in(page)).json()["csrf"]}
            ticket = await page.post("/api/tickets", json={"meeting": here.meeting}, headers=csrf)
            operator = await here.dial()
            await operator.ask("hello", ticket=ticket.json()["ticket"])

            await here.stores.accounts.set_disabled("binh", True)

            assert await operator.closed() == 4403
            assert (await page.get("/api/session")).status_code == 401
            assert (await log_in(page)).status_code == 401

    asyncio.run(scenario())


def test_a_link_gives_tickets_until_it_is_revoked(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here, browser(here) as page:
            chair = await here.enter(Role.CHAIR)
            links = f"/api/meetings/{here.meeting}/links"
            made = await page.post(links, json={"site": A, "ttl_s": 600}, headers=bearer(chair))
            assert made.status_code == 201
            token = made.json()["url"].partition("#")[2]
            assert made.json()["url"].startswith(f"{here.origin}/m/{here.meeting}#")

            ticket = await page.post("/api/tickets", json={"link": token})
            assert ticket.json()["site"]["code"] == A
            site = await here.dial()
            await site.ask("hello", ticket=ticket.json()["ticket"])
            listed = (await page.get(links, headers=bearer(chair))).json()["links"]
            assert made.json()["id"] in [link["id"] for link in listed]

            revoked = await page.delete(f"{links}/{made.json()['id']}", headers=bearer(chair))
            assert revoked.status_code == 204
            assert await site.closed() == 4403
            assert (await page.post("/api/tickets", json={"link": token})).json()["code"] == "revoked"
            assert (await page.get(links, headers=bearer(site))).json()["code"] == "revoked"
            again = await page.delete(f"{links}/{made.json()['id']}", headers=bearer(chair))
            assert again.status_code == 404

    asyncio.run(scenario())


def test_the_links_of_one_site_are_found_without_reading_all(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here, browser(here) as page:
            chair = await here.enter(Role.CHAIR)
            wanted = {(await here.link(Role.SITE, A))[0] for _ in range(2)}
            await here.link(Role.SITE, B)
            path = f"/api/meetings/{here.meeting}/links"

            async def ids(**query: str) -> set[str]:
                found = (await page.get(path, params=query, headers=bearer(chair))).json()["links"]
                return {link["id"] for link in found}

            assert await ids(site=A) == wanted
            assert await ids(site="no-such-site") == set()
            assert await ids() > wanted

    asyncio.run(scenario())


def test_a_link_revoked_by_another_process_acts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.edge.LOOK_EVERY_S", 0.05)

    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            site = await here.enter(Role.SITE, A)
            [link] = await here.stores.links.list(here.meeting, _now())
            await here.stores.links.revoke(here.meeting, link.id, _now())
            assert await site.closed() == 4403

    asyncio.run(scenario())


def test_an_expired_link_opens_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here, browser(here) as page:
            _, token = await here.link(Role.SITE, A, ttl_s=60)
            at = time.time() + 61
            monkeypatch.setattr("signaling.http.time.time", lambda: at)
            answer = await page.post("/api/tickets", json={"link": token})
            assert (answer.status_code, answer.json()["code"]) == (401, "expired")

    asyncio.run(scenario())


def test_a_window_reads_the_roster_without_accents(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here, browser(here) as page:
            chair = await here.enter(Role.CHAIR)
            await here.enter(Role.SITE, B)
            base = f"/api/meetings/{here.meeting}"

            async def get(path: str, **query: Any) -> Any:
                return (await page.get(base + path, params=query, headers=bearer(chair))).json()

            everybody = await get("/roster")
            assert everybody["total"] == 3
            assert {site["code"] for site in everybody["sites"]} == {A, B, C}
            name = next(site["name"] for site in everybody["sites"] if site["code"] == A)
            assert "Phúc Xá" in name
            assert [s["code"] for s in (await get("/roster", q="phuc xa"))["sites"]] == [A]
            assert [s["code"] for s in (await get("/roster", state="present"))["sites"]] == [B]
            assert (await get("/roster", offset=2, limit=5))["sites"][0]["name"]
            assert (await get("/roster", limit=101))["field"] == "limit"
            assert (await get("/roster", state="asleep"))["code"] == "invalid"
            [district] = (await get("/districts"))["districts"]
            assert district["units"] == 3
            await chair.ask("raise-hand", site=B)
            assert [h["code"] for h in (await get("/hands"))["hands"]] == [B]

    asyncio.run(scenario())


CITY_HALL = {Role.CHAIR, Role.SECRETARY, Role.OPERATOR}
MAKES_LINKS = {Role.CHAIR, Role.OPERATOR}
RECORDS = {Role.CHAIR, Role.SECRETARY}
WINDOW_ROUTES = {
    ("GET", "roster"): CITY_HALL,  # why a ward is excused is not another ward's business
    ("GET", "districts"): set(Role),
    ("GET", "hands"): set(Role),
    ("GET", "links"): MAKES_LINKS,
    ("POST", "links"): MAKES_LINKS,
    ("DELETE", "links/{link}"): MAKES_LINKS,
    ("GET", "stills/{site}"): CITY_HALL,
    ("GET", "recordings"): RECORDS,
    ("GET", "recordings/{recording}"): RECORDS,
    ("POST", "recordings/{recording}/pass"): RECORDS,
    ("DELETE", "recordings/{recording}"): RECORDS,
}
"""Who may ask what by REST with a window's token."""


def test_the_matrix_names_every_route_of_a_window(tmp_path: Path) -> None:
    base = "/api/meetings/{meeting}/"
    routes = [route for route in create_app(settings(tmp_path)).routes if isinstance(route, Route)]
    found = {
        (method, route.path.removeprefix(base))
        for route in routes
        for method in (route.methods or set()) - {"HEAD"}
        if route.path.startswith(base)
    }
    assert found == set(WINDOW_ROUTES)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_reads_by_rest_what_is_its_own_and_no_more(tmp_path: Path, role: Role) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path, stills_every_s=3600.0)) as here, browser(here) as page:
            chair = await here.enter(Role.CHAIR)
            await chair.ask("excuse-absence", site=B, reason="nằm viện")
            member = chair if role is Role.CHAIR else await here.enter(role, A if role is Role.SITE else None)
            await put(here, "r1")
            here.server.app.state.stills.photographer.keep(here.meeting, B, b"jpeg")
            for (method, path), roles in WINDOW_ROUTES.items():
                link, _ = await here.link(Role.SITE, C)
                answer = await page.request(
                    method,
                    f"/api/meetings/{here.meeting}/{path.format(link=link, recording='r1', site=B)}",
                    headers=bearer(member),
                    json={"site": B, "ttl_s": 600} if method == "POST" else None,
                )
                assert answer.is_success == (role in roles), (method, path, answer.text)
                assert role in CITY_HALL or "nằm viện" not in answer.text
                if role not in roles:
                    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")

    asyncio.run(scenario())


def test_a_window_that_asks_without_pause_is_told_to_wait(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here, browser(here) as page:
            now = [0.0]
            here.edge.monotonic = lambda: now[0]
            observer, chair = await here.enter(Role.OBSERVER), await here.enter(Role.CHAIR)
            path = f"/api/meetings/{here.meeting}/hands"

            async def ask(who: Client) -> httpx.Response:
                return await page.get(path, headers=bearer(who))

            burst = [(await ask(observer)).status_code for _ in range(int(limits.QUESTION_BURST))]
            assert set(burst) == {200}
            refused = await ask(observer)
            assert (refused.status_code, refused.json()["code"]) == (429, "too-many")
            assert int(refused.headers["retry-after"]) >= 1
            assert (await ask(chair)).status_code == 200
            now[0] += 1
            assert (await ask(observer)).status_code == 200

    asyncio.run(scenario())


def test_many_windows_of_one_link_share_a_bound(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here, browser(here) as page:
            here.edge.monotonic = lambda: 0.0
            _, token = await here.link(Role.OBSERVER)
            answers = []
            for _ in range(3):
                ticket = (await page.post("/api/tickets", json={"link": token})).json()["ticket"]
                window = await here.dial()
                await window.ask("hello", ticket=ticket)
                for _ in range(int(limits.QUESTION_BURST) - 1):
                    path = f"/api/meetings/{here.meeting}/districts"
                    answers.append((await page.get(path, headers=bearer(window))).status_code)
            assert answers.count(200) == limits.QUESTION_BURST_OF_ALL_WINDOWS
            assert set(answers) == {200, 429}

    asyncio.run(scenario())


def test_a_log_in_that_asks_without_pause_is_told_to_wait(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here, browser(here) as page:
            await add_account(here)
            await log_in(page)
            here.edge.monotonic = lambda: 0.0
            asked = [
                await page.get("/api/session") for _ in range(int(limits.QUESTION_BURST_OF_ALL_WINDOWS) + 1)
            ]
            assert [answer.status_code for answer in asked[-2:]] == [200, 429]

    asyncio.run(scenario())


def test_nobody_from_elsewhere_locks_an_account_out(tmp_path: Path) -> None:
    async def scenario() -> None:
        chosen = settings(tmp_path, trusted_proxies=("127.0.0.1",))
        async with hall(chosen, sites=()) as here, browser(here) as page:
            await add_account(here)
            async with browser(here, **{"x-forwarded-for": "198.51.100.7"}) as attacker:
                tries = [await log_in(attacker, password="wrong") for _ in range(8)]
            assert tries[-1].status_code == 429
            assert (await log_in(page)).status_code == 200

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("changes", "headers", "status"),
    [
        ({}, {}, 200),
        ({}, {"x-forwarded-for": "198.51.100.7"}, 403),
        ({"trusted_proxies": ("127.0.0.1",)}, {"x-forwarded-for": "198.51.100.7"}, 403),
        ({"trusted_proxies": ("127.0.0.1",)}, {"x-forwarded-for": "10.1.2.3"}, 403),
        (
            {"trusted_proxies": ("127.0.0.1",), "metrics_networks": ("10.0.0.0/8",)},
            {"x-forwarded-for": "10.1.2.3"},
            200,
        ),
        ({"metrics_networks": ()}, {}, 403),
    ],
)
def test_metrics_are_for_the_machine_and_those_named(
    tmp_path: Path, changes: dict[str, Any], headers: dict[str, str], status: int
) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path, **changes), sites=()) as here, browser(here) as page:
            assert (await page.get("/metrics", headers=headers)).status_code == status

    asyncio.run(scenario())


def test_a_token_opens_its_own_meeting_only(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here, browser(here) as page:
            site = await here.enter(Role.SITE, A)
            other = await here.manager.create_meeting("Họp khác", [A, B])
            mine = f"/api/meetings/{here.meeting}"
            assert (await page.get(f"{mine}/hands", headers=bearer(site))).status_code == 200
            assert (await page.get(f"{mine}/hands")).status_code == 401
            assert (await page.get(f"/api/meetings/{other}/hands", headers=bearer(site))).status_code == 403
            assert (await page.get(f"{mine}/links", headers=bearer(site))).status_code == 403
            made = await page.post(f"{mine}/links", json={"site": B, "ttl_s": 600}, headers=bearer(site))
            assert made.status_code == 403

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "bad-json"),
        (b"{", 400, "bad-json"),
        (b"\xff\xfe", 400, "bad-json"),
        (b"[]", 400, "bad-field"),
        (b'{"link": 7}', 400, "bad-field"),
        (b"{}", 400, "invalid"),
        (b'{"link": "a.b"}', 401, "bad-token"),
        (b'{"link": "' + b"x" * 3_000 + b'"}', 401, "bad-token"),
        (b"[" * 60_000, 400, "bad-field"),
        (b"x" * 65_537, 413, "too-big"),
    ],
)
def test_bad_bodies_are_refused(tmp_path: Path, body: bytes, status: int, code: str) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path), sites=()) as here, browser(here) as page:
            answer = await page.post("/api/tickets", content=body)
            assert (answer.status_code, answer.json()["code"]) == (status, code)

    asyncio.run(scenario())


def test_a_body_that_hides_its_length_is_counted(tmp_path: Path) -> None:
    async def scenario() -> None:
        async def endless() -> AsyncIterator[bytes]:
            for _ in range(70):
                yield b"x" * 1_000

        async with hall(settings(tmp_path), sites=()) as here, browser(here) as page:
            answer = await page.post("/api/tickets", content=endless())
            assert answer.status_code == 413

    asyncio.run(scenario())


def test_pages_and_answers_carry_the_headers_that_protect_them(tmp_path: Path) -> None:
    async def scenario() -> None:
        static = tmp_path / "static"
        (static / "assets").mkdir(parents=True)
        (static / "index.html").write_text("<!doctype html><title>x</title>")
        (static / "assets" / "a-1234.js").write_text("export {}")
        secret = tmp_path / "secret.txt"
        secret.write_text("secret")
        async with hall(settings(tmp_path, static=static), sites=()) as here, browser(here) as page:
            for path in ("/", "/m/some-meeting", "/assets/a-1234.js", "/api/session", "/nothing"):
                headers = (await page.get(path)).headers
                policy = headers["content-security-policy"]
                assert policy.startswith("default-src 'none'")
                assert "unsafe" not in policy
                assert f"wss://{here.host}" in policy
                assert headers["x-content-type-options"] == "nosniff"
                assert headers["referrer-policy"] == "no-referrer"
                assert "camera=(self)" in headers["permissions-policy"]
                assert "bluetooth" not in headers["permissions-policy"]  # Chromium complains of it
                assert headers["cross-origin-opener-policy"] == "same-origin"
                assert "server" not in headers
            assert "immutable" in (await page.get("/assets/a-1234.js")).headers["cache-control"]
            assert (await page.get("/api/session")).headers["cache-control"] == "no-store"
            for path in ("/assets/../../secret.txt", "/assets/%2e%2e/%2e%2e/secret.txt", "/..%2fsecret.txt"):
                assert "secret" not in (await page.get(path)).text

    asyncio.run(scenario())


def test_without_the_built_pages_it_says_what_to_do(tmp_path: Path) -> None:
    async def scenario() -> None:
        chosen = settings(tmp_path, static=tmp_path / "nothing")
        async with hall(chosen, sites=()) as here, browser(here) as page:
            answer = await page.get("/")
            assert answer.status_code == 503
            assert "make" in answer.text

    asyncio.run(scenario())


def test_health_tells_ready_and_draining(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here, browser(here) as page:
            await here.enter(Role.SITE, A)
            assert (await page.get("/live")).status_code == 200
            assert (await page.get("/ready")).status_code == 200
            metrics = (await page.get("/metrics")).text
            assert "diemcau_connections 1.0" in metrics
            assert 'diemcau_joins_total{how="ticket"} 1.0' in metrics
            assert f'"{A}"' not in metrics  # digits of a measured time may look like a code
            here.edge.ready = False
            assert (await page.get("/ready")).status_code == 503
            here.edge.ready = True
            assert (await page.get("/ready")).status_code == 200

    asyncio.run(scenario())


def test_every_route_names_its_methods_and_refuses_others(tmp_path: Path) -> None:
    app = create_app(settings(tmp_path))
    routes = [route for route in app.routes if isinstance(route, Route)]
    assert len(routes) > 15
    known: dict[str, set[str]] = {}
    for route in routes:
        assert route.methods is not None
        known.setdefault(route.path, set()).update(route.methods)

    async def scenario() -> None:
        async with hall(settings(tmp_path), sites=()) as here, browser(here) as page:
            for path, methods in known.items():
                asked = path.replace("{meeting}", "m").replace("{link}", "l").replace("{file:path}", "f")
                for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"} - methods:
                    answer = await page.request(method, asked.replace("{file}", "f"))
                    assert answer.status_code == 405, (method, path)
                    assert answer.json()["code"] == "method-not-allowed"

    asyncio.run(scenario())


def test_another_name_of_the_host_is_refused_where_names_are_given(tmp_path: Path) -> None:
    async def scenario() -> None:
        chosen = settings(tmp_path, allowed_hosts=("meet.example",))
        async with hall(chosen, sites=()) as here, browser(here) as page:
            assert (await page.get("/live", headers={"host": "meet.example"})).status_code == 200
            assert (await page.get("/live", headers={"host": "evil.example"})).status_code == 400
            assert (await page.get("/live", headers={"host": 'x"; script-src *'})).status_code == 400
            assert (await page.get("/live")).status_code == 200  # this machine's own name

    asyncio.run(scenario())


def test_the_public_origins_are_the_names_that_are_answered(tmp_path: Path) -> None:
    async def scenario() -> None:
        origins = ("https://meet.example", "https://10.0.0.5:8443")
        chosen = settings(tmp_path, public_origins=origins, allowed_hosts=("2001:db8::1",))
        async with hall(chosen, sites=()) as here, browser(here) as page:
            for host in (
                "meet.example",
                "MEET.example:443",
                "10.0.0.5:8443",
                "localhost:1",
                "[2001:db8::1]:1",
            ):
                assert (await page.get("/live", headers={"host": host})).status_code == 200
            for host in ("rebound.example", "meet.example.evil.example", "10.0.0.6"):
                answer = await page.get("/live", headers={"host": host})
                assert (answer.status_code, answer.json()["code"]) == (400, "bad-host")

    asyncio.run(scenario())


def _now() -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC)
