"""How much of anything one client, address or name may ask for. Pure: time is an argument."""

import ipaddress
from collections.abc import Callable, Iterable
from typing import Final

MESSAGES_PER_S: Final = 20.0
MESSAGE_BURST: Final = 60.0
STRIKES: Final = 20  # messages refused as too many before the socket is closed
OFFER_EVERY_S: Final = 2.0
OFFER_BURST: Final = 4.0
HELLO_WITHIN_S: Final = 5.0
UNAUTHENTICATED_IN_ALL: Final = 2_000
UNAUTHENTICATED_PER_ADDRESS: Final = 20
LOGINS_PER_MINUTE: Final = 5.0
LONGEST_LOGIN_WAIT_S: Final = 60.0  # longer would let anybody lock a chair out
TICKETS_PER_S: Final = 10.0
TICKET_BURST: Final = 40.0
MAX_KEYS: Final = 10_000


class Bucket:
    """A token bucket: ``burst`` at once, ``per_s`` for ever."""

    __slots__ = ("_at", "_burst", "_left", "_per_s")

    def __init__(self, per_s: float, burst: float, now: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._left = burst
        self._at = now

    def take(self, now: float) -> bool:
        """One more, if there is one left."""
        self._left = min(self._burst, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def full(self, now: float) -> bool:
        """Nothing has been taken for so long that it may be forgotten."""
        return self._left + (now - self._at) * self._per_s >= self._burst


class Buckets:
    """A bucket for each key. At the bound the full ones are forgotten; if all are busy, no new one."""

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._of: dict[str, Bucket] = {}

    def take(self, key: str, now: float) -> bool:
        bucket = self._of.get(key)
        if bucket is None:
            if len(self._of) >= MAX_KEYS:
                self._of = {k: b for k, b in self._of.items() if not b.full(now)}
                if len(self._of) >= MAX_KEYS:
                    return False
            bucket = self._of[key] = Bucket(self._per_s, self._burst, now)
        return bucket.take(now)


class _Failures:
    __slots__ = ("at", "count", "until")

    def __init__(self) -> None:
        self.count = 0
        self.at = 0.0
        self.until = 0.0


class LoginGuard:
    """Five tries a minute for a name and for an address; each further failure doubles the wait."""

    def __init__(self) -> None:
        self._of: dict[str, _Failures] = {}

    def wait_s(self, keys: Iterable[str], now: float) -> float:
        """How long these must wait before the next try; 0: try."""
        return max((self._of[key].until - now for key in keys if key in self._of), default=0.0)

    def failed(self, keys: Iterable[str], now: float) -> None:
        """A try is under way or has failed."""
        if len(self._of) >= MAX_KEYS:
            self._of = {k: f for k, f in self._of.items() if now - f.at < LONGEST_LOGIN_WAIT_S}
        for key in keys:
            entry = self._of.setdefault(key, _Failures())
            if now - entry.at > max(60.0, 2 * (entry.until - entry.at)):
                entry.count = 0
            entry.at = now
            entry.count += 1
            over = entry.count - LOGINS_PER_MINUTE
            if over >= 0:
                entry.until = now + min(LONGEST_LOGIN_WAIT_S, 12.0 * 2**over)

    def succeeded(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._of.pop(key, None)


class Lobby:
    """Sockets that have not said who they are: few from one address, and a bound in all."""

    def __init__(self, known_networks: Iterable[str]) -> None:
        self._known = tuple(ipaddress.ip_network(network) for network in known_networks)
        self._by_address: dict[str, int] = {}
        self._all = 0

    def __len__(self) -> int:
        return self._all

    def enter(self, address: str) -> Callable[[], None] | None:
        """Come in: returns how to go out again (once is enough, twice is harmless). None: it is full."""
        here = self._by_address.get(address, 0)
        if self._all >= UNAUTHENTICATED_IN_ALL:
            return None
        if here >= UNAUTHENTICATED_PER_ADDRESS and not self.is_known(address):
            return None
        self._all += 1
        self._by_address[address] = here + 1
        inside = True

        def leave() -> None:
            nonlocal inside
            if not inside:
                return
            inside = False
            self._all -= 1
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]

        return leave

    def is_known(self, address: str) -> bool:
        """Many wards behind one address translator, or a proxy of ours."""
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(ip in network for network in self._known)
