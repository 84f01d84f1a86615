"""What members carry: signed links, and resume tokens. Neither needs a look into a database to be checked.

A link is signed with Ed25519, so that whoever only checks needs no secret; a resume token never leaves
this server and its clients, so a keyed hash is enough. The algorithm is fixed by the kind of token: there
is no header that could choose another.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import ClassVar, Final, Literal, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from room_manager.errors import DomainError
from room_manager.ids import RoomId, SiteId
from room_manager.meeting.values import Device, LinkKind, Role

MAX_TOKEN_CHARS: Final = 2_048
RESUME_LASTS_S: Final = 12 * 3600.0
STAYS_AFTER_LINK_S: Final = 12 * 3600.0
"""A link's end closes the door to newcomers. Who is in stays, and may come back for as long as this."""
CLOCKS_DIFFER_S: Final = 60.0
"""Links may be made on another machine; its clock may be off by this much."""


class BadToken(DomainError):
    """Malformed, or not signed by us."""

    code: ClassVar[str] = "bad-token"


class Expired(DomainError):
    """It was good once."""

    code: ClassVar[str] = "expired"


class TooEarly(DomainError):
    """It will be good later."""

    code: ClassVar[str] = "too-early"


class LinkClaims(Struct, frozen=True):
    """Whoever shows it is this member of this meeting, from ``nbf`` to ``exp`` (seconds, UTC)."""

    id: str
    meeting: RoomId
    role: Role
    nbf: float
    exp: float
    site: SiteId | None = None
    device: Device | None = None
    kind: LinkKind = LinkKind.PAGE
    v: Literal[1] = 1


class Identity(Struct, frozen=True):
    """Who a client is in one meeting, and what lets it be that: a link or a log-in."""

    meeting: RoomId
    role: Role
    site: SiteId | None
    device: Device | None
    name: str  # how officials see who did something
    link: str | None = None  # id of the link
    account: str | None = None
    login: str | None = None  # hash of the session token, hexadecimal
    until: float | None = None  # when the link ends, seconds UTC; None: as long as the log-in

    @property
    def credential(self) -> str:
        """What it stands on, as a key: one link, or one log-in."""
        return f"link:{self.link}" if self.link is not None else f"login:{self.login}"

    def is_over(self, now: float) -> bool:
        """The link ended so long ago that even who came in by it in time must go."""
        return self.until is not None and now >= self.until + STAYS_AFTER_LINK_S


class ResumeClaims(Struct, frozen=True):
    """``session`` is the resumable one: its rids, its place."""

    session: str
    who: Identity
    exp: float
    v: Literal[1] = 1


T = TypeVar("T", LinkClaims, ResumeClaims)


class LinkSigner:
    """Signs and checks links. The key is 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(key)
        self._public = self._private.public_key()

    def sign(self, claims: LinkClaims) -> str:
        payload = msgspec.json.encode(claims)
        return f"{_text(payload)}.{_text(self._private.sign(payload))}"

    def check(self, token: str, now: float) -> LinkClaims:
        """Raises ``BadToken``, ``Expired`` or ``TooEarly``."""
        payload, signature = _parts(token)
        try:
            self._public.verify(signature, payload)
        except InvalidSignature:
            raise BadToken("this link is not one of ours") from None
        claims = _claims(payload, LinkClaims)
        if now >= claims.exp:
            raise Expired("this link has expired")
        if now < claims.nbf - CLOCKS_DIFFER_S:
            raise TooEarly("this link is not valid yet")
        return claims


class ResumeSigner:
    """Signs and checks resume tokens."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, claims: ResumeClaims) -> str:
        payload = msgspec.json.encode(claims)
        return f"{_text(payload)}.{_text(self._mac(payload))}"

    def check(self, token: str, now: float) -> ResumeClaims:
        """Raises ``BadToken`` or ``Expired``."""
        payload, mac = _parts(token)
        if not hmac.compare_digest(mac, self._mac(payload)):
            raise BadToken("this token is not one of ours")
        claims = _claims(payload, ResumeClaims)
        if now >= claims.exp or claims.who.is_over(now):
            raise Expired("come in again: this token has expired")
        return claims

    def _mac(self, payload: bytes) -> bytes:
        return hmac.digest(self._key, b"resume-v1:" + payload, hashlib.sha256)


def new_key() -> bytes:
    """32 bytes, for either signer."""
    return secrets.token_bytes(32)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _parts(token: str) -> tuple[bytes, bytes]:
    if len(token) > MAX_TOKEN_CHARS:
        raise BadToken("too long for a token")
    payload, dot, signature = token.partition(".")
    if not dot:
        raise BadToken("this is no token")
    return _bytes(payload), _bytes(signature)


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadToken("this is no token") from None


def _claims(payload: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.DecodeError, RecursionError):
        raise BadToken("this token is of another kind") from None
