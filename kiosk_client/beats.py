"""What the beats and their answers say about the line. Pure."""

import statistics
from collections import deque
from typing import Final

WINDOW_S: Final = 600.0
TRIPS: Final = 5
ANSWER_WITHIN_S: Final = 20.0
LOST_IN_A_ROW: Final = 2
"""So many beats without an answer: the line is dead, whatever the socket believes."""


class Beats:
    """The beats of the last ten minutes, over several connections."""

    def __init__(self) -> None:
        self._open: dict[int, float] = {}
        self._ended: deque[tuple[float, bool]] = deque()  # when, answered?
        self._trips: deque[float] = deque(maxlen=TRIPS)
        self._lost_in_a_row = 0

    def sent(self, n: int, mono: float) -> None:
        self._open[n] = mono

    def dropped(self, mono: float) -> None:
        """There was no line for it."""
        self._end(mono, False)

    def heard(self, n: int, mono: float) -> float | None:
        """The answer to beat ``n``; when that was sent, or None for an answer to nothing."""
        sent = self._open.pop(n, None)
        if sent is not None:
            self._trips.append(mono - sent)
            self._lost_in_a_row = 0
            self._end(mono, True)
        return sent

    def cut(self, mono: float) -> None:
        """The connection has ended; what was on its way is lost."""
        for _ in range(len(self._open)):
            self._end(mono, False)
        self._open.clear()
        self._lost_in_a_row = 0

    def is_dead(self, mono: float) -> bool:
        """Do too many answers fail to come? To be asked at each beat."""
        late = [n for n, sent in self._open.items() if mono - sent > ANSWER_WITHIN_S]
        for n in late:
            del self._open[n]
            self._lost_in_a_row += 1
            self._end(mono, False)
        return self._lost_in_a_row >= LOST_IN_A_ROW

    def rtt_ms(self) -> float | None:
        return round(statistics.median(self._trips) * 1000, 2) if self._trips else None

    def loss_share(self, mono: float) -> float | None:
        """Of those that have ended in the window; None: of none."""
        self._forget(mono)
        if not self._ended:
            return None
        return round(sum(not answered for _, answered in self._ended) / len(self._ended), 4)

    def _end(self, mono: float, answered: bool) -> None:
        self._ended.append((mono, answered))
        self._forget(mono)

    def _forget(self, mono: float) -> None:
        while self._ended and mono - self._ended[0][0] > WINDOW_S:
            self._ended.popleft()
