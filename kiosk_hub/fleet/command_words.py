"""Why a command did not succeed, in a sentence of each language, by its code."""

from collections.abc import Mapping
from typing import Final

from kiosk_hub.fleet.commands import Command, CommandState
from kiosk_hub.fleet.reasons import Reason

_CITY: Final[Mapping[str, tuple[str, str]]] = {
    "not-approved": (
        "Không có người thứ hai phê duyệt trong 8 giờ.",
        "No second person approved within 8 h.",
    ),
    "not-reached": (
        "Thiết bị không nhận lệnh trước khi hết hạn.",
        "The device did not take the command before its time was over.",
    ),
    "in-session": (
        "Có người dân đang sử dụng nên lệnh không được thực hiện.",
        "A resident was being served, so it was not done.",
    ),
    "no-result": (
        "Thiết bị đã bắt đầu nhưng không báo kết quả đúng hạn.",
        "The device began, and told no result in time.",
    ),
    "by-staff": ("Đã hủy trước khi thực hiện.", "Cancelled before it began."),
    "refused": ("Người phê duyệt từ chối.", "The second person refused it."),
    "right-withdrawn": (
        "Người yêu cầu hoặc người phê duyệt không còn quyền khi thiết bị nhận lệnh.",
        "Whoever asked for it, or approved it, no longer had the right when the device took it.",
    ),
    "not-in-use": ("Thiết bị không còn được sử dụng.", "The device is not in use any more."),
}
_DEVICE: Final[Mapping[str, tuple[str, str]]] = {
    "in-session": (
        "Thiết bị từ chối vì có người dân đang sử dụng.",
        "The device refused, as a resident was being served.",
    ),
    "interrupted": (
        "Thiết bị dừng giữa chừng và không thực hiện lại lần nữa.",
        "The device was interrupted; it does not do it a second time.",
    ),
    "internal": ("Phần mềm trên thiết bị bị lỗi.", "The device's software failed."),
    "not-kept": ("Ổ đĩa của thiết bị không ghi được kết quả.", "The device's disk did not take the result."),
    "no-line": ("Không đo được đường truyền tới thành phố.", "The line to the city could not be measured."),
    "no-transfer": ("Không truyền được dữ liệu thử.", "The test transfer failed."),
    "no-updates": ("Thiết bị này không nhận nội dung.", "This device takes no content."),
    "not-supported": ("Thiết bị này không làm được việc đó.", "This device cannot do that."),
    "no-screen": ("Thiết bị không hiển thị trang nào.", "No page is shown there."),
    "no-camera": ("Thiết bị không có camera.", "There is no camera."),
    "no-printer": ("Thiết bị không có máy in.", "There is no printer."),
    "printer-refused": ("Máy in không nhận phiếu in thử.", "The printer did not take the test slip."),
    "no-mixer": ("Thiết bị không chỉnh được âm lượng.", "Nothing there sets the volume."),
    "mixer-failed": ("Không đặt được âm lượng.", "The volume could not be set."),
    "no-screen-control": (
        "Thiết bị không bật, tắt được màn hình.",
        "Nothing there turns the screen on or off.",
    ),
    "screen-failed": ("Màn hình không phản hồi lệnh bật, tắt.", "The screen did not obey."),
    "not-permitted": (
        "Phần mềm trên thiết bị không được phép khởi động lại máy.",
        "The agent may not restart the machine.",
    ),
    "reboot-refused": ("Hệ điều hành từ chối khởi động lại.", "The system refused to restart."),
}


def reason_of(command: Command) -> Reason | None:
    """None: it has not ended, or has succeeded. What staff wrote, or the device said, stands behind."""
    if not command.code:
        return None
    words = _DEVICE if command.state is CommandState.FAILED and command.outcome is not None else _CITY
    known = words.get(command.code)
    if known is None:
        told = command.text or command.code
        return Reason(command.code, f"Thiết bị báo: {told}", f"The device says: {told}")
    vi, en = known
    if command.text and command.code in ("by-staff", "refused"):
        return Reason(command.code, f"{vi} Lý do: {command.text}", f"{en} Why: {command.text}")
    return Reason(command.code, vi, en)


_REFUSALS: Final[Mapping[str, tuple[str, str]]] = {
    "not-allowed": ("Thiết bị ngoài địa bàn được giao.", "Not one of your districts."),
    "not-in-use": ("Thiết bị không được sử dụng.", "The device is not in use."),
    "queue-full": ("Thiết bị đang có quá nhiều lệnh chờ.", "Too many commands wait for the device."),
}


def refusal_of(code: str, text: str) -> Reason:
    """Why a device is left out of a bulk."""
    vi, en = _REFUSALS.get(code, (text, text))
    return Reason(code, vi, en)
