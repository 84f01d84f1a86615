"""What devices report, each report once: its key is committed together with what it does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.news import AnyNews, DeviceTime, News
from kiosk_hub.store.tables import reports
from room_manager.store.database import Database

AfterCommit = Callable[[], None]


class Handler(Protocol):
    """Does what one kind of news asks for, in the transaction given. What may be told to others only once
    it is
    durable is given back, and called after the commit."""

    def __call__(
        self, connection: AsyncConnection, device: DeviceId, at: DeviceTime, news: AnyNews, now: float
    ) -> Awaitable[AfterCommit | None]: ...


class Reports:
    """Takes reports. Each kind of news has one handler; news without one is kept as heard and does
    nothing."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._handlers: dict[type[News], Handler] = {}

    def handle(self, kind: type[News], handler: Handler) -> None:
        if kind in self._handlers:
            raise ValueError(f"{kind.__name__} has a handler")
        self._handlers[kind] = handler

    async def take(self, device: DeviceId, key: str, at: DeviceTime, news: AnyNews) -> None:
        """Returns when it is durable; a report that was taken before changes nothing.

        Raises what :meth:`Database.write` raises: the device then tells it again.
        """
        now = self._clock()
        after: AfterCommit | None = None
        async with self._database.write() as connection:
            known = await connection.execute(
                select(reports.c.key).where(reports.c.device == device, reports.c.key == key)
            )
            if known.one_or_none() is None:
                await connection.execute(insert(reports).values(device=device, key=key, heard_at=now))
                handler = self._handlers.get(type(news))
                if handler is not None:
                    after = await handler(connection, device, at, news, now)
        if after is not None:
            after()
        await asyncio.sleep(0)
