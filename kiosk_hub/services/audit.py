"""The audit for whoever may read it: pages, complete exports, and a look at whether it is what was written.

The chain is looked through in pieces while nobody waits: all of it when the server starts and each day,
what is new each hour, and at any time by ``diemcau audit verify``. The head is written to the log once a
day: a head outside of the database is what shows that the end was cut off.
"""

import asyncio
import itertools
import logging
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import IO, Any, ClassVar, Final

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnClause, ColumnElement, column, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from kiosk_hub.fleet.permissions import Staff
from kiosk_hub.ports import Feed
from kiosk_hub.services.audit_files import FORMATS, Format
from kiosk_hub.store import audit as store
from kiosk_hub.store.audit import Entry, Written
from kiosk_hub.store.chain import Fault, Head, Row, Verifier
from kiosk_hub.store.tables import audit
from room_manager.errors import DomainError, Limit, NotStored
from room_manager.store.database import Database

PAGE_MAX: Final = 200
EXPORT_PAGE: Final = 1_000
EXPORT_MAX: Final = 500_000
VERIFY_PAGE: Final = 500
VERIFY_PAUSE_S: Final = 0.05  # between two pieces: the server has better things to do
LOOKED_AT_ONCE: Final = 5_000  # entries that a question for the state waits for
VERIFY_EVERY_S: Final = 3_600.0
WHOLE_EACH: Final = 24  # times: from the first entry on
HEAD_EVERY_S: Final = 86_400.0
REFUSALS_PER_MINUTE: Final = 10  # of one account; the rest is counted in its next entry
REFUSED_ACCOUNTS: Final = 1_000
SPOOL_BYTES: Final = 1 << 20

log = logging.getLogger(__name__)
_decoder: Final = msgspec.json.Decoder(Written)
_RAW: Final[tuple[ColumnClause[Any], ...]] = tuple(column(each.name) for each in audit.c)
"""Its columns without their types: what is in them may be anything."""


class TooManyEntries(Limit):
    """More than one export may hold; narrow it down."""

    code: ClassVar[str] = "too-many-entries"


class Wanted(Struct, frozen=True):
    """Which entries. Empty or None: any. Times are seconds, UTC."""

    account: str = ""
    action: str = ""
    device: str = ""
    since: float | None = None
    until: float | None = None

    @property
    def is_all(self) -> bool:
        return self == Wanted()


class Kept(Struct, frozen=True):
    """One entry as it is in the table. ``text``: the exact JSON that was hashed."""

    written: Written
    text: str
    hash: bytes


class Verified(Struct, frozen=True):
    """How far the chain has been looked through, when (seconds, UTC), and what was wrong."""

    head: Head
    verified_to: int
    verified_at: float | None
    fault: Fault | None


