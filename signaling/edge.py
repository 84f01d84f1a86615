"""What all sockets of one server share, and what is done to many of them at once."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from room_manager.ids import ConnectionId, RoomId
from signaling import limits
from signaling.limits import Buckets, Lobby, LoginGuard, Networks
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
from signaling.wire.server import IceServer

LOOK_EVERY_S: Final = 1.0
RETURN_RAMP_S: Final = 20.0
MOVED_FIRST_MS: Final = 500  # the other server opens the room meanwhile
DRAIN_LIMIT_S: Final = 5.0

IceServers = Callable[[ConnectionId], tuple[IceServer, ...]]
"""The relays a member is told when it comes in, with credentials made for its connection."""

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
        ice_servers: IceServers = lambda _: (),
    ) -> None:
        self.settings = settings
        self.rooms = rooms
        self.standing = standing
        self.link_signer = link_signer
        self.resume_signer = resume_signer
        self.metrics = metrics
        self.monotonic = monotonic
        """Seconds that never go back: for how long, never for when."""
        self.ice_servers = ice_servers
        self.sessions = Sessions()
        self.tickets = Tickets(monotonic)
        self.origins = Origins(settings.public_origins)
        self.lobby = Lobby(settings.known_networks)
        self.logins = LoginGuard()
        self.ticket_rate = Buckets(limits.TICKETS_PER_S, limits.TICKET_BURST)
        self.hellos = Buckets(limits.HELLOS_PER_S, limits.HELLO_BURST)
        self.questions = Buckets(limits.QUESTIONS_PER_S, limits.QUESTION_BURST)
        self.questions_of_all = Buckets(
            limits.QUESTIONS_OF_ALL_WINDOWS_PER_S, limits.QUESTION_BURST_OF_ALL_WINDOWS
        )
        self.monitors = Networks(settings.metrics_networks)
        self.passwords = Passwords()
        self.live: set[Live] = set()
        self._windows: dict[str, dict[Live, None]] = {}  # of those without a site, the oldest first
        self.ready = False
        self.draining = False
        self._nobody_left = asyncio.Event()
        self._nobody_left.set()

    def add(self, one: Live) -> None:
        self.live.add(one)
        if one.who.site is None:
            windows = self._windows.setdefault(one.who.credential, {})
            windows[one] = None
            if len(windows) > limits.WINDOWS:
                oldest = next(iter(windows))
                del windows[oldest]
                oldest.dismiss("disconnect", 0, "superseded", "too many windows are open by this link")
        self._nobody_left.clear()
        self.metrics.connections.set(len(self.live))

    def remove(self, one: Live) -> None:
        self.live.discard(one)
        windows = self._windows.get(one.who.credential)
        if windows is not None:
            windows.pop(one, None)
            if not windows:
                del self._windows[one.who.credential]
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
        _send_back(list(self.live), 0, "shutting-down", "the server is restarting")
        try:
            async with asyncio.timeout(DRAIN_LIMIT_S):
                await self._nobody_left.wait()
        except TimeoutError:
            log.warning("x %d sockets did not go in %.0f s", len(self.live), DRAIN_LIMIT_S)

    def room_lost(self, room: RoomId) -> None:
        """Another server owns it now: go there."""
        theirs = [one for one in self.live if one.who.meeting == room]
        _send_back(theirs, MOVED_FIRST_MS, "moved", "this meeting is served elsewhere now")


def _send_back(members: Sequence[Live], first_ms: int, code: str, text: str) -> None:
    """Each is told to come back at its own place in the ramp, so that they do not come all at once."""
    for place, one in enumerate(members):
        wait_ms = first_ms + int(RETURN_RAMP_S * 1000 * place / len(members))
        one.dismiss("resume", wait_ms, code, text)
