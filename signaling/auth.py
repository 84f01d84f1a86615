"""Logging in and staying logged in: cookies, forged requests, who a window is, and how much it may ask."""

import hashlib
import hmac
import math
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from room_manager.errors import DomainError, NotAllowed
from room_manager.ids import RoomId
from room_manager.store.accounts import Account
from room_manager.store.sessions import Session as Login
from room_manager.store.stores import Stores
from signaling.edge import Edge
from signaling.logins import LOGIN_IDLES_S, LOGIN_LASTS_S
from signaling.tokens import BadToken, Identity

MAX_NAME_CHARS: Final = 64
SAFE_METHODS: Final = frozenset({"GET", "HEAD"})


class NotLoggedIn(DomainError):
    """No session, or it has ended."""

    code: ClassVar[str] = "not-logged-in"


class WrongPassword(DomainError):
    """No such name with this password; which of both is not told."""

    code: ClassVar[str] = "wrong-password"


class Forged(DomainError):
    """The request does not come from one of our pages."""

    code: ClassVar[str] = "forged"


class TooMany(DomainError):
    """Asked too often; ``retry_after_s`` says when again."""

    code: ClassVar[str] = "too-many"

    def __init__(self, text: str, retry_after_s: float) -> None:
        super().__init__(text)
        self.retry_after_s = max(1, math.ceil(retry_after_s))


def cookie_name(secure: bool) -> str:
    """``__Host-`` binds the cookie to this host and to https; a plain localhost cannot have it."""
    return "__Host-diemcau" if secure else "diemcau"


def address_of(request: HTTPConnection) -> str:
    return request.client.host if request.client is not None else ""


def check_origin(edge: Edge, request: Request) -> None:
    """What changes something must come from one of our pages, or from no page at all. Raises ``Forged``."""
    if not edge.origins.allow(request.headers.get("origin"), request.headers.get("host", "")):
        raise Forged("another site's page asked for this")
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Forged("another site's page asked for this")


class Logins:
    """Who is logged in by cookie."""

    def __init__(self, edge: Edge, stores: Stores) -> None:
        self._edge = edge
        self._stores = stores
        self._secure = edge.settings.secure

    async def log_in(
        self, request: Request, name: str, password: str, response: Response
    ) -> tuple[Account, str]:
        """Begin a session; its cookie is set on ``response``. The account and the CSRF token.

        Raises ``WrongPassword`` or ``TooMany``.
        """
        edge = self._edge
        now = edge.monotonic()
        address = address_of(request)
        tried = name[:MAX_NAME_CHARS]
        wait_s = edge.logins.wait_s(tried, address, now, edge.lobby.is_known(address))
        if wait_s > 0:
            raise TooMany("too many tries; wait a moment", wait_s)
        if edge.passwords.busy:
            raise TooMany("too many are logging in; wait a moment", 2)
        edge.logins.failed(tried, address, now)
        account = await self._stores.accounts.get(name) if len(name) <= MAX_NAME_CHARS else None
        kept = account.password_hash if account is not None and not account.disabled else None
        if not await edge.passwords.matches(password, kept) or account is None:
            raise WrongPassword("no such name with this password")
        edge.logins.succeeded(tried, address)

        token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
        at = datetime.now(UTC)
        await self._stores.sessions.forget_expired(at)
        await self._stores.sessions.begin(
            Login(_hash(token), account.name, csrf, at, at, at + timedelta(seconds=LOGIN_IDLES_S))
        )
        response.set_cookie(
            cookie_name(self._secure),
            token,
            max_age=int(LOGIN_LASTS_S),
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )
        return account, csrf

    async def who(self, connection: HTTPConnection) -> tuple[Login, Account]:
        """Whose cookie it is. Raises ``NotLoggedIn``, ``TooMany``."""
        token = connection.cookies.get(cookie_name(self._secure))
        login = await self._stores.sessions.get(_hash(token), datetime.now(UTC)) if token else None
        account = await self._stores.accounts.get(login.account) if login is not None else None
        if login is None or account is None:
            raise NotLoggedIn("log in first")
        limit_questions(self._edge, f"login:{login.token_hash.hex()}")
        return login, account

    async def lasts(self, login: Login) -> bool:
        """Is it still good? A page that hears live is use: the log-in lasts as long as it is open."""
        now = datetime.now(UTC)
        found = await self._stores.sessions.get(login.token_hash, now)
        if found is not None:
            await self._edge.standing.use.note(found, now)
        return found is not None

    async def current(self, request: Request) -> tuple[Login, Account]:
        """Who asks. What changes something must carry the CSRF token. Raises ``NotLoggedIn``, ``Forged``."""
        login, account = await self.who(request)
        if request.method not in SAFE_METHODS:
            check_origin(self._edge, request)
            told = request.headers.get("x-csrf-token", "")
            if not hmac.compare_digest(told.encode(), login.csrf.encode()):
                raise Forged("the X-CSRF-Token is not this session's")
        await self._edge.standing.use.note(login, datetime.now(UTC))
        return login, account

    async def log_out(self, request: Request, response: Response) -> None:
        """The session is over, here and on every socket it let in. Raises ``NotLoggedIn``, ``Forged``."""
        login, _ = await self.current(request)
        await self._stores.sessions.end(login.token_hash)
        self._edge.end_login(login.token_hash.hex())
        response.delete_cookie(
            cookie_name(self._secure), path="/", secure=self._secure, httponly=True, samesite="lax"
        )


async def window(edge: Edge, request: Request, meeting: RoomId) -> Identity:
    """Whose window of this meeting asks, by its bearer token.

    Raises what a bad token raises, or ``TooMany``.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise BadToken("this needs the bearer token of a window in the meeting")
    claims = edge.resume_signer.check(token.strip(), time.time())
    who = claims.who
    limit_questions(edge, who.credential, claims.session)
    if who.meeting != meeting:
        raise NotAllowed("your token is for another meeting")
    await edge.standing.check(who)
    return who


def limit_questions(edge: Edge, credential: str, session: str | None = None) -> None:
    """So many questions a second by REST, and no more: they cost more than messages. Raises ``TooMany``."""
    now = edge.monotonic()
    if session is not None and not edge.questions.take(session, now):
        raise TooMany("too many questions; wait a moment", 1)
    if not edge.questions_of_all.take(credential, now):
        raise TooMany("too many questions from your windows; wait a moment", 1)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
