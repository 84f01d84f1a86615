"""How much of anything one client, address or name may ask for. Pure: time is an argument, and is one that
never goes back."""

import ipaddress
from collections.abc import Callable, Iterable
from typing import Final

MESSAGES_PER_S: Final = 20.0
MESSAGE_BURST: Final = 60.0
STRIKES: Final = 20.0  # messages refused as too many, before the socket is closed
STRIKES_FORGIVEN_PER_S: Final = 0.5
OFFER_EVERY_S: Final = 2.0
OFFER_BURST: Final = 4.0
HELLO_WITHIN_S: Final = 5.0
UNAUTHENTICATED_IN_ALL: Final = 2_000
UNAUTHENTICATED_PER_ADDRESS: Final = 20
LOGINS_FREE: Final = 5  # of one name from one address, in a minute
LOGINS_FREE_OF_AN_ADDRESS: Final = 20
LOGINS_FREE_OF_A_NAME: Final = 100
LONGEST_LOGIN_WAIT_S: Final = 60.0
LONGEST_LOGIN_WAIT_OF_A_NAME_S: Final = 5.0  # longer would let anybody lock a chair out
TICKETS_PER_S: Final = 10.0
TICKET_BURST: Final = 40.0
HELLOS_PER_S: Final = 1.0  # of one session, or of one link or log-in that stands for a site
HELLO_BURST: Final = 5.0
QUESTIONS_PER_S: Final = 10.0  # by REST, of one window; the desk asks 7 to begin with, 13 to show links
QUESTION_BURST: Final = 60.0
QUESTIONS_OF_ALL_WINDOWS_PER_S: Final = 20.0  # by one link or log-in
QUESTION_BURST_OF_ALL_WINDOWS: Final = 120.0
WINDOWS: Final = 20  # of one link or log-in that stands for no site
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
        self._left = min(self._burst, self._left + max(0.0, now - self._at) * self._per_s)
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


class _Tries:
    """Some are free; each one more doubles the wait, up to a longest. A quiet minute makes all free again."""

    def __init__(self, free: int, first_wait_s: float, longest_wait_s: float) -> None:
        self._free = free
        self._first_wait_s = first_wait_s
        self._longest_wait_s = longest_wait_s
        self._of: dict[str, _Failures] = {}

    def __len__(self) -> int:
        return len(self._of)

    def wait_s(self, key: str, now: float) -> float:
        entry = self._of.get(key)
        return 0.0 if entry is None else max(0.0, entry.until - now)

    def failed(self, key: str, now: float) -> None:
        entry = self._of.get(key)
        if entry is None:
            entry = self._of[key] = _Failures()
            self._forget(now)
        if now - entry.at > max(60.0, 2 * (entry.until - entry.at)):
            entry.count = 0
        entry.at = now
        entry.count += 1
        over = entry.count - self._free
        if over >= 0:
            entry.until = now + min(self._longest_wait_s, self._first_wait_s * 2.0 ** min(over, 16))

    def take_back(self, key: str) -> None:
        """The try that was noted last was none."""
        entry = self._of.get(key)
        if entry is not None:
            entry.count = max(0, entry.count - 1)
            entry.until = min(entry.until, entry.at)

    def forgive(self, key: str) -> None:
        self._of.pop(key, None)

    def _forget(self, now: float) -> None:
        if len(self._of) <= MAX_KEYS:
            return
        self._of = {k: f for k, f in self._of.items() if now - f.at < LONGEST_LOGIN_WAIT_S}
        for key in list(self._of)[: len(self._of) - MAX_KEYS]:
            del self._of[key]


class LoginGuard:
    """Who guesses passwords waits; who is guessed at does not.

    One address trying one name is held hard. An address that tries many names, and a name that is tried
    from many addresses, are held loosely: were a name held hard by itself, anybody could lock a chair out.
    """

    def __init__(self) -> None:
        self._pairs = _Tries(LOGINS_FREE, 12.0, LONGEST_LOGIN_WAIT_S)
        self._addresses = _Tries(LOGINS_FREE_OF_AN_ADDRESS, 2.0, LONGEST_LOGIN_WAIT_S)
        self._names = _Tries(LOGINS_FREE_OF_A_NAME, 1.0, LONGEST_LOGIN_WAIT_OF_A_NAME_S)

    def __len__(self) -> int:
        return len(self._pairs) + len(self._names) + len(self._addresses)

    def wait_s(self, name: str, address: str, now: float, is_known: bool = False) -> float:
        """How long to wait before the next try; 0: try. A known network's addresses are many people's."""
        return max(
            self._pairs.wait_s(_pair(name, address), now),
            self._names.wait_s(name, now),
            0.0 if is_known else self._addresses.wait_s(address, now),
        )

    def failed(self, name: str, address: str, now: float) -> None:
        """A try is under way or has failed."""
        self._pairs.failed(_pair(name, address), now)
        self._names.failed(name, now)
        self._addresses.failed(address, now)

    def succeeded(self, name: str, address: str) -> None:
        """Forgives this name from this address; what others have tried stays as it is."""
        self._pairs.forgive(_pair(name, address))
        self._names.take_back(name)
        self._addresses.take_back(address)


def _pair(name: str, address: str) -> str:
    return f"{address} {name}"


class Networks:
    """Some networks, written as 192.0.2.0/24 or 2001:db8::/32."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = tuple(ipaddress.ip_network(network) for network in networks)

    def have(self, address: str) -> bool:
        """Is this an address of one of them? What is no address is not."""
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(ip in network for network in self._networks)


class Lobby:
    """Sockets that have not said who they are: few from one address, and a bound in all."""

    def __init__(self, known_networks: Iterable[str]) -> None:
        self._known = Networks(known_networks)
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
        return self._known.have(address)
