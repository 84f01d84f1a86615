"""When to try again, so that a city that comes back is not run over. Pure."""

from typing import Final

BASE_S: Final = 1.0
CAP_S: Final = 60.0
GOOD_AFTER_S: Final = 60.0
"""A line that held so long counts as good: the next failure is the first one again."""

LONGEST_ASKED_S: Final = 3_600.0
"""No city keeps a device away for longer by one word."""

SENT_AWAY_S: Final = 600.0
"""Sent away without a time: look again, rarely."""


class Backoff:
    """Full jitter: anywhere between now and a bound that doubles, so that no two devices keep in step."""

    def __init__(self) -> None:
        self._failures = 0

    def held(self, for_s: float) -> None:
        """The line that has just ended held so long."""
        if for_s >= GOOD_AFTER_S:
            self._failures = 0

    def eased(self) -> None:
        """It went well, where the city may still be busy: half as long the next time, not none."""
        self._failures = max(0, self._failures - 1)

    def wait_s(self, chance: float, at_least_s: float = 0.0) -> float:
        """Seconds to wait. ``chance``: even in [0, 1); ``at_least_s``: what the city asked for."""
        bound = min(CAP_S, BASE_S * 2.0**self._failures)
        self._failures = min(self._failures + 1, 10)
        return min(at_least_s, LONGEST_ASKED_S) + bound * chance


def sent_away_s(retry_after_ms: int | None, chance: float) -> float:
    """After ``sent-away``; what all devices are told at once is spread a little."""
    asked_s = SENT_AWAY_S if retry_after_ms is None else retry_after_ms / 1000
    return asked_s * (1 + 0.2 * chance)
