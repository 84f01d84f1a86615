"""The journal in SQL, with group commit.

One task writes. It takes everything that waits, checks each append against the head of its room inside
the transaction, and commits all that may be written at once: while one commit is being synced the next
batch gathers, so no time is spent waiting for company. An append of an owner that was replaced is
refused without harming its neighbours in the batch. The transaction runs in a thread of its own, which
costs a fifth of what the asynchronous driver does with a hop for every step of every statement.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import DBAPIError

from room_manager.errors import Busy, InDoubt, NotOwner, NotStored
from room_manager.ids import RoomId
from room_manager.meeting.events import AnyEvent
from room_manager.meeting.values import kebab
from room_manager.store.database import Database
from room_manager.store.journal import LOAD_PAGE, Gap, Recorded, UnknownMeeting, check_consecutive
from room_manager.store.tables import events, meetings

MAX_WAITING: Final = 4_096  # appends; beyond it they are refused as busy
MAX_BATCH_EVENTS: Final = 4_096  # in one transaction
CLOSE_LIMIT_S: Final = 10.0

_INSERT: Final = insert(events)
_MOVE_HEAD: Final = (
    update(meetings)
    .where(meetings.c.id == bindparam("room"), meetings.c.epoch == bindparam("owner"))
    .values(seq=bindparam("last"))
)
_decoder: Final = msgspec.json.Decoder(AnyEvent)
_encoder: Final = msgspec.json.Encoder()

T = TypeVar("T")

log = logging.getLogger(__name__)


class _Append(Struct):
    """One append that waits for its commit."""

    room: RoomId
    epoch: int
    first: int
    last: int
    rows: list[dict[str, Any]]
    done: asyncio.Future[None]


class Head(Struct):
    """The owner of a room and the number of its last event, as the database has them."""

    epoch: int
    seq: int


class SqlJournal:
    """A :class:`~room_manager.store.journal.Journal` on a :class:`Database` it does not own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: asyncio.Queue[_Append | None] = asyncio.Queue(MAX_WAITING)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._connection: Connection | None = None  # touched in the thread only
        self._writer: asyncio.Task[None] | None = None
        self._closing = False
        self._failing = False
        self.commits = 0  # that stored something, since the start

    async def start(self) -> None:
        """Take a connection of its own, and write."""
        await self._in_thread(self._connect)
        self._writer = asyncio.create_task(self._write_all(), name="journal")

    async def close(self) -> None:
        """Write what waits, then end. Idempotent."""
        if self._closing:
            return
        self._closing = True
        try:
            async with asyncio.timeout(CLOSE_LIMIT_S):
                if self._writer is not None:
                    await self._waiting.put(None)
                    await self._writer
                    await self._in_thread(self._disconnect)
        except TimeoutError:
            log.error("! journal: still writing after %.0f s", CLOSE_LIMIT_S)
        finally:
            self._refuse_waiting()
            self._thread.shutdown(wait=False)

    async def take_over(self, room: RoomId, owned: int | None = None) -> int:
        raise_epoch = (
            update(meetings)
            .where(meetings.c.id == room)
            .values(epoch=meetings.c.epoch + 1)
            .returning(meetings.c.epoch)
        )
        if owned is not None:
            raise_epoch = raise_epoch.where(meetings.c.epoch == owned)
        async with self._database.write() as connection:
            epoch: int | None = await connection.scalar(raise_epoch)
            if epoch is None and await connection.scalar(select(meetings.c.id).where(meetings.c.id == room)):
                raise NotOwner("another server owns this room now")
        if epoch is None:
            raise UnknownMeeting("there is no such meeting")
        return epoch

    async def append(self, room: RoomId, epoch: int, records: Sequence[Recorded]) -> None:
        if not records:
            return
        check_consecutive(records)
        if self._closing or self._writer is None:
            raise NotStored("the journal is closed")
        entry = _Append(
            room=room,
            epoch=epoch,
            first=records[0].seq,
            last=records[-1].seq,
            rows=[_row(room, epoch, record) for record in records],
            done=asyncio.get_running_loop().create_future(),
        )
        try:
            self._waiting.put_nowait(entry)
        except asyncio.QueueFull:
            raise Busy("the journal is behind; try again shortly") from None
        await entry.done

    async def load(self, room: RoomId, after: int = 0, limit: int = LOAD_PAGE) -> list[Recorded]:
        page = (
            select(events.c.seq, events.c.at, events.c.by, events.c.body)
            .where(events.c.room == room, events.c.seq > after)
            .order_by(events.c.seq)
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(page)).all()
        return [Recorded(row.seq, row.at, row.by, _decoder.decode(row.body)) for row in rows]

    async def _write_all(self) -> None:
        while (entry := await self._waiting.get()) is not None:
            batch = [entry]
            size = len(entry.rows)
            last = False
            while size < MAX_BATCH_EVENTS and not self._waiting.empty():
                following = self._waiting.get_nowait()
                if following is None:
                    last = True
                    break
                batch.append(following)
                size += len(following.rows)
            await self._write(batch)
            if last:
                return

    async def _write(self, batch: list[_Append]) -> None:
        """Commit the batch and tell everyone in it what came of it. Never raises but when cancelled."""
        failure: Exception | None = None
        verdicts: list[Exception | None] = [None] * len(batch)
        try:
            verdicts = await self._store(batch)
            if self._failing:
                log.info("= journal: storing again")
            self._failing = False
        except DBAPIError as error:
            if not self._failing:
                log.error("! journal: nothing can be stored: %s", error.orig)
            self._failing = True
            if error.connection_invalidated:
                failure = InDoubt("the connection broke while this was being stored")
            else:
                failure = NotStored("no space is left, or the disk fails; nothing was done")
        except Exception as error:
            log.exception("! journal: %d appends are in doubt", len(batch))
            failure = InDoubt("it is not known whether this was stored")
            failure.__cause__ = error
        except asyncio.CancelledError:
            failure = InDoubt("the server was closed while this was being stored")
            raise
        finally:
            for entry, verdict in zip(batch, verdicts, strict=True):
                _settle(entry.done, failure or verdict)

    async def _store(self, batch: list[_Append]) -> list[Exception | None]:
        """One transaction. Returns what speaks against each append; the others are durable."""
        async with self._database.writing():
            return await self._in_thread(lambda: self._transact(batch))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _connect(self) -> None:
        self._connection = self._database.threaded()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _transact(self, batch: list[_Append]) -> list[Exception | None]:
        if self._connection is None or self._connection.invalidated:
            self._disconnect()
            self._connect()
        assert self._connection is not None
        rooms = sorted({entry.room for entry in batch})
        look = select(meetings.c.id, meetings.c.epoch, meetings.c.seq).where(meetings.c.id.in_(rooms))
        with self._connection.begin():
            rows = self._connection.execute(look.order_by(meetings.c.id).with_for_update())
            heads = {RoomId(row.id): Head(row.epoch, row.seq) for row in rows}
            verdicts = judge(batch, heads)
            accepted = [entry for entry, verdict in zip(batch, verdicts, strict=True) if verdict is None]
            if accepted:
                self._connection.execute(_INSERT, [row for entry in accepted for row in entry.rows])
                self._connection.execute(
                    _MOVE_HEAD,
                    [
                        {"room": room, "owner": heads[room].epoch, "last": heads[room].seq}
                        for room in sorted({entry.room for entry in accepted})
                    ],
                )
        if accepted:
            self.commits += 1
        return verdicts

    def _refuse_waiting(self) -> None:
        while not self._waiting.empty():
            entry = self._waiting.get_nowait()
            if entry is not None:
                _settle(entry.done, NotStored("the server is closing"))


def judge(batch: Iterable[_Append], heads: dict[RoomId, Head]) -> list[Exception | None]:
    """What speaks against each append, in order. Heads are moved past those that may be written."""
    verdicts: list[Exception | None] = []
    for entry in batch:
        head = heads.get(entry.room)
        if head is None:
            verdicts.append(UnknownMeeting("there is no such meeting"))
        elif head.epoch != entry.epoch:
            verdicts.append(NotOwner("another server owns this room now"))
        elif entry.first != head.seq + 1:
            verdicts.append(Gap(f"event {entry.first} after {head.seq}"))
        else:
            head.seq = entry.last
            verdicts.append(None)
    return verdicts


def _row(room: RoomId, epoch: int, record: Recorded) -> dict[str, Any]:
    return {
        "room": room,
        "seq": record.seq,
        "epoch": epoch,
        "at": record.at,
        "by": record.by,
        "type": kebab(type(record.event).__name__),
        "body": _encoder.encode(record.event),
    }


def _settle(done: asyncio.Future[None], error: Exception | None) -> None:
    if done.done():
        return  # whoever asked has gone
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
