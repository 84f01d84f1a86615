"""The list of a thousand devices in a real browser: found, sorted, selected, live, within one's districts."""

import re

from playwright.sync_api import Page, expect

from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.values import FleetRole
from tests.helpers.fleet import GOOD, facts
from tests.helpers.fleet_city import Desk, FleetCity

ROW = '[data-testid="devices"] .table-row'
BA_DINH = "001"
TRUC_BACH = "d00002"


def first_row(page: Page) -> str:
    return page.locator(ROW).first.inner_text()


def names(page: Page) -> list[str]:
    return page.locator(f"{ROW} .name").all_inner_texts()


def test_a_thousand_devices_the_worst_first_and_only_those_in_sight_drawn(staff: Desk) -> None:
    page = staff.window()

    expect(page.locator(".page-head .sub")).to_have_text("1.000 trên 1.000 thiết bị")
    expect(page.locator('[data-chip="new"] strong')).to_have_text("10")
    assert page.locator(ROW).first.locator("[data-status]").get_attribute("data-status") == "new"
    assert page.locator(ROW).count() < 40

    page.locator('[role="grid"]').focus()
    page.keyboard.press("End")
    expect(page.locator(f'{ROW}[aria-rowindex="1001"]')).to_be_visible()
    assert page.locator(ROW).count() < 40


def test_what_breaks_comes_to_the_top_by_itself_with_its_reason(staff: Desk, city: FleetCity) -> None:
    page = staff.window()
    expect(page.locator('[data-chip="faulty"] strong')).to_have_text("0")

    city.beat(DeviceId("d00700"), facts(touch_ok=False), times=3)

    expect(page.locator('[data-chip="faulty"] strong')).to_have_text("1")
    row = page.locator(ROW).first
    expect(row).to_have_attribute("data-row", "d00700")
    assert row.locator(".sentence").inner_text() != ""

    city.beat(DeviceId("d00700"), GOOD, times=10)
    expect(page.locator('[data-chip="faulty"] strong')).to_have_text("0")


def test_a_filter_is_found_without_accents_and_kept_in_the_address(staff: Desk) -> None:
    page = staff.window()
    page.fill('[data-testid="search"]', "truc bach")
    expect(page.locator(ROW)).to_have_count(2)
    assert "Phòng họp Phường Trúc Bạch" in names(page)

    page.select_option('[data-testid="filter-kind"]', "bridge-point")
    expect(page.locator(ROW)).to_have_count(1)
    page.reload()
    expect(page.locator(ROW)).to_have_count(1)
    assert page.input_value('[data-testid="search"]') == "truc bach"

    page.locator(ROW).first.click()
    expect(page.locator('[data-testid="device-head"] h1')).to_have_text("Phòng họp Phường Trúc Bạch")
    page.go_back()
    expect(page.locator(ROW)).to_have_count(1)

    page.click('[data-testid="filter-clear"]')
    expect(page.locator(".page-head .sub")).to_have_text("1.000 trên 1.000 thiết bị")
    assert page.url.endswith("/fleet")


def test_the_keyboard_goes_selects_and_opens(staff: Desk) -> None:
    page = staff.window(f"/fleet?district={BA_DINH}&kind=bridge-point&sort=name")
    expect(page.locator(ROW)).to_have_count(14)
    page.locator('[role="grid"]').focus()

    page.keyboard.press("Home")
    page.keyboard.press("Space")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowDown")
    expect(page.locator('[data-testid="bulk-bar"] strong')).to_have_text("Đã chọn 4 thiết bị")
    page.click('[data-testid="select-all"]')
    expect(page.locator('[data-testid="bulk-bar"] strong')).to_have_text("Đã chọn 14 thiết bị")

    page.fill('[data-testid="search"]', "truc bach")
    expect(page.locator('[data-testid="bulk-bar"] strong')).to_have_text("Đã chọn 1 thiết bị")
    page.locator('[role="grid"]').focus()
    page.keyboard.press("Escape")
    expect(page.locator('[data-testid="bulk-bar"]')).to_have_count(0)
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/fleet/devices/{TRUC_BACH}")


