"""Entering in a real browser: without devices, with links that are no good, with a wrong password; and what
the pages keep: no scrolling, no jumping, and a lower bar that makes room.
"""

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from msgspec import Struct
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from room_manager.ids import RoomId
from signaling.cli.storage import opened
from signaling.links import LinkMaker, link_url, signers
from tests.helpers.browser import CHROMIUM
from tests.helpers.server import CHAIR, TITLE, LiveServer, Planned, ward

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]

LIMIT_S = 20.0
TRUC_BACH = "00004"
PHUC_XA = "00001"
VINH_PHUC = "00006"
OPEN_NAME = "hop.test"  # a name that is not this machine's, so plain http is not secure
FAKE_ANSWER = "--use-fake-ui-for-media-stream"
FAKE_DEVICES = "--use-fake-device-for-media-stream"
DESK = {"width": 1366, "height": 768}
BIG = {"width": 1920, "height": 1080}

SHIFTS = """
() => {
  window.__shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const who = entry.sources.map(({ node }) => node?.outerHTML ?? node?.parentElement?.outerHTML);
      window.__shifts.push({ value: entry.value, who });
    }
  }).observe({ type: "layout-shift" });
}
"""
FITS = """
() => {
  const { scrollWidth, scrollHeight } = document.documentElement;
  return scrollWidth <= innerWidth && scrollHeight <= innerHeight;
}
"""


class House(Struct):
    """A server with a meeting of 579 units, and a browser whose camera and microphone work."""

    server: LiveServer
    planned: Planned
    expired: str
    playwright: Playwright
    browser: Browser
    listening: Page  # a ward that does nothing but listen, from before the first test

    @property
    def chair(self) -> str:
        return self.planned.urls[0]

    def ward(self, nth: int) -> str:
        """The address for the nth ward of the plan."""
        return self.planned.urls[1 + nth]

    @contextmanager
    def page(self, browser: Browser | None = None, size: dict[str, int] | None = None) -> Iterator[Page]:
        """A page of a person of its own: no storage is shared."""
        context = (browser or self.browser).new_context(
            viewport={"width": (size or DESK)["width"], "height": (size or DESK)["height"]}, locale="vi-VN"
        )
        context.set_default_timeout(LIMIT_S * 1000)
        try:
            yield context.new_page()
        finally:
            context.close()

    @contextmanager
    def room(self, *flags: str) -> Iterator[Page]:
        """A page in a browser of its own, with what these flags make of its devices."""
        browser = launched(self.playwright, *flags)
        try:
            with self.page(browser) as page:
                yield page
        finally:
            browser.close()


def launched(playwright: Playwright, *flags: str) -> Browser:
    quiet = ("--no-sandbox", "--disable-gpu", "--mute-audio", "--autoplay-policy=no-user-gesture-required")
    return playwright.chromium.launch(executable_path=CHROMIUM, args=[*quiet, *flags])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    flags: list[str] = []
    server = LiveServer(tmp_path_factory.mktemp("entering"), flags=flags)
    flags += ["--origin", f"http://{OPEN_NAME}:{server.port}"]
    planned = server.plan([CHAIR, *map(ward, (TRUC_BACH, PHUC_XA, VINH_PHUC))])
    expired = asyncio.run(made_yesterday(server, planned.room))
    server.start()
    try:
        with sync_playwright() as playwright:
            browser = launched(playwright, FAKE_ANSWER, FAKE_DEVICES, "--allow-loopback-in-peer-connection")
            try:
                listening = browser.new_page(viewport={"width": 1920, "height": 1080}, locale="vi-VN")
                listening.goto(planned.urls[3])
                enters(listening, planned.urls[3])
                yield House(server, planned, expired, playwright, browser, listening)
            finally:
                browser.close()
    finally:
        server.stop()


async def made_yesterday(server: LiveServer, room: RoomId) -> str:
    """A link that was good for an hour of yesterday."""
    async with opened(server.db) as stores:
        signer, _ = await signers(stores.secrets)
        maker = LinkMaker(stores.links, signer, lambda: time.time() - 86_400)
        _, token = await maker.make(room, ward(TRUC_BACH), 3_600, by="test")
    return link_url(server.origin, room, token)


