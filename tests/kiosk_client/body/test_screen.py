"""The real screen: Chromium, the agent's own page in it, and what is proved and shown of it."""

import asyncio
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import cv2
import httpx
import numpy as np
import psutil
import pytest

from kiosk_client.body.browser import Browser
from kiosk_client.body.browser_life import BrowserSettings
from kiosk_client.body.real import BodySettings
from kiosk_client.body.screenshot import COVER
from kiosk_client.ports import Pairing, Standing
from signaling.wire.kiosk.bundles import USUAL, Configuration
from signaling.wire.kiosk.words import (
    Reboot,
    RestartPage,
    ReturnToService,
    Sessions,
    SetScreen,
    TakeOutOfService,
    TakeScreenshot,
    TestCamera,
    TestPrinter,
)
from tests.helpers.bodies import BodyHouse, living
from tests.helpers.browser import CHROMIUM
from tests.helpers.real_agent import RealAgent

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium"),
    pytest.mark.timeout(180),
]

WORDS: Final = ("sen", "trúc", "mai", "đào")
CONTENT: Final = {
    "format": 1,
    "announcements": [
        {
            "id": "cu-tri",
            "title": {"vi": "Danh sách cử tri tổ 5", "en": "Voters of group 5"},
            "text": {"vi": "Ông Nguyễn Văn A, phòng 1204.\n\nBà Trần Thị B, phòng 307."},
            "private": True,
            "seconds": 300,
        }
    ],
}


PICTURE_OF_QR: Final = """
(async () => {
  const canvas = new OffscreenCanvas(400, 400);
  const pen = canvas.getContext("2d");
  pen.fillStyle = "white";
  pen.fillRect(0, 0, 400, 400);
  pen.drawImage(document.querySelector(".qr"), 0, 0, 400, 400);
  return [...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())];
})()
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BodyHouse]:
    assert CHROMIUM is not None
    folder = tmp_path_factory.mktemp("device")
    content = folder / "content"
    content.mkdir()
    (content / "announcements.json").write_text(json.dumps(CONTENT))
    settings = BodySettings(
        browser=BrowserSettings(
            program=CHROMIUM, profiles=folder / "profiles", width_px=720, height_px=1280, headless=True
        ),
        camera="",
        content=content,
        look_every_s=0.5,
    )
    with living(settings, folder) as there:
        yield there


@pytest.fixture
def resting(house: BodyHouse) -> BodyHouse:
    """In service, connected, nobody there."""
    house.do(ReturnToService())
    house.settle()
    house.stand(Standing("connected"))
    house.shows("attract")
    return house


def picture(house: BodyHouse) -> tuple[Any, dict[str, Any]]:
    result = house.do(TakeScreenshot())
    assert result.outcome.succeeded, result.outcome
    assert result.evidence is not None
    assert len(result.evidence.data) <= 2**20
    pixels = cv2.imdecode(np.frombuffer(result.evidence.data, np.uint8), cv2.IMREAD_COLOR)
    return pixels, {finding.name: finding.value for finding in result.outcome.findings}


def test_a_device_that_is_not_enrolled_shows_its_code_its_words_and_a_qr_of_its_url(house: BodyHouse) -> None:
    house.do(ReturnToService())
    house.stand(
        Standing(
            "enrolling",
            pairing=Pairing("H7K2PM", "https://diemcau.example/fleet/enrol#H7K2PM", WORDS, time.time() + 290),
        )
    )
    house.shows("pairing")

    assert house.page("document.querySelector('[data-testid=code]').textContent") == "H7K2PM"
    assert house.page("[...document.querySelectorAll('[data-testid=words] li')].map(e => e.textContent)") == [
        *WORDS
    ]
    house.until(lambda: house.page("document.querySelector('.qr').naturalWidth > 0"), "the QR is drawn")
    qr = house.page(PICTURE_OF_QR)
    pixels = cv2.imdecode(np.frombuffer(bytes(qr), np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    read, _, _ = cv2.QRCodeDetector().detectAndDecode(pixels)
    assert read == "https://diemcau.example/fleet/enrol#H7K2PM"


def test_the_code_is_covered_in_a_screenshot(house: BodyHouse) -> None:
    house.do(ReturnToService())
    house.stand(
        Standing(
            "enrolling", pairing=Pairing("H7K2PM", "https://x.example/#H7K2PM", WORDS, time.time() + 290)
        )
    )
    house.shows("pairing")

    pixels, found = picture(house)

    assert_covered(house, pixels, ".code")
    assert_covered(house, pixels, ".four")
    assert found["covered"] > 0
    assert not found["unreadable"]


def assert_covered(house: BodyHouse, pixels: Any, selector: str) -> None:
    """Every pixel of that part is the cover's colour (JPEG rings by a few levels)."""
    left, top, width, height, across = house.page(
        f"""(() => {{ const {{ left, top, width, height }} = document.querySelector({selector!r})
        .getBoundingClientRect(); return [left, top, width, height, innerWidth]; }})()"""
    )
    scale = pixels.shape[1] / across
    part = pixels[
        max(0, int(top * scale)) : int((top + height) * scale),
        max(0, int(left * scale)) : int((left + width) * scale),
    ]
    assert part.size > 0
    assert int(np.abs(part.astype(int) - np.array(COVER)).max()) <= 12


