"""One room: its inbox, its state, its clock. One task owns them; everybody else reads ``told``.

The task decides on a *tentative* meeting, makes the events durable, and only then applies them to the
meeting that was *told*, calls the listeners and answers those who asked. So nobody ever hears what a
crash could take back, and when the journal refuses, the tentative meeting is thrown away.

After a restart the folded journal says who was present. Their connections died with the old server,
so for :data:`RETURN_GRACE_S` nothing of this room expires: neither the grace of sites that were away,
nor a held floor, nor a speaking time (their ends may lie in the hours the server was dead). Then
every connection that has not been replaced by a new one is dropped, which starts its usual grace.
"""

import asyncio
import copy
import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from room_manager.errors import Busy, DomainError, InDoubt, NotOwner, NotStored
from room_manager.gone import Gone, stands
from room_manager.ids import HOST, ConnectionId, RoomId, SiteId
from room_manager.meeting.commands import AnyCommand, Drop, FailRecording
from room_manager.meeting.events import AnyEvent, MeetingOpened, SiteJoined
from room_manager.meeting.meeting import Meeting
from room_manager.meeting.member import Member
from room_manager.meeting.state import State
from room_manager.meeting.values import Role
from room_manager.store.journal import Journal, Recorded

MAX_WAITING: Final = 2_048  # commands in the inbox; beyond it they are refused as busy
MAX_BATCH: Final = 256  # commands in one append
APPEND_LIMIT_S: Final = 10.0  # then it is in doubt whether it was stored
SUBMIT_LIMIT_S: Final = 20.0
RETURN_GRACE_S: Final = 30.0
RETRY_S: Final = 1.0  # after a failure, before time alone makes us write again
LONGEST_NAP_S: Final = 30.0  # then it looks again, in any case

log = logging.getLogger(__name__)

Clock = Callable[[], float]
"""Seconds, UTC, never set while it runs: see :mod:`room_manager.clock`."""


class Internal(Exception):
    """A bug of ours; the command did nothing."""


class Batch(Struct, frozen=True):
    """What has just become durable. ``told`` is the state after all of it; read it, never write it."""

    room: RoomId
    epoch: int
    first_seq: int
    records: tuple[Recorded, ...]
    told: State


Listener = Callable[[Batch], None]
OnClosed = Callable[[DomainError], None]


class _Pending(Struct):
    """A command that waits, and whoever waits for what comes of it."""

    command: AnyCommand
    by: Member
    answer: asyncio.Future[int] | None  # None: asked by the runner itself
    taken: bool = False


class _Decided(Struct):
    """What a batch comes to, if it can be stored."""

    records: list[Recorded]
    outcomes: list[tuple[_Pending, int | Exception]]