def trouble(page: Page, device: str, says: str) -> None:
    """The page names what is wrong with that device."""
    expect(page.get_by_test_id(f"{device}-trouble")).to_contain_text(says)


def enters(page: Page, url: str) -> None:
    """The door is open, and leads into the meeting."""
    page.get_by_test_id("enter").click()
    page.wait_for_selector('[data-testid="stage"]')
    assert page.url == url


def kept_out(page: Page, url: str, code: str, says: str) -> None:
    """There is a sentence, and no way in."""
    page.goto(url)
    gone = page.get_by_test_id("gone")
    expect(gone).to_have_attribute("data-code", code)
    expect(gone.get_by_role("heading")).to_have_text(says)
    expect(page.get_by_test_id("enter")).to_have_count(0)
    expect(gone.get_by_role("button")).to_have_count(0)


# --- devices ---


def test_a_ward_that_forbids_its_camera_is_told_how_to_allow_it_and_enters(house: House) -> None:
    with house.room(FAKE_DEVICES, "--deny-permission-prompts") as page:
        page.goto(house.ward(0))
        trouble(page, "camera", "Trình duyệt chưa được phép dùng camera")
        trouble(page, "microphone", "chưa được phép")
        enters(page, house.ward(0))


def test_a_ward_without_a_camera_enters_with_its_microphone(house: House) -> None:
    with house.room(FAKE_ANSWER, FAKE_DEVICES, "--use-file-for-fake-video-capture=/nowhere.y4m") as page:
        page.goto(house.ward(0))
        trouble(page, "camera", "Không tìm thấy camera")
        expect(page.get_by_test_id("check")).to_contain_text("Không có camera vẫn vào họp được")
        enters(page, house.ward(0))
        expect(page.get_by_test_id("microphone")).to_have_attribute("aria-pressed", "true")
        expect(page.get_by_test_id("camera")).to_have_attribute("aria-pressed", "false")


def test_a_page_that_is_not_secure_says_so(house: House) -> None:
    with house.room(FAKE_ANSWER, FAKE_DEVICES, f"--host-resolver-rules=MAP {OPEN_NAME} 127.0.0.1") as page:
        url = house.ward(0).replace("127.0.0.1", OPEN_NAME)
        page.goto(url)
        assert page.evaluate("isSecureContext") is False
        trouble(page, "camera", "không dùng kết nối an toàn (https)")
        enters(page, url)


# --- doors ---


def test_an_expired_link_lets_nobody_in(house: House) -> None:
    with house.page() as page:
        kept_out(page, house.expired, "expired", "Đường dẫn đã hết hạn")


def test_a_garbled_link_lets_nobody_in(house: House) -> None:
    with house.page() as page:
        kept_out(page, house.ward(0)[:-3], "bad-token", "Đường dẫn không đúng")


def test_the_chair_makes_a_link_and_revokes_it_and_the_ward_leaves(house: House) -> None:
    with house.page() as desk, house.page() as site:
        desk.goto(house.chair)
        enters(desk, house.chair)
        desk.wait_for_selector('[data-testid="roster"] .row')
        desk.keyboard.press("Slash")
        desk.keyboard.type(PHUC_XA)
        desk.keyboard.press("Enter")
        desk.keyboard.press("KeyD")
        live = desk.get_by_test_id("links-live").locator("[data-link]")
        expect(live).to_have_count(1)  # the invitation's
        desk.get_by_label("Dùng cho").select_option("backup")
        desk.get_by_test_id("links-make").click()
        url = desk.get_by_test_id("links-url").input_value().replace(OPEN_NAME, "127.0.0.1")
        expect(live).to_have_count(2)

        site.goto(url)
        enters(site, url)
        desk.locator('[data-device="backup"]').get_by_role("button").click()
        expect(desk.get_by_text("Thiết bị đang dùng đường dẫn này sẽ rời họp.")).to_be_visible()
        desk.keyboard.press("Escape")
        expect(live).to_have_count(2)
        desk.keyboard.press("Enter")
        desk.get_by_test_id("links-revoke").click()

        expect(site.get_by_test_id("gone")).to_have_attribute("data-code", "revoked")
        expect(live).to_have_count(1)
        expect(desk.get_by_test_id("links-problem")).to_have_attribute("data-code", "")
        kept_out(site, url, "revoked", "Đường dẫn đã bị thu hồi")

        desk.get_by_label("Dùng cho").select_option("whip-backup")
        desk.get_by_test_id("links-make").click()
        expect(desk.get_by_test_id("links-url")).to_have_value(re.compile("/whip$"))
        expect(desk.get_by_test_id("links-token")).to_have_value(re.compile(r"^[\w-]+\.[\w-]+$"))
        expect(desk.locator('[data-for="whip-backup"]')).to_contain_text("Bộ mã hóa dự phòng (WHIP)")