class Audit:
    """Owns the task that looks through the chain."""

    def __init__(self, database: Database, feed: Feed, clock: Callable[[], float]) -> None:
        self._database = database
        self._feed = feed
        self._clock = clock
        self._verifier = Verifier()
        self._looking = asyncio.Lock()
        self._verified_at: float | None = None
        self._head_told_at: float | None = None
        self._refused: dict[str, list[float]] = {}
        self._unsaid: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._look_through(), name="look through the audit")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    # --- writing ---

    async def note(self, entry: Entry) -> None:
        """A deed that changes nothing else: that something was read. Returns when it is durable."""
        async with self._database.write() as connection:
            await store.append(connection, entry, self._clock())
        self._feed.audit_changed()

    async def note_refused(self, staff: Staff, what: str, code: str, device: str | None = None) -> None:
        """Somebody tried what they may not. So many a minute; what is left out is counted in the next."""
        now = self._clock()
        times = [at for at in self._refused.get(staff.account, ()) if at > now - 60]
        if len(times) >= REFUSALS_PER_MINUTE:
            self._unsaid[staff.account] = self._unsaid.get(staff.account, 0) + 1
            return
        if len(self._refused) >= REFUSED_ACCOUNTS:
            self._refused.pop(next(iter(self._refused)))
        self._refused[staff.account] = [*times, now]
        values: dict[str, str | int | float | bool | None] = {"what": what}
        left_out = self._unsaid.pop(staff.account, 0)
        if left_out:
            values["left_out"] = left_out
        await self.note(
            Entry(
                action="refuse",
                account=staff.account,
                device=device,
                address=staff.address,
                result=code,
                values=values,
            )
        )

    # --- reading ---

    async def page(self, wanted: Wanted, before: int | None, limit: int) -> list[Kept]:
        """The newest first; ``before``: only entries with a lower number."""
        query = select(*_RAW).select_from(audit).where(*_where(wanted))
        query = query.order_by(audit.c.seq.desc()).limit(min(limit, PAGE_MAX))
        if before is not None:
            query = query.where(audit.c.seq < before)
        async with self._database.read() as connection:
            rows = await connection.execute(query)
            return [_kept(row.body, row.hash) for row in rows]

    async def actions(self) -> list[str]:
        """Every action there is an entry of."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(audit.c.action).distinct().order_by(audit.c.action))
            return [row.action for row in rows]

    async def export(self, staff: Staff, wanted: Wanted, format: Format) -> AsyncIterator[bytes]:
        """A file with all entries that are wanted, the oldest first. It is there in full before its first
        byte is given: it is complete, or refused. That it was asked for is in the audit (and in the file).

        Raises ``TooManyEntries``, and what the database raises.
        """
        note: dict[str, str | int | float | bool | None] = {"format": format}
        for name in ("account", "action", "device", "since", "until"):
            value = getattr(wanted, name)
            if value not in ("", None):
                note[name] = value
        await self.note(
            Entry(action="export-audit", account=staff.account, address=staff.address, values=note)
        )
        file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115 (given away)
        try:
            await self._write(file, wanted, format)
        except BaseException as error:
            file.close()
            if isinstance(error, OSError):
                raise NotStored("no space is left for the file") from error
            raise
        return _read_out(file)

    async def _write(self, file: IO[bytes], wanted: Wanted, format: Format) -> None:
        writer = FORMATS[format]
        async with self._database.read() as connection:
            many = await connection.scalar(select(func.count()).select_from(audit).where(*_where(wanted)))
            if (many or 0) > EXPORT_MAX:
                raise TooManyEntries(f"{many} entries; at most {EXPORT_MAX} in one file: narrow it down")
            head = Head(*await store.head(connection))
            file.write(writer.begin())
            seq, first = 0, True
            while True:
                rows = (
                    await connection.execute(
                        select(*_RAW)
                        .select_from(audit)
                        .where(audit.c.seq > seq, *_where(wanted))
                        .order_by(audit.c.seq)
                        .limit(EXPORT_PAGE)
                    )
                ).all()
                if not rows:
                    break
                pieces = []
                for row in rows:
                    kept = _kept(row.body, row.hash)
                    pieces.append(writer.entry(kept.written, kept.text, kept.hash, first))
                    first = False
                file.write(b"".join(pieces))
                seq = rows[-1].seq
                await asyncio.sleep(0)
            file.write(writer.end(str(head), many or 0, wanted.is_all))
        file.seek(0)

    # --- is it what was written? ---

    async def state(self) -> Verified:
        """As of now: what is new since the last look is looked through, if it is not much."""
        async with self._database.read() as connection:
            seq, _ = await store.head(connection)
        if seq - self._verifier.head.seq <= LOOKED_AT_ONCE and not self._looking.locked():
            await self._go_on(0.0)
        async with self._database.read() as connection:
            head = Head(*await store.head(connection))
        return Verified(head, self._verifier.head.seq, self._verified_at, self._verifier.fault)

    async def verify(self) -> Verified:
        """Look through all of it, from the first entry on, and say how it is."""
        async with self._looking:
            verifier = Verifier()
            await self._feed_all(verifier, 0.0)
            self._verifier, self._verified_at = verifier, self._clock()
        self._feed.audit_changed()
        return await self.state()

    async def _look_through(self) -> None:
        for times in itertools.count():
            try:
                if times and times % WHOLE_EACH == 0:
                    await self.verify()
                await self._go_on(VERIFY_PAUSE_S)
                self._tell_head()
            except DomainError as error:
                log.warning("- audit: not looked through: %s", error)
            except Exception:  # a file that is damaged is what this is here to find: it must not end it
                log.exception("! audit: not looked through; next time again")
            await asyncio.sleep(VERIFY_EVERY_S)

    async def _go_on(self, pause_s: float) -> None:
        """From where it was looked at last."""
        async with self._looking:
            await self._feed_all(self._verifier, pause_s)
            self._verified_at = self._clock()

    async def _feed_all(self, verifier: Verifier, pause_s: float) -> None:
        while verifier.fault is None:
            async with self._database.read() as connection:
                rows = await rows_after(connection, verifier.head.seq)
            for row in rows:
                if not verifier.feed(row):
                    assert verifier.fault is not None
                    log.error("! audit: entry %d: %s", verifier.fault.seq, verifier.fault.code)
                    return
            if len(rows) < VERIFY_PAGE:
                return
            await asyncio.sleep(pause_s)

    def _tell_head(self) -> None:
        now = self._clock()
        if self._head_told_at is None or now >= self._head_told_at + HEAD_EVERY_S:
            self._head_told_at = now
            log.info("= audit: head %s", self._verifier.head)


async def rows_after(connection: AsyncConnection, seq: int) -> list[Row]:
    """As the table has them: nothing is taken for granted."""
    rows = await connection.execute(
        select(*_RAW).select_from(audit).where(audit.c.seq > seq).order_by(audit.c.seq).limit(VERIFY_PAGE)
    )
    return [Row(r.seq, r.at, r.account, r.action, r.device, r.body, r.hash) for r in rows]


def _where(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.account:
        found.append(audit.c.account == wanted.account)
    if wanted.action:
        found.append(audit.c.action == wanted.action)
    if wanted.device:
        found.append(audit.c.device == wanted.device)
    if wanted.since is not None:
        found.append(audit.c.at >= wanted.since)
    if wanted.until is not None:
        found.append(audit.c.at < wanted.until)
    return found


def _kept(body: bytes, hash: bytes) -> Kept:
    try:
        written = _decoder.decode(body)
    except (msgspec.DecodeError, TypeError):
        # Somebody has been at the file; what can be shown is that.
        return Kept(Written(0, 0.0, Entry(action="unreadable")), "", b"")
    return Kept(written, body.decode(), bytes(hash))


async def _read_out(file: IO[bytes]) -> AsyncIterator[bytes]:
    try:
        while piece := file.read(1 << 16):
            yield piece
            await asyncio.sleep(0)
    finally:
        file.close()
