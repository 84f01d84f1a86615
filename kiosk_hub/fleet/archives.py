"""Which ZIP archives may be unpacked: a bundle's. City and device look with the same eyes.

A name that leads outside ("zip slip"), a link, a few kilobytes that unpack to a disk full ("zip bomb"), two
names for one file: each is a known way to turn an archive into an attack or an accident, and none is needed.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

MAX_ENTRIES: Final = 5_000
MAX_UNPACKED_BYTES: Final = 1 << 30
MAX_RATIO: Final = 100  # unpacked to packed, of the whole; text packs 10 to 1, zeros 1000 to 1
RATIO_FROM_BYTES: Final = 8 << 20  # below that a high ratio harms nobody
MAX_NAME_CHARS: Final = 200
MAX_DEPTH: Final = 10

_PART: Final = re.compile(r"[A-Za-z0-9_@+(][A-Za-z0-9_.@+() -]*")
_DEVICES: Final = frozenset({"con", "prn", "aux", "nul"})
_REGULAR: Final = 0o100000
_FOLDER: Final = 0o040000
_KIND: Final = 0o170000


class Entry(Struct, frozen=True):
    """What an archive's table of contents says of one entry."""

    name: str
    size_bytes: int
    packed_bytes: int
    mode: int = 0  # Unix file mode of its attributes; 0: none given
    encrypted: bool = False
    method: int = 8  # 0 stored, 8 deflated (PKWARE APPNOTE 4.4.5)


class Trouble(Struct, frozen=True):
    """Why an archive is refused; codes: ``unsafe-archive``, ``archive-too-big``."""

    code: str
    text: str


def trouble_of(entries: Sequence[Entry]) -> Trouble | None:
    """The first thing that speaks against unpacking; None: nothing does."""
    if len(entries) > MAX_ENTRIES:
        return Trouble("archive-too-big", f"more than {MAX_ENTRIES} entries")
    for entry in entries:
        what = _trouble_of_one(entry)
        if what is not None:
            return Trouble("unsafe-archive", f"{entry.name[:60]!r}: {what}")
    names = [entry.name.rstrip("/").lower() for entry in entries]
    if len(set(names)) != len(names):
        return Trouble("unsafe-archive", "two entries have the same name")
    files = {name for entry, name in zip(entries, names, strict=True) if not entry.name.endswith("/")}
    for name in names:
        if any(parent in files for parent in _parents(name)):
            return Trouble("unsafe-archive", f"{name[:60]!r}: lies inside of a file")
    size = sum(entry.size_bytes for entry in entries)
    packed = sum(entry.packed_bytes for entry in entries)
    if size > MAX_UNPACKED_BYTES:
        return Trouble("archive-too-big", f"unpacks to more than {MAX_UNPACKED_BYTES >> 20} MiB")
    if size > RATIO_FROM_BYTES and size > MAX_RATIO * max(packed, 1):
        return Trouble("archive-too-big", f"unpacks to more than {MAX_RATIO} times its size")
    return None


def _trouble_of_one(entry: Entry) -> str | None:
    name = entry.name.removesuffix("/")
    parts = name.split("/")
    if len(entry.name) > MAX_NAME_CHARS or len(parts) > MAX_DEPTH:
        return "its name is too long"
    if not all(_PART.fullmatch(part) and part[-1] not in " ." for part in parts):
        return "its name is not a plain relative path"
    if any(part.split(".")[0].lower() in _DEVICES for part in parts):
        return "its name is not a plain relative path"
    kind = entry.mode & _KIND
    if kind not in (0, _REGULAR, _FOLDER) or ((kind == _FOLDER) != entry.name.endswith("/") and kind):
        return "it is neither a file nor a folder"
    if entry.encrypted:
        return "it is encrypted"
    if entry.method not in (0, 8):
        return "it is packed in a way that is not used here"
    if entry.size_bytes < 0 or entry.packed_bytes < 0:
        return "its size makes no sense"
    return None


def _parents(name: str) -> Iterable[str]:
    parts = name.split("/")
    return ("/".join(parts[:place]) for place in range(1, len(parts)))
