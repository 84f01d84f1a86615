"""How often something may be started anew. Pure: time is an argument."""

from collections import deque


class Budget:
    """At most ``times`` within any ``within_s`` seconds."""

    def __init__(self, times: int, within_s: float) -> None:
        self._times = times
        self._within_s = within_s
        self._taken: deque[float] = deque()

    def take(self, now: float) -> bool:
        """Spend one if there is one."""
        if self.wait_s(now) > 0.0:
            return False
        self._taken.append(now)
        return True

    def wait_s(self, now: float) -> float:
        """Seconds until there is one again; 0.0: now."""
        while self._taken and self._taken[0] <= now - self._within_s:
            self._taken.popleft()
        if len(self._taken) < self._times:
            return 0.0
        return self._taken[0] + self._within_s - now

    def refill(self) -> None:
        """All is well again: what was spent is forgotten."""
        self._taken.clear()
