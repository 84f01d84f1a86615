"""What must reach the city: kept until it says ``stored``, each under a key of its own.

Nothing that ends an order is ever dropped. Counts of one hour are added up until they have been told once. Of
the lines for the log the oldest are dropped when there are too many, and how many is told in their place.
"""

import logging
import secrets
import sqlite3
from typing import Any, Final

import msgspec
from msgspec import Struct

from kiosk_client.store import Store
from signaling.wire.kiosk.words import (
    AnyNews,
    Began,
    DeviceTime,
    Done,
    Installing,
    KeyAnnounced,
    LogLine,
    Sessions,
)

MOST_LOG_LINES: Final = 500
LOG_LINES_LAST_S: Final = 30 * 86_400.0
RANK_NEVER_DROPPED: Final = 0
RANK_COUNTS: Final = 1
RANK_LOG: Final = 2
DROPPED: Final = "log-dropped"
FINAL_STEPS: Final = frozenset({"installed", "failed", "returned"})
MOST_COUNTED: Final = 100_000


class Waiting(Struct, frozen=True):
    """One report, as it is told."""

    seq: int
    key: str
    rank: int
    merged: bool  # must be sealed before it is told
    at: DeviceTime
    news: AnyNews
    evidence: str | None


log = logging.getLogger(__name__)

_news_decoder: Final = msgspec.json.Decoder(AnyNews)
_time_decoder: Final = msgspec.json.Decoder(DeviceTime)


