"""The audit in SQL: append-only, each entry chained to the one before it by its hash.

An entry is written in the transaction of what it tells, so there is no deed without its entry and no
entry without its deed. The hash is SHA-256 over the hash before and the entry's own JSON. The database
itself refuses to change or delete an entry (triggers of the migration); who has the file can of course do
anything to it, and :mod:`kiosk_hub.store.chain` finds it.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from kiosk_hub.store.tables import audit

GENESIS: Final = bytes(32)
"""Stands before the first entry."""
_LOCK: Final = 0x61756469  # any number that is only ours


class Entry(Struct, frozen=True, omit_defaults=True):
    """One deed. ``values`` are small and name no resident."""

    action: str  # "bind-device", "look-at-screenshot": an imperative, stable
    account: str = ""  # who; empty: the server itself
    device: str | None = None
    address: str = ""  # from where
    result: str = "done"  # or the code of the refusal
    values: dict[str, str | int | float | bool | None] = {}


class Written(Struct, frozen=True):
    """What is hashed."""

    seq: int
    at: float
    entry: Entry


_encoder: Final = msgspec.json.Encoder(order="deterministic")


def link(before: bytes, written: bytes) -> bytes:
    """The hash of an entry whose JSON is ``written`` and whose predecessor's hash is ``before``."""
    return hashlib.sha256(before + written).digest()


async def append(connection: AsyncConnection, entry: Entry, at: float) -> int:
    """Write the entry in the caller's (writing) transaction, and give its number."""
    return await append_all(connection, (entry,), at)


async def append_all(connection: AsyncConnection, entries: Sequence[Entry], at: float) -> int:
    """Write them, in this order, in the caller's (writing) transaction, and give the last one's number."""
    if connection.dialect.name == "postgresql":
        # Two transactions may not both follow the same entry. (SQLite has one writer at a time.)
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    seq, before = await head(connection)
    rows: list[dict[str, Any]] = []
    for entry in entries:
        seq += 1
        body = _encoder.encode(Written(seq, at, entry))
        before = link(before, body)
        rows.append(
            {
                "seq": seq,
                "at": at,
                "account": entry.account,
                "action": entry.action,
                "device": entry.device,
                "body": body,
                "hash": before,
            }
        )
    if rows:
        await connection.execute(insert(audit), rows)
    return seq


async def head(connection: AsyncConnection) -> tuple[int, bytes]:
    """Number and hash of the last entry; 0 and :data:`GENESIS` before the first."""
    last = (
        await connection.execute(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1))
    ).one_or_none()
    return (last.seq, last.hash) if last is not None else (0, GENESIS)