def test_the_resting_screen_shows_the_announcements_and_covers_the_marked_one(resting: BodyHouse) -> None:
    resting.until(
        lambda: resting.page("!!document.querySelector('[data-testid=announcement]')"), "an announcement"
    )
    assert "Danh sách cử tri tổ 5" in resting.page("document.body.innerText")

    pixels, _ = picture(resting)

    assert_covered(resting, pixels, "[data-testid=announcement]")
    begin = resting.page("document.querySelector('[data-testid=begin]').getBoundingClientRect().top")
    assert int(np.abs(pixels[int(begin) + 20, 360].astype(int) - np.array(COVER)).max()) > 12


def test_what_the_city_gives_takes_the_place_of_the_content_it_was_started_with(resting: BodyHouse) -> None:
    shelf = resting.core.state / "updates" / "content"
    newer = shelf / "2026.12"
    newer.mkdir(parents=True)
    there = {"id": "lich", "title": {"vi": "Lịch tiếp công dân"}, "text": {"vi": "Thứ Năm."}, "seconds": 300}
    (newer / "announcements.json").write_text(json.dumps({"format": 1, "announcements": [there]}))
    try:
        (shelf / "current").symlink_to(newer.name)
        resting.until(
            lambda: "Lịch tiếp công dân" in str(resting.page("document.body.innerText")), "the city's content"
        )
    finally:
        shutil.rmtree(shelf)
    resting.until(
        lambda: "Danh sách cử tri" in str(resting.page("document.body.innerText")), "its own content again"
    )


