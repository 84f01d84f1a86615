"""One notice, as it is kept until the other side has it."""

from datetime import UTC, datetime

from msgspec import Struct

from kiosk_hub.fleet.incident_words import IncidentRow
from kiosk_hub.fleet.letters import Letter
from kiosk_hub.fleet.notices import NoticeKind, NoticeState


class Notice(Struct, frozen=True, kw_only=True):
    """One notice to one recipient, as it is kept. ``id`` is its idempotency key. Times are seconds, UTC."""

    id: str
    kind: NoticeKind
    state: NoticeState
    route: str
    route_name: str
    channel: str
    to: str  # an e-mail address, or a webhook's host
    letter: Letter
    row: IncidentRow | None
    created_at: float
    due_at: float
    attempts: int = 0
    code: str = ""  # of the last failure
    error: str = ""  # in words
    done_at: float | None = None

    @property
    def incident(self) -> str | None:
        return self.row.id if self.row is not None else None

    @property
    def made_at(self) -> datetime:
        return datetime.fromtimestamp(self.created_at, UTC)
