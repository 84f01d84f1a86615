"""Commands, a bulk, a screenshot and the audit in a real browser; the device's side is played."""

import hashlib
import os
import re
import struct
import zlib
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, expect

from kiosk_hub.fleet.commands import Command
from kiosk_hub.fleet.ids import DeviceId, EvidenceId
from kiosk_hub.fleet.news import Began, DeviceTime, Done
from kiosk_hub.fleet.orders import Finding, Outcome
from kiosk_hub.fleet.values import FleetRole
from tests.helpers.fleet_city import Desk, FleetCity

KIOSK: Final = DeviceId("d00581")  # of Ba Đình, in a building
BA_DINH, HOAN_KIEM = "001", "002"
SHOTS: Final = os.environ.get("DIEMCAU_SHOTS", "")
ENGLISH: Final = re.compile(
    r"\b(the|and|of|is|not|no|device|devices|command|commands|cancel|close|audit|pending|sent|error|null"
    r"|undefined|NaN|done|restart|reboot|screenshot|export)\b",
    re.IGNORECASE,
)


def picture() -> bytes:
    """A PNG of 960×540 with a dark bar, as if a region had been painted over."""
    line = b"\0" + b"\xe8\xee\xf6" * 960
    bar = b"\0" + b"\xe8\xee\xf6" * 200 + b"\x20\x26\x30" * 500 + b"\xe8\xee\xf6" * 260
    raw = line * 180 + bar * 90 + line * 270

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 960, 540, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    )


def shoot(page: Page, name: str) -> None:
    """For whoever looks at the pages: DIEMCAU_SHOTS names a folder."""
    if SHOTS:
        page.wait_for_timeout(400)
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


class PlayedDevice:
    """What a device does with its oldest open command."""

    def __init__(self, city: FleetCity, id: DeviceId) -> None:
        self.city = city
        self.id = id
        self.reported = 0

    def command(self) -> Command:
        return self.city.hub.commands.open_of(self.id)[0]

    def carry_out(self, outcome: Outcome, file: bytes = b"") -> None:
        command, hub = self.command(), self.city.hub

        async def act() -> None:
            assert await hub.commands.claim(self.id, command.id) is None
            if file:
                id, digest = EvidenceId(f"shot-{command.id}"), hashlib.sha256(file).hexdigest()
                upload = await hub.evidence_intake.begin(self.id, id, command.id, "screenshot", digest)
                assert upload is not None
                async with upload:
                    await upload.write(file)
                    await hub.evidence_intake.finish(upload)
            for news in (Began(command.id), Done(command.id, outcome)):
                self.reported += 1
                at = DeviceTime("boot-0001", self.reported, 1.0, 1.0)
                await hub.reports.take(self.id, f"{command.id}-{self.reported}", at, news)

        self.city.do(act)


def ask(page: Page, act: str, why: str) -> None:
    page.click('[data-testid="ask"]')
    page.select_option('[data-testid="act"]', act)
    page.fill('[data-testid="why"]', why)
    page.click('[data-testid="ask-command"] [data-testid="confirm"]')
    expect(page.locator('[data-testid="ask-command"]')).to_have_count(0)


def test_a_screenshot_is_asked_for_looked_at_and_the_look_is_in_the_audit(
    staff: Desk, city: FleetCity
) -> None:
    device = PlayedDevice(city, KIOSK)
    page = staff.window(
        f"/fleet/devices/{KIOSK}?tab=commands", role=FleetRole.TECHNICIAN, districts=[BA_DINH]
    )
    page.click('[data-quick="take-screenshot"]')
    page.fill('[data-testid="why"]', "người dân báo màn hình trắng")
    shoot(page, "ask")
    page.click('[data-testid="confirm"]')
    row = page.locator('[data-testid="upcoming"] tbody tr')
    expect(row).to_have_attribute("data-state", "pending")

    findings = (Finding("covered", 1), Finding("width_px", 960), Finding("height_px", 540))
    device.carry_out(Outcome(True, findings=findings), picture())
    done = page.locator('[data-testid="past"] tbody tr').first
    expect(done).to_have_attribute("data-state", "succeeded")
    shoot(page, "device-commands")
    done.locator('[data-testid="open-command"]').click()
    shoot(page, "detail")
    page.click('[data-testid="look-at-screenshot"]')
    image = page.locator('[data-testid="screenshot"]')
    expect(image).to_be_visible()
    assert image.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 960
    expect(page.locator('[data-testid="evidence"]')).to_contain_text("Đã che 1 vùng")
    shoot(page, "screenshot")

    audit = staff.window("/fleet/audit?action=look-at-screenshot")
    entry = audit.locator('[data-testid="audit"] tbody tr').first
    expect(entry).to_contain_text("Xem ảnh màn hình")
    expect(entry).to_contain_text("Ki-ốt")


