"""Is the audit what was written? Finds the first entry that was changed, removed, added or moved.

A chain alone cannot tell that its *end* was cut off, or that all of it was written anew: whoever wants to
know that keeps a head (number and hash) somewhere else and gives it.
"""

import re
from typing import Final

import msgspec
from msgspec import Struct

from kiosk_hub.store.audit import GENESIS, Written, link

_HEAD: Final = re.compile(r"^([0-9]{1,15}):([0-9a-f]{64})$")
_decoder: Final = msgspec.json.Decoder(Written)


class Head(Struct, frozen=True):
    """How long the chain is, and the hash of its last entry."""

    seq: int = 0
    hash: bytes = GENESIS

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash.hex()}"


def head_from(text: str) -> Head | None:
    """``123:<64 hexadecimal digits>``; None: that is no head."""
    found = _HEAD.match(text.strip().lower())
    return None if found is None else Head(int(found[1]), bytes.fromhex(found[2]))


class Row(Struct, frozen=True):
    """One row of the table, as it is; of any type, for whoever had the file may have put anything there."""

    seq: object
    at: object
    account: object
    action: object
    device: object
    body: object
    hash: object


class Fault(Struct, frozen=True):
    """Where the chain does not hold, and how: a stable code and a sentence."""

    seq: int
    code: str  # "missing", "changed", "columns", "cut-off", "rewritten"
    text: str


class Verifier:
    """Is fed row after row, in the order of ``seq``. After a fault it stays with it."""

    def __init__(self, start: Head | None = None, known: Head | None = None) -> None:
        self.head = start if start is not None else Head()
        self.fault: Fault | None = None
        self._known = known

    def feed(self, row: Row) -> bool:
        """False: here is a fault."""
        if self.fault is None:
            self.fault = self._look(row)
        return self.fault is None

    def end(self) -> Fault | None:
        """All rows have been fed."""
        known = self._known
        if self.fault is None and known is not None and known.seq > self.head.seq:
            self.fault = Fault(
                self.head.seq + 1,
                "cut-off",
                f"entries {self.head.seq + 1} to {known.seq} are missing at the end",
            )
        return self.fault

    def _look(self, row: Row) -> Fault | None:
        expected = self.head.seq + 1
        if row.seq != expected or not isinstance(row.seq, int):
            return Fault(expected, "missing", f"entry {expected} is missing; next comes {row.seq!r}")
        if not isinstance(row.body, bytes) or not isinstance(row.hash, bytes):
            return Fault(expected, "changed", f"entry {expected} is not what was written")
        if link(self.head.hash, row.body) != row.hash:
            return Fault(
                expected, "changed", f"entry {expected} was changed, or one before it removed or moved"
            )
        try:
            written = _decoder.decode(row.body)
        except msgspec.DecodeError:
            return Fault(expected, "changed", f"entry {expected} cannot be read")
        entry = written.entry
        told = (written.seq, written.at, entry.account, entry.action, entry.device)
        if told != (row.seq, row.at, row.account, row.action, row.device):
            return Fault(
                expected, "columns", f"a column of entry {expected} says something else than the entry"
            )
        known = self._known
        if known is not None and known.seq == expected and known.hash != row.hash:
            return Fault(
                expected, "rewritten", f"entry {expected} is not the one that the head given was made of"
            )
        self.head = Head(expected, row.hash)
        return None
