"""A rollout in a real browser, from the upload until it stops by itself; devices speak over real sockets."""

import asyncio
import os
import re
from pathlib import Path
from typing import Final

import msgspec
import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from kiosk_hub.fleet.ids import BundleId, RolloutId
from kiosk_hub.fleet.news import Installing
from kiosk_hub.fleet.values import FleetRole
from signaling.auth import cookie_name
from signaling.settings import FleetSettings
from signaling.wire.kiosk import city
from tests.helpers import bundles as files
from tests.helpers.browser import CHROMIUM
from tests.helpers.device import TestDevice
from tests.helpers.fleet_server import Fleet, fleet
from tests.helpers.servers import settings

pytestmark = pytest.mark.browser
LIMIT_MS: Final = 30_000
SHOTS: Final = os.environ.get("DIEMCAU_SHOTS", "")
expect.set_options(timeout=LIMIT_MS)


async def page_of(browser: Browser, here: Fleet, name: str, complaints: list[str]) -> Page:
    """A window of an administrator."""
    staff = await here.staff(FleetRole.ADMINISTRATOR, name=name)
    context = await browser.new_context(viewport={"width": 1366, "height": 768}, locale="vi-VN")
    context.set_default_timeout(LIMIT_MS)
    cookie = {"name": cookie_name(False), "value": staff.token, "url": f"http://{here.host}"}
    await context.add_cookies([cookie])  # type: ignore[list-item]
    page = await context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page


async def shot(page: Page, name: str) -> None:
    """For whoever wants to look."""
    if SHOTS:
        await page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


async def fail(device: TestDevice, rollout: str) -> None:
    """It is offered the bundle, and goes back from it."""
    await device.hear(city.Offered, lambda told: told.offer is not None)
    id_, bundle = RolloutId(rollout), BundleId("content-2026.11")
    await device.stored(await device.report(Installing(id_, bundle, "downloading", 100)))
    news = Installing(id_, bundle, "returned", 0, "page-not-painted", "Màn hình không hiển thị")
    await device.stored(await device.report(news))


def test_a_rollout_that_stops_itself(tmp_path: Path) -> None:
    complaints: list[str] = []
    chosen = msgspec.structs.replace(settings(tmp_path), fleet=FleetSettings(keep_free_bytes=0))

    async def run() -> None:
        async with fleet(chosen) as here, async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
            )
            try:
                await _story(browser, here, tmp_path, complaints)
            finally:
                await browser.close()

    asyncio.run(run())
    assert complaints == []


async def _story(browser: Browser, here: Fleet, folder: Path, complaints: list[str]) -> None:
    devices = [await here.enrolled(name=f"Ki-ốt số {n}") for n in range(1, 9)]
    for device in devices:
        await device.connect()
    an = await page_of(browser, here, "an", complaints)
    binh = await page_of(browser, here, "binh", complaints)

    await an.goto(f"http://{here.host}/fleet/rollouts")
    await _upload(an, folder)
    await _plan(an)
    await expect(an.get_by_test_id("rollout-state")).to_have_attribute("data-state", "draft")
    await an.get_by_test_id("do-submit").click()
    await expect(an.get_by_test_id("rollout-state")).to_have_attribute("data-state", "awaiting-approval")
    await expect(an.get_by_test_id("do-approve")).to_have_count(0)  # not by who planned it

    rollout = an.url.rpartition("/")[2]
    await binh.goto(an.url)
    await binh.get_by_test_id("do-approve").click()
    await expect(binh.get_by_test_id("rollout-state")).to_have_attribute("data-state", "running")
    first = [device for device in devices if here.hub.rollouts.shelf.offer_for(device.id)]
    assert len(first) == 2
    await shot(binh, "rollout-running")

    for device in first:
        await fail(device, rollout)

    for page in (an, binh):  # both are told, without asking
        state = page.get_by_test_id("rollout-state")
        await expect(state).to_have_attribute("data-state", "stopped")
        await expect(state).to_contain_text("Tự dừng: ở vòng 1, 2 trong 2 lượt cài đặt")
    await expect(an.get_by_test_id("rings").locator("[data-ring='0'] [data-step=returned]")).to_contain_text(
        "2"
    )
    await expect(an.get_by_test_id("rings").locator("[data-ring='1']")).to_have_attribute(
        "data-started", "false"
    )
    await expect(an.get_by_test_id("codes")).to_contain_text("Màn hình không hiển thị sau khi đổi")
    await expect(an.get_by_test_id("member-rows").get_by_role("row").nth(1)).to_contain_text("đã tự quay về")
    assert not any(here.hub.rollouts.shelf.offer_for(device.id) for device in devices)
    await shot(an, "rollout-stopped")
    await an.goto(f"http://{here.host}/fleet/rollouts")
    await expect(an.get_by_test_id("rollouts")).to_contain_text("Đã dừng")
    await shot(an, "rollouts-list")


async def _upload(page: Page, folder: Path) -> None:
    """What is bad is refused in a sentence; what is good is signed."""
    bad = files.written(folder / "files", files.zipped({"a.txt": b"x"}), "bad.zip")
    good = files.written(folder / "files", files.content(), "good.zip")
    await page.get_by_test_id("upload-open").click()
    dialog = page.get_by_test_id("upload")
    await dialog.get_by_test_id("upload-version").fill("2026.11")
    await dialog.get_by_test_id("upload-file").set_input_files(bad)
    await dialog.get_by_test_id("confirm").click()
    await expect(dialog.get_by_role("alert")).to_have_attribute("data-code", "bad-bundle")
    await shot(page, "upload-refused")
    await dialog.get_by_test_id("upload-file").set_input_files(good)
    await dialog.get_by_test_id("confirm").click()
    await expect(page.get_by_test_id("bundles")).to_contain_text("2026.11")
    await expect(page.get_by_test_id("bundles")).to_contain_text("Đã ký")
    await shot(page, "bundles")


async def _plan(page: Page) -> None:
    """The preview counts the rings before anything is saved."""
    await page.get_by_role("button", name="Lập đợt", exact=True).click()
    dialog = page.get_by_test_id("plan")
    await dialog.get_by_test_id("plan-title").fill("Thông báo tháng 11")
    shares = dialog.get_by_role("spinbutton", name="Tỷ lệ")
    await shares.nth(0).fill("25")
    await expect(dialog.locator(".ring-rows .count")).to_have_text(
        [re.compile("^2 thiết bị"), re.compile("^2 thiết bị"), re.compile("^4 thiết bị")]
    )
    await shot(page, "plan")
    await dialog.get_by_test_id("confirm").click()
    await expect(page.get_by_role("heading", name="Thông báo tháng 11")).to_be_visible()
