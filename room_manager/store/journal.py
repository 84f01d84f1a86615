"""The port to a room's journal, and the words both sides share.

What is promised: an append has returned means its events survive the death of the process and of the
machine; events of a room have the numbers 1, 2, 3… without a gap; only the newest owner (*epoch*) can
append; an append that raises has stored nothing, unless it raises :class:`InDoubt`: then take the room
over again (so that nothing can follow) and read what is there.
"""

from collections.abc import Sequence
from typing import ClassVar, Final, Protocol

from msgspec import Struct

from room_manager.errors import DomainError
from room_manager.ids import RoomId
from room_manager.meeting.events import AnyEvent

LOAD_PAGE: Final = 2_000
MAX_APPEND: Final = 16_384  # events in one append


class UnknownMeeting(DomainError):
    """There is no such meeting."""

    code: ClassVar[str] = "unknown-meeting"


class Gap(Exception):
    """Our bug: the first number of an append does not follow the last one in the journal."""


class Recorded(Struct, frozen=True):
    """An event with its place in the room's history."""

    seq: int
    at: float  # seconds on the room's clock, UTC
    by: str  # who asked; empty: the server, because time passed
    event: AnyEvent


class Journal(Protocol):
    """Remembers what has happened in each room, in order, for good."""

    async def take_over(self, room: RoomId, owned: int | None = None) -> int:
        """The new epoch: whoever owned the room before can append no more.

        ``owned``: only if this is still the newest epoch, so that an owner in doubt cannot take the room
        back from the one that replaced it. Raises ``UnknownMeeting``, ``NotOwner``.
        """

    async def append(self, room: RoomId, epoch: int, records: Sequence[Recorded]) -> None:
        """All of these are durable, or none is. One append of a room is under way at a time.

        Raises ``NotStored`` (no space, input/output error), ``NotOwner``, ``Busy``, ``UnknownMeeting``,
        or ``InDoubt``.
        """

    async def load(self, room: RoomId, after: int = 0, limit: int = LOAD_PAGE) -> list[Recorded]:
        """Up to ``limit`` events that follow number ``after``, oldest first; empty: there are no more."""


def check_consecutive(records: Sequence[Recorded]) -> None:
    """Raise ``Gap`` unless the numbers follow one another, and ``ValueError`` for too many at once."""
    if len(records) > MAX_APPEND:
        raise ValueError(f"{len(records)} events in one append, at most {MAX_APPEND}")
    first = records[0].seq
    for place, record in enumerate(records):
        if record.seq != first + place:
            raise Gap(f"event {record.seq} stands where {first + place} should")
