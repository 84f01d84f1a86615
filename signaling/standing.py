"""Is what lets somebody in still good? Links can be revoked, log-ins ended, accounts disabled: at any time,
also by another process that writes to the same database."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Protocol, TypeVar

from room_manager.errors import DomainError
from room_manager.store.stores import Stores
from signaling.logins import LoginUse
from signaling.tokens import STAYS_AFTER_LINK_S, Identity


class Revoked(DomainError):
    """The link or the log-in that let this member in is no more."""

    code: ClassVar[str] = "revoked"


class HasIdentity(Protocol):
    @property
    def who(self) -> Identity: ...


M = TypeVar("M", bound=HasIdentity)


class Standing:
    """Knows the revoked links without asking the database for each of 579 who come back at once."""

    def __init__(self, stores: Stores, clock: Callable[[], float]) -> None:
        self._stores = stores
        self._clock = clock
        self._revoked: set[str] = set()  # as the database said when it was last read
        self._revoked_here: set[str] = set()  # what it had perhaps not said then
        self.use = LoginUse(stores.sessions)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    async def refresh(self) -> None:
        """Learn what others have revoked."""
        # Who came in by a link may stay beyond its end, so what was revoked is known as long.
        since = self._now() - timedelta(seconds=STAYS_AFTER_LINK_S)
        self._revoked = await self._stores.links.revoked(since)
        self._revoked_here -= self._revoked

    def revoke(self, link: str) -> None:
        """This process has just revoked it: also if a :meth:`refresh` under way has read of it too early."""
        self._revoked_here.add(link)

    async def check(self, who: Identity) -> None:
        """Raises ``Revoked``."""
        if self._is_revoked(who.link):
            raise Revoked("this link has been revoked")
        if who.login is not None and not await self._is_logged_in(who.login):
            raise Revoked("the log-in has ended")

    async def fallen(self, members: Iterable[M]) -> list[M]:
        """Those of them who must go."""
        gone: list[M] = []
        asked: dict[str, bool] = {}
        for member in members:
            login = member.who.login
            if self._is_revoked(member.who.link) or member.who.is_over(self._clock()):
                gone.append(member)
            elif login is not None:
                if login not in asked:
                    asked[login] = await self._is_logged_in(login)
                if not asked[login]:
                    gone.append(member)
        return gone

    def _is_revoked(self, link: str | None) -> bool:
        return link is not None and (link in self._revoked or link in self._revoked_here)

    async def _is_logged_in(self, login: str) -> bool:
        """A window in a meeting is use: the log-in lasts as long as somebody works with it."""
        found = await self._stores.sessions.get(bytes.fromhex(login), self._now())
        if found is not None:
            await self.use.note(found, self._now())
        return found is not None
