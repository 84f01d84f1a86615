"""What people read of a weak line, in a real browser; the engine is played, so the test says the step."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from room_manager.media.engine import LineStep, Step, StepReason
from room_manager.meeting.values import Role
from tests.helpers.browser import CHROMIUM
from tests.helpers.databases import prepare
from tests.helpers.servers import A, Hall, hall, settings

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]

LIMIT_MS = 20_000
READ_FROM_AFAR_PX = 36.0


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--mute-audio"]
        )
        try:
            yield browser
        finally:
            await browser.close()


async def entered(browser: Browser, here: Hall, role: Role, width: int, height: int) -> Page:
    """A window of that role, in the meeting."""
    _, token = await here.link(role, A if role is Role.SITE else None)
    context = await browser.new_context(viewport={"width": width, "height": height}, locale="vi-VN")
    context.set_default_timeout(LIMIT_MS)
    page = await context.new_page()
    await page.goto(f"{here.origin}/m/{here.meeting}?auto=1#{token}")
    await page.wait_for_selector('[data-line="open"] [data-testid="stage"]')
    return page


def test_a_weak_line_is_told_in_words_to_the_ward_and_to_the_operator(tmp_path: Path) -> None:
    prepare()  # before any loop runs
    chosen = settings(tmp_path)

    async def scenario() -> None:
        async with hall(chosen) as here, chromium() as browser:
            operator = await entered(browser, here, Role.OPERATOR, 1366, 768)
            ward = await entered(browser, here, Role.SITE, 1920, 1080)
            fanout = await here.edge.rooms.fanout(here.meeting)
            [connection] = here.manager.told(here.meeting).sites[A].devices.values()

            def steps_to(step: Step, reason: StepReason) -> None:
                fanout.on_media(LineStep(here.meeting, connection, step, reason, None))

            own = ward.get_by_test_id("own-step")
            row = operator.locator(f'[data-testid="roster"] [data-site="{A}"]')
            await expect(row).to_have_attribute("data-state", "present", timeout=LIMIT_MS)
            await expect(own).to_have_count(0)

            steps_to("quarter", "bandwidth")
            await expect(own).to_have_text("Đường truyền yếu. Hình đã giảm, tiếng vẫn được ưu tiên")
            await expect(row).to_contain_text("Nét thấp")

            steps_to("audio-only", "loss")
            await expect(own).to_have_text("Đường truyền rất yếu. Tạm dừng hình để giữ tiếng")
            assert await in_sight(own) >= READ_FROM_AFAR_PX
            await expect(ward.get_by_test_id("line")).to_have_attribute("data-grade", "bad")
            await expect(row).to_contain_text("Chỉ còn tiếng")
            await expect(operator.locator(f'[data-cell="{A}"] .look.audio')).to_have_count(1)
            await expect(operator.get_by_test_id("steps")).to_contain_text("1")
            await row.get_by_role("button").click()
            await expect(operator.get_by_test_id("why")).to_have_text(
                re.compile(r"Đường truyền yếu: chỉ còn tiếng vì mất gói, từ \d\d:\d\d")
            )
            await operator.keyboard.press("Escape")
            await operator.get_by_test_id("steps").click()
            await operator.locator('[data-testid="steps-menu"] button[data-step="audio-only"]').click()
            await expect(operator.get_by_test_id("roster-shown")).to_have_text("1 / 3 điểm cầu")

            steps_to("full", "room")
            await expect(own).to_have_count(0)
            await expect(operator.get_by_test_id("roster-shown")).to_have_text("0 / 3 điểm cầu")

    asyncio.run(scenario())


async def in_sight(words: Any) -> float:
    """How large the words are, in CSS pixels; nothing covers them, and they lie within the window."""
    box = await words.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 1920
    covered = await words.evaluate(
        """it => {
          const { x, y, width, height } = it.getBoundingClientRect();
          return document.elementsFromPoint(x + width / 2, y + height / 2)[0] !== it;
        }"""
    )
    assert not covered
    size: str = await words.evaluate("it => getComputedStyle(it).fontSize")
    return float(size.removesuffix("px"))
