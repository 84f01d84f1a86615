"""The board and one incident in a real browser: half a district lost, acknowledged, written down, closed."""

import re
from typing import Final

from playwright.sync_api import Page, expect

from kiosk_hub.fleet.facts import Camera
from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.values import FleetRole
from tests.browser.fleet.test_map_and_device import ENGLISH
from tests.helpers.fleet import facts
from tests.helpers.fleet_city import Desk, FleetCity

BA_DINH, DONG_DA = "001", "006"
KIOSK: Final = DeviceId("d00581")
FROZEN: Final = facts(camera=Camera(state="frozen"))


def fault(city: FleetCity, device: DeviceId = KIOSK) -> str:
    """The camera has been frozen for two minutes; the incident that comes of it."""
    now = city.hub.directory.clock()
    for ago in (120, 90, 60, 30, 0):
        city.beat(device, FROZEN, at=now - ago)
    city.do(city.hub.incidents.turn)
    name = city.hub.incidents.incident_of(device)
    assert name is not None
    return name


def half_a_district(city: FleetCity, district: str) -> list[DeviceId]:
    """Every other device there has been silent for two minutes, and the others have not."""
    hub = city.hub
    there = [one for one in hub.directory.all() if hub.directory.district_of(one) == district]
    lost = [one.id for one in there if int(one.id[1:]) <= 990][: max(4, len(there) // 2)]

    async def cut() -> None:
        now = hub.directory.clock()
        hub.registry._listening_since = 0.0  # this server is younger than the outage
        for device in lost:
            known = hub.registry.known(device)
            assert known is not None
            hub.registry.on_beat(device, facts(), now - 120)
            hub.registry.judge_now(device)
        for device in lost:
            hub.incidents._watch.waiting[device] = now
        await hub.incidents.turn()

    city.do(cut)
    return lost


def text_of(page: Page) -> str:
    """What the page itself says, without the language switch."""
    return page.locator("main").inner_text()


def test_acknowledge_comment_and_close(city: FleetCity, staff: Desk) -> None:
    name = fault(city)
    page = staff.window("/fleet/incidents", role=FleetRole.TECHNICIAN, districts=[BA_DINH])

    row = page.locator(f'[data-row="{name}"]')
    expect(row).to_contain_text("Camera đứng hình từ")
    expect(row).to_contain_text("Chưa tiếp nhận")
    row.get_by_role("link").click()
    page.get_by_test_id("acknowledge").click()
    expect(page.get_by_test_id("state")).to_have_attribute("data-state", "acknowledged")

    page.get_by_test_id("comment").fill("Đã gọi người trông nhà văn hóa")
    page.get_by_test_id("comment-send").click()
    expect(page.get_by_test_id("timeline").locator("li").first).to_contain_text(
        "Đã gọi người trông nhà văn hóa"
    )
    expect(page.get_by_test_id("timeline").locator("li").first).to_contain_text("Trần Văn Bình")

    page.get_by_test_id("close").click()
    expect(page.get_by_test_id("confirm")).to_be_disabled()
    page.get_by_test_id("note").fill("Chờ thay camera")
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("state")).to_have_attribute("data-state", "closed")

    assert not ENGLISH.search(text_of(page)), ENGLISH.findall(text_of(page))
    page.goto(f"{city.origin}/fleet/incidents?tab=closed")
    expect(page.locator(f'[data-row="{name}"]')).to_contain_text("Trần Văn Bình đã đóng")


def test_an_incident_comes_and_goes_on_an_open_board(city: FleetCity, staff: Desk) -> None:
    page = staff.window("/fleet/incidents")
    expect(page.get_by_test_id("board")).to_be_visible()

    name = fault(city, DeviceId("d00585"))

    expect(page.locator(f'[data-row="{name}"]')).to_be_visible()


def test_half_a_district_lost_is_one_incident_on_board_and_map(city: FleetCity, staff: Desk) -> None:
    lost = half_a_district(city, DONG_DA)
    page = staff.window("/fleet/incidents?severity=critical")

    row = page.locator('[data-row^="in-"]')
    expect(row).to_have_count(1)
    expect(row).to_contain_text(f"Mất điện hoặc mất đường truyền tại Quận Đống Đa ({len(lost)}/")
    expect(row).to_contain_text("Khẩn cấp")
    row.get_by_role("link").click()
    expect(page.get_by_test_id("devices").locator("li")).to_have_count(8)
    page.get_by_role("button", name=re.compile("Xem tất cả")).click()
    expect(page.get_by_test_id("devices").locator("li")).to_have_count(len(lost))

    page.goto(f"{city.origin}/fleet/map")
    expect(page.locator(f'.tile[data-district="{DONG_DA}"]').get_by_test_id("tile-incidents")).to_have_text(
        "1"
    )


def test_who_may_only_look_is_offered_nothing(city: FleetCity, staff: Desk) -> None:
    name = fault(city, DeviceId("d00582"))
    page = staff.window(f"/fleet/incidents/{name}", role=FleetRole.VIEWER)

    expect(page.get_by_test_id("timeline")).to_be_visible()
    for act in ("acknowledge", "assign", "close", "comment"):
        expect(page.get_by_test_id(act)).to_have_count(0)


def test_filters_and_their_words(city: FleetCity, staff: Desk) -> None:
    fault(city, DeviceId("d00583"))
    page = staff.window("/fleet/incidents?whose=mine", language="en")

    expect(page.get_by_test_id("empty")).to_contain_text("No incident matches")
    page.get_by_test_id("whose").select_option("nobody")
    page.get_by_test_id("incident-search").fill("camera")
    expect(page.locator('[data-row^="in-"]').first).to_be_visible()
    page.get_by_test_id("incident-search").fill("khong co noi nao nhu the")
    expect(page.get_by_test_id("empty")).to_be_visible()
