"""Looking through a bundle's file before it is believed. Waits for the disk: call it in a thread."""

import zipfile
import zlib
from pathlib import Path
from typing import ClassVar, Final

import msgspec

from kiosk_hub.fleet.announcements import Content, contents_trouble
from kiosk_hub.fleet.archives import Entry, trouble_of
from kiosk_hub.fleet.bundles import MANIFEST
from kiosk_hub.fleet.configuration import Configuration
from kiosk_hub.fleet.values import BundleKind
from room_manager.errors import DomainError

MAX_MANIFEST_BYTES: Final = 1 << 20
INCOMING: Final = "incoming"


class BadBundle(DomainError):
    """The file is no bundle of this kind."""

    code: ClassVar[str] = "bad-bundle"


class UnsafeArchive(BadBundle):
    """Unpacking it could do harm."""

    code: ClassVar[str] = "unsafe-archive"


class TooBig(DomainError):
    """Larger than is taken in."""

    code: ClassVar[str] = "too-big"


class ArchiveTooBig(BadBundle):
    """It would unpack to too much."""

    code: ClassVar[str] = "archive-too-big"


def examine(file: Path, kind: BundleKind) -> None:
    """Raise ``BadBundle`` unless every entry may be unpacked, is whole, and what must be in it is.

    Every byte is unpacked once (and thrown away): a truncated or damaged archive is found here, not on six
    hundred devices.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
            trouble = trouble_of([entry_of(info) for info in infos])
            if trouble is not None:
                refused = ArchiveTooBig if trouble.code == "archive-too-big" else UnsafeArchive
                raise refused(trouble.text)
            for info in infos:
                _read_through(archive, info)
            _check_contents(archive, kind)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise BadBundle(f"the file is no whole ZIP archive: {error}") from None


def entry_of(info: zipfile.ZipInfo) -> Entry:
    return Entry(
        info.filename,
        info.file_size,
        info.compress_size,
        info.external_attr >> 16 if info.create_system == 3 else 0,
        bool(info.flag_bits & 1),
        info.compress_type,
    )


def _read_through(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
    size = 0
    with archive.open(info) as opened:
        while part := opened.read(1 << 18):
            size += len(part)
            if size > info.file_size:
                raise UnsafeArchive(f"{info.filename[:60]!r}: larger than the archive says")
    if size != info.file_size:
        raise BadBundle(f"{info.filename[:60]!r}: shorter than the archive says")


def _check_contents(archive: zipfile.ZipFile, kind: BundleKind) -> None:
    names = set(archive.namelist())
    if kind is BundleKind.SOFTWARE:
        if not any(name.endswith(".whl") for name in names):
            raise BadBundle("a software bundle holds wheels (*.whl); there is none")
        return
    manifest = MANIFEST[kind]
    if manifest not in names:
        raise BadBundle(f"a {kind} bundle holds {manifest}; it is not there")
    if archive.getinfo(manifest).file_size > MAX_MANIFEST_BYTES:
        raise BadBundle(f"{manifest} is larger than {MAX_MANIFEST_BYTES >> 20} MiB")
    data = archive.read(manifest)
    try:
        if kind is BundleKind.CONFIGURATION:
            msgspec.json.decode(data, type=Configuration)
            return
        found = msgspec.json.decode(data, type=Content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadBundle(f"{manifest}: {error}") from None
    what = contents_trouble(found, lambda name: name in names)
    if what is not None:
        raise BadBundle(f"{manifest}: {what}")


def clear_half_done(folder: Path) -> None:
    """What an interrupted upload or copy left."""
    for half in (*folder.glob(f"{INCOMING}/*"), *folder.glob("targets/*/*.half")):
        half.unlink(missing_ok=True)
