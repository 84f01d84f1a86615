"""Notices, from an incident's events to the other side's word that it has them.

A notice is written in the transaction of what it tells of, so there is none without its cause and no cause
without it. One task takes what is due, some at a time, at most two of one route, so that a mail server that
hangs holds up nobody else. What failed is tried again later and later, and given up in the end, where staff
see it.
"""

import asyncio
import logging
import random
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from kiosk_hub.fleet import incidents as rules
from kiosk_hub.fleet import letters
from kiosk_hub.fleet import notices as plans
from kiosk_hub.fleet.ids import IncidentId
from kiosk_hub.fleet.incident_book import Pace
from kiosk_hub.fleet.incident_words import IncidentRow
from kiosk_hub.fleet.incidents import AnyEvent
from kiosk_hub.fleet.notice import Notice
from kiosk_hub.fleet.notices import NoticeKind, NoticeSettings, NoticeState, Planned, Route
from kiosk_hub.fleet.permissions import Grant
from kiosk_hub.fleet.values import FleetRole, IncidentState, Level, Status
from kiosk_hub.services.channels import Channel, Refused, Undelivered
from kiosk_hub.services.incidents import Incidents
from kiosk_hub.services.notice_settings import NoticeBook
from kiosk_hub.services.registry import Registry
from kiosk_hub.store import notices as store
from room_manager.errors import DomainError
from room_manager.store.database import Database

AT_ONCE: Final = 8
AT_ONCE_PER_ROUTE: Final = 2
MAX_WAITING: Final = 5_000  # more are given up at once, which staff see
LOOK_EVERY_S: Final = 30.0
CLOSE_LIMIT_S: Final = 5.0
KEEP_S: Final = 90 * 86_400.0
DIGEST_LATE_S: Final = 12 * 3_600.0  # one that a stopped server missed is still worth sending for so long
EVERYTHING: Final = Grant(FleetRole.ADMINISTRATOR)
UNTAKEN_S: Final = 86_400.0  # an incident nobody took up for so long is in the digest

OUTCOMES: Final = ("delivered", "failed", "given_up")

log = logging.getLogger(__name__)


