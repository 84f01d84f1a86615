"""A resumable session: one member's way through a meeting, over as many sockets as it takes.

It owns the answers to what has been asked: a ``rid`` that comes again, from this socket or the next, gets
the answer it had and is not done again. The cache is bounded, in memory, and of this process: after a
restart a replayed command is decided anew on what the journal has; docs/protocol.md says what comes of each.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import ClassVar, Final

from room_manager.errors import Busy, DomainError
from signaling.tokens import Identity
from signaling.wire.server import ServerMessage

MAX_ANSWERS: Final = 64
MAX_SESSIONS: Final = 5_000


class RidGone(DomainError):
    """So long ago that its answer is forgotten; doing it again could do it twice."""

    code: ClassVar[str] = "rid-gone"


class Session:
    """One member's answers, and which of its sockets is the live one."""

    def __init__(self, session_id: str, who: Identity) -> None:
        self.id = session_id
        self.who = who
        self.replace: Callable[[], None] | None = None  # takes the place of the live socket
        self._answers: OrderedDict[int, asyncio.Future[ServerMessage]] = OrderedDict()
        self._forgotten = -1

    async def once(self, rid: int, act: Callable[[], Awaitable[ServerMessage]]) -> ServerMessage:
        """The answer to this rid; ``act`` is called only the first time. Raises ``RidGone``.

        Who asks again while the first is under way waits for the same answer, also when the socket that
        asked first is gone.
        """
        known = self._answers.get(rid)
        if known is not None:
            return await asyncio.shield(known)
        if rid <= self._forgotten:
            raise RidGone("this was asked too long ago")
        answer: asyncio.Future[ServerMessage] = asyncio.get_running_loop().create_future()
        self._answers[rid] = answer
        self._forget()
        try:
            result = await act()
        except BaseException as error:
            # Not done, so it may be asked again with the same rid.
            self._answers.pop(rid, None)
            answer.set_exception(error if isinstance(error, Exception) else Busy("not done; ask again"))
            answer.exception()
            raise
        answer.set_result(result)
        return result

    def _forget(self) -> None:
        while len(self._answers) > MAX_ANSWERS:
            rid, _ = self._answers.popitem(last=False)
            self._forgotten = max(self._forgotten, rid)


class Sessions:
    """The sessions of this process. The longest unused go first when there are too many."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, Session] = OrderedDict()

    def begin(self, who: Identity) -> Session:
        """A new one, for a ticket."""
        return self._keep(Session(secrets.token_urlsafe(16), who))

    def resume(self, session_id: str, who: Identity) -> Session:
        """The one that a resume token names; after a restart, an empty one in its place."""
        known = self._of.get(session_id)
        if known is None or known.who != who:
            known = Session(session_id, who)
        return self._keep(known)

    def _keep(self, session: Session) -> Session:
        self._of[session.id] = session
        self._of.move_to_end(session.id)
        if len(self._of) > MAX_SESSIONS:
            for old in list(self._of.values())[: len(self._of) - MAX_SESSIONS]:
                if old.replace is None:
                    del self._of[old.id]
        return session