class Outbox:
    """The table. Methods that write raise NotKept and have then done nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._unread: frozenset[int] = frozenset()
        self.depth = self._count()

    def put(self, news: AnyNews, at: DeviceTime, city_now: float | None) -> None:
        """Durable when this returns."""
        with self._store.write() as connection:
            self.put_within(connection, news, at, city_now)
        self.depth = self._count()

    def put_within(
        self,
        connection: sqlite3.Connection,
        news: AnyNews,
        at: DeviceTime,
        city_now: float | None,
        evidence: str | None = None,
    ) -> None:
        """As :meth:`put`, in a transaction of the caller's; who calls :meth:`refresh` afterwards.

        Raises:
            msgspec.ValidationError: Something in it is too long or out of range: a bug of the caller's.
        """
        encoded = msgspec.json.encode(news)
        _news_decoder.decode(encoded)  # what the wire does not take must not be kept and told for ever
        rank, merge = _rank(news), _merge(news)
        if merge is not None and self._merge(connection, merge, news, at):
            return
        connection.execute(
            "INSERT INTO outbox (key, rank, merge, kept_at, at, news, evidence) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                secrets.token_urlsafe(16),
                rank,
                merge,
                city_now,
                msgspec.json.encode(at),
                encoded,
                evidence,
            ),
        )
        if rank == RANK_LOG:
            self._drop_old(connection, city_now)

    def refresh(self) -> None:
        self.depth = self._count()

    def pending(self, most: int, besides: frozenset[int] = frozenset()) -> list[Waiting]:
        """What to tell next: what ends orders first, then as it came; ``besides`` are on their way."""
        while True:
            passed_over = besides | self._unread
            rows = self._store.read(
                "SELECT seq, key, rank, merge IS NOT NULL AND NOT sealed, at, news, evidence FROM outbox"
                " ORDER BY rank, seq LIMIT ?",
                most + len(passed_over),
            )
            found = [_waiting(row) for row in rows if row[0] not in passed_over]
            known = [one for one in found if isinstance(one, Waiting)]
            if len(known) == len(found):
                return known[:most]
            # Newer software kept them, and gave way to this one: they wait for it, and hold up nobody.
            self._unread |= {one for one in found if not isinstance(one, Waiting)}
            log.error("! %d reports are not understood", len(self._unread))

    def seal(self, seqs: list[int]) -> None:
        """They are about to be told: what comes later gets a key of its own."""
        with self._store.write() as connection:
            connection.executemany("UPDATE outbox SET sealed = 1 WHERE seq = ?", [(seq,) for seq in seqs])

    def forget(self, keys: tuple[str, ...]) -> list[str]:
        """The city has them. Returns the files of evidence that are needed no more."""
        marks = ",".join("?" * len(keys))
        with self._store.write() as connection:
            files = connection.execute(
                f"DELETE FROM outbox WHERE key IN ({marks}) RETURNING evidence",  # noqa: S608 - only marks
                keys,
            ).fetchall()
        self.depth = self._count()
        return [name for (name,) in files if name is not None]

    def tell_dropped(self, at: DeviceTime, city_now: float | None) -> bool:
        """If lines were dropped, a line that says how many takes their place."""
        rows = self._store.read("SELECT value FROM counts WHERE name = ?", DROPPED)
        if not rows:
            return False
        line = LogLine(
            level="warning", code=DROPPED, text=f"Đã bỏ {rows[0][0]} dòng nhật ký cũ vì chờ gửi quá lâu"
        )
        with self._store.write() as connection:
            connection.execute("DELETE FROM counts WHERE name = ?", (DROPPED,))
            self.put_within(connection, line, at, city_now)
        self.depth = self._count()
        return True

    def _merge(self, connection: sqlite3.Connection, merge: str, news: AnyNews, at: DeviceTime) -> bool:
        found = connection.execute(
            "SELECT seq, news FROM outbox WHERE merge = ? AND NOT sealed ORDER BY seq DESC LIMIT 1", (merge,)
        ).fetchone()
        if found is None:
            return False
        seq, before = found
        if seq in self._unread:
            return False
        merged = _added(_news_decoder.decode(before), news)
        connection.execute(
            "UPDATE outbox SET news = ?, at = ? WHERE seq = ?",
            (msgspec.json.encode(merged), msgspec.json.encode(at), seq),
        )
        return True

    def _drop_old(self, connection: sqlite3.Connection, city_now: float | None) -> None:
        dropped = connection.execute(
            "DELETE FROM outbox WHERE rank = ? AND seq <= (SELECT seq FROM outbox WHERE rank = ?"
            " ORDER BY seq DESC LIMIT 1 OFFSET ?)",
            (RANK_LOG, RANK_LOG, MOST_LOG_LINES),
        ).rowcount
        if city_now is not None:
            dropped += connection.execute(
                "DELETE FROM outbox WHERE rank = ? AND kept_at < ?", (RANK_LOG, city_now - LOG_LINES_LAST_S)
            ).rowcount
        if dropped > 0:
            connection.execute(
                "INSERT INTO counts VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
                (DROPPED, dropped),
            )

    def _count(self) -> int:
        ((count,),) = self._store.read("SELECT count(*) FROM outbox")
        return int(count)


def _waiting(row: tuple[Any, ...]) -> Waiting | int:
    """The number of one that is not understood."""
    seq, key, rank, merged, at, news, evidence = row
    try:
        time, said = _time_decoder.decode(at), _news_decoder.decode(news)
    except msgspec.DecodeError:
        return int(seq)
    return Waiting(seq, key, rank, bool(merged), time, said, evidence)


def _rank(news: AnyNews) -> int:
    match news:
        case Began() | Done() | KeyAnnounced():
            return RANK_NEVER_DROPPED
        case Installing():
            return RANK_NEVER_DROPPED if news.step in FINAL_STEPS else RANK_COUNTS
        case Sessions():
            return RANK_COUNTS
        case LogLine(code=code):
            return RANK_COUNTS if code == DROPPED else RANK_LOG


def _merge(news: AnyNews) -> str | None:
    match news:
        case Sessions():
            return f"sessions {news.hour}"
        case Installing() if news.step not in FINAL_STEPS:
            return f"installing {news.rollout}"
        case _:
            return None


def _added(before: AnyNews, now: AnyNews) -> AnyNews:
    """Counts add up; of how far an install is, the newest word says all."""
    if not (isinstance(before, Sessions) and isinstance(now, Sessions)):
        return now
    counts = {
        name: min(MOST_COUNTED, getattr(before, name) + getattr(now, name))
        for name in Sessions.__struct_fields__
        if name != "hour"
    }
    return Sessions(hour=before.hour, **counts)
