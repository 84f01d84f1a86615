"""An incident as staff read it: one sentence in each language, and a row of what the board shows."""

from typing import Final

from msgspec import Struct

from kiosk_hub.fleet.incidents import RANK, Incident
from kiosk_hub.fleet.reasons import Reason
from kiosk_hub.fleet.values import IncidentState, Level, Severity, Status

_WORST: Final = {status: place for place, status in enumerate(Status)}


class Label(Struct, frozen=True):
    """Where it is, in words that the rules do not know: names of the roster and of the device."""

    vi: str
    en: str


class IncidentRow(Struct, frozen=True, omit_defaults=True):
    """One line of the board. Times are seconds, UTC."""

    id: str
    state: IncidentState
    severity: Severity
    level: Level
    place: Label  # "Nhà văn hóa số 3, Phường Phúc Xá, Quận Ba Đình"
    sentence: Reason  # what is wrong
    opened_at: float
    changed_at: float
    version: int
    ill: int  # devices that are not well
    affected: int  # devices it ever covered
    present: int  # devices that should work there
    district: str = ""
    unit: str = ""
    building: str = ""
    device: str = ""
    flapping: bool = False
    flapped: bool = False  # ever
    well_since: float | None = None
    acknowledged_by: str = ""
    acknowledged_at: float | None = None
    assignee: str = ""
    comments: int = 0
    escalated: int = 0
    children: int = 0
    parent: str = ""
    closed_at: float | None = None
    closed_by: str = ""
    closed_note: str = ""


def row(incident: Incident, place: Label) -> IncidentRow:
    return IncidentRow(
        id=incident.id,
        state=incident.state,
        severity=incident.severity,
        level=incident.spot.level,
        place=place,
        sentence=sentence(incident, place),
        opened_at=incident.opened_at,
        changed_at=incident.changed_at,
        version=incident.version,
        ill=incident.ill,
        affected=len(incident.devices),
        present=incident.present,
        district=incident.spot.district,
        unit=incident.spot.unit,
        building=incident.spot.building,
        device=incident.spot.device,
        flapping=bool(incident.flapping),
        flapped=incident.flapped,
        well_since=incident.well_since,
        acknowledged_by=incident.acknowledged_by,
        acknowledged_at=incident.acknowledged_at,
        assignee=incident.assignee,
        comments=incident.comments,
        escalated=incident.escalated,
        children=len(incident.children),
        parent=incident.parent or "",
        closed_at=incident.closed_at,
        closed_by=incident.closed_by,
        closed_note=incident.closed_note,
    )


def sentence(incident: Incident, place: Label) -> Reason:
    """What is wrong, or was. Its code is the worst symptom's, or that of a lost place."""
    said = _device(incident) if incident.spot.level is Level.DEVICE else _place(incident, place)
    if incident.ill == 0 and incident.is_open:
        vi, en = f"Đã hoạt động lại, đang theo dõi thêm. {said.vi}", f"Works again, being watched. {said.en}"
        return Reason(said.code, vi, en)
    return said


def _place(incident: Incident, place: Label) -> Reason:
    share = f"{incident.peak}/{max(incident.present, incident.peak)}"
    left = incident.ill
    more_vi = f", còn {left}" if 0 < left < incident.peak else ""
    more_en = f", {left} left" if 0 < left < incident.peak else ""
    if incident.spot.level is Level.CITY:
        return Reason(
            "city-lost",
            f"Mất kết nối với {share} thiết bị toàn Thành phố{more_vi}. Hãy kiểm tra đường truyền máy chủ",
            f"{share} devices of the whole city are lost{more_en}. Look at the server's own line first",
        )
    return Reason(
        f"{incident.spot.level}-lost",
        f"Mất điện hoặc mất đường truyền tại {place.vi} ({share} thiết bị{more_vi})",
        f"Power or line lost at {place.en} ({share} devices{more_en})",
    )


def _device(incident: Incident) -> Reason:
    troubles = [one for affected in incident.devices.values() for one in affected.troubles.values()]
    if not troubles:
        return Reason("unknown", "Có sự cố", "Something is wrong")
    worst = min(troubles, key=lambda one: _WORST[one.status]).reason
    vi, en = worst.vi, worst.en
    if len(troubles) > 1:
        vi, en = f"{vi}, và {len(troubles) - 1} lỗi khác", f"{en}, and {len(troubles) - 1} more"
    if incident.flapping:
        vi, en = f"Chập chờn. {vi}", f"Comes and goes. {en}"
    return Reason(worst.code, vi, en)


def gravest_first(one: IncidentRow) -> tuple[bool, int, float]:
    """Sort key of the board: what nobody has taken up, the gravest, the oldest first."""
    return (one.ill == 0, -RANK[one.severity], one.opened_at)
