"""Staff let a real device in by what its screen shows, in a real browser."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from kiosk_hub.fleet.values import FleetRole
from signaling.auth import cookie_name
from signaling.settings import Settings
from tests.helpers.browser import CHROMIUM
from tests.helpers.fleet_server import UNIT, Fleet, fleet
from tests.helpers.servers import settings

pytestmark = pytest.mark.browser
LIMIT_MS: Final = 30_000
expect.set_options(timeout=LIMIT_MS)


async def page_of(browser: Browser, here: Fleet, role: FleetRole, district: str = "") -> Page:
    """A window of somebody of the staff who is logged in."""
    staff = await here.staff(role, frozenset({district} if district else ()))
    context = await browser.new_context(viewport={"width": 1366, "height": 768}, locale="vi-VN")
    context.set_default_timeout(LIMIT_MS)
    await context.add_cookies(
        [{"name": cookie_name(False), "value": staff.token, "url": f"http://{here.host}"}]
    )
    return await context.new_page()


@asynccontextmanager
async def browser_and_fleet(chosen: Settings) -> AsyncIterator[tuple[Browser, Fleet]]:
    async with fleet(chosen) as here, async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            yield browser, here
        finally:
            await browser.close()


def play(folder: Path, scenario: Callable[[Browser, Fleet], Awaitable[None]]) -> None:
    chosen = settings(folder)

    async def run() -> None:
        async with browser_and_fleet(chosen) as (browser, here):
            await scenario(browser, here)

    asyncio.run(run())


def test_a_technician_lets_devices_in(tmp_path: Path) -> None:
    play(tmp_path, _lets_in)


async def _lets_in(browser: Browser, here: Fleet) -> None:
    technician = await page_of(browser, here, FleetRole.TECHNICIAN, UNIT.district_code)
    await _by_qr_code(technician, here)
    await _wrong_code_and_refusal(technician, here)
    administrator = await page_of(browser, here, FleetRole.ADMINISTRATOR)
    await _by_list(administrator, here)


async def _by_qr_code(page: Page, here: Fleet) -> None:
    """By the address in the QR: words, place, and then the first heartbeat."""
    one = here.machine()
    asked = await one.ask()
    await page.goto(asked["url"])

    words = page.get_by_test_id("words").locator("li")
    await expect(words).to_have_text(list(one.words))
    assert asked["code"] not in page.url
    await page.get_by_test_id("words-same").click()
    await page.get_by_test_id("name").fill("Ki-ốt sảnh A")
    districts = page.get_by_test_id("place-district").locator("option")
    await expect(districts).to_have_count(2)  # none, and the one that is this technician's
    await page.get_by_test_id("place-district").select_option(UNIT.district_code)
    await page.get_by_test_id("place-unit").select_option(UNIT.code)
    await page.get_by_test_id("place-building").fill("Nhà văn hóa số 3")
    await page.get_by_test_id("bind").click()
    result = page.get_by_test_id("result")
    await expect(result).to_have_attribute("data-state", "bound")

    assert (await one.look())["state"] == "collected"
    await expect(result).to_have_attribute("data-state", "collected")
    await one.connect()
    await one.beat()
    await expect(result).to_have_attribute("data-state", "connected")
    await expect(page.get_by_test_id("open-device")).to_have_attribute("href", f"/fleet/devices/{one.id}")
    assert here.hub.directory.get(one.id).place.building == "Nhà văn hóa số 3"


async def _wrong_code_and_refusal(page: Page, here: Fleet) -> None:
    """A slip is said; who shows other words is refused, and told so."""
    one = here.machine()
    code = (await one.ask())["code"]
    await page.goto(f"http://{here.host}/fleet/enrol")
    await page.get_by_test_id("code").fill("AAAAAA" if code != "AAAAAA" else "CCCCCC")
    await page.get_by_test_id("find").click()
    await expect(page.get_by_role("alert")).to_contain_text("Không có thiết bị nào đang hiện mã này")
    await page.get_by_test_id("code").fill(f"{code[:3]} {code[3:].lower()}")
    await page.get_by_test_id("find").click()
    await page.get_by_test_id("words-differ").click()
    await page.get_by_test_id("refuse").get_by_role("textbox").fill("Máy lạ")
    await page.get_by_test_id("confirm").click()
    await expect(page.get_by_test_id("code")).to_have_value("")

    told = await one.look()
    assert (told["state"], told["text"]) == ("refused", "Máy lạ")
    await page.get_by_role("tab", name="Thiết bị đang chờ").click()
    await expect(page.get_by_test_id("enrolments")).to_contain_text("Đã từ chối")


async def _by_list(page: Page, here: Fleet) -> None:
    """A list with a fault adds nothing and says where; mended, its device comes in by itself."""
    one = here.machine()
    await page.goto(f"http://{here.host}/fleet/enrol")
    await page.get_by_role("tab", name="Danh sách chờ sẵn").click()
    await page.get_by_test_id("add-expected").click()
    heading = "fingerprint,name,unit\n"
    await page.get_by_test_id("csv").fill(f"{heading}{one.fingerprint},Ki-ốt B,99999\n")
    await page.get_by_test_id("confirm").click()
    await expect(page.get_by_test_id("faults")).to_contain_text("Dòng 2: không có đơn vị này")
    await page.get_by_test_id("csv").fill(f"{heading}{one.fingerprint},Ki-ốt B,{UNIT.code}\n")
    await page.get_by_test_id("confirm").click()
    table = page.get_by_test_id("expected")
    await expect(table).to_contain_text(" · ".join(one.words))

    await one.ask()
    await one.look()
    await expect(table).not_to_contain_text("Ki-ốt B")
    await page.get_by_role("tab", name="Thiết bị đang chờ").click()
    await expect(page.get_by_test_id("enrolments")).to_contain_text("theo danh sách")

    await here.door.identities.cloned(one.id, "counter-went-back")
    banner = page.get_by_test_id("quarantined")
    await expect(banner).to_contain_text(re.compile("1 thiết bị đang cách ly"))
    await expect(banner).to_contain_text("sao chép")
