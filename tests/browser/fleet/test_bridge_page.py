"""A meeting room's machine is a device by its browser alone: its key, beats, camera, and what it can do."""

import asyncio
import secrets
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from kiosk_hub.fleet.commands import Command, CommandState, Plan
from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.orders import AnyAct, Reboot, RestartPage, TestCamera
from kiosk_hub.fleet.permissions import Grant, Staff
from kiosk_hub.fleet.values import DeviceKind, FleetRole
from tests.helpers.browser import CHROMIUM
from tests.helpers.fleet_server import UNIT, Fleet, StaffClient, fleet
from tests.helpers.servers import settings

pytestmark = pytest.mark.browser
LIMIT_S = 40.0
BOSS = Staff("boss", "Boss", Grant(FleetRole.ADMINISTRATOR))


def test_a_rooms_machine_is_a_device_by_its_browser(tmp_path: Path) -> None:
    chosen = settings(tmp_path)

    async def run() -> None:
        async with fleet(chosen) as here, async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=CHROMIUM,
                args=[
                    "--no-sandbox",
                    "--disable-gpu",
                    "--use-fake-device-for-media-stream",
                    "--autoplay-policy=no-user-gesture-required",
                    "--mute-audio",
                ],
            )
            try:
                await _scenario(browser, here)
            finally:
                await browser.close()

    asyncio.run(run())


async def _scenario(browser: Browser, here: Fleet) -> None:
    staff = await here.staff(name="boss")
    context = await browser.new_context(viewport={"width": 1366, "height": 768}, locale="vi-VN")
    await context.grant_permissions(["camera", "microphone"], origin=f"http://{here.host}")
    page = await context.new_page()
    await page.goto(f"http://{here.host}/fleet/bridge")

    device = await _enrolled(page, staff)
    await _in_state(page, "connected")
    record = here.hub.directory.get(device)
    assert (record.kind, record.name) == (DeviceKind.BRIDGE_POINT, "Phòng họp tầng 2")
    other = await context.new_page()
    await other.goto(f"http://{here.host}/fleet/bridge")
    await expect(other.locator(".notice")).to_contain_text("cửa sổ khác")
    await other.close()

    done = await _ordered(here, device, TestCamera())
    assert done.state is CommandState.SUCCEEDED, done
    assert done.outcome is not None
    assert {"state", "moving", "brightness"} <= {finding.name for finding in done.outcome.findings}
    refused = await _ordered(here, device, Reboot(), approve=True)
    assert refused.outcome is not None
    assert refused.outcome.code == "not-supported"
    before = record.counter
    assert (await _ordered(here, device, RestartPage())).state is CommandState.SUCCEEDED
    async with asyncio.timeout(LIMIT_S):
        while here.hub.directory.get(device).counter == before:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await _in_state(page, "connected")  # by the key it kept

    await staff.post(f"/devices/{device}/quarantine", {"why": "thử"})
    await _in_state(page, "sent-away")


async def _enrolled(page: Page, staff: StaffClient) -> DeviceId:
    await _in_state(page, "waiting")
    code = await page.get_by_test_id("code").inner_text()
    words = await page.get_by_test_id("words").locator("li").all_inner_texts()
    found = await staff.post("/enrolments/find", {"code": code})
    assert found["words"] == words
    binding = {
        "code": code,
        "fingerprint": found["fingerprint"],
        "name": "Phòng họp tầng 2",
        "kind": found["kind"],
        "place": {"unit": UNIT.code},
    }
    await staff.post(f"/enrolments/{found['id']}/bind", binding)
    async with asyncio.timeout(LIMIT_S):
        while True:
            row = (await staff.get("/enrolments"))["enrolments"][0]
            if row.get("device"):
                return DeviceId(row["device"])
            await asyncio.sleep(0.1)


async def _in_state(page: Page, state: str) -> None:
    await expect(page.get_by_test_id("state")).to_have_attribute("data-state", state, timeout=LIMIT_S * 1000)


async def _ordered(here: Fleet, device: DeviceId, do: AnyAct, approve: bool = False) -> Command:
    """The command once it has ended."""
    commands = here.hub.commands
    made = await commands.ask(BOSS, device, do, Plan(), "thử", secrets.token_hex(8))
    if approve:
        await here.staff(name="second")
        await commands.approve(Staff("second", "Second", Grant(FleetRole.ADMINISTRATOR)), [made.id])
    async with asyncio.timeout(LIMIT_S):
        while True:
            found = await commands.find(made.id)
            if found is not None and found.state in (CommandState.SUCCEEDED, CommandState.FAILED):
                return found
            await asyncio.sleep(0.05)
