"""Who is due when: everybody once a period, spread evenly over it, so that many make no burst. Pure."""

from typing import Final, Generic, TypeVar

T = TypeVar("T")

SHARES: Final = 20


class Rota(Generic[T]):
    """Members in turn. Whoever comes is put where the fewest are, and is due once in each period."""

    def __init__(self, period_s: float) -> None:
        self._share_s = period_s / SHARES
        self._shares: list[dict[T, None]] = [{} for _ in range(SHARES)]
        self._where: dict[T, dict[T, None]] = {}
        self._step: int | None = None

    def add(self, member: T) -> None:
        """One more; one that is there already stays where it is."""
        if member not in self._where:
            share = self._where[member] = min(self._shares, key=len)
            share[member] = None

    def remove(self, member: T) -> None:
        """Forget it; an unknown one is fine."""
        share = self._where.pop(member, None)
        if share is not None:
            del share[member]

    def due(self, now: float) -> list[T]:
        """Whose turn has come since the last call; after a long pause everybody's, once."""
        step = int(now / self._share_s)
        before, self._step = self._step, step
        if before is None:
            return []
        first = max(before + 1, step - SHARES + 1)
        return [member for at in range(first, step + 1) for member in self._shares[at % SHARES]]
