"""The live feed of the fleet's pages: ``/fleet/ws``.

One task tells all pages, once a second. A page has a number up to which it has been told, and nothing else:
if its line
is slow it is passed over, and hears later of the newest of each thing. What pages of the same sight and the
same number
are told is encoded once.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import msgspec
from starlette.responses import Response
from starlette.websockets import WebSocket

from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.permissions import Action, Grant
from kiosk_hub.hub import Hub
from room_manager.errors import DomainError
from room_manager.store.sessions import Session as Login
from signaling.auth import NotLoggedIn
from signaling.edge import Edge
from signaling.fleet.rows import row_of
from signaling.fleet.staff import StaffLogins
from signaling.frames import text_frame
from signaling.sockets import EXTENSION, Direct
from signaling.wire.fleet.devices import DeviceRow
from signaling.wire.fleet.live import (
    AnyFleetMessage,
    FleetGone,
    FleetHello,
    FleetPulse,
    RowsChanged,
    SomethingChanged,
)
from signaling.wire.rest import ErrorBody

TELL_EVERY_S: Final = 1.0
PULSE_EVERY_S: Final = 5.0
CHECK_EVERY_S: Final = 5.0
LAGS_AT_MOST_S: Final = 30.0
MOST_ROWS: Final = 500
MOST_PAGES: Final = 500
MOST_PAGES_OF_ONE: Final = 20
WHAT_PAGES_SAY_AT_MOST: Final = 100  # messages; a page has nothing to say
CLOSE_CODES: Final = {
    "logged-out": 4403,
    "not-allowed": 4403,
    "changed": 1012,
    "shutting-down": 1001,
    "lagging": 4008,
    "superseded": 4009,
}

log = logging.getLogger(__name__)


class Page:
    """One open page."""

    def __init__(self, direct: Direct, login: Login, grant: Grant, told: int, now: float) -> None:
        self.direct = direct
        self.login = login
        self.grant = grant
        self.told = told
        self.moved_on_at = now  # when its line last took something
        self.gone = False

    @property
    def sight(self) -> frozenset[str] | None:
        """Districts; None: all."""
        everything = self.grant.covers("")
        return None if everything else self.grant.districts


class Live:
    """All open pages, and the task that tells them."""

    def __init__(
        self,
        hub: Hub,
        logins: StaffLogins,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hub = hub
        self._logins = logins
        self._clock = clock
        self._monotonic = monotonic
        self._pages: dict[Page, None] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._closed = False

    def __len__(self) -> int:
        return len(self._pages)

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._tell_for_ever(), name="tell the fleet's pages"),
            asyncio.create_task(self._check_for_ever(), name="check the fleet's pages"),
        ]

    async def close(self) -> None:
        self._closed = True
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self.send_away("shutting-down", 1_000)

    def send_away(self, code: str, retry_after_ms: int | None = None) -> None:
        """All of them."""
        for page in list(self._pages):
            self._send_away(page, code, retry_after_ms)

    async def enter(self, websocket: WebSocket) -> Page:
        """Let a page in, and say hello to it.

        Raises ``NotLoggedIn``, ``NotAllowed``, ``TooMany``.
        """
        login, staff = await self._logins.of(websocket)
        if not staff.grant.allows(Action.SEE):
            raise NotLoggedIn("log in first")
        await websocket.accept()
        direct: Direct = websocket.scope["extensions"][EXTENSION]
        now = self._monotonic()
        page = Page(direct, login, staff.grant, self._hub.changes.version, now)
        if self._closed:
            self._send_away(page, "shutting-down", 1_000)
            return page
        theirs = [one for one in self._pages if one.login.account == login.account]
        if len(theirs) >= MOST_PAGES_OF_ONE:
            self._send_away(theirs[0], "superseded", None)
        if len(self._pages) >= MOST_PAGES:
            self._send_away(next(iter(self._pages)), "lagging", 30_000)
        self._pages[page] = None
        total = sum(
            1
            for device in self._hub.directory.all()
            if staff.grant.covers(self._hub.directory.district_of(device))
        )
        self._write(page, FleetHello(time=self._clock(), version=page.told, total=total))
        return page

    def leave(self, page: Page) -> None:
        page.gone = True
        self._pages.pop(page, None)

    # --- telling ---

    def tell(self) -> None:
        """Everybody whose line takes it hears what is new to them."""
        made: dict[tuple[frozenset[str] | None, int], tuple[bytes, int]] = {}
        now = self._monotonic()
        for page in list(self._pages):
            if not page.direct.writable:
                if now - page.moved_on_at > LAGS_AT_MOST_S:
                    self._send_away(page, "lagging", 5_000)
                continue
            page.moved_on_at = now
            if page.told == self._hub.changes.version:
                continue
            key = (page.sight, page.told)
            if key not in made:
                made[key] = self._news(page)
            frames, page.told = made[key]
            if frames:
                page.direct.write(frames)

    def pulse(self) -> None:
        frame = _frame(FleetPulse(time=self._clock(), version=self._hub.changes.version))
        for page in self._pages:
            if page.direct.writable:
                page.direct.write(frame)

    def _news(self, page: Page) -> tuple[bytes, int]:
        """The frames for pages of this sight that have been told so far, and how far they are then."""
        hub, now = self._hub, self._clock()
        changed, reached = hub.changes.rows_after(page.told, MOST_ROWS)
        rows: list[DeviceRow] = []
        gone: list[str] = []
        left = hub.changes.left_after(page.told)
        for id in changed:
            device, known = hub.directory.find(id), hub.registry.known(id)
            if device is None or known is None:
                gone.append(id)
            elif page.grant.covers(hub.directory.district_of(device)):
                rows.append(row_of(hub, device, known))
            elif any(page.grant.covers(district) for district in left.get(id, ())):
                gone.append(id)
        frames = b""
        if rows or gone:
            frames += _frame(RowsChanged(time=now, rows=tuple(rows), gone=tuple(gone)))
        things = hub.changes.things_after(page.told)
        commands = tuple(id for id in things.commands if self._sees(page, id))
        if things.incidents or commands or things.rollouts or things.enrolments or things.audit:
            frames += _frame(
                SomethingChanged(
                    time=now,
                    incidents=things.incidents,
                    commands=commands,
                    rollouts=things.rollouts,
                    enrolments=things.enrolments,
                    audit=things.audit,
                )
            )
        return frames, reached

    def _sees(self, page: Page, id: DeviceId) -> bool:
        device = self._hub.directory.find(id)
        return device is not None and page.grant.covers(self._hub.directory.district_of(device))

    def _write(self, page: Page, message: AnyFleetMessage) -> None:
        page.direct.write(_frame(message))

    def _send_away(self, page: Page, code: str, retry_after_ms: int | None) -> None:
        if page.gone:
            return
        self.leave(page)
        self._write(page, FleetGone(time=self._clock(), code=code, retry_after_ms=retry_after_ms))
        page.direct.close(CLOSE_CODES[code], code)

    # --- tasks ---

    async def _tell_for_ever(self) -> None:
        pulse_at = self._monotonic() + PULSE_EVERY_S
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            try:
                self.tell()
                if self._monotonic() >= pulse_at:
                    pulse_at = self._monotonic() + PULSE_EVERY_S
                    self.pulse()
            except Exception:
                log.exception("! telling the fleet's pages failed; next time again")

    async def _check_for_ever(self) -> None:
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            try:
                await self.check()
            except DomainError as error:
                log.warning("! whether the fleet's pages may stay is not known now: %s", error)
            except Exception:
                log.exception("! checking the fleet's pages failed; next time again")

    async def check(self) -> None:
        """Who has lost the log-in or the grant goes; whose grant is another comes in anew."""
        lasts: dict[bytes, bool] = {}
        grants: dict[str, Grant | None] = {}
        for page in list(self._pages):
            hash, account = page.login.token_hash, page.login.account
            if hash not in lasts:
                lasts[hash] = await self._logins.lasts(page.login)
            if account not in grants:
                grants[account] = await self._logins.grant_of(account)
            if not lasts[hash]:
                self._send_away(page, "logged-out", None)
            elif grants[account] is None:
                self._send_away(page, "not-allowed", None)
            elif grants[account] != page.grant:
                self._send_away(page, "changed", 0)


async def fleet_endpoint(websocket: WebSocket) -> None:
    """``/fleet/ws``."""
    edge: Edge = websocket.app.state.edge
    live: Live | None = getattr(websocket.app.state, "live", None)
    if live is None or not edge.ready:
        await _deny(websocket, 503, "shutting-down", "the server is restarting")
        return
    origin = websocket.headers.get("origin")
    if origin is None or not edge.origins.allow(origin, websocket.headers.get("host", "")):
        await _deny(websocket, 403, "forged", "another site's page asked for this")
        return
    try:
        page = await live.enter(websocket)
    except DomainError as error:
        status = {"not-logged-in": 401, "not-allowed": 403, "too-many": 429}.get(error.code, 503)
        await _deny(websocket, status, error.code, str(error))
        return
    try:
        for _ in range(WHAT_PAGES_SAY_AT_MOST):
            if (await websocket.receive())["type"] != "websocket.receive":
                return
        page.direct.close(4029, "too-many")
    finally:
        live.leave(page)


async def _deny(websocket: WebSocket, status: int, code: str, text: str) -> None:
    body = msgspec.json.encode(ErrorBody(code, text))
    await websocket.send_denial_response(Response(body, status, media_type="application/json"))


def _frame(message: AnyFleetMessage) -> bytes:
    return text_frame(msgspec.json.encode(message))
