"""Bundles and rollouts by REST: what each of the staff may do, and a rollout from its upload to its end."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec

from kiosk_hub.fleet.ids import BundleId, RolloutId
from kiosk_hub.fleet.news import Installing
from kiosk_hub.fleet.orders import InstallStep
from kiosk_hub.fleet.values import FleetRole
from signaling.settings import FleetSettings
from signaling.wire.kiosk import city
from tests.helpers import bundles as files
from tests.helpers.device import TestDevice
from tests.helpers.fleet_server import ELSEWHERE, UNIT, Fleet, StaffClient, fleet
from tests.helpers.servers import settings

LIMIT_S = 20.0


def play(folder: Path, scenario: Callable[[Fleet], Awaitable[None]], most: int = 200 << 20) -> None:
    async def run() -> None:
        chosen = msgspec.structs.replace(
            settings(folder), fleet=FleetSettings(keep_free_bytes=0, max_bundle_bytes=most)
        )
        async with fleet(chosen) as here:
            await scenario(here)

    asyncio.run(run())


async def upload(staff: StaffClient, path: str, data: bytes) -> httpx.Response:
    """Not JSON, so not by ``ask``."""
    return await staff._client.put(
        f"/api/fleet/bundles/{path}", content=data, headers={"x-csrf-token": staff._csrf}
    )


def plan(bundle: str = "content-7", **more: Any) -> dict[str, Any]:
    return {"bundle": bundle, "rings": [{"share": 0.3, "name": "Thử"}, {}], "title": "Tháng 11", **more}


async def tell(device: TestDevice, rollout: str, step: InstallStep, code: str = "") -> None:
    key = await device.report(Installing(RolloutId(rollout), BundleId("content-7"), step, code=code))
    await device.stored(key)


def test_from_the_upload_to_a_stop_by_itself(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        devices = [await here.enrolled(name=f"Ki-ốt {n}") for n in range(6)]
        for device in devices:
            await device.connect()
        an, binh = await here.staff(name="an"), await here.staff(name="binh")

        answer = await upload(an, "content/7?note=Th%C3%A1ng%2011", files.content())
        assert answer.status_code == 201, answer.text
        assert (answer.json()["id"], answer.json()["may"]) == ("content-7", ["plan", "remove"])
        listed = await an.get("/bundles")
        assert [bundle["note"] for bundle in listed["bundles"]] == ["Tháng 11"]
        assert [role["name"] for role in listed["roles"]] == ["root", "targets", "snapshot", "timestamp"]

        assert await an.post("/rollout-preview", plan()) == {"rings": [2, 4], "left_out": 0}
        drafted = await an.post("/rollouts", plan())
        rollout = drafted["id"]
        assert (drafted["state"], "submit" in drafted["may"]) == ("draft", True)
        submitted = await an.post(f"/rollouts/{rollout}/submit")
        assert "approve" not in submitted["may"]
        refused = await an.ask("POST", f"/rollouts/{rollout}/approve")
        assert (refused.status_code, refused.json()["code"]) == (403, "not-allowed")
        approved = await binh.post(f"/rollouts/{rollout}/approve")
        assert (approved["state"], approved["approved_by"]) == ("running", "binh")
        (bundle,) = (await an.get("/bundles"))["bundles"]
        assert bundle["may"] == ["plan", "return"]
        assert approved["rings"][0]["counts"]["offered"] == 2

        offered = []
        for device in devices:
            if here.hub.rollouts.shelf.offer_for(device.id):
                await device.hear(city.Offered, lambda told: told.offer is not None)
                offered.append(device)
        await tell(offered[0], rollout, "failed", "bad-hash")
        await tell(offered[1], rollout, "returned", "page-not-painted")
        async with asyncio.timeout(LIMIT_S):
            while True:
                seen = await an.get(f"/rollouts/{rollout}")
                if seen["row"]["state"] == "stopped":
                    break
                await asyncio.sleep(0.05)
        assert seen["row"]["reason"]["code"] == "too-many-failed"
        assert seen["row"]["stopped_by"] == ""
        assert {one["code"] for one in seen["codes"]} == {"bad-hash", "page-not-painted"}
        members = await an.get(f"/rollouts/{rollout}/devices?limit=2")
        assert members["total"] == 6
        assert {one["step"] for one in members["members"]} == {"failed", "returned"}
        stops = await here.audited("stop-rollout")
        assert [(entry.get("account", ""), entry["values"]["reason"]) for entry in stops] == [
            ("", "too-many-failed")
        ]

    play(tmp_path, scenario)


def test_who_may_do_what(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        await here.enrolled(UNIT.code, "gần")
        await here.enrolled(ELSEWHERE.code, "xa")
        admin, other = await here.staff(), await here.staff()
        viewer = await here.staff(FleetRole.VIEWER)
        technician = await here.staff(FleetRole.TECHNICIAN, frozenset({UNIT.district_code}))
        for nobody in (viewer, technician):
            assert (await upload(nobody, "content/7", files.content())).status_code == 403
            assert (await nobody.ask("POST", "/rollouts", plan())).status_code == 403
        await upload(admin, "content/7", files.content())
        rollout = (await admin.post("/rollouts", plan()))["id"]
        await admin.post(f"/rollouts/{rollout}/submit")
        for nobody in (viewer, technician):
            assert (await nobody.ask("POST", f"/rollouts/{rollout}/approve")).status_code == 403
        await other.post(f"/rollouts/{rollout}/approve")

        seen = await technician.get(f"/rollouts/{rollout}/devices")
        assert [one["name"] for one in seen["members"]] == ["gần"]
        assert (await viewer.get("/rollouts"))["rollouts"][0]["may"] == []
        assert (await viewer.ask("POST", f"/rollouts/{rollout}/pause")).status_code == 403
        paused = await technician.post(f"/rollouts/{rollout}/pause")
        assert paused["state"] == "paused"
        assert (await technician.ask("POST", f"/rollouts/{rollout}/resume")).status_code == 403
        stopped = await technician.post(f"/rollouts/{rollout}/stop", {"why": "Dân phàn nàn"})
        assert "Dân phàn nàn" in stopped["reason"]["vi"]
        gone = await admin.ask("POST", f"/rollouts/{rollout}/resume")
        assert (gone.status_code, gone.json()["code"]) == (409, "wrong-state")

    play(tmp_path, scenario)


def test_bad_bundles_are_refused_with_a_code_and_leave_nothing(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        admin = await here.staff()
        whole = files.content()
        for path, data, status, code in (
            ("content/7", whole[:-30], 422, "bad-bundle"),
            ("content/7", files.content(more={"../x": b"1"}), 422, "unsafe-archive"),
            ("content/7", files.content(more={"zeros": bytes(20 << 20)}), 422, "archive-too-big"),
            ("software/7", whole, 422, "bad-bundle"),
            ("films/7", whole, 400, "invalid"),
            ("content/..7", whole, 400, "invalid"),
            ("content/7", bytes(200_000), 413, "too-big"),
        ):
            answer = await upload(admin, path, data)
            assert (answer.status_code, answer.json()["code"]) == (status, code), path
        assert (await admin.get("/bundles"))["bundles"] == []
        folder = here.hub.bundles.repository.folder
        assert list((folder / "incoming").iterdir()) == []
        forged = await admin._client.put("/api/fleet/bundles/content/7", content=whole)
        assert (forged.status_code, forged.json()["code"]) == (403, "forged")

    play(tmp_path, scenario, most=150_000)


def test_a_bundle_in_use_is_not_removed(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        await here.enrolled()
        admin = await here.staff()
        await upload(admin, "content/7", files.content())
        rollout = (await admin.post("/rollouts", plan()))["id"]
        assert (await admin.ask("DELETE", "/bundles/content-7")).json()["code"] == "wrong-state"
        await admin.post(f"/rollouts/{rollout}/stop", {})
        assert (await admin.ask("DELETE", "/bundles/content-7")).status_code == 204
        assert (await admin.ask("DELETE", "/bundles/content-7")).status_code == 404
        assert (await admin.ask("GET", "/rollouts/nothing")).json()["code"] == "unknown-rollout"

    play(tmp_path, scenario)
