"""Small acts on files that survive a power cut in the next instant. Each waits for the disk."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kiosk_client.updates.errors import Unfit


def sync_folder(folder: Path) -> None:
    """What was renamed, made or removed in it is on the disk."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    half = path.with_name(f".{path.name}.half")
    with half.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
    sync_folder(path.parent)


def point(link: Path, to: str) -> None:
    """The link points there, or where it did: never nowhere (rename is atomic, POSIX.1-2017 rename)."""
    half = link.with_name(f".{link.name}.half")
    half.unlink(missing_ok=True)
    half.symlink_to(to)
    half.replace(link)
    sync_folder(link.parent)


def pointed(link: Path) -> str:
    """Where it points; empty: it is not there."""
    try:
        return os.readlink(link)
    except OSError:
        return ""


def remove_tree(folder: Path) -> None:
    """Gone. A name in the way that cannot be removed is left."""
    shutil.rmtree(folder, ignore_errors=True)


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


@contextmanager
def disk_errors() -> Iterator[None]:
    """A disk that refuses is a reason that staff understand."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Unfit("disk-full", "Ổ đĩa của thiết bị đã đầy") from error
        if error.errno == errno.EROFS:
            raise Unfit("disk-read-only", "Ổ đĩa của thiết bị chỉ cho đọc") from error
        if error.errno == errno.EIO:
            raise Unfit("disk-failed", "Ổ đĩa của thiết bị bị lỗi") from error
        raise
