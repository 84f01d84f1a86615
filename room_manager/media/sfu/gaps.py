"""Which packets of a publisher's stream are missing, and when to ask for them again."""

from typing import Final

MAX_MISSING: Final = 96
MAX_JUMP: Final = 64  # more at once is not loss but a pause or another line: no use asking
MAX_ASKS: Final = 6
REORDER_S: Final = 0.02  # a packet this late is only out of order
ASK_AGAIN_S: Final = 0.08


class Gaps:
    """Indices seen missing, each with when it was last asked for and how often."""

    __slots__ = ("_missing",)

    def __init__(self) -> None:
        self._missing: dict[int, tuple[float, int]] = {}

    def __bool__(self) -> bool:
        return bool(self._missing)

    def jumped(self, before: int, index: int, now: float) -> bool:
        """The stream went from ``before`` to ``index``. False: too far, what lies between is given up."""
        if index - before > MAX_JUMP or len(self._missing) + index - before > MAX_MISSING:
            self._missing.clear()
            return False
        for missing in range(before + 1, index):
            self._missing[missing] = (now + REORDER_S - ASK_AGAIN_S, 0)
        return True

    def filled(self, index: int) -> bool:
        """A late or repeated packet came. False: nobody missed it."""
        return self._missing.pop(index, None) is not None

    def due(self, now: float) -> list[int]:
        """The indices to ask for now, ascending."""
        ask: list[int] = []
        for index, (asked_at, asks) in list(self._missing.items()):
            if asks >= MAX_ASKS:
                del self._missing[index]
            elif now - asked_at >= ASK_AGAIN_S:
                self._missing[index] = (now, asks + 1)
                ask.append(index)
        return sorted(ask)

    def clear(self) -> None:
        """Miss nothing any more."""
        self._missing.clear()
