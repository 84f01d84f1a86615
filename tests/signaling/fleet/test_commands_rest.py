"""Commands, their files and the audit, asked over real HTTP."""

import asyncio
import csv
import hashlib
import io
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from kiosk_hub.fleet.commands import CommandState
from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.ids import CommandId, EvidenceId
from kiosk_hub.fleet.places import Place
from kiosk_hub.fleet.values import FleetRole
from kiosk_hub.services.evidence import media_type
from kiosk_hub.store import commands as store
from kiosk_hub.store.audit import GENESIS, link
from room_manager.ids import SiteId
from signaling.cli.audit import verify_export
from signaling.cli.main import main
from tests.helpers.fleet import device
from tests.helpers.servers import Hall, hall, settings
from tests.helpers.staff import BA_DINH, HOAN_KIEM, furnish, hub_of, person

HANG_BAI = SiteId("00082")
MINE, THEIRS = device(1), replace(device(2), place=Place(unit=HANG_BAI))
RESTART = {"do": {"act": "restart-page"}, "why": "treo trang", "request_key": "key-00001"}
REBOOT = {"do": {"act": "reboot"}, "why": "treo máy", "request_key": "key-00002"}
SCREENSHOT = {"do": {"act": "take-screenshot"}, "why": "xem màn hình", "request_key": "key-00003"}
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(100)


def at_hall(
    folder: Path,
    act: Callable[[Hall], Coroutine[Any, Any, None]],
    *devices: Device,
) -> None:
    async def main() -> None:
        async with hall(settings(folder), sites=()) as here:
            await furnish(here, devices or (MINE, THEIRS))
            await act(here)

    asyncio.run(main())


async def with_screenshot(here: Hall, command: str) -> None:
    """What the device does, without its line."""
    hub = hub_of(here)
    assert await hub.commands.claim(MINE.id, CommandId(command)) is None
    digest = hashlib.sha256(PICTURE).hexdigest()
    id = EvidenceId("shot-0001")
    upload = await hub.evidence_intake.begin(MINE.id, id, CommandId(command), "screenshot", digest)
    assert upload is not None
    async with upload:
        await upload.write(PICTURE)
        await hub.evidence_intake.finish(upload)