def test_a_wrong_password_is_a_sentence(house: House) -> None:
    with house.page() as page:
        page.goto(house.server.origin)
        page.get_by_label("Tên đăng nhập").fill("binh")
        page.get_by_label("Mật khẩu").fill("không phải mật khẩu")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("Tên đăng nhập hoặc mật khẩu không đúng.")
        expect(page.get_by_test_id("login")).to_be_visible()
        expect(page.get_by_test_id("meetings")).to_have_count(0)


def test_the_language_stays(house: House) -> None:
    with house.page() as page:
        page.goto(house.ward(0))
        page.get_by_role("button", name="English").click()
        expect(page.get_by_test_id("enter")).to_have_text(re.compile("Enter|Join"))
        page.reload()
        expect(page.get_by_role("button", name="English")).to_have_attribute("aria-pressed", "true")
        assert page.evaluate("document.documentElement.lang") == "en"
        expect(page.get_by_test_id("check")).to_contain_text(TITLE)


# --- what the pages keep ---


@pytest.mark.parametrize("size", [DESK, BIG], ids=["1366", "1920"])
def test_the_desk_fits_and_nothing_jumps_while_the_whole_roll_is_searched(
    house: House, size: dict[str, int]
) -> None:
    with house.page(size=size) as page:
        page.goto(house.chair)
        enters(page, house.chair)
        page.wait_for_selector('[data-testid="roster"] .row')
        shown = page.get_by_test_id("roster-shown")
        expect(shown).to_have_text("579 / 579 điểm cầu")
        expect(page.locator("#city [data-cell]")).to_have_count(579)
        page.wait_for_selector('[data-media="up"]')
        assert page.evaluate(FITS)
        page.evaluate(SHIFTS)

        page.get_by_test_id("search").press_sequentially("dong")
        expect(shown).not_to_have_text("579 / 579 điểm cầu")
        page.get_by_test_id("search").fill("khong co phuong nao")
        expect(shown).to_have_text("0 / 579 điểm cầu")
        page.get_by_test_id("search").fill("")
        expect(shown).to_have_text("579 / 579 điểm cầu")
        page.get_by_test_id("roster").focus()
        page.keyboard.press("End")
        expect(page.locator('[aria-posinset="579"]')).to_be_in_viewport()
        page.get_by_test_id("roster").hover()
        for _ in range(12):
            page.mouse.wheel(0, -3_000)
        page.wait_for_selector('[aria-posinset="1"]')

        assert page.evaluate("window.__shifts") == []
        assert page.evaluate(FITS)


def test_the_lower_bar_makes_room_and_the_press_that_wakes_it_does_nothing_else(house: House) -> None:
    page = house.listening
    site, big, sentence = map(page.get_by_test_id, ("site-page", "big", "next"))
    expect(site).to_have_attribute("data-quiet", "true", timeout=LIMIT_S * 1000)
    expect(sentence).to_have_text("Muốn phát biểu, xin bấm OK hai lần")
    assert sentence.evaluate("it => getComputedStyle(it).fontSize") == "52px"
    expect(big).to_be_focused()

    page.keyboard.down("Enter")
    page.keyboard.down("Enter")  # held: the keyboard repeats it
    page.keyboard.up("Enter")
    expect(site).to_have_attribute("data-quiet", "false")
    expect(big).to_have_attribute("data-act", "raise")

    page.keyboard.press("Enter")
    expect(big).to_have_attribute("data-act", "lower")
    page.keyboard.press("Enter")
    expect(big).to_have_attribute("data-act", "raise")
