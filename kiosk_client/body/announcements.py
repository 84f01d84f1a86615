"""The announcements of the content in use: a folder with ``announcements.json`` and the pictures it names.

The format is the city's too (:mod:`signaling.wire.kiosk.bundles`). On a clock that is not to be believed
every announcement is shown: better one too many than a screen that says nothing.
"""

import datetime as dt
import re
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from kiosk_client.errors import AgentError
from signaling.wire.kiosk.bundles import USUAL, Content, contents_trouble
from signaling.wire.kiosk.page import Announcement

FILE: Final = "announcements.json"
MAX_FILE_BYTES: Final = 2**20
HANOI: Final = ZoneInfo("Asia/Ho_Chi_Minh")
PICTURE_TYPES: Final = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}


class BadContent(AgentError):
    """The folder does not hold announcements in the known format."""

    code = "bad-content"


def read(folder: Path) -> Content:
    """The content of a folder.

    Raises:
        BadContent: It is not there, too large, or not in this format; a picture is missing or elsewhere.
    """
    try:
        file = folder / FILE
        if file.stat().st_size > MAX_FILE_BYTES:
            raise BadContent(f"{FILE} is larger than {MAX_FILE_BYTES} bytes")
        content = msgspec.json.decode(file.read_bytes(), type=Content)
    except OSError as error:
        raise BadContent(f"{FILE} cannot be read: {error.strerror}") from None
    except msgspec.MsgspecError as error:
        raise BadContent(f"{FILE}: {error}") from None
    trouble = contents_trouble(content, lambda name: picture_path(folder, name) is not None)
    if trouble is not None:
        raise BadContent(f"{FILE}: {trouble}")
    return content


def picture_path(folder: Path, name: str) -> Path | None:
    """The file of a picture, if it is one, and inside the folder whatever links say."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*", name):
        return None
    base = folder.resolve()
    found = (base / name).resolve()
    if not found.is_relative_to(base) or not found.is_file() or found.suffix.lower() not in PICTURE_TYPES:
        return None
    return found


def of_the_day(
    content: Content, now: float | None, usual_s: float = USUAL.announcement_s
) -> tuple[Announcement, ...]:
    """What is shown on this day. ``now``: seconds, UTC; None: the clock is not to be believed. ``usual_s``:
    how long each is shown that does not say it itself."""
    today = None if now is None else dt.datetime.fromtimestamp(now, HANOI).date()
    return tuple(
        Announcement(
            id=one.id,
            title=one.title,
            text=one.text,
            picture=f"content/{one.picture}" if one.picture else "",
            seconds=usual_s if one.seconds is None else one.seconds,
            private=one.private,
        )
        for one in content.announcements
        if today is None
        or ((one.from_day is None or one.from_day <= today) and (one.to_day is None or today <= one.to_day))
    )
