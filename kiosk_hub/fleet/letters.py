"""What a notice says: subject, text, a simple page, and the JSON of a webhook, in the route's language.

Names of devices and places, times, what is wrong. Nothing of residents: the fleet knows nothing of them.
What a person of the staff wrote is left out as well, for a letter goes further than the board.
"""

from collections.abc import Sequence
from html import escape
from typing import Any, Final

from msgspec import Struct

from kiosk_hub.fleet.incident_timeline import severity_words
from kiosk_hub.fleet.incident_words import IncidentRow
from kiosk_hub.fleet.notices import Language, NoticeKind
from kiosk_hub.fleet.values import Level
from kiosk_hub.fleet.wording import lasting, moment

MAX_SUBJECT: Final = 180
MAX_LISTED: Final = 100


class Letter(Struct, frozen=True):
    """In one language. ``lines``: what and its value; ``listed``: a list below."""

    language: Language
    subject: str
    intro: str
    lines: tuple[tuple[str, str], ...] = ()
    listed: tuple[str, ...] = ()
    link: str = ""


class Silent(Struct, frozen=True):
    """A device of the digest."""

    name: str
    place: str
    heard_at: float  # seconds, UTC


_INTRO: Final = {
    NoticeKind.OPENED: ("Sự cố mới", "New incident"),
    NoticeKind.REOPENED: ("Sự cố xảy ra lại", "The incident is back"),
    NoticeKind.WORSE: ("Sự cố nặng thêm", "The incident is graver now"),
    NoticeKind.ESCALATED: ("Sự cố chưa có người tiếp nhận", "Nobody has acknowledged this incident"),
    NoticeKind.CLOSED: ("Sự cố đã kết thúc", "The incident is over"),
}


def of_incident(kind: NoticeKind, row: IncidentRow, language: Language, link: str, now: float) -> Letter:
    """Of one incident. The subject says the place and the fault."""
    vi = language == "vi"
    intro = _INTRO[kind][0 if vi else 1]
    grade = severity_words(row.severity)[0 if vi else 1]
    place = row.place.vi if vi else row.place.en
    said = row.sentence.vi if vi else row.sentence.en
    what = said if row.level is not Level.DEVICE else f"{place}: {said}"
    lines = [("Nội dung" if vi else "What", said)]
    if row.level is not Level.CITY:
        lines.append(("Nơi xảy ra" if vi else "Where", place))
    lines.append(("Mức độ" if vi else "Severity", grade.capitalize()))
    lines.append(("Bắt đầu" if vi else "Since", moment(row.opened_at, now)[0 if vi else 1]))
    if row.level is not Level.DEVICE:
        lines.append(("Thiết bị" if vi else "Devices", f"{row.ill}/{max(row.present, row.affected)}"))
    if kind is NoticeKind.CLOSED:
        lasted = lasting((row.closed_at or now) - row.opened_at)[0 if vi else 1]
        lines.append(("Kéo dài" if vi else "Lasted", lasted))
        lines.append(("Kết quả" if vi else "Result", _result(row, vi)))
    else:
        nobody = "chưa có" if vi else "nobody yet"
        lines.append(("Người xử lý" if vi else "Handled by", row.assignee or row.acknowledged_by or nobody))
    return Letter(language, _subject(f"{intro} ({grade}): {what}"), f"{intro}.", tuple(lines), (), link)


def _result(row: IncidentRow, vi: bool) -> str:
    if row.closed_by:
        return f"{row.closed_by} đã đóng" if vi else f"closed by {row.closed_by}"
    return "thiết bị đã hoạt động ổn định" if vi else "the devices work steadily again"


