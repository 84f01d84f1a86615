"""What a device carries in its requests, and the nonces it signs to get it."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Final, Literal

import msgspec
from msgspec import Struct

from kiosk_hub.fleet.errors import Replayed
from kiosk_hub.fleet.ids import DeviceId
from room_manager.errors import Busy
from signaling.tokens import BadToken, Expired

TOKEN_LASTS_S: Final = 900.0
RENEW_BELOW_S: Final = 600.0
"""A device whose token ends sooner is given the next one with the answer to its beat."""
NONCE_LASTS_S: Final = 60.0
MAX_NONCES: Final = 20_000
MAX_TOKEN_CHARS: Final = 512


class Claims(Struct, frozen=True):
    """Whoever shows it is this device until ``exp`` (seconds, UTC)."""

    device: DeviceId
    exp: float
    v: Literal[1] = 1


class DeviceTokens:
    """Signs and checks them with a keyed hash: they never leave this server and its devices. Whether the
    device is (still) let in is looked up with each use."""

    def __init__(self, key: bytes, clock: Callable[[], float]) -> None:
        self._key = key
        self._clock = clock

    def give(self, device: DeviceId) -> tuple[str, float]:
        """The token and when it ends, seconds UTC."""
        ends_at = self._clock() + TOKEN_LASTS_S
        payload = msgspec.json.encode(Claims(device, ends_at))
        return f"{_text(payload)}.{_text(self._mac(payload))}", ends_at

    def check(self, token: str) -> DeviceId:
        """Raises ``BadToken`` or ``Expired``."""
        payload_text, dot, mac_text = token.partition(".")
        if not dot or len(token) > MAX_TOKEN_CHARS:
            raise BadToken("this is no token of a device")
        try:
            payload, mac = _bytes(payload_text), _bytes(mac_text)
        except (binascii.Error, ValueError):
            raise BadToken("this is no token of a device") from None
        if not hmac.compare_digest(mac, self._mac(payload)):
            raise BadToken("this token is not one of ours")
        claims = msgspec.json.decode(payload, type=Claims)
        if self._clock() >= claims.exp:
            raise Expired("this token has ended; ask for the next")
        return claims.device

    def _mac(self, payload: bytes) -> bytes:
        return hmac.digest(self._key, b"device-v1:" + payload, hashlib.sha256)


class Nonces:
    """Given out, and good once, for a minute. Times are seconds that never go back."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}  # in the order given, so the oldest end first

    def give(self, now: float) -> str:
        """Raises ``Busy``."""
        while self._until and (oldest := next(iter(self._until))) and self._until[oldest] <= now:
            del self._until[oldest]
        if len(self._until) >= MAX_NONCES:
            raise Busy("too many ask for tokens; try again shortly")
        nonce = new_nonce()
        self._until[nonce] = now + NONCE_LASTS_S
        return nonce

    def spend(self, nonce: str, now: float) -> None:
        """Raises ``Replayed``: never given, spent, or too old."""
        if self._until.pop(nonce, 0.0) <= now:
            raise Replayed("this challenge is spent or too old; ask for another")


def new_nonce() -> str:
    return secrets.token_urlsafe(24)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
