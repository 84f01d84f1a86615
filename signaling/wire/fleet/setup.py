"""Where notices go, as administrators set it."""

from typing import Final

from msgspec import Struct

from kiosk_hub.fleet.notices import NoticeSettings, QuietHours, Route


class SetupAnswer(Struct, frozen=True):
    """``mail_server`` empty: none is set up, and e-mail cannot be sent. No password, no key is in here."""

    settings: NoticeSettings
    mail_server: str  # "smtp.example.gov.vn:587"
    mail_sender: str
    private_webhooks: bool  # may webhooks reach the city's own network?


class TestLine(Struct, frozen=True):
    """What came of one test letter; ``code`` empty: it arrived."""

    to: str
    code: str
    text: str


class TestAnswer(Struct, frozen=True):
    results: tuple[TestLine, ...]


class SecretAnswer(Struct, frozen=True):
    """Shown this once."""

    secret: str  # ``whsec_…``, as receivers' libraries take it


class OutgoingNotice(Struct, frozen=True):
    """One notice in the list of what went out."""

    id: str
    kind: str
    state: str
    route: str
    channel: str
    to: str
    subject: str
    created_at: float
    due_at: float
    done_at: float | None
    attempts: int
    code: str
    error: str


class NoticesAnswer(Struct, frozen=True):
    """A page, the latest first."""

    time: float
    total: int
    notices: tuple[OutgoingNotice, ...]


TYPES: Final[tuple[type[Struct], ...]] = (
    QuietHours,
    Route,
    NoticeSettings,
    SetupAnswer,
    TestAnswer,
    SecretAnswer,
    OutgoingNotice,
    NoticesAnswer,
)
