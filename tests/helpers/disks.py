"""A disk so small that it can be filled."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

DISK_BYTES = 2 << 20


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of its own, of 2 MiB. Skips the test where mounting is not allowed."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "diemcau-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting a small disk takes root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path, but_bytes: int = 0) -> Path:
    """Somebody else's file, that takes all the space but so much; removing it gives it back."""
    ballast = folder / "somebody else's file"
    space = os.statvfs(folder)
    ballast.write_bytes(bytes(space.f_bavail * space.f_frsize - but_bytes))
    return ballast
