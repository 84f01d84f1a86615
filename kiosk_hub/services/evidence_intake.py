"""Takes in what devices send as proof: a file first, whole and synced, then the row that makes it exist.

A file without a row (the power went between the two) is removed at the next start; a row is never without
its file but for a disk that lost it. The names of files are ours.
"""

import asyncio
import hashlib
import logging
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, ClassVar, Final, Literal, Protocol

from kiosk_hub.fleet.ids import CommandId, DeviceId, EvidenceId
from kiosk_hub.store import evidence as store
from kiosk_hub.store.evidence import Piece
from room_manager.errors import Busy, DomainError, Limit, NotAllowed, NotStored
from room_manager.store.database import Database

MAX_EVIDENCE_BYTES: Final = 4 << 20
MAX_AT_ONCE: Final = 8
MAX_OF_A_COMMAND: Final = 3
KEEP_S: Final = 30 * 86_400.0
FORGET_EVERY_S: Final = 3_600.0
FORGET_AT_ONCE: Final = 500
PARTIAL: Final = ".part"

Kind = Literal["screenshot", "log"]

log = logging.getLogger(__name__)


class Wants(Protocol):
    """Which command waits for evidence; None: none such of this device does."""

    async def __call__(self, device: DeviceId, command: CommandId) -> Kind | None: ...


class WrongHash(DomainError):
    """The bytes that came are not those that were announced."""

    code: ClassVar[str] = "wrong-hash"


class Occupied(DomainError):
    """This id is another piece's already."""

    code: ClassVar[str] = "occupied"


class TooLong(Limit):
    """More bytes than a piece of evidence may have."""

    code = "too-big"


class Intake:
    """Owns the folder. ``keep_free_bytes``: what of its disk is the database's."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        wants: Wants,
        clock: Callable[[], float],
        keep_free_bytes: int,
    ) -> None:
        self._database = database
        self._folder = folder
        self._wants = wants
        self._clock = clock
        self._keep_free_bytes = keep_free_bytes
        self._under_way = 0
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        async with self._database.read() as connection:
            known = await store.files(connection)
        await asyncio.to_thread(self._clear_out, known)
        self._task = asyncio.create_task(self._forget(), name="old evidence")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def path_of(self, piece: Piece) -> Path:
        return self._folder / piece.file

    async def begin(
        self, device: DeviceId, id: EvidenceId, command: CommandId, kind: Kind, sha256: str
    ) -> "Upload | None":
        """Somewhere for the bytes to go; None: they are here already.

        Raises ``NotAllowed`` (no command of this device wants that), ``Occupied``, ``Limit``, ``Busy``,
        ``NotStored``.
        """
        async with self._database.read() as connection:
            before = await store.get(connection, id)
            many = await store.how_many(connection, command)
        if before is not None:
            if (before.device, before.command, before.sha256) == (device, command, sha256):
                return None
            raise Occupied("this id is another piece's already")
        if await self._wants(device, command) != kind:
            raise NotAllowed("no command of this device waits for such evidence")
        if many >= MAX_OF_A_COMMAND:
            raise Limit(f"a command has {MAX_OF_A_COMMAND} pieces of evidence at most")
        if self._under_way >= MAX_AT_ONCE:
            raise Busy("others are uploading; try again shortly")
        self._under_way += 1
        try:
            file = await asyncio.to_thread(self._open)
        except BaseException as error:
            self._under_way -= 1
            if not isinstance(error, OSError):
                raise
            raise NotStored("evidence cannot be kept: the disk fails or is nearly full") from error
        piece = Piece(id, device, command, kind, sha256, 0, 0.0, Path(file.name).name.removesuffix(PARTIAL))
        return Upload(self, file, piece)

    async def finish(self, upload: "Upload") -> None:
        """It is durable. Raises ``WrongHash``, ``NotStored``, and what the store raises."""
        piece = upload.piece()
        try:
            await asyncio.to_thread(self._settle, upload.file, piece.file)
        except OSError as error:
            raise NotStored("evidence cannot be kept: the disk fails or is full") from error
        try:
            async with self._database.write() as connection:
                if await store.get(connection, piece.id) is None:
                    await store.add(connection, piece)
                else:
                    raise Occupied("this id is another piece's already")
        except BaseException:
            with suppress(OSError):
                (self._folder / piece.file).unlink()
            raise
        log.info("< device %s: %s of %d bytes", piece.device, piece.kind, piece.length_bytes)

    def over(self, upload: "Upload") -> None:
        """However it ended."""
        self._under_way -= 1
        upload.file.close()
        with suppress(OSError):
            Path(upload.file.name).unlink(missing_ok=True)

    def now(self) -> float:
        return self._clock()

    # --- on threads ---

    def _open(self) -> IO[bytes]:
        """Raises ``OSError``, also if it would leave too little space."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = os.statvfs(self._folder)
        if found.f_bavail * found.f_frsize < self._keep_free_bytes + MAX_EVIDENCE_BYTES:
            raise OSError("too little space is free")
        path = self._folder / f"{secrets.token_hex(16)}{PARTIAL}"
        return path.open("xb")

    def _settle(self, file: IO[bytes], name: str) -> None:
        file.flush()
        os.fsync(file.fileno())
        os.rename(self._folder / f"{name}{PARTIAL}", self._folder / name)
        handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _clear_out(self, known: set[str]) -> None:
        """What no row names: it was half taken in when the last server ended."""
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                if path.name not in known and path.is_file():
                    path.unlink(missing_ok=True)

    async def _forget(self) -> None:
        while True:
            try:
                await self.forget(self._clock() - KEEP_S)
            except Exception:
                log.exception("! forgetting old evidence failed; next time again")
            await asyncio.sleep(FORGET_EVERY_S)

    async def forget(self, before: float) -> None:
        """Evidence taken in earlier (seconds, UTC) is gone: the row, then the file."""
        async with self._database.read() as connection:
            old = await store.older_than(connection, before, FORGET_AT_ONCE)
        if not old:
            return
        async with self._database.write() as connection:
            for piece in old:
                await store.forget(connection, piece.id)
        for piece in old:
            with suppress(OSError):
                await asyncio.to_thread((self._folder / piece.file).unlink, missing_ok=True)


class Upload:
    """Bytes on their way into a file. ``async with``: however it ends, nothing half done stays."""

    def __init__(self, intake: Intake, file: IO[bytes], piece: Piece) -> None:
        self.file = file
        self._intake = intake
        self._piece = piece
        self._hash = hashlib.sha256()
        self._bytes = 0

    async def __aenter__(self) -> "Upload":
        return self

    async def __aexit__(self, *_: object) -> None:
        self._intake.over(self)

    async def write(self, part: bytes) -> None:
        """Raises ``TooLong``, ``NotStored``."""
        self._bytes += len(part)
        if self._bytes > MAX_EVIDENCE_BYTES:
            raise TooLong(f"a piece of evidence may have {MAX_EVIDENCE_BYTES} bytes at most")
        self._hash.update(part)
        try:
            await asyncio.to_thread(self.file.write, part)
        except OSError as error:
            raise NotStored("evidence cannot be kept: the disk fails or is full") from error

    def piece(self) -> Piece:
        """What came. Raises ``WrongHash``."""
        if self._hash.hexdigest() != self._piece.sha256:
            raise WrongHash("these are not the bytes that were announced")
        piece = self._piece
        return Piece(
            piece.id,
            piece.device,
            piece.command,
            piece.kind,
            piece.sha256,
            self._bytes,
            self._intake.now(),
            piece.file,
        )
