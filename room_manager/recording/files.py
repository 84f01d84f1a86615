"""One recording on the disk: written as ``….part``, durable cluster by cluster, renamed when it is finished.

Whoever writes a part holds a lock on it, so that nobody mends what is still being written. The lock goes
with the process, however it ends.
"""

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

from msgspec import Struct

from room_manager.recording import matroska
from room_manager.recording.frames import Codec, Track

PART: Final = ".part"
FRAME_MS: Final = 20  # what the last frame is taken to last
HEAD_LIMIT_BYTES: Final = 4_096
SUFFIX: Final[dict[Codec, str]] = {"vp8": ".webm", "h264": ".mkv"}
MODE: Final = 0o600


class StillWritten(Exception):
    """Another process writes this part."""


class Ready(Struct, frozen=True):
    """A finished recording."""

    path: Path
    duration_s: float
    size_bytes: int


class PartFile:
    """A recording that grows. Not for two threads at once."""

    def __init__(
        self,
        stem: Path,
        codec: Codec,
        sizes: dict[Track, tuple[int, int]],
        configurations: dict[Track, bytes],
    ) -> None:
        """Make the file, which must not exist. Raises ``OSError``."""
        self._final = stem.with_name(stem.name + SUFFIX[codec])
        self.path = self._final.with_name(self._final.name + PART)
        self._head = matroska.head(codec, sizes, configurations)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
        self._file: BinaryIO = os.fdopen(descriptor, "w+b", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._end = 0
            self._write(self._head.data)
            _sync_folder(self.path.parent)
        except BaseException:
            self._file.close()
            raise
        self._cues: list[matroska.Cue] = []
        self.duration_ms = 0

    @property
    def size_bytes(self) -> int:
        """What is durable."""
        return self._end

    def append(self, blocks: Sequence[matroska.Block]) -> None:
        """These blocks are on the disk when it returns. Raises ``OSError``; then nothing of them counts."""
        if not blocks:
            return
        first = next((block for block in blocks if block.track == "main"), None)
        position = self._end - self._head.segment_at
        self._write(matroska.cluster(blocks))
        if first is not None and first.key:
            self._cues.append(matroska.Cue(min(block.at_ms for block in blocks), position))
        self.duration_ms = max(self.duration_ms, *(block.at_ms + FRAME_MS for block in blocks))

    def finish(self) -> Ready | None:
        """The recording under its name, or None if there is nothing in it. Raises ``OSError``."""
        try:
            if not self.duration_ms:
                self.path.unlink(missing_ok=True)
                return None
            _complete(self._file, self._head, self._end, self._cues, self.duration_ms)
            os.rename(self.path, self._final)
            _sync_folder(self._final.parent)
            return Ready(self._final, self.duration_ms / 1000, self._final.stat().st_size)
        finally:
            self.close()

    def close(self) -> None:
        """Leave the part as it is. Idempotent."""
        self._file.close()

    def _write(self, data: bytes) -> None:
        """All or nothing: what a full disk took of it is cut off again."""
        try:
            _write_all(self._file, self._end, data)
            os.fdatasync(self._file)
        except OSError:
            os.ftruncate(self._file.fileno(), self._end)
            raise
        self._end += len(data)


def read(path: Path) -> Ready | None:
    """What a finished file holds; None: it is none of ours. Raises ``OSError``."""
    with path.open("rb", buffering=0) as file:
        found = _scan(file)
    return Ready(path, found[3] / 1000, path.stat().st_size) if found is not None else None


def mend(part: Path) -> Ready | None:
    """Finish what a crash left: cut off after the last whole cluster, durable, under its name.

    None, and the file is gone, if there is nothing in it. Raises :class:`StillWritten`, ``OSError``.
    """
    with part.open("r+b", buffering=0) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StillWritten(part.name) from None
        found = _scan(file)
        if found is None:
            part.unlink()
            return None
        head, end, points, duration_ms = found
        os.ftruncate(file.fileno(), end)
        _complete(file, head, end, points, duration_ms)
        final = part.with_name(part.name.removesuffix(PART))
        os.rename(part, final)
        _sync_folder(final.parent)
        return Ready(final, duration_ms / 1000, final.stat().st_size)


def _complete(
    file: BinaryIO, head: matroska.Head, end: int, points: Sequence[matroska.Cue], duration_ms: int
) -> None:
    """Cues behind the clusters first: only when they are on the disk does the head speak of them.

    Where there is no space for them the file is finished without: it plays all the same.
    """
    position: int | None = None
    if points:
        try:
            _write_all(file, end, matroska.cues(points))
            os.fdatasync(file)
            position, end = end - head.segment_at, os.fstat(file.fileno()).st_size
        except OSError:
            os.ftruncate(file.fileno(), end)
    for at, data in matroska.finished(head, end, duration_ms, position):
        _write_all(file, at, data)
    os.fsync(file)


def _scan(file: BinaryIO) -> tuple[matroska.Head, int, list[matroska.Cue], int] | None:
    """Where the last whole cluster ends, and what the finished file needs; None: there is none."""
    file.seek(0)
    head = matroska.read_head(file.read(HEAD_LIMIT_BYTES))
    if head is None:
        return None
    size = os.fstat(file.fileno()).st_size
    at, duration_ms = len(head.data), 0
    points: list[matroska.Cue] = []
    while at + matroska.CLUSTER_HEAD_BYTES <= size:
        file.seek(at)
        length = matroska.cluster_length(file.read(matroska.CLUSTER_HEAD_BYTES))
        if length is None or at + length > size:
            break
        file.seek(at)
        try:
            blocks = matroska.read_cluster(file.read(length))
        except ValueError:
            break  # a power cut may leave the length of what never reached the disk
        first = next((block for block in blocks if block.track == "main"), None)
        if first is not None and first.key:
            points.append(matroska.Cue(blocks[0].at_ms, at - head.segment_at))
        duration_ms = max([duration_ms, *(block.at_ms + FRAME_MS for block in blocks)])
        at += length
    return (head, at, points, duration_ms) if duration_ms else None


def _write_all(file: BinaryIO, at: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        written = os.pwrite(file.fileno(), left, at)
        at += written
        left = left[written:]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
