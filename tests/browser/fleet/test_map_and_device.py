"""The map, a device's page and the wall screen in a real browser: what is drawn, what may be done."""

import re
from typing import Final

import pytest
from msgspec.structs import replace
from playwright.sync_api import Locator, Page, expect

from kiosk_hub.fleet.facts import Camera, Load, Printer
from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.values import FleetRole
from tests.helpers.fleet import GOOD, LOAD, device, facts
from tests.helpers.fleet_city import Desk, FleetCity

BA_DINH, DONG_DA = "001", "006"
MEASURED = DeviceId("d01001")
KIOSK = DeviceId("d00581")  # of the second unit of Ba Đình, in a building
ENGLISH: Final = re.compile(
    r"\b(the|and|of|is|not|no|device|devices|status|loading|search|save|cancel|close|map|incident|incidents|command"
    r"|commands|rollout|since|offline|unknown|error|ok|yes|all|null|undefined|NaN|refused)\b",
    re.IGNORECASE,
)
PAINTED = """(canvas) => {
  const pen = canvas.getContext("2d");
  const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
  const colours = new Set();
  for (let i = 0; i < data.length; i += 4)
    if (data[i + 3] > 200) colours.add(data.slice(i, i + 3).join());
  return colours.size;
}"""
INK = """([selector, ground]) => {  // found and measured in one turn: a row may be drawn anew between two
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((part) => part / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const b = light(rgb(getComputedStyle(document.querySelector(ground)).backgroundColor));
  return [...document.querySelectorAll(selector)].slice(0, 3).map((node) => {
    const a = light(rgb(getComputedStyle(node).color));
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  });
}"""


def tile(page: Page, district: str) -> Locator:
    return page.locator(f'.tile[data-district="{district}"]')


@pytest.fixture(scope="module")
def measured(city: FleetCity) -> FleetCity:
    """One more kiosk, heard for the last two hours but for a quarter of an hour."""
    city.put(replace(device(1_001), id=MEASURED, name="Ki-ốt sảnh A"))
    now = city.hub.directory.clock()
    for beat in range(240):
        at = now - 7_200 + beat * 30
        if 3_600 < now - at < 4_500:
            continue
        warm = replace(LOAD, temperature_c=45.0 + (beat % 40) * 0.5)
        city.beat(MEASURED, facts(load=warm), at=at)
    return city


def test_the_map_opens_districts_units_and_devices(staff: Desk, city: FleetCity) -> None:
    city.beat(KIOSK, facts(printer=Printer(state="paper-out"), camera=Camera(state="failed")), times=6)
    page = staff.window("/fleet/map")
    expect(page.locator(".tile")).to_have_count(30)
    expect(tile(page, BA_DINH)).not_to_have_attribute("data-worst", "ok")

    tile(page, BA_DINH).locator(".district").click()
    expect(page.locator(".beside h2")).to_have_text("Quận Ba Đình")
    first = page.locator("[data-unit-row]").first
    first.locator(".unit").click()
    expect(first.locator(".building h3")).not_to_have_count(0)
    assert f"district={BA_DINH}" in page.url
    assert "unit=" in page.url
    page.reload()
    page.locator(f'[data-device="{KIOSK}"]').click()
    page.wait_for_url(f"**/fleet/devices/{KIOSK}")
    assert page.locator('[data-testid="sentence"]').inner_text() != ""
    city.beat(KIOSK, GOOD, times=10)


def test_arrows_go_from_district_to_district(staff: Desk) -> None:
    page = staff.window("/fleet/map")
    tile(page, BA_DINH).focus()

    page.keyboard.press("ArrowDown")
    expect(tile(page, DONG_DA)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".beside h2")).to_have_text("Quận Đống Đa")


def test_others_districts_are_grey_for_a_technician(staff: Desk) -> None:
    page = staff.window("/fleet/map", role=FleetRole.TECHNICIAN, districts=[BA_DINH])
    expect(tile(page, BA_DINH)).to_have_attribute("data-covered", "true")
    expect(tile(page, BA_DINH)).not_to_have_attribute("data-worst", "")
    expect(tile(page, DONG_DA)).to_have_attribute("data-covered", "false")
    expect(tile(page, DONG_DA)).to_contain_text("Ngoài địa bàn")


