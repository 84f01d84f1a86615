"""One encoder's or player's session: what its URL names, from 201 to its end."""

import asyncio
import hashlib
import hmac
import secrets
from typing import Final, Protocol

from room_manager.ids import ConnectionId
from room_manager.meeting.member import Member
from room_manager.meeting.values import LinkKind
from signaling import limits
from signaling.receiver import LeaveAction
from signaling.tokens import Identity
from signaling.whip.refusals import NoPrecondition, StaleSession
from signaling.wire.server import Line

UP_WITHIN_S: Final = 45.0
GOODBYE_S: Final = 2.0  # many clients close their media first and say DELETE then
PATCHES_PER_S: Final = 2.0
PATCH_BURST: Final = 20.0


class OnOver(Protocol):
    """The session has ended. ``drops``: its site is away by that."""

    def __call__(self, session: "WhipSession", code: str, *, drops: bool) -> None: ...


class WhipSession:
    """Owned by :class:`signaling.whip.service.Whip`; among the edge's live ones, so that whatever sends a
    window away (a revoked link, a restart) sends this away too."""

    def __init__(
        self,
        kind: LinkKind,
        who: Identity,
        member: Member,
        address: str,
        token: str,
        offer: str,
        on_over: OnOver,
        now: float,
    ) -> None:
        self.id = secrets.token_urlsafe(24)  # the URL; it alone lets nobody in
        self.kind = kind
        self.member = member
        self.address = address
        self.connection = ConnectionId(secrets.token_hex(8))
        self.offer = offer  # with the newest credentials
        self.etag = _new_etag()
        self.patches = limits.Bucket(PATCHES_PER_S, PATCH_BURST, now)
        self.restarting = asyncio.Lock()
        self.joined = False  # it stands for its site
        self.line: Line | None = None
        self.step_at = 0.0
        self.over = False
        self._who = who
        self._digest = _digest(token)
        self._on_over = on_over
        self._waiting: asyncio.TimerHandle | None = None

    @property
    def who(self) -> Identity:
        return self._who

    @property
    def lag_s(self) -> float:
        """Nothing is told by HTTP, so nothing can lag."""
        return 0.0

    def shown_by(self, token: str) -> bool:
        """Is this the token it was begun with? Also when that has expired since."""
        return hmac.compare_digest(self._digest, _digest(token))

    def check_match(self, if_match: str | None) -> None:
        """Raise unless the client speaks of the ICE session that is.

        ``"*"`` in quotes is how the RFC's own example writes the asterisk. A weak tag never matches (RFC
        9110, section 13.1.1: strong comparison).
        """
        if if_match is None:
            raise NoPrecondition("say If-Match: the ETag of the session, or * to restart ICE")
        named = [tag.strip() for tag in if_match.split(",")]
        if not {"*", '"*"', self.etag}.intersection(named):
            raise StaleSession("ICE was restarted since, or this was never its ETag")

    def restarted(self, offer: str) -> None:
        """Another ICE session has begun."""
        self.offer = offer
        self.etag = _new_etag()

    def wait_for_media(self) -> None:
        """The session ends unless its media is up in time."""
        self._end_after(UP_WITHIN_S, "no-media")

    def media_up(self) -> None:
        self._wait_no_more()

    def media_down(self) -> None:
        """The session ends, and not before the client has had time to say that it goes on purpose."""
        self._end_after(GOODBYE_S, "media-down")

    def close(self) -> None:
        """No timer is left."""
        self.over = True
        self._wait_no_more()

    def _end_after(self, wait_s: float, code: str) -> None:
        self._wait_no_more()
        loop = asyncio.get_running_loop()
        self._waiting = loop.call_later(wait_s, lambda: self._on_over(self, code, drops=True))

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def dismiss(self, action: LeaveAction, retry_after_ms: int, code: str, text: str) -> None:
        """Told by the edge. A client of HTTP hears of it when its media ends, and asks anew."""
        self._on_over(self, code, drops=code not in _STAYS_AS_IT_IS)


_STAYS_AS_IT_IS: Final = frozenset({"superseded", "ended", "shutting-down", "moved"})
"""Ways to go after which no drop is owed: the room knows, or the site keeps its place over a restart."""


def _new_etag() -> str:
    """A strong entity tag, of one ICE session (RFC 9725, section 4.3.1)."""
    return f'"{secrets.token_hex(8)}"'


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
