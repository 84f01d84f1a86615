"""The six characters that a device shows, and how many wrong ones are too many."""

from collections import deque
from typing import ClassVar, Final

from msgspec import Struct

from room_manager.errors import DomainError, Invalid

ALPHABET: Final = "ACDEFHJKMNPRTUWXY34679"
"""No two that look or, spelt over the telephone, sound alike: no 0 O Q, 1 I L, 2 Z, 5 S, 8 B, 6 with G, U
with V."""
LENGTH: Final = 6


def normalised(typed: str) -> str:
    """As it was shown: small letters, spaces and dashes do not matter.

    Raises ``Invalid``: it cannot be a code at all, so it is a slip and no guess.
    """
    code = "".join(typed.split()).replace("-", "").upper()
    if len(code) != LENGTH or any(character not in ALPHABET for character in code):
        raise Invalid(f"code: {LENGTH} characters of {ALPHABET}")
    return code


class UnknownCode(DomainError):
    """No device shows this code (now)."""

    code: ClassVar[str] = "unknown-code"


class TooManyWrongCodes(DomainError):
    """Codes are not looked up for a while; ``retry_after_s`` says when again."""

    code: ClassVar[str] = "locked-out"

    def __init__(self, text: str, retry_after_s: float) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class Rule(Struct, frozen=True):
    """``tries`` wrong codes within ``within_s``: none is looked up for ``lasts_s``."""

    name: str
    tries: int
    within_s: float
    lasts_s: float


ONE_ACCOUNT: Final = Rule("one-account", 5, 600.0, 900.0)
EVERYBODY: Final = Rule("everybody", 30, 600.0, 600.0)
"""Of all accounts together. The codes shown at that moment are withdrawn, too: 30 guesses among 113 million
codes, a hundred of which are shown, hit one with a chance below 1 in 30,000."""
MAX_ACCOUNTS: Final = 1_000


class _Count:
    __slots__ = ("at", "until")

    def __init__(self) -> None:
        self.at: deque[float] = deque()
        self.until = 0.0

    def wrong(self, rule: Rule, now: float) -> bool:
        """Is it locked by this one?"""
        self.at.append(now)
        while self.at and self.at[0] <= now - rule.within_s:
            self.at.popleft()
        if len(self.at) < rule.tries:
            return False
        self.at.clear()
        self.until = now + rule.lasts_s
        return True


class WrongCodes:
    """Counts them, by account and in all. Times are seconds that never go back."""

    def __init__(self) -> None:
        self._all = _Count()
        self._of: dict[str, _Count] = {}

    def check(self, account: str, now: float) -> None:
        """Raises ``TooManyWrongCodes``, saying what is locked, by which rule and for how long."""
        one = self._of.get(account)
        if one is not None and one.until > now:
            raise TooManyWrongCodes(_sentence("your account", ONE_ACCOUNT, one.until - now), one.until - now)
        if self._all.until > now:
            raise TooManyWrongCodes(
                _sentence("everybody", EVERYBODY, self._all.until - now), self._all.until - now
            )

    def wrong(self, account: str, now: float) -> tuple[Rule, ...]:
        """One more; the rules that lock from now on."""
        if account not in self._of and len(self._of) >= MAX_ACCOUNTS:
            self._of = {name: count for name, count in self._of.items() if count.at or count.until > now}
        one = self._of.setdefault(account, _Count())
        locked = []
        if one.wrong(ONE_ACCOUNT, now):
            locked.append(ONE_ACCOUNT)
        if self._all.wrong(EVERYBODY, now):
            locked.append(EVERYBODY)
        return tuple(locked)


def _sentence(whom: str, rule: Rule, left_s: float) -> str:
    return (
        f"codes are locked for {whom}, for {max(1, round(left_s / 60))} more minutes: "
        f"{rule.tries} wrong codes within {round(rule.within_s / 60)} minutes"
    )
