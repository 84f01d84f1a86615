"""Whose pages may use this server: the answer to forged requests and hijacked sockets.

A browser says in ``Origin`` which page asks; a page cannot lie about it. A client that is no browser sends
none: it holds no cookie that another page could borrow, and must show a ticket or a token of its own.
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Origins:
    """The configured public origins; and the host that was asked, if none is configured or it is loopback."""

    def __init__(self, public: Iterable[str]) -> None:
        self._public = frozenset(origin.rstrip("/").lower() for origin in public)

    def allow(self, origin: str | None, host: str) -> bool:
        """May a page of this origin ask a server that was reached as ``host``?"""
        if origin is None:
            return True
        origin = origin.lower()
        if origin in self._public:
            return True
        try:
            parts = urlsplit(origin)
        except ValueError:  # brackets that are no IPv6 address
            return False
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.netloc != host.lower():
            return False
        name = parts.netloc.rsplit(":", 1)[0] if not parts.netloc.endswith("]") else parts.netloc
        return not self._public or name in _LOOPBACK
