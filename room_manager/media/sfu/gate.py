"""Who may cost us something, and what was turned away for which reason. Pure.

Checking a password costs more than anything else a stranger can ask for, so whoever fails often is not
checked any more until the next second, and there is a limit for all strangers together.
"""

from collections.abc import Hashable
from typing import Final, Literal

MAX_WRONG: Final = 20  # wrong passwords a second from one address that has proved nothing
MAX_WRONG_PROVEN: Final = 5_000  # from one that has: it is somebody's, whoever writes it on forged checks
MAX_WRONG_IN_ALL: Final = 10_000
MAX_ORIGINS: Final = 4_096  # remembered within a second
WINDOW_S: Final = 1.0

Reason = Literal[
    "unproven",  # not a check, from an address that has passed none
    "malformed",  # of no protocol we speak, cut, or a check that is none
    "unknown-user",  # a check for nobody who is here
    "wrong-password",
    "too-many-checks",  # beyond the limits above
    "no-keys",  # media before the handshake
    "forged",
    "replayed",
    "broken",  # authentic, but not RTP or RTCP
    "too-many-streams",
    "too-many-packets",  # authentic ones, more than any client sends
    "too-many-records",  # more DTLS than a handshake or a good-bye needs
    "tcp-limit",  # more connections than there may be
    "tcp-late",  # a connection that has proved nothing in time
]
REASONS: Final[tuple[Reason, ...]] = Reason.__args__  # type: ignore[attr-defined]


class Gate:
    """The counters, and the budgets of the second under way."""

    __slots__ = ("_all", "_window", "_wrong", "refused")

    def __init__(self) -> None:
        self.refused: dict[Reason, int] = dict.fromkeys(REASONS, 0)
        self._window = 0
        self._wrong: dict[Hashable, int] = {}
        self._all = 0

    def may_try(self, origin: Hashable, now: float, *, proven: bool) -> bool:
        """Whether a password from there is worth checking."""
        window = int(now / WINDOW_S)
        if window != self._window:
            self._window = window
            self._wrong.clear()
            self._all = 0
        if proven:
            return self._wrong.get(origin, 0) < MAX_WRONG_PROVEN
        return self._all < MAX_WRONG_IN_ALL and self._wrong.get(origin, 0) < MAX_WRONG

    def wrong(self, origin: Hashable) -> None:
        """It was wrong."""
        self._all += 1
        before = self._wrong.get(origin)
        if before is not None:
            self._wrong[origin] = before + 1
        elif len(self._wrong) < MAX_ORIGINS:
            self._wrong[origin] = 1
