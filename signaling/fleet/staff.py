"""Who of the staff asks: the log-in of the meetings' accounts, and what the account may do with the fleet."""

from starlette.requests import Request

from kiosk_hub.fleet.permissions import Staff
from kiosk_hub.store.staff import StaffStore
from room_manager.errors import NotAllowed
from signaling.auth import Logins, address_of


class StaffLogins:
    """Log-ins with a grant. The grant is read anew each time: what was taken away is gone at once."""

    def __init__(self, logins: Logins, store: StaffStore) -> None:
        self._logins = logins
        self._store = store

    async def current(self, request: Request) -> Staff:
        """Raises ``NotLoggedIn``, ``Forged``, ``TooMany``, or ``NotAllowed`` (no part in the fleet)."""
        staff, _ = await self.with_csrf(request)
        return staff

    async def with_csrf(self, request: Request) -> tuple[Staff, str]:
        """The same with the CSRF token of the session, for the page that begins."""
        login, account = await self._logins.current(request)
        grant = await self._store.grant_of(account.name)
        if grant is None:
            raise NotAllowed("your account has no part in the fleet")
        return Staff(account.name, account.display_name, grant, address_of(request)), login.csrf