def test_a_view_is_saved_under_a_name_and_comes_back(staff: Desk) -> None:
    page = staff.window("/fleet?status=new")
    expect(page.locator(ROW)).to_have_count(10)
    page.click('[data-testid="views"]')
    page.click('[data-item="save"]')
    page.fill('[data-testid="view-name"]', "Chưa lắp xong")
    page.click('[data-testid="confirm"]')
    expect(page.locator('[data-testid="views"]')).to_have_text("Bộ lọc: Chưa lắp xong")

    page.click('[data-testid="filter-clear"]')
    page.click('[data-testid="views"]')
    page.get_by_role("menuitem", name="Chưa lắp xong").click()
    expect(page.locator(ROW)).to_have_count(10)
    assert page.url.endswith("status=new")


def test_a_technician_sees_the_own_districts_only(staff: Desk) -> None:
    page = staff.window(role=FleetRole.TECHNICIAN, districts=[BA_DINH])

    expect(page.locator('[data-testid="me"]')).to_contain_text("Cán bộ kỹ thuật · 1 quận, huyện")
    page.wait_for_selector(ROW)
    assert all("Ba Đình" in text for text in page.locator(f"{ROW} .who").all_inner_texts())
    assert page.locator('[data-nav="audit"], [data-nav="setup"]').count() == 0

    page.goto(f"{staff.city.origin}/fleet/devices/d00100")
    expect(page.get_by_role("alert")).to_be_visible()
    page.goto(f"{staff.city.origin}/fleet/audit")
    expect(page.locator('[data-testid="empty"]')).to_be_visible()
    staff.complaints[:] = [one for one in staff.complaints if "403" not in one]  # the browser's own word


def test_a_viewer_has_no_buttons_that_do_something(staff: Desk) -> None:
    page = staff.window(role=FleetRole.VIEWER)
    page.wait_for_selector(ROW)
    assert page.locator(f"{ROW} input").count() == 0

    page.locator(ROW).first.click()
    page.wait_for_selector('[data-testid="device-head"]')
    assert (
        page.locator(
            '[data-testid="device-actions"], [data-testid="to-commands"], [data-testid="edit-device"]'
        ).count()
        == 0
    )


def test_logging_in_and_out(staff: Desk) -> None:
    page = staff.window(logged_in=False)
    page.wait_for_selector('[data-testid="login"]')
    page.fill("#name", "nobody")
    page.fill("#password", "wrong")
    page.click('[data-testid="login"] button')
    expect(page.get_by_role("alert")).to_have_text("Tên đăng nhập hoặc mật khẩu không đúng.")
    page.context.add_cookies([staff.city.cookie()])  # type: ignore[list-item]
    page.reload()
    page.wait_for_selector(ROW)

    page.click('[data-testid="out"]')
    page.wait_for_selector('[data-testid="login"]')
    page.reload()
    page.wait_for_selector('[data-testid="login"]')
    staff.complaints[:] = [one for one in staff.complaints if "401" not in one]


def test_who_has_no_part_in_the_fleet_is_told_so(staff: Desk) -> None:
    page = staff.window(role=None)
    expect(page.get_by_role("alert").locator("h1")).to_have_text(
        "Tài khoản này chưa được giao việc quản trị thiết bị."
    )
    staff.complaints[:] = [one for one in staff.complaints if "403" not in one]


def test_a_page_that_hears_nothing_says_so_and_recovers(staff: Desk) -> None:
    page = staff.window()
    page.clock.install()
    page.reload()
    page.wait_for_selector(ROW)

    page.clock.fast_forward(17_000)
    expect(page.locator('[data-testid="stale"]')).to_have_text(
        re.compile(r"^Dữ liệu cũ: mất kết nối từ \d\d:\d\d\.")
    )

    page.clock.fast_forward(30_000)
    expect(page.locator('[data-testid="stale"]')).to_have_count(0)
    page.wait_for_selector(ROW)
