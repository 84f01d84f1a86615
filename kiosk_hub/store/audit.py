"""The audit in SQL: append-only, each entry chained to the one before it by its hash.

An entry is written in the transaction of what it tells, so there is no deed without its entry and no entry
without
its deed. The hash is SHA-256 over the hash before and the entry's own JSON.
"""

import hashlib
from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from kiosk_hub.store.tables import audit

GENESIS: Final = bytes(32)
"""Stands before the first entry."""


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
    last = (
        await connection.execute(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1))
    ).one_or_none()
    seq, before = (last.seq + 1, last.hash) if last is not None else (1, GENESIS)
    body = _encoder.encode(Written(seq, at, entry))
    await connection.execute(
        insert(audit).values(
            seq=seq,
            at=at,
            account=entry.account,
            action=entry.action,
            device=entry.device,
            body=body,
            hash=link(before, body),
        )
    )
    return seq