class Runner:
    """The room's task is :meth:`run`; whoever calls it owns it."""

    def __init__(self, room: RoomId, journal: Journal, clock: Clock) -> None:
        self.room = room
        self.told = Meeting()  # what everybody may know; only the room's task writes it
        self.seq = 0
        self.epoch = 0
        self._last_at = 0.0  # of what has happened, on the room's clock
        self._journal = journal
        self._clock = clock
        self._ahead_s = 0.0  # of the clock: the journal was written by one that was later
        self._tentative = Meeting()
        self._inbox: deque[_Pending] = deque()
        self._wake = asyncio.Event()
        self._listeners: list[tuple[Listener, OnClosed | None]] = []
        self._closed: DomainError | None = None
        self._taken: list[_Pending] = []  # out of the inbox and not yet answered
        self._in_doubt: _Decided | None = None
        self._gone = Gone()
        self._quiet_until = 0.0  # nothing expires and nothing is tried again before
        # Connections that joined since the restart; None: whoever was there before has had the time.
        self._alive: set[ConnectionId] | None = None

    # --- for everybody ---

    def now(self) -> float:
        """Seconds, UTC, on the room's clock: all its ends are on it. Never before what has happened."""
        return self._clock() + self._ahead_s

    async def submit(self, command: AnyCommand, by: Member) -> int:
        """The room's number after the command, once that is durable and has been told.

        Cancelling withdraws a command that has not been begun. Raises what the rules refuse, ``Busy``,
        ``NotStored``, ``NotOwner``, ``InDoubt``, or ``Internal``.
        """
        if self._closed is not None:
            raise type(self._closed)(str(self._closed))
        if len(self._inbox) >= MAX_WAITING:
            raise Busy("too many commands at once; try again shortly")
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        pending = _Pending(command, by, answer)
        self._inbox.append(pending)
        self._wake.set()
        try:
            async with asyncio.timeout(SUBMIT_LIMIT_S):
                return await answer
        except TimeoutError:
            if pending.taken:
                raise InDoubt("the journal does not answer") from None
            raise Busy("the room is behind; nothing was done") from None

    def gone(self, site: SiteId, connection: ConnectionId) -> None:
        """The connection has ended: it is dropped as soon as the journal can store that.

        Never waits and never fails. One that stands for nothing, also in what is in doubt, is ignored.
        """
        meetings = (self.told, self._tentative)
        if any(stands(meeting.state, site, connection) for meeting in meetings):
            self._gone.add(site, connection, self.now())
            self._wake.set()

    def alive(self, connection: ConnectionId) -> bool:
        """May this connection still be there? No: it was before a restart, or it has ended."""
        return connection not in self._gone and (self._alive is None or connection in self._alive)

    def listen(self, listener: Listener, on_closed: OnClosed | None = None) -> Callable[[], None]:
        """Hear every batch, in order, from the room's task. Must not wait. Returns how to stop.

        ``on_closed`` hears why the room is served here no longer; no batch follows.
        """
        entry = (listener, on_closed)
        self._listeners.append(entry)

        def unlisten() -> None:
            if entry in self._listeners:
                self._listeners.remove(entry)

        return unlisten

    # --- for the owner of the task ---

    async def open(self, opening: MeetingOpened) -> None:
        """Own the room and fold its journal; an empty one begins with ``opening``."""
        self.epoch = await self._journal.take_over(self.room)
        found = await self._catch_up()
        if found:
            self._ahead_s = max(0.0, self._last_at - self._clock())
            if self._ahead_s:
                log.warning("! room %s: the clock was set back by %.0f s or more", self.room, self._ahead_s)
            self._alive = set()
            self._quiet_until = self.now() + RETURN_GRACE_S
        else:
            first = Recorded(1, self.now(), "", opening)
            await self._journal.append(self.room, self.epoch, [first])
            self._remember([first])
        self._tentative = copy.deepcopy(self.told)
        log.info("= room %s: open at %d, epoch %d", self.room, self.seq, self.epoch)

    async def run(self) -> None:
        """Serve the room until :meth:`close` or until another server owns it."""
        try:
            while self._closed is None:
                try:
                    await self._step()
                except NotOwner as error:
                    self._close(error)
                except Exception as bug:
                    # A bug in the shell itself: what the journal has is certain, so read it again.
                    log.exception("! room %s: recovering from a bug", self.room)
                    self._refuse_taken(Internal(type(bug).__name__))
                    self._in_doubt = _Decided([], [])
                    self._rest()
        finally:
            self._close(Busy("the server is closing; nothing was done"))
            self._refuse_taken(InDoubt("the server closed before it was known"))
            self._refuse_waiting()

    def close(self, why: DomainError | None = None) -> None:
        """Serve no more: what is being stored is finished, what waits is refused."""
        self._close(why or Busy("the server is closing; nothing was done"))

    # --- the task ---

    async def _step(self) -> None:
        if self._in_doubt is not None:
            await self._make_certain(self._in_doubt)
            return
        await self._nap()
        if self._closed is not None:
            return
        now = self.now()
        due = self._due()
        ticking = due is not None and due <= now
        ghosts = self._ghosts() if ticking else []
        decided = self._decide([*ghosts, *self._take(), *self._drops(now)], ticking, now)
        if decided.records and not await self._store(decided):
            if ticking:
                self._rest()
            return
        if ticking:
            self._alive = None  # whoever has not come back has had the time to
        if decided.records:
            self._tell(decided.records)
        self._answer(decided)
        if not decided.records:
            await asyncio.sleep(0)  # a flood of refusals must not keep the loop to itself

    async def _store(self, decided: _Decided) -> bool:
        """True: durable. False: the batch is refused, or left in doubt."""
        try:
            async with asyncio.timeout(APPEND_LIMIT_S):
                await self._journal.append(self.room, self.epoch, decided.records)
        except NotOwner as error:
            self._fail(decided, error)
            raise
        except (NotStored, Busy) as error:
            self._tentative = copy.deepcopy(self.told)
            self._fail(decided, error)
            return False
        except Exception:
            log.exception("! room %s: %d events in doubt", self.room, len(decided.records))
            self._in_doubt = decided
            return False
        return True

    async def _nap(self) -> None:
        """Wait for a command or for the time at which something is due."""
        self._wake.clear()
        if self._inbox or self._closed is not None:
            return
        self._gone.settle(self.told.state)
        dues = [due for due in (self._due(), self._gone.next_at()) if due is not None]
        nap_s = min((due - self.now() for due in dues), default=LONGEST_NAP_S)
        if nap_s <= 0:
            return
        try:
            async with asyncio.timeout(min(max(nap_s, 0.001), LONGEST_NAP_S)):
                await self._wake.wait()
        except TimeoutError:
            pass

    def _due(self) -> float | None:
        """When time alone has something to do: a rule's end, or the end of the return grace."""
        if self._alive is not None:
            return self._quiet_until
        due = self.told.due()
        return None if due is None else max(due, self._quiet_until)

    def _ghosts(self) -> list[_Pending]:
        """Drop commands for connections of before the restart that nobody has come back for."""
        if self._alive is None:
            return []
        return [
            _Pending(Drop(site.id, connection), _itself(site.id), None)
            for site in self.told.state.sites.values()
            for connection in site.devices.values()
            if connection not in self._alive
        ]

    def _drops(self, now: float) -> list[_Pending]:
        """Drop commands for connections that have ended since, if they are due.

        They come last: whoever has come back in the same batch never was away.
        """
        self._gone.settle(self.told.state)
        due = self._gone.due(now, MAX_BATCH)
        return [_Pending(Drop(site, connection), _itself(site), None) for site, connection in due]

    def _take(self) -> list[_Pending]:
        """The commands of the next append. Withdrawn ones fall away."""
        self._taken = []
        while self._inbox and len(self._taken) < MAX_BATCH:
            pending = self._inbox.popleft()
            if pending.answer is None or not pending.answer.done():
                pending.taken = True
                self._taken.append(pending)
        return self._taken

    def _decide(self, batch: list[_Pending], ticking: bool, now: float) -> _Decided:
        """Put each command to the tentative meeting. A refused one leaves no trace in it."""
        decided = _Decided([], [])
        if ticking:
            try:
                self._record(self._tentative.tick(now), "", now, decided)
            except Exception:
                log.exception("! room %s: bug in tick", self.room)
                self._refold(decided.records)
                self._rest()
        for pending in batch:
            decided.outcomes.append((pending, self._put(pending, now, decided)))
        return decided

    def _put(self, pending: _Pending, now: float, decided: _Decided) -> int | Exception:
        """What comes of one command: the room's number after it, or why it is refused."""
        itself = pending.answer is None or isinstance(pending.command, FailRecording)
        by = "" if itself else _name(pending.by)
        try:
            try:
                events = self._tentative.handle(pending.command, pending.by, now)
            except DomainError as refusal:
                return refusal
            self._record(events, by, now, decided)
        except Exception as bug:
            log.exception("! room %s: bug in %s", self.room, type(pending.command).__name__)
            self._refold(decided.records)
            return Internal(type(bug).__name__)
        return self.seq + len(decided.records)

    def _record(self, events: list[AnyEvent], by: str, now: float, decided: _Decided) -> None:
        """Apply all, then record all: if applying one fails, none is recorded."""
        for event in events:
            self._tentative.apply(event)
        first = self.seq + len(decided.records) + 1
        decided.records += [Recorded(seq, now, by, event) for seq, event in enumerate(events, first)]

    def _refold(self, records: list[Recorded]) -> None:
        """The tentative meeting as it was after these records, whatever has been done to it since."""
        self._tentative = copy.deepcopy(self.told)
        for record in records:
            self._tentative.apply(record.event)

    def _remember(self, records: list[Recorded]) -> None:
        """Apply what is durable to what everybody may know."""
        for record in records:
            self.told.apply(record.event)
            if self._alive is not None and isinstance(record.event, SiteJoined):
                self._alive.add(record.event.connection)
            self.seq = record.seq
            self._last_at = record.at

    def _tell(self, records: list[Recorded]) -> None:
        self._remember(records)
        batch = Batch(self.room, self.epoch, records[0].seq, tuple(records), self.told.state)
        for listener, _ in tuple(self._listeners):
            try:
                listener(batch)
            except Exception:
                log.exception("! room %s: a listener failed", self.room)

    def _answer(self, decided: _Decided) -> None:
        for pending, outcome in decided.outcomes:
            if pending.answer is None or pending.answer.done():
                continue
            if isinstance(outcome, Exception):
                pending.answer.set_exception(outcome)
            else:
                pending.answer.set_result(outcome)

    def _fail(self, decided: _Decided, error: DomainError) -> None:
        """Refuse the whole batch, the refused too: they were refused for a state that never was."""
        self._answer(_Decided([], [(pending, type(error)(str(error))) for pending, _ in decided.outcomes]))

    # --- when it is not known whether something was stored ---

    async def _make_certain(self, decided: _Decided) -> None:
        """Own the room anew, so that nothing of before can still arrive, and read what is there."""
        before = self.seq
        try:
            async with asyncio.timeout(APPEND_LIMIT_S):
                self.epoch = await self._journal.take_over(self.room, owned=self.epoch)
                await self._catch_up(tell=True)
        except NotOwner as error:
            self._fail(decided, error)
            raise
        except Exception as error:
            log.error("! room %s: still in doubt: %s", self.room, error)
            await asyncio.sleep(RETRY_S)
            return
        self._in_doubt = None
        self._tentative = copy.deepcopy(self.told)
        log.info("= room %s: certain again at %d, epoch %d", self.room, self.seq, self.epoch)
        if self.seq > before or not decided.records:
            self._answer(decided)
        else:
            self._fail(decided, NotStored("the journal did not answer; nothing was done"))

    async def _catch_up(self, tell: bool = False) -> bool:
        """Read and apply what the journal has and we have not. True: there was something."""
        before = self.seq
        while page := await self._journal.load(self.room, after=self.seq):
            if tell:
                self._tell(page)
            else:
                self._remember(page)
        return self.seq > before

    def _rest(self) -> None:
        """Let time alone write nothing for a while."""
        self._quiet_until = max(self._quiet_until, self.now() + RETRY_S)

    def _close(self, why: DomainError) -> None:
        if self._closed is not None:
            return
        self._closed = why
        self._wake.set()
        log.info("x room %s: %s", self.room, why)
        for _, on_closed in tuple(self._listeners):
            if on_closed is not None:
                on_closed(why)

    def _refuse_taken(self, error: Exception) -> None:
        self._answer(_Decided([], [(pending, error) for pending in self._taken]))

    def _refuse_waiting(self) -> None:
        assert self._closed is not None
        waiting = [(pending, 0) for pending in self._inbox]
        self._inbox.clear()
        self._fail(_Decided([], [*waiting]), self._closed)


def _itself(site: SiteId) -> Member:
    """The member that may say of this site that it is gone."""
    return Member(Role.CHAIR, HOST) if site == HOST else Member(Role.SITE, site)


def _name(by: Member) -> str:
    return by.name or by.site or by.role.value