def test_charts_are_really_drawn_with_a_gap_and_a_threshold(staff: Desk, measured: FleetCity) -> None:
    page = staff.window(f"/fleet/devices/{MEASURED}")
    chart = page.locator('[data-metric="temperature_c"]')
    canvas = chart.locator("canvas")
    expect(chart).not_to_have_attribute("data-points", "0")
    assert canvas.evaluate(PAINTED) > 5

    page.click('[data-range="hour"]')
    page.wait_for_url("**range=hour")
    expect(page.locator('[data-metric="temperature_c"]')).not_to_have_attribute("data-points", "0")
    page.locator('[data-metric="temperature_c"] .u-over').hover()
    for metric in ("temperature_c", "rtt_ms"):  # the pointer is told to every chart
        expect(page.locator(f'[data-metric="{metric}"] .at')).to_have_text(re.compile(r"\d\d:\d\d"))
    assert page.locator('[data-testid="strip"] rect').count() > 0


def test_facts_stand_with_their_thresholds(staff: Desk, city: FleetCity) -> None:
    hot = Load(cpu_share=0.2, memory_share=0.4, temperature_c=82.0, undervoltage=False, uptime_s=9_000.0)
    city.beat(KIOSK, facts(load=hot), times=4)
    page = staff.window(f"/fleet/devices/{KIOSK}")

    fact = page.locator('[data-fact="temperature_c"]')
    expect(fact).to_have_attribute("data-tone", "warn")
    expect(fact).to_contain_text("82 °C")
    expect(fact).to_contain_text("ngưỡng từ 80 °C")
    assert "82" in page.locator('[data-testid="sentence"]').inner_text()
    city.beat(KIOSK, GOOD, times=10)


def test_a_device_is_renamed_and_its_hours_set(staff: Desk) -> None:
    page = staff.window(f"/fleet/devices/{KIOSK}")
    page.click('[data-testid="edit-device"]')
    page.fill('[data-testid="edit"] input[data-first]', "Ki-ốt cửa Tây")
    page.select_option('[data-testid="hours-preset"]', "office")
    page.click('[data-testid="confirm"]')

    expect(page.locator('[data-testid="device-head"] h1')).to_have_text("Ki-ốt cửa Tây")
    expect(page.locator('[data-testid="place"]')).to_contain_text("Thứ Hai–Thứ Sáu 07:30–11:30, 13:00–17:00")


def test_maintenance_begins_and_ends(staff: Desk) -> None:
    page = staff.window("/fleet/devices/d00900")
    page.click('[data-testid="device-actions"]')
    page.click('[data-item="maintenance"]')
    page.click('[data-testid="confirm"]')
    expect(page.locator('[data-testid="device-head"] .notice')).to_contain_text("Đang bảo trì đến")

    page.click('[data-testid="device-actions"]')
    page.click('[data-item="end-maintenance"]')
    expect(page.locator('[data-testid="device-head"] .notice')).to_have_count(0)


def test_a_device_is_quarantined_with_a_reason_and_released(staff: Desk) -> None:
    page = staff.window("/fleet/devices/d00901")
    page.click('[data-testid="device-actions"]')
    page.click('[data-item="quarantine"]')
    expect(page.locator('[data-testid="confirm"]')).to_be_disabled()
    page.fill('[data-testid="why"] input', "Nghi bị tháo máy")
    page.click('[data-testid="confirm"]')
    expect(page.locator('[data-testid="device-head"] [data-status="quarantined"]')).to_have_count(1)
    expect(page.locator('[data-testid="device-head"]')).to_contain_text("Nghi bị tháo máy")

    page.click('[data-testid="device-actions"]')
    page.click('[data-item="release"]')
    page.fill('[data-testid="why"] input', "Đã kiểm tra tại chỗ")
    page.click('[data-testid="confirm"]')
    expect(page.locator('[data-testid="device-head"] [data-status="quarantined"]')).to_have_count(0)


def test_the_wall_screen_counts_and_leaves_by_escape(staff: Desk) -> None:
    page = staff.window("/fleet/map?wall=1", width=1920, height=1080)
    expect(page.locator('[data-count="new"] strong')).to_have_text("10")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")

    page.keyboard.press("Escape")
    page.wait_for_selector(".rail")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"


PAGES = (
    "/fleet",
    "/fleet/map",
    f"/fleet/map?district={BA_DINH}",
    f"/fleet/devices/{KIOSK}",
    "/fleet/map?wall=1",
)


def test_no_english_on_a_vietnamese_page(staff: Desk) -> None:
    page = staff.window()
    for path in PAGES:
        page.goto(staff.city.origin + path)
        page.wait_for_selector("[data-status], .tile")
        said = page.locator("#app").inner_text()
        assert ENGLISH.findall(said) == [], path


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_status_is_read_on_its_ground(staff: Desk, theme: str) -> None:
    page = staff.window(theme=theme)
    page.wait_for_selector(".table-row .word")
    for selector, ground in (
        (".table-row .word", ".table"),
        (".page-head .sub", "body"),
        (".table-row .who span", "body"),
    ):
        found = page.evaluate(INK, [selector, ground])
        assert found, selector
        assert min(found) >= 4.5, selector
