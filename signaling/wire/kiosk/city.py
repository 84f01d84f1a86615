"""What the city says to a device on its WebSocket."""

from typing import Literal

from msgspec import Struct

from kiosk_hub.fleet.ids import CommandId
from kiosk_hub.fleet.orders import DeviceSettings, Offer, Order
from room_manager.words import kebab


class CityMessage(Struct, frozen=True, kw_only=True, tag_field="type", tag=kebab):
    """Base of everything the city says to a device. ``time``: seconds, UTC, on the city's clock, when it
    was said."""

    v: Literal[1] = 1
    time: float


class Challenge(CityMessage, frozen=True):
    """The first word. The nonce is good for this connection and some seconds."""

    nonce: str


class DeviceWelcome(CityMessage, frozen=True, tag="welcome"):
    """It is who it says. ``token`` goes into ``Authorization: Bearer`` of its requests, until
    ``token_ends_at``."""

    token: str
    token_ends_at: float
    settings: DeviceSettings
    rotate_key: bool = False  # make a new key and announce it


class Token(CityMessage, frozen=True):
    """The next token, in good time."""

    token: str
    token_ends_at: float


class Heard(CityMessage, frozen=True):
    """The beat ``n`` was heard."""

    n: int


class Stored(CityMessage, frozen=True):
    """These reports are committed and synced; forget them."""

    keys: tuple[str, ...]


class Rejected(CityMessage, frozen=True):
    """What was said is not taken, and would not be another time: ``code`` and ``text`` say why, staff see
    it in the device's log. ``key``: the report that it was, to be forgotten; None: a message whose key
    could not be read."""

    code: str
    text: str
    key: str | None = None


class Carry(CityMessage, frozen=True):
    """An order. It may come again; it has its effect once."""

    order: Order


class TakeBack(CityMessage, frozen=True):
    """The order is cancelled; if it has begun, nothing is undone."""

    command: CommandId


class Go(CityMessage, frozen=True):
    """The claimed order may be carried out."""

    command: CommandId


class NoGo(CityMessage, frozen=True):
    """It may not, and never will be."""

    command: CommandId
    code: str
    text: str


class Offered(CityMessage, frozen=True):
    """What to install; None: nothing (more), and what is half loaded may be dropped."""

    offer: Offer | None


class Settings(CityMessage, frozen=True):
    """They have changed."""

    settings: DeviceSettings


class SentAway(CityMessage, frozen=True):
    """The line is closed after this.

    For as long as its state is not changed by staff: ``unknown-device``, ``quarantined``, ``retired``,
    ``cloned-key``; ``bad-signature``, ``replayed`` and those of a bad message (``bad-json``, ``bad-field``,
    ``unknown-type``, ``bad-version``, ``invalid-utf8``, ``too-big``) are bugs or attacks. To be tried again
    after ``retry_after_ms``: ``come-back``, ``lagging``, ``too-many``, ``busy``, ``not-stored``,
    ``in-doubt``, ``hello-timeout``, ``shutting-down``. ``superseded``: another line of the same device has
    taken its place.
    """

    code: str
    text: str
    retry_after_ms: int | None = (
        None  # None: not by itself before its state has changed; then each 10 minutes
    )


AnyCityMessage = (
    Challenge
    | DeviceWelcome
    | Token
    | Heard
    | Stored
    | Rejected
    | Carry
    | TakeBack
    | Go
    | NoGo
    | Offered
    | Settings
    | SentAway
)