def digest(
    silent: Sequence[Silent], waiting: Sequence[IncidentRow], language: Language, link: str, now: float
) -> Letter | None:
    """Once a day: what has long been silent, and what nobody has taken up. None: nothing to say."""
    if not silent and not waiting:
        return None
    vi = language == "vi"
    listed: list[str] = []
    for one in sorted(silent, key=lambda device: device.heard_at)[:MAX_LISTED]:
        ago = lasting(now - one.heard_at)[0 if vi else 1]
        listed.append(
            f"{one.name}, {one.place}: im lặng {ago}" if vi else f"{one.name}, {one.place}: silent for {ago}"
        )
    for row in waiting[: MAX_LISTED - len(listed)]:
        ago = lasting(now - row.opened_at)[0 if vi else 1]
        said = row.sentence.vi if vi else row.sentence.en
        place = row.place.vi if vi else row.place.en
        listed.append(
            f"{place}: {said} (chưa tiếp nhận, {ago})" if vi else f"{place}: {said} (open for {ago})"
        )
    subject = (
        f"Tổng hợp ngày: {len(silent)} thiết bị im lặng lâu, {len(waiting)} sự cố chưa tiếp nhận"
        if vi
        else f"Daily digest: {len(silent)} devices long silent, {len(waiting)} incidents not acknowledged"
    )
    return Letter(language, _subject(subject), subject + ".", (), tuple(listed), link)


def test(language: Language, link: str) -> Letter:
    if language == "vi":
        return Letter(language, _subject("Thư gửi thử"), "Kênh thông báo sự cố này hoạt động.", (), (), link)
    return Letter(language, _subject("Test"), "This way of telling incidents works.", (), (), link)


def _subject(text: str) -> str:
    """One line, of bounded length."""
    line = " ".join(f"[Điểm Cầu] {text}".split())
    return line if len(line) <= MAX_SUBJECT else line[: MAX_SUBJECT - 1] + "…"


def text_of(letter: Letter) -> str:
    """As plain text."""
    vi = letter.language == "vi"
    parts = [letter.intro, ""]
    parts += [f"{what}: {value}" for what, value in letter.lines]
    parts += [f"- {line}" for line in letter.listed]
    if letter.link:
        parts += ["", f"{'Xem và xử lý' if vi else 'Look and handle'}: {letter.link}"]
    parts += ["", "--", _SIGNED[0 if vi else 1], ""]
    return "\n".join(parts)


_SIGNED: Final = (
    "Thư tự động của hệ thống Điểm Cầu. Xin không trả lời thư này.",
    "Sent by Điểm Cầu by itself. Please do not reply.",
)


def html_of(letter: Letter) -> str:
    """As a page without pictures, scripts or anything from elsewhere."""
    vi = letter.language == "vi"
    rows = "".join(
        f'<tr><th align="left" valign="top" style="padding:2px 12px 2px 0;font-weight:500;color:#51606f">'
        f'{escape(what)}</th><td style="padding:2px 0">{escape(value)}</td></tr>'
        for what, value in letter.lines
    )
    listed = "".join(f"<li>{escape(line)}</li>" for line in letter.listed)
    words = "Xem và xử lý" if vi else "Look and handle"
    link = f'<p><a href="{escape(letter.link)}">{words}</a></p>' if letter.link else ""
    return (
        f'<!doctype html><html lang="{letter.language}"><head><meta charset="utf-8">'
        f"<title>{escape(letter.subject)}</title></head>"
        '<body style="font:16px/1.5 sans-serif;color:#16202b">'
        f'<p style="font-size:18px;font-weight:700">{escape(letter.intro)}</p>'
        + (f"<table>{rows}</table>" if rows else "")
        + (f"<ul>{listed}</ul>" if listed else "")
        + link
        + f'<p style="color:#51606f;font-size:13px">{escape(_SIGNED[0 if vi else 1])}</p></body></html>'
    )


def payload(kind: NoticeKind, letter: Letter, row: IncidentRow | None, at: str) -> dict[str, Any]:
    """The JSON of a webhook. ``at``: when the notice was made, ISO 8601."""
    return {
        "type": f"incident.{kind}" if row is not None else kind.value,
        "timestamp": at,
        "data": {
            "subject": letter.subject,
            "text": text_of(letter),
            "link": letter.link,
            "incident": row,
            "listed": letter.listed,
        },
    }