def test_a_reboot_waits_for_a_second_person(staff: Desk, city: FleetCity) -> None:
    page = staff.window(
        f"/fleet/devices/{KIOSK}?tab=commands", role=FleetRole.TECHNICIAN, districts=[BA_DINH]
    )
    page.click('[data-testid="ask"]')
    page.select_option('[data-testid="act"]', "reboot")
    expect(page.locator('[data-testid="needs-second"]')).to_be_visible()
    page.fill('[data-testid="why"]', "treo máy")
    page.click('[data-testid="confirm"]')
    mine = page.locator('[data-testid="upcoming"] tbody tr')
    expect(mine).to_have_attribute("data-state", "awaiting-approval")
    expect(mine.locator('[data-testid="approve"]')).to_have_count(0)

    other = staff.window("/fleet/commands?tab=approvals")
    shoot(other, "approvals")
    other.locator('[data-testid="approval"] [data-testid="approve"]').first.click()
    expect(other.locator('[data-testid="decide"]')).to_contain_text("treo máy")
    other.click('[data-testid="decide"] [data-testid="confirm"]')
    expect(mine).to_have_attribute("data-state", "pending")

    mine.locator('[data-testid="cancel"]').click()
    page.click('[data-testid="decide"] [data-testid="confirm"]')
    expect(page.locator('[data-testid="past"] tbody tr').first).to_have_attribute("data-state", "cancelled")


def test_a_failure_says_why(staff: Desk, city: FleetCity) -> None:
    page = staff.window(f"/fleet/devices/{KIOSK}?tab=commands")
    ask(page, "test-printer", "người dân báo không in được")
    expect(page.locator('[data-testid="upcoming"] tbody tr')).to_have_count(1)

    PlayedDevice(city, KIOSK).carry_out(Outcome(False, "no-printer"))
    row = page.locator('[data-testid="past"] tbody tr').first
    expect(row).to_have_attribute("data-state", "failed")
    expect(row).to_contain_text("Thiết bị không có máy in.")


def test_one_act_at_many_is_shown_first_then_done_and_the_rest_cancelled(
    staff: Desk, city: FleetCity
) -> None:
    page = staff.window(f"/fleet?district={BA_DINH}&kind=kiosk")
    rows = page.locator('[data-testid="devices"] [role="row"]')
    expect(rows.nth(3)).to_be_visible()
    page.locator('[role="grid"]').focus()
    page.keyboard.press("Control+a")
    page.click('[data-testid="bulk-command"]')
    page.select_option('[data-testid="act"]', "restart-page")
    page.fill('[data-testid="why"]', "cập nhật trang chờ")
    shoot(page, "bulk-ask")
    page.click('[data-testid="confirm"]')
    waits = page.locator('[data-fate="waits-for-line"] strong')
    expect(waits).not_to_have_text("0")
    many = int(waits.inner_text())
    shoot(page, "bulk-preview")
    page.click('[data-testid="preview"] [data-testid="confirm"]')

    card = page.locator('[data-testid="bulk-card"]')
    expect(card).to_contain_text(f"0 trên {many} đã xong")
    expect(page.locator('[data-testid="bulk-commands"] tbody tr')).to_have_count(many)
    shoot(page, "bulk-progress")
    card.locator('[data-testid="cancel"]').click()
    page.click('[data-testid="decide"] [data-testid="confirm"]')
    expect(card.locator('[data-testid="bulk-progress"]')).to_have_text(f"{many} trên {many} đã xong")


def test_a_technician_may_not_touch_another_district(staff: Desk, city: FleetCity) -> None:
    page = staff.window("/fleet", role=FleetRole.TECHNICIAN, districts=[HOAN_KIEM])
    expect(page.locator('[data-testid="devices"]')).to_be_visible()

    page.goto(f"{city.origin}/fleet/devices/{KIOSK}?tab=commands")
    expect(page.locator('[data-code="not-allowed"]')).to_be_visible()
    expect(page.locator('[data-testid="ask"]')).to_have_count(0)
    page.goto(f"{city.origin}/fleet/audit")
    expect(page.locator("text=Vai trò của đồng chí không dùng trang này.")).to_be_visible()
    assert all("403" in one for one in staff.complaints)
    staff.complaints.clear()


def test_the_audit_is_filtered_verified_and_given_out(staff: Desk, tmp_path: Path) -> None:
    page = staff.window("/fleet/audit")
    expect(page.locator('[data-testid="audit"] tbody tr').first).to_be_visible()
    expect(page.locator('[data-testid="audit-state"]')).to_contain_text("Nhật ký nguyên vẹn")
    shoot(page, "audit")
    page.select_option('[data-testid="filter-action"]', "ask-command")
    expect(page.locator('[data-testid="audit"] tbody tr:not([data-action="ask-command"])')).to_have_count(0)
    page.click('[data-testid="verify"]')
    expect(page.locator('[data-testid="audit-state"]')).to_contain_text("Nhật ký nguyên vẹn")

    with page.expect_download() as download:
        page.click('[data-testid="export-csv"]')
    target = tmp_path / "audit.csv"
    download.value.save_as(target)
    lines = target.read_text("utf-8").splitlines()
    assert lines[0].startswith("\ufeffseq,at,account")
    assert lines[-1].startswith("end,")
    assert all(",ask-command," in line for line in lines[1:-1])


def test_the_pages_speak_vietnamese_and_stand_on_both_grounds(staff: Desk) -> None:
    for path in ("/fleet/commands?tab=past", "/fleet/audit"):
        page = staff.window(path, theme="dark", width=1920, height=1080)
        expect(page.locator("main h1, .page-head h1").first).to_be_visible()
        expect(page.locator(".skeleton")).to_have_count(0)
        # Names, ids and addresses are as they are.
        text = page.locator(".page-head, .tabs, th, .filter-bar, .chain p:first-child").all_inner_texts()
        found = ENGLISH.findall(" ".join(text))
        assert found == [], found
        shoot(page, "dark-" + re.sub(r"\W+", "-", path))
