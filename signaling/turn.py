"""Short-lived credentials for a TURN server (RFC 8656), for wards whose firewall lets nothing else through.

The form is that of coturn's ``use-auth-secret`` (draft-uberti-behave-turn-rest-00, section 2.2): the user
name says until when it is good, the password proves that who made it knows the shared secret. So the TURN
server asks nobody, and a credential that leaks is worth nothing the next day.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from room_manager.ids import ConnectionId
from signaling.settings import TurnSettings
from signaling.wire.server import IceServer

LASTS_S: Final = 12 * 3600  # longer than a day's meeting: an ICE restart late in it must still get in
MIN_SECRET: Final = 16  # characters
MAX_SECRET: Final = 512
MAX_URLS: Final = 8
MAX_PORT: Final = 65_535
Clock = Callable[[], float]
_URL: Final = re.compile(
    r"(turns?:(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?(?:\?transport=(?:udp|tcp))?"
    r"|stun:(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?)\Z"
)
_PORT: Final = re.compile(r":([0-9]{1,5})(?:\?|\Z)")


class Relays:
    """Makes the relays that one connection is told of."""

    def __init__(self, urls: tuple[str, ...], secret: str, clock: Clock) -> None:
        """``clock`` gives seconds since 1970, as the TURN server's does."""
        self._urls = urls
        self._secret = secret.encode()
        self._clock = clock

    def __call__(self, connection: ConnectionId) -> tuple[IceServer, ...]:
        """For this connection, from now on for ``LASTS_S``."""
        username = f"{int(self._clock()) + LASTS_S}:{connection}"
        digest = hmac.digest(self._secret, username.encode(), hashlib.sha1)
        return (IceServer(self._urls, username, base64.b64encode(digest).decode()),)


def relays_for(settings: TurnSettings, clock: Clock) -> Callable[[ConnectionId], tuple[IceServer, ...]]:
    """What the settings name; nothing if they name nothing. Raises ``OSError`` or ``ValueError``."""
    if not settings.urls or settings.secret_file is None:
        return lambda _: ()
    return Relays(settings.urls, read_secret(settings.secret_file), clock)


def read_secret(file: Path) -> str:
    """The first line of the file. Raises ``OSError``, or ``ValueError`` for what is no secret."""
    with file.open(encoding="utf-8") as opened:
        secret = opened.readline(MAX_SECRET + 2).strip()
    if not MIN_SECRET <= len(secret) <= MAX_SECRET or not secret.isascii() or not secret.isprintable():
        raise ValueError(f"its first line must be {MIN_SECRET} to {MAX_SECRET} printable characters")
    return secret


def read_urls(text: str) -> tuple[str, ...]:
    """``turns:host:443?transport=tcp,turn:host``. Raises ``ValueError``."""
    urls = tuple(part.strip() for part in text.split(","))
    for url in urls:
        port = _PORT.search(url)
        # A browser that is told of a port that cannot be makes no connection at all.
        if not _URL.match(url) or (port is not None and not 1 <= int(port[1]) <= MAX_PORT):
            raise ValueError(f"not an address like turns:turn.example.gov.vn:443?transport=tcp: {url}")
    if len(urls) > MAX_URLS:
        raise ValueError(f"more than {MAX_URLS} addresses")
    return urls
