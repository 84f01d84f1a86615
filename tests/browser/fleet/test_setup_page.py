"""Where notices go, set in a real browser: one recipient is made and tried, and roles."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import expect

from kiosk_hub.fleet.values import FleetRole
from kiosk_hub.services.mail import MailServer
from signaling.settings import FleetSettings
from tests.browser.fleet.test_map_and_device import ENGLISH
from tests.helpers.fleet import device
from tests.helpers.fleet_city import Desk, FleetCity, desk, fleet_city
from tests.helpers.receivers import Mailbox, mailbox
from tests.helpers.servers import settings

LIMIT_S = 30.0


@pytest.fixture(scope="module")
def box() -> Iterator[Mailbox]:
    """A mail server on a loop of its own."""
    ready, over = threading.Event(), asyncio.Event()
    found: list[Mailbox] = []
    loop = asyncio.new_event_loop()

    async def main() -> None:
        async with mailbox() as opened:
            found.append(opened)
            ready.set()
            await over.wait()

    def run() -> None:
        try:
            loop.run_until_complete(main())
        finally:
            ready.set()
            loop.close()

    thread = threading.Thread(target=run, name="mailbox")
    thread.start()
    try:
        assert ready.wait(LIMIT_S)
        yield found[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(LIMIT_S)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def told_city(box: Mailbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FleetCity, Desk]]:
    mail = MailServer(host="127.0.0.1", port=box.port, security="none", sender="thongbao@hanoi.vn")
    chosen = settings(tmp_path_factory.mktemp("setup"), fleet=FleetSettings(mail=mail))
    with ExitStack() as stack:
        opened = stack.enter_context(fleet_city(tmp_path_factory.mktemp("city"), [device(1)], chosen))
        yield opened, stack.enter_context(desk(opened))


def test_a_recipient_is_made_and_tried(told_city: tuple[FleetCity, Desk], box: Mailbox) -> None:
    _, window = told_city
    page = window.window("/fleet/setup")
    expect(page.get_by_test_id("empty")).to_contain_text("Chưa có nơi nhận nào")

    page.get_by_test_id("new-route").click()
    page.get_by_test_id("route-name").fill("Tổ kỹ thuật")
    page.get_by_test_id("route-addresses").fill("lan@hanoi.vn, minh@hanoi.vn")
    page.get_by_test_id("route-least").select_option("minor")
    page.get_by_test_id("confirm").click()
    card = page.locator('[data-route="kenh-1"]')
    expect(card).to_contain_text("lan@hanoi.vn, minh@hanoi.vn")
    expect(card).to_contain_text("từ mức nhẹ")

    box.recipients["minh@hanoi.vn"] = "550 5.1.1 no such mailbox"
    card.get_by_test_id("test").click()
    results = page.get_by_test_id("results").locator("li")
    expect(results.nth(0)).to_have_text("lan@hanoi.vn: đã nhận")
    expect(results.nth(1)).to_contain_text("minh@hanoi.vn: máy chủ thư từ chối")
    assert box.subjects() == ["[Điểm Cầu] Thư gửi thử"]

    page.get_by_test_id("quiet-from").fill("22:15")
    page.get_by_test_id("save-times").click()
    expect(page.get_by_test_id("toast").last).to_contain_text("Đã lưu")
    page.reload()
    expect(page.get_by_test_id("quiet-from")).to_have_value("22:15")

    said = page.locator("main").inner_text().replace("Webhook", "").replace("--mail-server", "")
    assert not ENGLISH.search(said), ENGLISH.findall(said)
    window.close_windows()


def test_roles_are_set_here_and_only_by_administrators(told_city: tuple[FleetCity, Desk]) -> None:
    city, window = told_city
    page = window.window("/fleet/setup?tab=roles")
    table = page.get_by_test_id("roles")
    expect(table).to_contain_text("Quản trị viên")

    city.cookie(None, name="Nguyễn Thị Lan")
    page.reload()
    row = table.locator(".table-row", has_text="Nguyễn Thị Lan").first
    row.get_by_test_id("edit-role").click()
    page.get_by_test_id("role").select_option("technician")
    expect(page.get_by_test_id("confirm")).to_be_disabled()
    page.get_by_test_id("role-districts").select_option(["001", "006"])
    page.get_by_test_id("confirm").click()
    expect(row).to_contain_text("Ba Đình, Đống Đa")

    other = window.window("/fleet/setup", role=FleetRole.TECHNICIAN, districts=["001"])
    expect(other.locator("main")).to_contain_text("Vai trò của đồng chí không dùng trang này")
    window.close_windows()
    assert window.complaints == []
