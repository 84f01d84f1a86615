"""Tickets: one use, thirty seconds, in memory. What a page shows at the WebSocket instead of a secret."""

import secrets
from collections.abc import Callable
from typing import ClassVar, Final

from room_manager.errors import Busy, DomainError
from signaling.tokens import Identity

TICKET_LASTS_S: Final = 30.0
MAX_TICKETS: Final = 20_000


class BadTicket(DomainError):
    """Unknown, used before, or too old."""

    code: ClassVar[str] = "bad-ticket"


class Tickets:
    """Those that have been given out and not used."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._open: dict[str, tuple[float, Identity]] = {}

    def issue(self, who: Identity) -> str:
        """Raises ``Busy`` if far too many are open."""
        now = self._clock()
        self._forget(now)
        if len(self._open) >= MAX_TICKETS:
            raise Busy("too many at the door; try again shortly")
        ticket = secrets.token_urlsafe(24)
        self._open[ticket] = (now + TICKET_LASTS_S, who)
        return ticket

    def redeem(self, ticket: str) -> Identity:
        """Who it was issued to; it is used up. Raises ``BadTicket``."""
        found = self._open.pop(ticket, None)
        if found is None or self._clock() >= found[0]:
            raise BadTicket("this ticket was used, or is too old: ask for a new one")
        return found[1]

    def _forget(self, now: float) -> None:
        # All live equally long, so the oldest are first.
        for ticket, (until, _) in list(self._open.items())[:64]:
            if until > now:
                break
            del self._open[ticket]
