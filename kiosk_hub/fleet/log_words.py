"""What the known codes of a device's log say, in both languages."""

from collections.abc import Mapping
from typing import Final

from kiosk_hub.fleet.reasons import Reason

OF_THE_CITY: Final[Mapping[str, tuple[str, str]]] = {
    "connected": ("Đã kết nối", "Connected"),
    "gone": ("Đường truyền đã đóng", "The line is closed"),
    "status-ok": ("Hoạt động bình thường", "All is well"),
    "bad-json": ("Gửi bản tin không đọc được", "Sent a message that cannot be read"),
    "bad-field": ("Gửi bản tin sai định dạng", "Sent a message with a wrong field"),
    "bad-message": ("Gửi bản tin sai định dạng", "Sent a message of a wrong form"),
    "invalid-utf8": ("Gửi bản tin không đọc được", "Sent a message that cannot be read"),
    "too-big": ("Gửi bản tin quá lớn, đã bị từ chối", "Sent a message that is too big; it was refused"),
    "too-many": ("Gửi quá nhiều bản tin, đã bị ngắt", "Sent too many messages; it was cut off"),
    "bad-signature": ("Chữ ký không đúng, không cho kết nối", "The signature is wrong; it was not let in"),
    "replayed": (
        "Dùng lại chữ ký cũ, không cho kết nối",
        "An old signature was used again; it was not let in",
    ),
    "clock-off": ("Đồng hồ lệch quá xa", "The clock is too far off"),
    "cloned-key": (
        "Khóa của thiết bị được dùng ở hai nơi, đã cách ly",
        "Its key is in use in two places; it was quarantined",
    ),
    "internal": ("Máy chủ gặp lỗi khi nhận bản tin", "The server failed to take a message"),
}
"""Said by the city's own edge."""

OF_THE_DEVICE: Final[Mapping[str, str]] = {
    "clock-jump": "The machine's clock has jumped",
    "store-damaged": "The device's file of data was damaged; a new one was made",
    "log-dropped": "Old lines of the log were dropped: they had waited too long",
    "browser-frozen": "The screen stood still; the browser was restarted",
    "browser-given-up": "The browser ended again and again; it is tried later",
    "browser-ended": "The browser ended",
    "camera-hangs": "The camera did not answer; its part of the agent was restarted",
    "camera-process-died": "The camera's part of the agent ended; it was restarted",
    "bad-content": "The content cannot be shown",
}
"""The device's own lines come in Vietnamese, with their numbers; in English they are said by their codes."""


def words_of(code: str, text: str) -> Reason | None:
    """The sentence of a line, in both languages; None: ``text`` is all there is."""
    if code in OF_THE_DEVICE:
        return Reason(code, text or OF_THE_DEVICE[code], OF_THE_DEVICE[code])
    if code in OF_THE_CITY:
        return Reason(code, *OF_THE_CITY[code])
    return None