class Notifier:
    """The port ``Told`` of the incidents, and the outbox."""

    def __init__(
        self,
        database: Database,
        book: NoticeBook,
        channels: Mapping[str, Channel],
        clock: Callable[[], float],
        *,
        origin: str = "",
        draw: Callable[[], float] = random.random,
    ) -> None:
        """
        Args:
            channels: By the name that a route has for it: ``email``, ``webhook``.
            origin: What people type, for links: ``https://meet.example.gov.vn``.
            draw: From 0 to 1, for the jitter of retries.
        """
        self.book = book
        self._database = database
        self._channels = channels
        self._clock = clock
        self._origin = origin
        self._draw = draw
        self._wake = asyncio.Event()
        self._sending: dict[str, tuple[str, asyncio.Task[None]]] = {}  # by notice: its route, its task
        self._unkept: dict[str, Notice] = {}
        """What came of a try and is not written yet. None of them is tried again before it is: a disk that
        is full must not send one letter over and over."""
        self._task: asyncio.Task[None] | None = None
        self._digest_after = 0.0
        self.tries: Counter[str] = Counter()
        """What came of tries since the start, by ``OUTCOMES``."""
        self._incidents: Incidents | None = None
        self._registry: Registry | None = None

    def watch(self, incidents: Incidents, registry: Registry) -> None:
        """Of whom the digest speaks."""
        self._incidents = incidents
        self._registry = registry

    # --- opening and closing ---

    async def start(self) -> None:
        await self.load()
        self._task = asyncio.create_task(self._run(), name="send notices")

    async def load(self) -> None:
        await self.book.load()
        async with self._database.read() as connection:
            self._digest_after = await store.setting(connection, "digest-told", float, 0.0)
        if not self._digest_after:
            self._digest_after = self._clock()

    async def close(self) -> None:
        """What is on its way gets some seconds to be told that it arrived; the rest waits for the next
        start."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        tasks = [task for _, task in self._sending.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_LIMIT_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            await self._keep()
        except DomainError as error:
            log.error("! %d notices may go out twice: %s", len(self._unkept), error)

    # --- telling (Told) ---

    async def tell(
        self,
        connection: AsyncConnection,
        events: Sequence[tuple[IncidentId, AnyEvent]],
        row_of: Callable[[IncidentId], IncidentRow],
        now: float,
    ) -> None:
        settings = self.book.settings
        kinds = plans.kinds_of(events)
        over = {name for name, event in events if isinstance(event, rules.Closed | rules.FoldedInto)}
        new: list[Notice] = []
        for name in {**kinds, **dict.fromkeys(over)}:
            row = row_of(name)
            told: set[tuple[str, str]] | None = None
            if name in over and row.state in (IncidentState.CLOSED, IncidentState.FOLDED):
                told = await self._drop_held(connection, name, now)
            for planned in plans.plan(kinds.get(name, ()), row, row.flapped, settings, now):
                new.extend(
                    notice
                    for notice in self._notices(planned, row, now)
                    if planned.kind is not NoticeKind.CLOSED or (notice.route, notice.to) in (told or ())
                )
        await self._add(connection, new)

    def done(self) -> None:
        self._wake.set()

    def pace(self, pace: Pace) -> Pace:
        settings = self.book.settings
        return replace(
            pace,
            escalate_critical_s=60.0 * settings.escalate_critical_minutes or None,
            escalate_major_s=60.0 * settings.escalate_major_minutes or None,
        )

    async def _drop_held(
        self, connection: AsyncConnection, name: IncidentId, now: float
    ) -> set[tuple[str, str]]:
        """What waits for the morning is not true any more; gives who has been told, or is being told."""
        told: set[tuple[str, str]] = set()
        for notice in await store.of_incident(connection, name):
            held = notice.state is NoticeState.WAITING and notice.attempts == 0 and notice.due_at > now
            if held:
                await store.put(connection, replace(notice, state=NoticeState.DROPPED, done_at=now))
            elif notice.state in (NoticeState.WAITING, NoticeState.SENT):
                told.add((notice.route, notice.to))
        return told

    def _notices(self, planned: Planned, row: IncidentRow, now: float) -> list[Notice]:
        route = planned.route
        row = replace(row, closed_note="")  # what a person wrote stays on the board
        link = self._link(f"/incidents/{row.id}")
        letter = letters.of_incident(planned.kind, row, route.language, link, now)
        return [
            _notice(planned.kind, route, to, letter, row, now, planned.due_at) for to in recipients(route)
        ]

    async def _add(self, connection: AsyncConnection, new: list[Notice]) -> None:
        if not new:
            return
        free = MAX_WAITING - await store.waiting(connection)
        given_up = [
            replace(
                one,
                state=NoticeState.DEAD,
                code="outbox-full",
                error="too many notices wait",
                done_at=one.created_at,
            )
            for one in new[max(free, 0) :]
        ]
        if given_up:
            log.error("! %d notices given up: %d wait already", len(given_up), MAX_WAITING)
        await store.add(connection, [*new[: max(free, 0)], *given_up])

    def _link(self, path: str) -> str:
        return f"{self._origin}/fleet{path}" if self._origin else ""

    # --- sending ---

    async def deliver(self) -> None:
        """Try everything that is due now, and wait for what comes of it."""
        while await self._begin_due():
            await asyncio.wait([task for _, task in self._sending.values()])

    async def _begin_due(self) -> int:
        """Start as many as may be; how many are on their way."""
        await self._keep()
        limit = AT_ONCE * 4
        while len(self._sending) < AT_ONCE:
            per_route = Counter(route for route, _ in self._sending.values())
            busy = [route for route, many in per_route.items() if many >= AT_ONCE_PER_ROUTE]
            async with self._database.read() as connection:
                found = await store.due(
                    connection, self._clock(), {*self._sending, *self._unkept}, busy, limit
                )
            for notice in found:
                if len(self._sending) < AT_ONCE and per_route[notice.route] < AT_ONCE_PER_ROUTE:
                    per_route[notice.route] += 1
                    task = asyncio.create_task(self._send(notice), name=f"notice {notice.id}")
                    self._sending[notice.id] = (notice.route, task)
            if len(found) < limit:
                break  # else all of it may have been of routes that are busy now: look past them
        return len(self._sending)

    async def _send(self, notice: Notice) -> None:
        try:
            after = self._unkept[notice.id] = await self._try(notice)
            async with self._database.write() as connection:
                await store.put(connection, after)
            del self._unkept[notice.id]
        except DomainError as error:
            log.error("! notice %s: what came of it cannot be kept: %s", notice.id, error)
        except Exception:
            log.exception("! notice %s", notice.id)
        finally:
            self._sending.pop(notice.id, None)
            self._wake.set()

    async def _keep(self) -> None:
        """Write what came of earlier tries. Raises what writing raises."""
        left = [one for name, one in self._unkept.items() if name not in self._sending]
        if not left:
            return
        async with self._database.write() as connection:
            for notice in left:
                await store.put(connection, notice)
        for notice in left:
            del self._unkept[notice.id]

    async def _try(self, notice: Notice) -> Notice:
        """The notice after one try."""
        route = self.book.route(notice.route)
        now = self._clock()
        if route is None or not route.on or notice.to not in recipients(route):
            return replace(notice, state=NoticeState.DROPPED, code="no-route", done_at=now)
        attempts = notice.attempts + 1
        try:
            await self._channels[route.channel].send(notice, route, self.book.secret(route.id))
        except Refused as error:
            log.warning("! notice %s: refused for good: %s", notice.id, error.code)
            return self._failed(notice, attempts, error, None)
        except Exception as error:
            if not isinstance(error, Undelivered):
                log.exception("! notice %s", notice.id)
                error = Undelivered("internal", "something went wrong on our side")
            again_at = plans.retry_at(attempts, self._clock(), self._draw())
            log.warning("- notice %s: not delivered (%s), try %d", notice.id, error.code, attempts)
            return self._failed(notice, attempts, error, again_at)
        log.info("> notice %s: %s by %s", notice.id, notice.kind, route.channel)
        self.tries["delivered"] += 1
        return replace(
            notice, state=NoticeState.SENT, attempts=attempts, done_at=self._clock(), code="", error=""
        )

    def _failed(self, notice: Notice, attempts: int, error: Undelivered, again_at: float | None) -> Notice:
        self.tries["failed" if again_at is not None else "given_up"] += 1
        return replace(
            notice,
            state=NoticeState.DEAD if again_at is None else NoticeState.WAITING,
            attempts=attempts,
            due_at=notice.due_at if again_at is None else again_at,
            done_at=self._clock() if again_at is None else None,
            code=error.code,
            error=str(error),
        )

    async def try_route(self, route: Route) -> list[tuple[str, str, str]]:
        """A test letter to each recipient, now.

        Returns:
            For each: who, and code and words of the failure, empty if it arrived.
        """
        letter = letters.test(route.language, self._link("/incidents"))
        results = []
        for to in recipients(route):
            notice = _notice(NoticeKind.TEST, route, to, letter, None, self._clock(), self._clock())
            try:
                await self._channels[route.channel].send(notice, route, self.book.secret(route.id))
                results.append((to, "", ""))
            except Undelivered as error:
                results.append((to, error.code, str(error)))
        return results

    # --- the digest ---

    async def digest(self) -> None:
        """Once a day: what has long been silent, and what nobody has taken up."""
        now, settings = self._clock(), self.book.settings
        due_at = plans.last_digest(settings, now)
        if due_at <= self._digest_after:
            return
        new: list[Notice] = []
        if now - due_at <= DIGEST_LATE_S:
            new = [notice for route in settings.routes for notice in self._digest_for(route, settings, now)]
        async with self._database.write() as connection:
            await self._add(connection, new)
            await store.set_setting(connection, "digest-told", now)
            await store.prune(connection, now - KEEP_S)
        self._digest_after = now

    def _digest_for(self, route: Route, settings: NoticeSettings, now: float) -> list[Notice]:
        if not (route.on and route.digest):
            return []

        def here(district: str) -> bool:
            return not route.districts or district in route.districts

        if self._incidents is None or self._registry is None:
            return []
        before = now - settings.silent_days * 86_400
        silent = []
        for device, known in self._registry.all():
            heard_at = known.health.heard_at
            if known.verdict.status is Status.OFFLINE and heard_at is not None and heard_at <= before:
                spot = self._incidents.spot(device)
                if here(spot.district):
                    place = self._incidents.label(replace(spot, level=Level.BUILDING)).vi
                    silent.append(letters.Silent(device.name, place, heard_at))
        untaken = [
            row
            for row in self._incidents.open_rows(EVERYTHING)
            if row.state is IncidentState.OPEN and here(row.district) and now - row.opened_at >= UNTAKEN_S
        ]
        letter = letters.digest(silent, untaken, route.language, self._link(""), now)
        if letter is None:
            return []
        return [_notice(NoticeKind.DIGEST, route, to, letter, None, now, now) for to in recipients(route)]

    # --- the task ---

    async def _run(self) -> None:
        while True:
            wait_s = LOOK_EVERY_S
            try:
                self._wake.clear()
                await self.digest()
                await self._begin_due()
                wait_s = await self._next_s()
            except DomainError as error:
                log.error("! notices cannot be read or kept now: %s", error)
            except Exception:
                log.exception("! sending notices failed; soon again")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait_s)

    async def _next_s(self) -> float:
        now = self._clock()
        async with self._database.read() as connection:
            due_at = await store.next_due(connection, now)
        return LOOK_EVERY_S if due_at is None else min(max(due_at - now, 0.1), LOOK_EVERY_S)


def recipients(route: Route) -> tuple[str, ...]:
    """Each is told by a notice of its own, with its own retries."""
    if route.channel == "email":
        return route.addresses
    return (route.url.partition("//")[2].partition("/")[0],)


def _notice(
    kind: NoticeKind,
    route: Route,
    to: str,
    letter: letters.Letter,
    row: IncidentRow | None,
    now: float,
    due_at: float,
) -> Notice:
    return Notice(
        id=f"nt-{secrets.token_hex(10)}",
        kind=kind,
        state=NoticeState.WAITING,
        route=route.id,
        route_name=route.name,
        channel=route.channel,
        to=to,
        letter=letter,
        row=row,
        created_at=now,
        due_at=due_at,
    )
