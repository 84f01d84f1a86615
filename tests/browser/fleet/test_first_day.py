"""A kiosk's first day, with nothing played: the real agent with its real browser and camera process, the real
city, and staff at the real dashboard. Let in by its code; its camera goes; one alert says so; its screen is
looked at, what is private covered; its page is started anew; the incident is closed."""

import asyncio
import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import cv2
import msgspec
import numpy as np
import pytest
from playwright.async_api import Browser, Locator, Page, Playwright, async_playwright, expect

from kiosk_client.body.screenshot import COVER
from kiosk_hub.fleet.values import FleetRole
from signaling.auth import cookie_name
from signaling.settings import FleetSettings
from tests.helpers.browser import CHROMIUM
from tests.helpers.fleet_server import UNIT, Fleet, StaffClient, fleet
from tests.helpers.real_agent import RealAgent, real_agent
from tests.helpers.servers import settings

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

LIMIT_S: Final = 120.0
CAMERA: Final = re.compile("camera", re.IGNORECASE)
KIOSK: Final = "Ki-ốt sảnh A"
PRIVATE: Final = "Ông Nguyễn Văn A, phòng 1204"
ANNOUNCEMENTS: Final = [
    {
        "id": "cu-tri",
        "title": {"vi": "Danh sách cử tri"},
        "text": {"vi": PRIVATE},
        "private": True,
        "seconds": 300,
    }
]

PIXELS: Final = """
async (image) => {
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.toDataURL("image/png");
}
"""


def test_a_kiosk_from_its_code_to_a_closed_incident(tmp_path: Path) -> None:
    chosen = msgspec.structs.replace(settings(tmp_path), fleet=FleetSettings(beat_every_s=1.0))

    async def run() -> None:
        async with fleet(chosen) as here, async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
            )
            try:
                with real_agent(tmp_path / "kiosk", f"http://{here.host}", ANNOUNCEMENTS) as agent:
                    try:
                        await _first_day(playwright, browser, here, agent)
                    except BaseException:
                        print(agent.log())
                        raise
            finally:
                await browser.close()

    asyncio.run(run())


async def _first_day(playwright: Playwright, browser: Browser, here: Fleet, agent: RealAgent) -> None:
    staff = await here.staff(FleetRole.TECHNICIAN, frozenset({UNIT.district_code}))
    context = await browser.new_context(viewport={"width": 1366, "height": 768}, locale="vi-VN")
    context.set_default_timeout(LIMIT_S * 1000)
    expect.set_options(timeout=LIMIT_S * 1000)
    await context.add_cookies(
        [{"name": cookie_name(False), "value": staff.token, "url": f"http://{here.host}"}]
    )
    page = await context.new_page()

    device = await _let_in(playwright, page, here, agent)
    await _is_well(page, here, device)
    agent.unplug_camera()
    await _one_alert(page, here)
    await _screenshot(page, here, device)
    await _restart_page(page, here, device)
    await _close(page, here, staff)


async def _let_in(playwright: Playwright, page: Page, here: Fleet, agent: RealAgent) -> str:
    """The technician reads the kiosk's screen, types the code, compares the words, says where it stands."""
    await until(lambda: agent.screen_url() is not None)
    url = agent.screen_url()
    assert url is not None
    eyes = await playwright.chromium.connect_over_cdp(url)
    try:
        screen = eyes.contexts[0].pages[0]
        code = await screen.get_by_test_id("code").inner_text(timeout=LIMIT_S * 1000)
        words = await screen.get_by_test_id("words").locator("li").all_inner_texts()
    finally:
        await eyes.close()

    await page.goto(f"http://{here.host}/fleet/enrol")
    await page.get_by_test_id("code").fill(code)
    await page.get_by_test_id("find").click()
    await expect(page.get_by_test_id("words").locator("li")).to_have_text(words)
    await page.get_by_test_id("words-same").click()
    await page.get_by_test_id("name").fill(KIOSK)
    await page.get_by_test_id("place-district").select_option(UNIT.district_code)
    await page.get_by_test_id("place-unit").select_option(UNIT.code)
    await page.get_by_test_id("place-building").fill("Nhà văn hóa số 3")
    await page.get_by_test_id("bind").click()
    await expect(page.get_by_test_id("result")).to_have_attribute("data-state", "connected")
    address = await page.get_by_test_id("open-device").get_attribute("href")
    assert address is not None
    return address.rsplit("/", 1)[-1]


