"""What all sockets of one server share, and what is done to many of them at once."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final, Protocol

from room_manager.ids import RoomId
from signaling.limits import TICKET_BURST, TICKETS_PER_S, Buckets, Lobby, LoginGuard
from signaling.metrics import Metrics
from signaling.origins import Origins
from signaling.outbox import MAX_LAG_S
from signaling.passwords import Passwords
from signaling.receiver import LeaveAction
from signaling.rooms import Rooms
from signaling.session import Sessions
from signaling.settings import Settings
from signaling.standing import Standing
from signaling.tickets import Tickets
from signaling.tokens import Identity, LinkSigner, ResumeSigner

LOOK_EVERY_S: Final = 1.0
RETURN_RAMP_S: Final = 20.0
DRAIN_LIMIT_S: Final = 5.0

log = logging.getLogger(__name__)


class Live(Protocol):
    """One live socket."""

    @property
    def who(self) -> Identity: ...

    @property
    def lag_s(self) -> float: ...

    def dismiss(self, action: LeaveAction, retry_after_ms: int, code: str, text: str) -> None: ...


class Edge:
    """One server's doors."""

    def __init__(
        self,
        settings: Settings,
        rooms: Rooms,
        standing: Standing,
        link_signer: LinkSigner,
        resume_signer: ResumeSigner,
        metrics: Metrics,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.rooms = rooms
        self.standing = standing
        self.link_signer = link_signer
        self.resume_signer = resume_signer
        self.metrics = metrics
        self.monotonic = monotonic
        """Seconds that never go back: for how long, never for when."""
        self.sessions = Sessions()
        self.tickets = Tickets(monotonic)
        self.origins = Origins(settings.public_origins)
        self.lobby = Lobby(settings.known_networks)
        self.logins = LoginGuard()
        self.ticket_rate = Buckets(TICKETS_PER_S, TICKET_BURST)
        self.passwords = Passwords()
        self.live: set[Live] = set()
        self.ready = False
        self.draining = False
        self._nobody_left = asyncio.Event()
        self._nobody_left.set()

    def add(self, one: Live) -> None:
        self.live.add(one)
        self._nobody_left.clear()
        self.metrics.connections.set(len(self.live))

    def remove(self, one: Live) -> None:
        self.live.discard(one)
        self.metrics.connections.set(len(self.live))
        if not self.live:
            self._nobody_left.set()

    def revoke_link(self, link: str) -> None:
        """Whoever came in by it goes now."""
        self.standing.revoke(link)
        for one in list(self.live):
            if one.who.link == link:
                one.dismiss("disconnect", 0, "revoked", "this link has been revoked")

    def end_login(self, login: str) -> None:
        """Its windows go now."""
        for one in list(self.live):
            if one.who.login == login:
                one.dismiss("disconnect", 0, "revoked", "the log-in has ended")

    async def look_after(self) -> None:
        """Every second: who lags too far goes, and who has lost what let it in. Runs until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                self._look_for_laggards()
                await self.standing.refresh()
                for one in await self.standing.fallen(list(self.live)):
                    one.dismiss("disconnect", 0, "revoked", "what let you in is no longer valid")
            except Exception:
                log.exception("! looking after sockets failed; next time again")

    def _look_for_laggards(self) -> None:
        slowest = 0.0
        for one in list(self.live):
            lag_s = one.lag_s
            slowest = max(slowest, lag_s)
            if lag_s > MAX_LAG_S:
                one.dismiss("resume", 0, "lagging", "your line is too slow to keep up; come back")
        self.metrics.outbox_lag_s.set(round(slowest, 3))

    async def drain(self) -> None:
        """Everybody is told to come back, each at its own place in the ramp, and its socket is closed."""
        self.draining = True
        self.ready = False
        everybody = list(self.live)
        for place, one in enumerate(everybody):
            wait_ms = int(RETURN_RAMP_S * 1000 * place / max(1, len(everybody)))
            one.dismiss("resume", wait_ms, "shutting-down", "the server is restarting")
        try:
            async with asyncio.timeout(DRAIN_LIMIT_S):
                await self._nobody_left.wait()
        except TimeoutError:
            log.warning("x %d sockets did not go in %.0f s", len(self.live), DRAIN_LIMIT_S)

    def room_lost(self, room: RoomId) -> None:
        """Another server owns it now: go there."""
        for one in list(self.live):
            if one.who.meeting == room:
                one.dismiss("resume", 500, "moved", "this meeting is served elsewhere now")
