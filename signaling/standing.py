"""Is what lets somebody in still good? Links can be revoked, log-ins ended, accounts disabled: at any time,
also by another process that writes to the same database."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import ClassVar, Protocol, TypeVar

from room_manager.errors import DomainError
from room_manager.store.stores import Stores
from signaling.logins import keep_alive
from signaling.tokens import Identity


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
        self._revoked: set[str] = set()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    async def refresh(self) -> None:
        """Learn what others have revoked."""
        self._revoked = await self._stores.links.revoked(self._now())

    def revoke(self, link: str) -> None:
        """This process has just revoked it."""
        self._revoked.add(link)

    async def check(self, who: Identity) -> None:
        """Raises ``Revoked``."""
        if who.link is not None and who.link in self._revoked:
            raise Revoked("this link has been revoked")
        if who.login is not None and not await self._is_logged_in(who.login):
            raise Revoked("the log-in has ended")

    async def fallen(self, members: Iterable[M]) -> list[M]:
        """Those of them who must go."""
        gone: list[M] = []
        asked: dict[str, bool] = {}
        for member in members:
            link, login = member.who.link, member.who.login
            if link is not None and link in self._revoked:
                gone.append(member)
            elif login is not None:
                if login not in asked:
                    asked[login] = await self._is_logged_in(login)
                if not asked[login]:
                    gone.append(member)
        return gone

    async def _is_logged_in(self, login: str) -> bool:
        """A window in a meeting is use: the log-in lasts as long as somebody works with it."""
        found = await self._stores.sessions.get(bytes.fromhex(login), self._now())
        if found is not None:
            await keep_alive(self._stores.sessions, found, self._now())
        return found is not None