async def _is_well(page: Page, here: Fleet, device: str) -> None:
    """The first heartbeats are there, with facts of the real machine."""
    await page.goto(f"http://{here.host}/fleet/devices/{device}")
    await expect(page.get_by_test_id("device-head")).to_contain_text(KIOSK)
    known = here.hub.registry.known(device)  # type: ignore[arg-type]
    assert known is not None
    await until(lambda: _facts(here, device).camera is not None and _facts(here, device).camera.state == "ok")
    await until(lambda: _facts(here, device).painted.page == "attract")


async def _one_alert(page: Page, here: Fleet) -> None:
    """The camera is gone: the board has one incident that says so, and where."""
    await page.goto(f"http://{here.host}/fleet/incidents")
    await expect(_of_the_camera(page)).to_have_count(1)
    await expect(_of_the_camera(page)).to_contain_text("Nhà văn hóa số 3")


def _of_the_camera(page: Page) -> Locator:
    """A test machine that has too much to do gets an incident of its own; that is no fault."""
    return page.get_by_test_id("board").locator('[data-row^="in-"]').filter(has_text=CAMERA)


async def _screenshot(page: Page, here: Fleet, device: str) -> None:
    """Asked for and looked at on the page; in the picture itself what is marked is covered."""
    await page.goto(f"http://{here.host}/fleet/devices/{device}?tab=commands")
    await page.click('[data-quick="take-screenshot"]')
    await page.get_by_test_id("why").fill("camera mất hình, xem màn hình")
    await page.get_by_test_id("confirm").click()
    done = page.locator('[data-testid="past"] tbody tr').first
    await expect(done).to_have_attribute("data-state", "succeeded")
    await done.get_by_test_id("open-command").click()
    await page.get_by_test_id("look-at-screenshot").click()
    image = page.get_by_test_id("screenshot")
    await expect(image).to_be_visible()

    drawn: str = await image.evaluate(PIXELS)
    pixels = cv2.imdecode(np.frombuffer(base64.b64decode(drawn.split(",")[1]), np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    height, width = pixels.shape[:2]
    assert (width, height) == (1080, 1920)
    # The announcement takes the middle of the resting screen; below it is the button, in another colour.
    middle = pixels[height // 3 : height // 2, width // 4 : width * 3 // 4].astype(int)
    assert int(np.abs(middle - np.array(COVER)).max()) <= 12
    button = pixels[height - 120 : height - 60, width // 4 : width // 3].astype(int)
    assert int(np.abs(button - np.array(COVER)).max()) > 12
    assert len(await here.audited("look-at-screenshot")) == 1


async def _restart_page(page: Page, here: Fleet, device: str) -> None:
    await page.goto(f"http://{here.host}/fleet/devices/{device}?tab=commands")
    before = _facts(here, device).restarts
    await page.get_by_test_id("ask").click()
    await page.get_by_test_id("act").select_option("restart-page")
    await page.get_by_test_id("why").fill("làm mới màn hình")
    await page.get_by_test_id("confirm").click()
    done = page.locator('[data-testid="past"] tbody tr').first
    await expect(done).to_contain_text("Khởi động lại")
    await expect(done).to_have_attribute("data-state", "succeeded")
    await until(lambda: _facts(here, device).restarts == before + 1)
    await until(lambda: _facts(here, device).painted.page == "attract")


async def _close(page: Page, here: Fleet, staff: StaffClient) -> None:
    """Still one incident, now with somebody's name at its end."""
    await page.goto(f"http://{here.host}/fleet/incidents")
    await expect(_of_the_camera(page)).to_have_count(1)
    await _of_the_camera(page).get_by_role("link").click()
    await page.get_by_test_id("close").click()
    await page.get_by_test_id("note").fill("đã thay dây camera")
    await page.get_by_test_id("confirm").click()
    await expect(page.get_by_test_id("state")).to_have_attribute("data-state", "closed")
    left = (await staff.get("/incidents"))["incidents"]
    assert [one for one in left if CAMERA.search(one["sentence"]["vi"])] == []


def _facts(here: Fleet, device: str) -> Any:
    known = here.hub.registry.known(device)  # type: ignore[arg-type]
    assert known is not None
    return known.health.facts


async def until(condition: Callable[[], object], limit_s: float = LIMIT_S) -> None:
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110 - facts of a device come when they come
            await asyncio.sleep(0.05)
