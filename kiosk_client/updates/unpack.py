"""A bundle's archive becomes a folder: only what is safe, only if all of it is whole, and synced."""

import os
import zipfile
import zlib
from pathlib import Path

import msgspec

from kiosk_client.updates.errors import Unfit
from kiosk_client.updates.files import disk_errors, free_bytes, remove_tree, sync_folder
from signaling.wire.kiosk.bundles import MANIFEST, Configuration, Content, Entry, contents_trouble, trouble_of
from signaling.wire.kiosk.words import BundleKind

KEEP_FREE_BYTES = 64 << 20
"""A device whose disk is full is worse off than one with old content."""
MAX_MANIFEST_BYTES = 1 << 20


def unpack(archive: Path, kind: BundleKind, into: Path, keep_free_bytes: int = KEEP_FREE_BYTES) -> None:
    """``into`` is new and holds the bundle; or this raises ``Unfit`` and there is no ``into``."""
    remove_tree(into)
    try:
        with disk_errors(), zipfile.ZipFile(archive) as opened:
            infos = opened.infolist()
            trouble = trouble_of([_entry(info) for info in infos])
            if trouble is not None:
                raise Unfit(trouble.code, f"Gói không an toàn: {trouble.text}")
            needed = sum(info.file_size for info in infos)
            if free_bytes(archive.parent) - needed < keep_free_bytes:
                raise Unfit("disk-full", "Ổ đĩa của thiết bị không đủ chỗ cho gói này")
            into.mkdir(mode=0o755, parents=True)
            for info in infos:
                _take(opened, info, into)
            check_contents(into, kind)
            for folder, _, _ in os.walk(into, topdown=False):
                sync_folder(Path(folder))
            sync_folder(into.parent)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        remove_tree(into)
        raise Unfit("bad-bundle", f"Gói bị hỏng: {error}") from None
    except BaseException:
        remove_tree(into)
        raise


def check_contents(folder: Path, kind: BundleKind) -> None:
    """Raise ``Unfit`` unless what a bundle of this kind must hold is there and makes sense."""
    if kind is BundleKind.SOFTWARE:
        if not any(folder.rglob("*.whl")):
            raise Unfit("bad-bundle", "Gói phần mềm không có tệp wheel")
        return
    manifest = folder / MANIFEST[kind]
    try:
        if manifest.stat().st_size > MAX_MANIFEST_BYTES:
            raise Unfit("bad-bundle", f"{manifest.name} quá lớn")
        data = manifest.read_bytes()
        if kind is BundleKind.CONFIGURATION:
            msgspec.json.decode(data, type=Configuration)
            return
        content = msgspec.json.decode(data, type=Content)
    except FileNotFoundError:
        raise Unfit("bad-bundle", f"Gói không có {manifest.name}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unfit("bad-bundle", f"{manifest.name}: {error}") from None
    what = contents_trouble(content, lambda name: (folder / name).is_file())
    if what is not None:
        raise Unfit("bad-bundle", f"{manifest.name}: {what}")


def _take(archive: zipfile.ZipFile, info: zipfile.ZipInfo, into: Path) -> None:
    path = into / info.filename
    if info.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    size = 0
    with open(number, "wb") as file, archive.open(info) as packed:
        while part := packed.read(1 << 18):
            size += len(part)
            if size > info.file_size:
                raise Unfit("unsafe-archive", "Gói không an toàn: một tệp dài hơn khai báo")
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    if size != info.file_size:
        raise zipfile.BadZipFile(f"{info.filename}: shorter than the archive says")


def _entry(info: zipfile.ZipInfo) -> Entry:
    mode = info.external_attr >> 16 if info.create_system == 3 else 0
    encrypted = bool(info.flag_bits & 1)
    return Entry(info.filename, info.file_size, info.compress_size, mode, encrypted, info.compress_type)
