"""Keeps Python's garbage collection out of the way of pictures.

Packets make no cycles: what they leave is freed at once, by counting references. Only connections that end
may leave some. So young objects are looked at seldom, and all of them (tens of milliseconds with hundreds of
connections) only after departures and while nobody sends, or when very many have gone.
"""

import gc
from typing import Final

YOUNG_OBJECTS: Final = 20_000
YOUNG_ROUNDS: Final = 50
NEVER: Final = 1_000_000_000
WORTH_IT: Final = 16  # departures
OVERDUE: Final = 1_000
QUIET_S: Final = 1.0


def settle() -> None:
    """To be called when what lives as long as the process has been made: it is not looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, YOUNG_ROUNDS, NEVER)


class Departures:
    """Counts who has gone, and says when it is time to look at everything."""

    def __init__(self) -> None:
        self._gone = 0

    def one_more(self) -> None:
        """A connection has ended."""
        self._gone += 1

    def due(self, since_media_s: float) -> bool:
        """Whether this is the moment, so long after the last packet; if so, counting begins anew."""
        quiet = since_media_s >= QUIET_S
        if self._gone >= (WORTH_IT if quiet else OVERDUE):
            self._gone = 0
            return True
        return False
