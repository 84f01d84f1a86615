"""Small bundles, good and bad."""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP archive of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def content(title: str = "Lịch tiêm chủng", more: Mapping[str, bytes] | None = None) -> bytes:
    """A content bundle with one announcement."""
    one = {"id": "a1", "title": {"vi": title}, "text": {"vi": "Nhà văn hóa, thứ Hai."}}
    said = {"format": 1, "announcements": [one]}
    return zipped({"announcements.json": json.dumps(said, ensure_ascii=False).encode(), **(more or {})})


def configuration(**said: object) -> bytes:
    """A configuration bundle that says this."""
    return zipped({"configuration.json": json.dumps({"format": 1, **said}).encode()})


def written(folder: Path, data: bytes, name: str = "bundle.zip") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return folder / name
