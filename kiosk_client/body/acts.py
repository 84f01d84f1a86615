"""Carries out what only the machine can do. An act that cannot be done is an outcome with a code."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from kiosk_client.body import screenshot, slip
from kiosk_client.body.browser import Browser
from kiosk_client.body.camera import CameraSense
from kiosk_client.body.printer import PrinterSense
from kiosk_client.body.programs import Programs
from kiosk_client.body.screen import ScreenSense
from kiosk_client.body.sound import SoundSense
from kiosk_client.errors import AgentError
from kiosk_client.ports import Evidence, Result
from signaling.wire.kiosk.words import (
    AnyAct,
    Camera,
    Finding,
    Order,
    Outcome,
    Reboot,
    RestartPage,
    ReturnToService,
    SetScreen,
    SetVolume,
    TakeOutOfService,
    TakeScreenshot,
    TestCamera,
    TestPrinter,
)

CAMERA_LOOKS: Final = 3
REBOOT_LIMIT_S: Final = 30.0
RESTART_LIMIT_S: Final = 90.0
HANOI: Final = ZoneInfo("Asia/Ho_Chi_Minh")

WORDS: Final = {
    "no-screen": "Thiết bị này không có màn hình do tác tử điều khiển",
    "no-camera": "Thiết bị không có camera",
    "camera-none": "Không thấy camera",
    "camera-busy": "Camera đang bị chương trình khác dùng",
    "camera-frozen": "Hình camera đứng yên",
    "camera-dark": "Hình camera tối đen",
    "camera-failed": "Camera không cho hình",
    "no-printer": "Thiết bị không có máy in",
    "printer-refused": "Máy in không nhận phiếu",
    "no-mixer": "Thiết bị không có cách chỉnh âm lượng",
    "mixer-failed": "Không chỉnh được âm lượng",
    "no-screen-control": "Thiết bị không có cách bật, tắt màn hình",
    "screen-failed": "Màn hình không nghe lệnh bật, tắt",
    "not-permitted": "Tác tử trên thiết bị không được phép khởi động lại máy",
    "reboot-refused": "Hệ điều hành từ chối khởi động lại",
    "not-mine": "Lệnh này không thuộc phần thân máy",
    "browser-gone": "Trình duyệt của ki-ốt không chạy",
    "no-display": "Thiết bị chưa có màn hình để hiện trang",
    "browser-silent": "Trình duyệt của ki-ốt không trả lời",
    "browser-refused": "Trình duyệt của ki-ốt báo lỗi",
    "page-busy": "Phần cần che trên màn hình không đứng yên nên không chụp",
    "too-large": "Ảnh chụp quá lớn",
    "not-kept": "Ổ đĩa của thiết bị không ghi được",
}


class Hands(Struct, frozen=True, kw_only=True):
    """What acts work with. ``browser``: None, where no page is shown."""

    programs: Programs
    browser: Browser | None
    camera: CameraSense
    printer: PrinterSense
    screen: ScreenSense
    sound: SoundSense
    in_session: Callable[[], bool]
    set_service: Callable[[str | None], Awaitable[None]]
    now: Callable[[], float]  # seconds, UTC: the best that is known
    name: Callable[[], str]
    may_reboot: bool = False


async def carry_out(order: Order, hands: Hands) -> Result:
    """Do it. Nothing but cancellation is raised."""
    try:
        return await _do(order.do, hands)
    except AgentError as error:
        return failed(error.code)


def done(*findings: Finding, evidence: Evidence | None = None) -> Result:
    return Result(Outcome(succeeded=True, findings=findings), evidence)


def failed(code: str, text: str = "", *findings: Finding) -> Result:
    return Result(Outcome(succeeded=False, code=code, text=text or WORDS.get(code, ""), findings=findings))


async def _do(act: AnyAct, hands: Hands) -> Result:
    match act:
        case RestartPage():
            return await _restart_page(hands)
        case Reboot():
            return await _reboot(hands)
        case SetScreen(on=on):
            why = await hands.screen.turn(on)
            return failed(why) if why else done(Finding("on", on))
        case SetVolume(share=share):
            why = await hands.sound.set_volume(share)
            return failed(why) if why else done(Finding("share", share))
        case TakeScreenshot():
            return await _screenshot(hands)
        case TestCamera():
            return await _test_camera(hands)
        case TestPrinter():
            return await _test_printer(hands)
        case TakeOutOfService(message=message):
            return await _service(hands, message)
        case ReturnToService():
            return await _service(hands, None)
        case _:
            return failed("not-mine")


async def _restart_page(hands: Hands) -> Result:
    if hands.browser is None:
        return failed("no-screen")
    took_s = await hands.browser.restart(RESTART_LIMIT_S)
    return done(Finding("first_frame_s", round(took_s, 2)))


async def _reboot(hands: Hands) -> Result:
    if not hands.may_reboot:
        return failed("not-permitted")
    ran = await hands.programs.run(["systemctl", "reboot"], REBOOT_LIMIT_S)
    return done() if ran.ok else failed("reboot-refused", ran.text.strip()[:200])


async def _screenshot(hands: Hands) -> Result:
    if hands.browser is None:
        return failed("no-screen")
    shot = await screenshot.take(hands.browser.life, hands.in_session)
    return done(
        Finding("width_px", shot.width_px),
        Finding("height_px", shot.height_px),
        Finding("covered", shot.covered),
        Finding("unreadable", shot.unreadable),
        evidence=Evidence("screenshot", shot.jpeg),
    )


async def _test_camera(hands: Hands) -> Result:
    looks: list[Camera] = []
    for _ in range(CAMERA_LOOKS):
        look = await hands.camera.look()
        if look is None:
            return failed("no-camera")
        looks.append(look)
        if look.state != "ok":
            break
    last = looks[-1]
    findings = [Finding("state", last.state), Finding("moving", any(look.moving for look in looks))]
    if last.sharpness is not None:
        findings.append(Finding("sharpness", round(last.sharpness, 1)))
    if last.brightness is not None:
        findings.append(Finding("brightness", round(last.brightness, 3)))
    if last.state == "ok":
        return done(*findings)
    return failed(f"camera-{last.state}", "", *findings)


async def _test_printer(hands: Hands) -> Result:
    when = dt.datetime.fromtimestamp(hands.now(), HANOI).strftime("%H:%M %d/%m/%Y")
    why = await hands.printer.print_slip(slip.draw(["ĐIỂM CẦU", "Phiếu in thử", hands.name(), when]))
    state = await hands.printer.look()
    findings = [Finding("state", state.state)] if state else []
    return failed(why, "", *findings) if why else done(*findings)


async def _service(hands: Hands, message: str | None) -> Result:
    if hands.browser is None:
        return failed("no-screen")
    await hands.set_service(message)
    await asyncio.sleep(0)  # the page is told
    return done(Finding("out_of_service", message is not None))