def test_a_technician_may_not_touch_another_district_and_the_try_is_in_the_audit(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        async with (
            person(here, FleetRole.TECHNICIAN, [BA_DINH], "lan") as lan,
            person(here, FleetRole.VIEWER, (), "xem") as viewer,
            person(here, FleetRole.ADMINISTRATOR, (), "quan") as admin,
        ):
            assert (await lan.ask("POST", f"/devices/{MINE.id}/commands", RESTART)).status_code == 201
            assert await lan.refused("POST", f"/devices/{THEIRS.id}/commands", RESTART) == (
                403,
                "not-allowed",
            )
            assert await lan.refused("GET", f"/devices/{THEIRS.id}/commands") == (403, "not-allowed")
            assert await viewer.refused("POST", f"/devices/{MINE.id}/commands", RESTART) == (
                403,
                "not-allowed",
            )
            assert await lan.refused("GET", "/audit") == (403, "not-allowed")

            tried = (await admin.get("/audit", action="refuse"))["entries"]
            assert [(one["account"], one["device"], one["result"]) for one in tried] == [
                ("lan", None, "not-allowed"),
                ("xem", MINE.id, "not-allowed"),
                ("lan", THEIRS.id, "not-allowed"),
                ("lan", THEIRS.id, "not-allowed"),
            ]
            assert tried[0]["values"] == {"what": "GET /audit"}

    at_hall(tmp_path, act)


def test_asking_twice_deciding_by_a_second_person_and_cancelling(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        async with (
            person(here, FleetRole.TECHNICIAN, [BA_DINH], "lan") as lan,
            person(here, FleetRole.TECHNICIAN, [HOAN_KIEM], "hoa") as hoa,
            person(here, FleetRole.ADMINISTRATOR, (), "quan") as admin,
        ):
            path = f"/devices/{MINE.id}/commands"
            first = (await lan.ask("POST", path, RESTART)).json()
            again = (await lan.ask("POST", path, RESTART)).json()
            assert first["id"] == again["id"]
            assert first["may"] == ["cancel"]
            reboot = (await lan.ask("POST", path, REBOOT)).json()
            assert reboot["state"] == "awaiting-approval"
            assert await lan.refused("POST", f"/commands/{reboot['id']}/approve") == (403, "same-person")
            assert await hoa.refused("POST", f"/commands/{reboot['id']}/approve") == (403, "not-allowed")

            waiting = (await admin.get("/commands", state="awaiting-approval"))["commands"]
            assert [one["may"] for one in waiting] == [["cancel", "approve", "refuse"]]
            approved = (await admin.ask("POST", f"/commands/{reboot['id']}/approve")).json()
            assert (approved["state"], approved["approved_by"]) == ("pending", "quan")

            gone = (await lan.ask("POST", f"/commands/{first['id']}/cancel", {"why": "thôi"})).json()
            assert gone["state"] == "cancelled"
            assert gone["reason"]["vi"] == "Đã hủy trước khi thực hiện. Lý do: thôi"
            assert await lan.refused("POST", f"/commands/{first['id']}/cancel", {}) == (409, "too-late")
            assert await hoa.refused("GET", f"/commands/{first['id']}") == (403, "not-allowed")
            assert (await hoa.get("/commands"))["commands"] == []
            assert await lan.refused("GET", "/commands/c0") == (404, "unknown-command")

    at_hall(tmp_path, act)


def test_bad_input_is_refused_with_a_code(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        async with person(here) as admin:
            path = f"/devices/{MINE.id}/commands"
            for body, expected in (
                ({}, (400, "bad-field")),
                ({**RESTART, "do": {"act": "explode"}}, (400, "bad-field")),
                ({**RESTART, "why": ""}, (400, "bad-field")),
                ({**RESTART, "request_key": "a b"}, (400, "bad-field")),
                ({**RESTART, "do": {"act": "set-volume", "share": 2}}, (400, "bad-field")),
                ({**RESTART, "plan": {"ttl_s": 5}}, (400, "invalid")),
                ({**SCREENSHOT, "plan": {"waits_for_session": False}}, (400, "invalid")),
            ):
                assert await admin.refused("POST", path, body) == expected, body
            assert await admin.refused("POST", "/devices/none/commands", RESTART) == (404, "unknown-device")
            assert await admin.refused("GET", f"{path}?state=odd") == (400, "invalid")
            assert await admin.refused("GET", f"{path}?limit=1000") == (400, "invalid")
            assert (await admin.get(path))["commands"] == []

    at_hall(tmp_path, act)


def test_pages_of_commands(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        async with person(here) as admin:
            path = f"/devices/{MINE.id}/commands"
            asked = [
                (await admin.ask("POST", path, {**RESTART, "request_key": f"key-{n:05}"})).json()["id"]
                for n in range(5)
            ]
            first = await admin.get(path, limit=2)
            second = await admin.get(path, limit=2, before=first["before"])
            third = await admin.get(path, limit=2, before=second["before"])

            seen = [one["id"] for page in (first, second, third) for one in page["commands"]]
            assert seen == asked[::-1]
            assert third["before"] is None

    at_hall(tmp_path, act)


def test_thousands_elsewhere_do_not_hide_those_of_ones_own_district(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        async with person(here, FleetRole.TECHNICIAN, [BA_DINH], "lan") as lan:
            asked = (await lan.ask("POST", f"/devices/{MINE.id}/commands", RESTART)).json()
            hub = hub_of(here)
            mine = await hub.commands.find(CommandId(asked["id"]))
            assert mine is not None
            later = replace(
                mine, device=THEIRS.id, state=CommandState.SUCCEEDED, created_at=mine.created_at + 1
            )
            async with hub.database.write() as connection:
                for start in range(0, 4_200, 600):
                    some = [replace(later, id=CommandId(f"x{start + n}")) for n in range(600)]
                    await store.add(connection, some)

            seen = await lan.get("/commands")

        assert [one["id"] for one in seen["commands"]] == [asked["id"]]
        assert seen["before"] is None

    at_hall(tmp_path, act)


def test_a_screenshot_is_shown_as_a_file_and_the_look_is_in_the_audit(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        async with (
            person(here, FleetRole.TECHNICIAN, [BA_DINH], "lan") as lan,
            person(here, FleetRole.VIEWER, (), "xem") as viewer,
            person(here, FleetRole.ADMINISTRATOR, (), "quan") as admin,
        ):
            command = (await lan.ask("POST", f"/devices/{MINE.id}/commands", SCREENSHOT)).json()["id"]
            await with_screenshot(here, command)
            (ref,) = (await lan.get(f"/commands/{command}"))["evidence"]

            assert await viewer.refused("GET", f"/evidence/{ref['id']}") == (403, "not-allowed")
            answer = await lan.client.get(f"/api/fleet/evidence/{ref['id']}")

            assert answer.content == PICTURE
            assert answer.headers["content-type"] == "image/png"
            assert answer.headers["content-disposition"].startswith("attachment")
            assert "sandbox" in answer.headers["content-security-policy"]
            assert answer.headers["cache-control"] == "no-store"
            looked = (await admin.get("/audit", action="look-at-screenshot"))["entries"]
            assert [(one["account"], one["device"], one["address"]) for one in looked] == [
                ("lan", MINE.id, "127.0.0.1")
            ]

    at_hall(tmp_path, act)


def test_what_a_file_is_its_first_bytes_say() -> None:
    assert media_type("log", b"<script>") == "text/plain; charset=utf-8"
    assert media_type("screenshot", PICTURE) == "image/png"
    assert media_type("screenshot", b"\xff\xd8\xff\xe0") == "image/jpeg"
    assert media_type("screenshot", b"RIFF\0\0\0\0WEBPVP8 ") == "image/webp"
    assert media_type("screenshot", b"<html><script>alert(1)") == "application/octet-stream"


def test_exports_are_whole_verifiable_harmless_and_in_the_audit(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        async with person(here) as admin:
            path = f"/devices/{MINE.id}/commands"
            await admin.ask("POST", path, {**RESTART, "why": "=HYPERLINK(1)"})
            answer = await admin.client.get("/api/fleet/audit/export", params={"format": "json"})
            told = answer.json()

            before = GENESIS
            for one in told["entries"]:
                before = link(before, one["text"].encode())
                assert before.hex() == one["hash"]
                assert json.loads(one["text"])["seq"] == one["seq"]
            assert told["whole"] is True
            assert told["head"] == f"{told['count']}:{before.hex()}"
            assert told["entries"][-1]["entry"]["action"] == "export-audit"

            file = tmp_path / "audit.json"
            file.write_bytes(answer.content)
            assert verify_export(file)[1] is None
            changed = [
                (b'"account":"binh"', b'"account":"lanh"', 1, "columns"),  # what is shown
                (b'\\"account\\":\\"binh\\"', b'\\"account\\":\\"lanh\\"', 1, "changed"),  # what was hashed
                (b'{"seq":2,', b'{"seq":9,', 2, "missing"),
            ]
            for before_, after_, seq, code in changed:
                file.write_bytes(answer.content.replace(before_, after_, 1))
                fault = verify_export(file)[1]
                assert fault is not None
                assert (fault.seq, fault.code) == (seq, code)
            file.write_bytes(answer.content[:-20])
            assert main(["audit", "verify", "--export", str(file)]) == 2

            text = (await admin.client.get("/api/fleet/audit/export", params={"format": "csv"})).text
            lines = list(csv.reader(io.StringIO(text.lstrip("\ufeff"))))
            assert lines[0][0] == "seq"
            assert lines[-1][:2] == ["end", str(len(lines) - 2)]
            assert all(cell[:1] not in "=+-@" for line in lines for cell in line if cell)
            assert [line[3] for line in lines].count("export-audit") == 2

            state = await admin.get("/audit/state")
            assert state["count"] == len(lines) - 2
            verified = (await admin.ask("POST", "/audit/verify")).json()
            assert (verified["verified_to"], verified["fault"]) == (state["count"], None)
            assert "ask-command" in (await admin.get("/audit/actions"))["actions"]

    at_hall(tmp_path, act)


def test_a_log_in_of_staff_is_in_the_audit(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        async with person(here, FleetRole.VIEWER, (), "xem"), person(here) as admin:
            entries = (await admin.get("/audit", action="log-in"))["entries"]

            assert [one["account"] for one in entries] == ["binh", "xem"]

    at_hall(tmp_path, act)


def test_one_act_at_many_over_rest(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        async with person(here, FleetRole.TECHNICIAN, [BA_DINH], "lan") as lan:
            wanted = {"selection": {"devices": [MINE.id, THEIRS.id]}, "do": {"act": "restart-page"}}
            run = (await lan.ask("POST", "/dry-runs", wanted)).json()
            assert run["counts"] == {
                "at-once": 0,
                "waits-for-session": 0,
                "waits-for-line": 1,
                "refused": 1,
            }
            assert [(one["device"], one["code"]) for one in run["rows"]] == [
                (MINE.id, ""),
                (THEIRS.id, "not-allowed"),
            ]
            assert run["reasons"][0]["vi"] == "Thiết bị ngoài địa bàn được giao."

            asked = {"token": run["token"], "why": "thử", "request_key": "key-00001"}
            bulk = (await lan.ask("POST", "/bulks", asked)).json()
            assert (bulk["many"], bulk["refused"], bulk["may"]) == (1, 1, ["cancel"])
            assert (await lan.ask("POST", "/bulks", asked)).json()["id"] == bulk["id"]
            again = {**asked, "request_key": "key-00002"}
            assert await lan.refused("POST", "/bulks", again) == (409, "stale")
            assert await lan.refused("POST", "/dry-runs", {**wanted, "selection": {}}) == (400, "invalid")
            assert await lan.refused("GET", "/bulks/none") == (404, "unknown-bulk")
            over = (await lan.ask("POST", f"/bulks/{bulk['id']}/cancel", {"why": "thôi"})).json()
            assert over["counts"] == {"cancelled": 1}

    at_hall(tmp_path, act)


def test_many_refusals_are_counted_not_written(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        async with person(here, FleetRole.VIEWER, (), "xem") as viewer, person(here) as admin:
            for _ in range(15):
                await viewer.refused("GET", "/audit")
            entries = (await admin.get("/audit", action="refuse", account="xem"))["entries"]

            assert len(entries) == 10

    at_hall(tmp_path, act)
