"""What devices report, each report once: its key is committed together with what it does.

Reports that wait are committed in one transaction. If one of them cannot be taken, all are rolled back and
each is tried alone, so that one bad report costs its own device and nobody else.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol

from msgspec import Struct
from sqlalchemy import delete, insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.news import AnyNews, DeviceTime, News
from kiosk_hub.ports import Denied
from kiosk_hub.services.batches import Batches
from kiosk_hub.store.tables import reports
from room_manager.errors import Busy, DomainError, InDoubt, NotStored
from room_manager.store.database import Database

AfterCommit = Callable[[], None]

Follower = Callable[[DeviceId, AnyNews], None]
"""Is told, after the commit, of news that somebody else handles."""

PASSING = (Busy, NotStored, InDoubt)
"""Not the report's fault: it is to be told again."""

log = logging.getLogger(__name__)


class Handler(Protocol):
    """Does what one kind of news asks for, in the transaction given. What may be told to others only once
    it is durable is given back, and called after the commit. May be called again for the same report if the
    transaction came to nothing, so it remembers nothing itself.

    A ``DomainError`` refuses the report for good: its key is kept and it does nothing.
    """

    def __call__(
        self, connection: AsyncConnection, device: DeviceId, at: DeviceTime, news: AnyNews, now: float
    ) -> Awaitable[AfterCommit | None]: ...


class Taken(Struct, frozen=True):
    """One report of one device."""

    device: DeviceId
    key: str
    at: DeviceTime
    news: AnyNews


class Reports:
    """Takes reports. Each kind of news has one handler; news without one is kept as heard and does
    nothing."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._handlers: dict[type[News], Handler] = {}
        self._followers: dict[type[News], list[Follower]] = {}
        self._batches: Batches[Taken, Denied | None] = Batches("reports", self._together)

    def start(self) -> None:
        self._batches.start()

    async def close(self) -> None:
        await self._batches.close()

    def handle(self, kind: type[News], handler: Handler) -> None:
        if kind in self._handlers:
            raise ValueError(f"{kind.__name__} has a handler")
        self._handlers[kind] = handler

    def follow(self, kind: type[News], follower: Follower) -> None:
        """Called on the loop for each report of this kind that was new, once it is durable."""
        self._followers.setdefault(kind, []).append(follower)

    def offer(
        self, device: DeviceId, key: str, at: DeviceTime, news: AnyNews
    ) -> "asyncio.Future[Denied | None]":
        """Done when it is durable; its result is why it was refused for good, or None. Fails with what
        :meth:`Database.write` raises: the device then tells it again."""
        return self._batches.put(Taken(device, key, at, news))

    async def take(self, device: DeviceId, key: str, at: DeviceTime, news: AnyNews) -> None:
        """Returns when it is durable; a report that was taken before changes nothing. Raises as above."""
        await self.offer(device, key, at, news)

    async def forget(self, before: float) -> None:
        """Keys heard earlier than this (seconds, UTC) are known no more."""
        async with self._database.write() as connection:
            await connection.execute(delete(reports).where(reports.c.heard_at < before))

    async def _together(self, taken: Sequence[Taken]) -> Sequence[Denied | Exception | None]:
        try:
            await self._commit(taken)
        except PASSING:
            raise
        except Exception:
            if len(taken) > 1:
                return [await self._alone(one) for one in taken]
            return [await self._alone(taken[0])]
        return [None] * len(taken)

    async def _alone(self, one: Taken) -> Denied | Exception | None:
        try:
            await self._commit([one])
        except PASSING as error:
            raise error
        except DomainError as refusal:
            log.warning("! device %s: %s refused: %s", one.device, type(one.news).__name__, refusal.code)
            await self._commit([one], handled=False)
            return Denied(refusal.code, str(refusal))
        except Exception as error:
            log.exception("! device %s: taking %s failed", one.device, type(one.news).__name__)
            return error
        return None

    async def _commit(self, taken: Sequence[Taken], handled: bool = True) -> None:
        now = self._clock()
        after: list[AfterCommit] = []
        async with self._database.write() as connection:
            named = tuple_(reports.c.device, reports.c.key)
            found = await connection.execute(
                select(reports.c.device, reports.c.key).where(named.in_([(t.device, t.key) for t in taken]))
            )
            known = {(row.device, row.key) for row in found}
            fresh: dict[tuple[str, str], Taken] = {}
            for one in taken:
                if (one.device, one.key) not in known:
                    fresh.setdefault((one.device, one.key), one)
            if fresh:
                await connection.execute(
                    insert(reports),
                    [{"device": device, "key": key, "heard_at": now} for device, key in fresh],
                )
            for one in fresh.values() if handled else ():
                handler = self._handlers.get(type(one.news))
                if handler is not None:
                    then = await handler(connection, one.device, one.at, one.news, now)
                    if then is not None:
                        after.append(then)
        for one in fresh.values() if handled else ():
            after += [partial(told, one.device, one.news) for told in self._followers.get(type(one.news), ())]
        for then in after:
            try:
                then()
            except Exception:
                log.exception("! what follows from a report failed")
