"""What happened, in words: one line for each event of an incident."""

from collections.abc import Callable, Sequence
from typing import assert_never

from kiosk_hub.fleet import incidents as i
from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.reasons import Reason
from kiosk_hub.fleet.values import Level, Severity

NameOf = Callable[[DeviceId], str]

_SEVERITY = {
    Severity.CRITICAL: ("khẩn cấp", "critical"),
    Severity.MAJOR: ("nghiêm trọng", "major"),
    Severity.MINOR: ("nhẹ", "minor"),
}


def severity_words(severity: Severity) -> tuple[str, str]:
    return _SEVERITY[severity]


def words(event: i.AnyEvent, level: Level, name_of: NameOf) -> tuple[str, str]:
    """In Vietnamese and English; what a person wrote is not in it."""
    match event:
        case i.Opened():
            vi, en = _SEVERITY[event.severity]
            return f"Phát hiện sự cố, mức {vi}", f"The incident began, {en}"
        case i.FellIll():
            return _fell_ill(event, level, name_of)
        case i.GotWell():
            named = _named(event.devices, name_of)
            if event.withdrawn:
                return f"Không còn phải hoạt động: {named[0]}", f"Need not work any more: {named[1]}"
            return f"Hoạt động lại: {named[0]}", f"Works again: {named[1]}"
        case i.SeverityRose():
            vi, en = _SEVERITY[event.severity]
            return f"Nặng thêm, mức {vi}", f"Graver now: {en}"
        case i.FlapBegan():
            name = name_of(event.device)
            return (
                f"{name} chập chờn; không báo thêm cho đến khi ổn định",
                f"{name} comes and goes; nothing more is said until it is steady",
            )
        case i.FlapEnded():
            return f"{name_of(event.device)} đã ổn định", f"{name_of(event.device)} is steady"
        case i.TookIn():
            return "Gộp một sự cố nhỏ hơn vào đây", "A narrower incident became part of this"
        case i.FoldedInto():
            return "Gộp vào sự cố rộng hơn", "Became part of a wider incident"
        case i.Unfolded():
            return "Tách lại khỏi sự cố rộng hơn", "On its own again"
        case i.Acknowledged():
            return "Đã tiếp nhận", "Acknowledged"
        case i.Assigned():
            if not event.to:
                return "Bỏ phân công", "Assigned to nobody"
            return f"Giao cho {event.to}", f"Assigned to {event.to}"
        case i.Commented():
            return "Ghi chú", "Comment"
        case i.Escalated():
            return (
                f"Chưa có người tiếp nhận, báo lên cấp trên (lần {event.step})",
                f"Nobody has acknowledged it; told to others, too ({event.step})",
            )
        case i.Closed():
            return _closed(event)
        case i.Reopened():
            if not event.by:
                return "Xảy ra lại, mở lại sự cố", "It came back; open again"
            return "Mở lại", "Opened again"
        case _:
            assert_never(event)


def said(event: i.AnyEvent, level: Level, name_of: NameOf) -> Reason:
    vi, en = words(event, level, name_of)
    return Reason(i.tag_of(event), vi, en)


def written(event: i.AnyEvent) -> str:
    """What a person wrote."""
    match event:
        case i.Commented():
            return event.text
        case i.Closed() | i.Reopened() if event.by:
            return event.note
        case _:
            return ""


def _fell_ill(event: i.FellIll, level: Level, name_of: NameOf) -> tuple[str, str]:
    if level is Level.DEVICE:
        symptoms = [symptom.reason for troubles in event.devices.values() for symptom in troubles.values()]
        return "; ".join(one.vi for one in symptoms), "; ".join(one.en for one in symptoms)
    vi, en = _named(tuple(event.devices), name_of)
    return f"Mất kết nối: {vi}", f"Lost: {en}"


def _closed(event: i.Closed) -> tuple[str, str]:
    if event.by:
        return "Đã đóng", "Closed"
    if event.note == "with-parent":
        return "Đóng cùng sự cố rộng hơn", "Closed together with the wider incident"
    return "Tự đóng: mọi thiết bị đã hoạt động ổn định", "Closed by itself: all devices are well"


def _named(devices: Sequence[DeviceId], name_of: NameOf) -> tuple[str, str]:
    """Up to three by name, the rest counted."""
    names = ", ".join(name_of(device) for device in devices[:3])
    more = len(devices) - 3
    if more <= 0:
        return names, names
    return f"{names} và {more} thiết bị khác", f"{names} and {more} more"
