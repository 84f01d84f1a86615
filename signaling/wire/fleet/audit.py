"""The audit as the pages see it."""

from typing import Final

from msgspec import Struct


class AuditEntry(Struct, frozen=True):
    """One deed. ``at``: seconds, UTC."""

    seq: int
    at: float
    account: str  # empty: the server itself, or a device
    action: str
    device: str | None
    device_name: str
    address: str
    result: str  # "done", or the code of the refusal
    values: dict[str, str | int | float | bool | None]
    hash: str


class AuditAnswer(Struct, frozen=True):
    """The newest first. ``before``: ask for the next page with it; None: there is none."""

    entries: tuple[AuditEntry, ...]
    before: int | None


class AuditState(Struct, frozen=True):
    """Is it what was written? ``fault``: None where nothing is wrong."""

    count: int
    head: str  # to be kept elsewhere: ``diemcau audit verify --head``
    verified_to: int
    verified_at: float | None
    fault_seq: int | None
    fault: str | None  # its code


class AuditActions(Struct, frozen=True):
    """Every action there is an entry of, for the filter."""

    actions: tuple[str, ...]


TYPES: Final[tuple[type[Struct], ...]] = (AuditEntry, AuditAnswer, AuditState, AuditActions)