def test_a_resident_begins_reads_and_leaves_and_only_counts_remain(resting: BodyHouse) -> None:
    before, told = resting.core.changes, len(resting.core.news)
    resting.press("[data-testid=begin]")
    resting.shows("session")
    assert resting.call(resting.body.session_active)

    resting.press(".card")
    resting.until(lambda: resting.page("!!document.querySelector('[data-testid=reading]')"), "the text")
    resting.press("[data-testid=leave]")
    resting.shows("attract")

    assert not resting.call(resting.body.session_active)
    assert resting.core.changes == before + 2
    counted = [one for one in resting.core.news[told:] if isinstance(one, Sessions)]
    assert [(one.begun, one.finished, one.abandoned) for one in counted] == [(1, 0, 0), (0, 1, 0)]
    assert {one.hour for one in counted} <= {int(time.time() // 3600), int(time.time() // 3600) - 1}


def test_what_is_touched_is_twenty_millimetres_high_on_this_very_panel(resting: BodyHouse) -> None:
    resting.settle(mm_per_px=0.25)  # a panel whose pixels are small
    resting.press("[data-testid=begin]")
    resting.shows("session")
    try:
        heights = "[...document.querySelectorAll('button')].map((one) => one.getBoundingClientRect().height)"
        resting.until(lambda: min(resting.page(heights)) >= 20 / 0.25, "all are large enough")
    finally:
        resting.press("[data-testid=leave]")
        resting.shows("attract")


def test_a_configuration_is_drawn_at_once(resting: BodyHouse) -> None:
    size = "getComputedStyle(document.querySelector('.announcement .body')).fontSize"
    assert resting.page(size) == "36px"

    told = Configuration(format=1, language="en", text_size="large")
    resting.call(lambda: resting.body.on_configuration(told))
    try:
        resting.until(lambda: resting.page(size) == "45px", "larger text")
        resting.press("[data-testid=begin]")
        resting.shows("session")
        assert resting.page("document.querySelector('.card').textContent") == "Voters of group 5"
        resting.press("[data-testid=leave]")
        resting.shows("attract")
    finally:
        resting.call(lambda: resting.body.on_configuration(USUAL))


def test_a_screenshot_during_a_session_is_unreadable(resting: BodyHouse) -> None:
    resting.press("[data-testid=begin]")
    resting.shows("session")
    try:
        pixels, found = picture(resting)
    finally:
        resting.press("[data-testid=leave]")
        resting.shows("attract")

    assert found["unreadable"]
    across = np.abs(np.diff(pixels.astype(int), axis=1)).max(axis=(0, 2))
    edges = np.flatnonzero(across > 24)
    assert np.all(np.minimum((edges + 1) % 30, 30 - (edges + 1) % 30) <= 1)  # only between cells of 30 px


def test_a_marked_part_that_never_holds_still_is_not_photographed(resting: BodyHouse) -> None:
    resting.page(
        """(() => { const field = document.body.appendChild(document.createElement("input"));
        field.id = "restless"; field.style.position = "fixed"; let at = 0;
        const move = () => { field.style.left = `${(at = (at + 7) % 500)}px`; requestAnimationFrame(move); };
        move(); })()"""
    )
    try:
        result = resting.do(TakeScreenshot())
    finally:
        resting.do(RestartPage())

    assert result.outcome.code == "page-busy"
    assert result.evidence is None


def test_what_flows_over_the_edge_of_a_marked_part_is_covered_too(resting: BodyHouse) -> None:
    resting.page(
        """(() => { const part = document.body.appendChild(document.createElement("div"));
        part.setAttribute("data-redact", ""); part.innerHTML = "<b id=flows>" + "M".repeat(20) + "</b>";
        part.style.cssText = "position: fixed;left: 9px; top: 9px; width: 20px; height: 9px; font-size: 40px";
        })()"""
    )
    try:
        pixels, _ = picture(resting)
        assert_covered(resting, pixels, "#flows")
    finally:
        resting.do(RestartPage())


def test_out_of_service_is_what_residents_read_and_stays_over_a_restart(resting: BodyHouse) -> None:
    message = "Ki-ốt đang được bảo trì đến 14 giờ. Mời quý vị đến bộ phận một cửa."

    assert resting.do(TakeOutOfService(message)).outcome.succeeded
    resting.shows("out-of-service")

    assert message in resting.page("document.body.innerText")
    assert resting.run(resting.body.facts()).out_of_service
    assert resting.body._kept.read() == message
    resting.do(ReturnToService())
    resting.shows("attract")
    assert resting.body._kept.read() is None


def test_a_cut_line_is_said_and_the_kiosk_goes_on(resting: BodyHouse) -> None:
    resting.stand(Standing("cut"))

    resting.until(lambda: resting.page("!!document.querySelector('[data-testid=cut]')"), "the line is cut")
    assert resting.page("document.documentElement.dataset.page") == "attract"


def test_a_device_that_is_sent_away_serves_nobody(resting: BodyHouse) -> None:
    resting.stand(Standing("sent-away", "quarantined"))

    resting.shows("sent-away")


def test_what_was_painted_is_young_and_has_a_name(resting: BodyHouse) -> None:
    def fresh() -> bool:
        painted = resting.run(resting.body.facts()).painted
        assert painted is not None
        return (
            painted.page == "attract"
            and painted.frame_age_s is not None
            and painted.changed_age_s is not None
        )

    resting.until(fresh, "a frame")
    assert resting.call(resting.body.alive)


def test_a_browser_that_is_killed_comes_back_and_staff_are_told(resting: BodyHouse) -> None:
    before = resting.browser.restarts
    pid = resting.browser.life.pid
    assert pid is not None

    os.kill(pid, signal.SIGKILL)

    resting.until(lambda: resting.browser.life.pid != pid, "another browser")
    resting.shows("attract")
    assert resting.browser.restarts == before + 1
    assert "browser-ended" in {line.code for line in resting.core.lines}
    assert not Path(f"/proc/{pid}").exists()


def test_restart_page_is_done_when_the_new_page_has_painted(resting: BodyHouse) -> None:
    pid = resting.browser.life.pid

    result = resting.do(RestartPage())

    assert result.outcome.succeeded, result.outcome
    assert resting.browser.life.pid != pid
    assert [finding.name for finding in result.outcome.findings] == ["first_frame_s"]
    resting.shows("attract")


def test_a_crashed_page_is_started_anew(resting: BodyHouse) -> None:
    pid = resting.browser.life.pid

    with pytest.raises(Exception):  # noqa: B017 - nothing answers any more
        resting.run(resting.browser.life.ask("Page.crash"))

    resting.until(lambda: resting.browser.life.pid != pid, "another browser")
    resting.shows("attract")


@pytest.mark.slow
def test_a_browser_that_stands_still_is_started_anew_though_its_process_lives(resting: BodyHouse) -> None:
    pid = resting.browser.life.pid
    assert pid is not None
    resting.browser._grace_s = 1.0
    try:
        os.kill(pid, signal.SIGSTOP)
        resting.until(lambda: not Path(f"/proc/{pid}").exists(), "the frozen one has gone")
    finally:
        resting.browser._grace_s = 60.0

    resting.shows("attract")
    assert "browser-frozen" in {line.code for line in resting.core.lines}


def test_what_this_machine_does_not_have_is_said_by_a_code(resting: BodyHouse) -> None:
    assert resting.do(TestCamera()).outcome.code == "no-camera"
    assert resting.do(TestPrinter()).outcome.code == "no-printer"
    assert resting.do(Reboot()).outcome.code == "not-permitted"
    assert resting.do(SetScreen(True)).outcome.code == "no-screen-control"


def test_the_page_is_served_to_its_own_browser_and_to_nobody_else(resting: BodyHouse) -> None:
    assert resting.body._server is not None
    url = resting.body._server.url
    base = url.rsplit("/", 2)[0]

    with httpx.Client(trust_env=False, timeout=10) as client:
        assert client.get(url).status_code == 200
        assert "default-src 'none'" in client.get(url).headers["content-security-policy"]
        assert client.get(base).status_code == 404
        assert client.get(f"{base}/kiosk.html").status_code == 404
        assert client.get(url, headers={"host": "evil.example"}).status_code == 404
        assert client.get(f"{url}content/..%2fservice.json").status_code == 404
        upgrade = {
            "connection": "upgrade",
            "upgrade": "websocket",
            "sec-websocket-version": "13",
            "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
        }
        assert (
            client.get(f"{url}line", headers={**upgrade, "origin": "http://evil.example"}).status_code == 403
        )


def test_nothing_is_left_of_a_browser_that_has_ended(tmp_path: Path) -> None:
    assert CHROMIUM is not None
    profiles = tmp_path / "profiles"
    settings = BodySettings(
        browser=BrowserSettings(program=CHROMIUM, profiles=profiles, headless=True),
        camera="",
        look_every_s=0.5,
    )

    with living(settings, tmp_path) as there:
        there.shows("wait")
        pid = there.browser.life.pid
        assert list(profiles.iterdir()) != []

    assert list(profiles.iterdir()) == []
    assert [group for group in groups() if group == pid] == []


def test_a_browser_that_never_starts_is_tried_again_told_and_given_a_rest(tmp_path: Path) -> None:
    noted: list[str] = []

    async def scenario() -> None:
        settings = BrowserSettings(program="/bin/false", profiles=tmp_path / "profiles", headless=True)
        browser = Browser(settings, lambda: "http://127.0.0.1/", lambda code, _: noted.append(code), 0.001)
        browser.start()
        async with asyncio.timeout(60):
            while "browser-given-up" not in noted:  # noqa: ASYNC110 - it is told by a call
                await asyncio.sleep(0.02)
        await browser.close()

    asyncio.run(scenario())

    assert noted == ["browser-ended"] * 5 + ["browser-given-up"]
    assert list((tmp_path / "profiles").iterdir()) == []


def test_nothing_outlives_an_agent_that_is_killed(tmp_path: Path) -> None:
    agent = RealAgent(tmp_path, "http://127.0.0.1:9", [])
    agent.start()
    try:
        wait_for(lambda: agent.screen_url() is not None and len(agent.children()) >= 2, "browser and camera")
        family = agent.children()
        agent.kill()
        _, alive = psutil.wait_procs(family, timeout=30)
    finally:
        agent.stop()

    assert alive == []


def wait_for(look: Callable[[], object], what: str, limit_s: float = 60.0) -> None:
    until = time.monotonic() + limit_s
    while not look():
        if time.monotonic() > until:
            raise AssertionError(f"not within {limit_s:.0f} s: {what}")
        threading.Event().wait(0.05)


def groups() -> list[int]:
    """Process groups of everything that runs."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if words[0] != "Z":
            found.append(int(words[2]))
    return found
