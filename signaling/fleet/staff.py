"""Who of the staff asks: the log-in of the meetings' accounts, and what the account may do with the fleet."""

from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket

from kiosk_hub.fleet.permissions import Grant, Staff
from kiosk_hub.store.staff import StaffStore
from room_manager.errors import NotAllowed
from room_manager.store.accounts import Account
from room_manager.store.sessions import Session as Login
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
        return await self._staff(request, account), login.csrf

    async def of(self, websocket: WebSocket) -> tuple[Login, Staff]:
        """Who opens a socket by their cookie; the caller checks the origin. Raises as :meth:`current`."""
        login, account = await self._logins.who(websocket)
        return login, await self._staff(websocket, account)

    async def lasts(self, login: Login) -> bool:
        """Is this log-in still good?"""
        return await self._logins.lasts(login)

    async def grant_of(self, account: str) -> Grant | None:
        """As it is now."""
        return await self._store.grant_of(account)

    async def _staff(self, connection: HTTPConnection, account: Account) -> Staff:
        grant = await self._store.grant_of(account.name)
        if grant is None:
            raise NotAllowed("your account has no part in the fleet")
        return Staff(account.name, account.display_name, grant, address_of(connection))
