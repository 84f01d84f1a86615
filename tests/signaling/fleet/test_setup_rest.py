"""Where notices go, set over real HTTP; the server itself sends what is due."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from kiosk_hub.fleet.values import FleetRole
from kiosk_hub.services.mail import MailServer
from signaling.settings import FleetSettings
from tests.helpers.fleet import device
from tests.helpers.receivers import Mailbox, Receiver, mailbox, receiver
from tests.helpers.servers import Hall, hall, settings
from tests.helpers.staff import BA_DINH, furnish, hub_of, person
from tests.signaling.fleet.test_incidents_rest import beats

MAIL = {
    "id": "truc",
    "name": "Phòng trực",
    "channel": "email",
    "addresses": ["truc@city.vn"],
    "least": "minor",
    "quiet": False,
}


def at_hall(folder: Path, act: Callable[[Hall, Mailbox, Receiver], Awaitable[None]]) -> None:
    async def main() -> None:
        async with mailbox() as box, receiver() as there:
            fleet = FleetSettings(
                mail=MailServer(host="127.0.0.1", port=box.port, security="none", sender="diemcau@city.vn"),
                private_webhooks=True,
            )
            async with hall(settings(folder, fleet=fleet), sites=()) as here:
                await furnish(here, [device(1)])
                await act(here, box, there)

    asyncio.run(main())


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Asks again and again, for a bounded time."""
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110 - it is asked over HTTP
            await asyncio.sleep(0.02)


def test_an_incident_is_told_by_mail_and_webhook_without_anybody_asking(tmp_path: Path) -> None:
    async def act(here: Hall, box: Mailbox, there: Receiver) -> None:
        async with person(here) as someone:
            now = await someone.get("/notices/settings")
            assert now["mail_server"] == f"127.0.0.1:{box.port}"
            hook = {**MAIL, "id": "hook", "name": "Tổng đài", "channel": "webhook", "url": there.url}
            hook["addresses"] = []
            wanted = {**now["settings"], "routes": [MAIL, hook]}
            answer = await someone.ask("PUT", "/notices/settings", wanted)
            assert answer.status_code == 200, answer.text
            assert await someone.refused("PUT", "/notices/settings", wanted) == (409, "stale")

            await beats(here, device(1))

            async def told() -> bool:
                return bool((await someone.get("/notices", state="sent"))["total"] == 2)

            await until(told)
            assert "Camera đứng hình" in box.subjects()[0]
            assert len(there.posts) == 1
            name = hub_of(here).incidents.incident_of(device(1).id)
            one = await someone.get(f"/incidents/{name}")
            assert {line["route"] for line in one["notices"]} == {"Phòng trực", "Tổng đài"}

    at_hall(tmp_path, act)


def test_a_test_letter_and_a_new_key(tmp_path: Path) -> None:
    async def act(here: Hall, box: Mailbox, there: Receiver) -> None:
        async with person(here) as someone:
            now = await someone.get("/notices/settings")
            hook = {"id": "hook", "name": "Tổng đài", "channel": "webhook", "url": there.url}
            await someone.ask("PUT", "/notices/settings", {**now["settings"], "routes": [MAIL, hook]})

            answer = await someone.post("/notices/routes/truc/test")
            assert answer["results"] == [{"to": "truc@city.vn", "code": "", "text": ""}]
            box.recipients["truc@city.vn"] = "550 no such mailbox"
            answer = await someone.post("/notices/routes/truc/test")
            assert answer["results"][0]["code"] == "mail-refused"
            assert (await someone.post("/notices/routes/hook/secret"))["secret"].startswith("whsec_")
            assert await someone.refused("POST", "/notices/routes/truc/secret") == (404, "unknown-route")
            assert await someone.refused("POST", "/notices/routes/none/test") == (404, "unknown-route")
            assert await someone.refused("POST", "/notices/nt-none/retry") == (404, "unknown-notice")
            shown = str(await someone.get("/notices/settings"))
            assert "whsec" not in shown

    at_hall(tmp_path, act)


def test_only_administrators_see_or_set_it(tmp_path: Path) -> None:
    async def act(here: Hall, box: Mailbox, there: Receiver) -> None:
        async with person(here, FleetRole.TECHNICIAN, [BA_DINH]) as someone:
            for method, path in (
                ("GET", "/notices/settings"),
                ("PUT", "/notices/settings"),
                ("GET", "/notices"),
                ("POST", "/notices/routes/truc/test"),
                ("POST", "/notices/routes/truc/secret"),
                ("POST", "/notices/nt-1/retry"),
            ):
                assert await someone.refused(method, path) == (403, "not-allowed"), path

    at_hall(tmp_path, act)


def test_bad_settings_are_refused_whole(tmp_path: Path) -> None:
    async def act(here: Hall, box: Mailbox, there: Receiver) -> None:
        async with person(here) as someone:
            now = (await someone.get("/notices/settings"))["settings"]
            for routes, code in (
                ([{**MAIL, "addresses": ["no address"]}], "bad-field"),
                ([{**MAIL, "addresses": []}], "invalid"),
                ([{**MAIL, "id": "Trực"}], "bad-field"),
                ([{"id": "x", "name": "x", "channel": "webhook", "url": "gopher://x"}], "invalid"),
                ([MAIL] * 101, "bad-field"),
            ):
                refused = await someone.refused("PUT", "/notices/settings", {**now, "routes": routes})
                assert refused == (400, code), routes[0]
            assert (await someone.get("/notices/settings"))["settings"] == now

    at_hall(tmp_path, act)
