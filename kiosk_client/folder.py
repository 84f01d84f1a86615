"""Where a device keeps what is its own: small files that are whole or absent, and one that is overwritten.

Two kinds: a folder on the disk, and one in memory for simulated devices. Knows nothing of what is kept.
"""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Final, Protocol

from kiosk_client.errors import BadState, NotKept

SLOT_BYTES: Final = 512
"""One sector: written whole or not at all by every disk we know."""


class Folder(Protocol):
    """A device's own few files."""

    @property
    def path(self) -> Path:
        """Where; of a folder in memory, a name that does not exist on the disk."""

    @property
    def database(self) -> str:
        """What SQLite is to open."""

    def read(self, name: str) -> bytes | None:
        """The whole file; None: there is none."""

    def write(self, name: str, data: bytes) -> None:
        """Put in place of what was there; after a power cut it is the old or the new. Raises NotKept."""

    def create(self, name: str, data: bytes) -> None:
        """As write, but raises FileExistsError if there is one."""

    def remove(self, name: str) -> None:
        """Gone, also after a power cut. Raises NotKept."""

    def names(self, prefix: str) -> list[str]:
        """Of the files that begin so."""

    def overwrite(self, name: str, slot: int, data: bytes) -> None:
        """Overwrite a slot of a file in place, which also a full disk allows. Raises NotKept."""


class DiskFolder:
    """A real folder, mode 700, files 600, locked for one process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise BadState(f"cannot use {path}: {error.strerror}") from None
        self._lock: int | None = None

    @property
    def database(self) -> str:
        return str(self.path / "agent.db")

    def lock(self) -> None:
        """Two agents with one key look like a stolen one. Held until the process ends, however it ends.

        Raises:
            BadState: another agent runs on this folder.
        """
        try:
            descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            descriptor = os.open(
                self.path, os.O_RDONLY | os.O_CLOEXEC
            )  # read-only or full: the folder itself
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise BadState(f"another agent is running on {self.path}") from None
        self._lock = descriptor

    def unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def read(self, name: str) -> bytes | None:
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        fresh = self.path / f"{name}.new"
        try:
            self._write_fresh(fresh, data)
            fresh.replace(self.path / name)
            self._sync()
        except OSError as error:
            with contextlib.suppress(OSError):
                fresh.unlink()
            raise NotKept(f"cannot keep {name}: {error.strerror}") from None

    def create(self, name: str, data: bytes) -> None:
        fresh = self.path / f"{name}.new"
        try:
            self._write_fresh(fresh, data)
            os.link(fresh, self.path / name)  # unlike a rename, this never replaces
            fresh.unlink()
            self._sync()
        except FileExistsError:
            fresh.unlink()
            raise
        except OSError as error:
            with contextlib.suppress(OSError):
                fresh.unlink()
            raise NotKept(f"cannot keep {name}: {error.strerror}") from None

    def remove(self, name: str) -> None:
        try:
            (self.path / name).unlink(missing_ok=True)
            self._sync()
        except OSError as error:
            raise NotKept(f"cannot remove {name}: {error.strerror}") from None

    def names(self, prefix: str) -> list[str]:
        return sorted(path.name for path in self.path.glob(f"{prefix}*"))

    def overwrite(self, name: str, slot: int, data: bytes) -> None:
        try:
            descriptor = os.open(self.path / name, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.pwrite(descriptor, data.ljust(SLOT_BYTES), slot * SLOT_BYTES)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise NotKept(f"cannot keep {name}: {error.strerror}") from None

    def _write_fresh(self, fresh: Path, data: bytes) -> None:
        fresh.unlink(missing_ok=True)  # of a process that died half-way
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def _sync(self) -> None:
        """A new name is durable when its folder is."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class MemoryFolder:
    """As good as a disk for whoever never really loses power."""

    def __init__(self, name: str) -> None:
        self.path = Path("/nonexistent") / name
        self.database = ":memory:"
        self.files: dict[str, bytes] = {}

    def read(self, name: str) -> bytes | None:
        return self.files.get(name)

    def write(self, name: str, data: bytes) -> None:
        self.files[name] = data

    def create(self, name: str, data: bytes) -> None:
        if name in self.files:
            raise FileExistsError(name)
        self.files[name] = data

    def remove(self, name: str) -> None:
        self.files.pop(name, None)

    def names(self, prefix: str) -> list[str]:
        return sorted(name for name in self.files if name.startswith(prefix))

    def overwrite(self, name: str, slot: int, data: bytes) -> None:
        before = self.files.get(name, b"").ljust((slot + 1) * SLOT_BYTES)
        at = slot * SLOT_BYTES
        self.files[name] = before[:at] + data.ljust(SLOT_BYTES) + before[at + SLOT_BYTES :]
