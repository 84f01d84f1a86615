"""Screenshots and logs for whoever of the staff may look at them.

Whoever looks is in the audit *before* the first byte is given. What a file is, its first bytes say, never the
device. How files come in: :mod:`kiosk_hub.services.evidence_intake`.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from msgspec import Struct

from kiosk_hub.fleet.ids import CommandId, EvidenceId
from kiosk_hub.fleet.permissions import Action, Staff, check
from kiosk_hub.ports import Feed
from kiosk_hub.services.directory import Directory
from kiosk_hub.services.evidence_intake import Intake
from kiosk_hub.store import audit
from kiosk_hub.store import evidence as store
from kiosk_hub.store.evidence import Piece
from room_manager.errors import DomainError
from room_manager.store.database import Database

_PNG, _JPEG, _WEBP = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF"
UNKNOWN: Final = "application/octet-stream"


class UnknownEvidence(DomainError):
    """There is no such file, or its time is over."""

    code: ClassVar[str] = "unknown-evidence"


class Shown(Struct, frozen=True):
    """One file, and what it is."""

    piece: Piece
    media_type: str
    content: bytes


class EvidenceRoom:
    """Where evidence is looked at."""

    def __init__(
        self,
        database: Database,
        directory: Directory,
        intake: Intake,
        feed: Feed,
        clock: Callable[[], float],
    ) -> None:
        self._database = database
        self._directory = directory
        self._intake = intake
        self._feed = feed
        self._clock = clock

    async def of_command(self, command: CommandId) -> list[Piece]:
        """What is there to be looked at. Whoever asks has been checked for the command."""
        async with self._database.read() as connection:
            return await store.of_command(connection, command)

    async def of_commands(self, commands: Sequence[CommandId]) -> dict[CommandId, list[Piece]]:
        """The same for many."""
        found: dict[CommandId, list[Piece]] = {}
        if commands:
            async with self._database.read() as connection:
                for piece in await store.of_commands(connection, commands):
                    found.setdefault(piece.command, []).append(piece)
        return found

    async def look(self, staff: Staff, id: EvidenceId) -> Shown:
        """The audit says who looked before this returns. Raises ``UnknownEvidence``, ``NotAllowed``."""
        async with self._database.read() as connection:
            piece = await store.get(connection, id)
        if piece is None:
            raise UnknownEvidence("there is no such file, or its time is over")
        check(staff, Action.SEE_SCREENSHOT, self._directory.district_of(self._directory.get(piece.device)))
        async with self._database.write() as connection:
            entry = audit.Entry(
                action=f"look-at-{piece.kind}",
                account=staff.account,
                device=piece.device,
                address=staff.address,
                values={"evidence": piece.id, "command": piece.command},
            )
            await audit.append(connection, entry, self._clock())
        self._feed.audit_changed()
        try:
            content = await asyncio.to_thread(self._intake.path_of(piece).read_bytes)
        except OSError:
            raise UnknownEvidence("the file is not there any more") from None
        return Shown(piece, media_type(piece.kind, content), content)


def media_type(kind: str, content: bytes) -> str:
    """A log is text whatever it holds; a screenshot is one of three pictures, or of no type at all."""
    if kind == "log":
        return "text/plain; charset=utf-8"
    if content.startswith(_PNG):
        return "image/png"
    if content.startswith(_JPEG):
        return "image/jpeg"
    if content.startswith(_WEBP) and content[8:12] == b"WEBP":
        return "image/webp"
    return UNKNOWN
