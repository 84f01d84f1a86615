"""The announcements in use, read again when their folder is switched to another version."""

import os
from collections.abc import Callable
from pathlib import Path

from kiosk_client.body import announcements
from signaling.wire.kiosk.bundles import USUAL, Content
from signaling.wire.kiosk.page import Announcement


class Shelf:
    """``folder`` tells where the content in use is, if there is any; ``note(code, text)`` tells staff."""

    def __init__(self, folder: Callable[[], Path | None], note: Callable[[str, str], None]) -> None:
        self._folder = folder
        self._note = note
        self._seen: tuple[str, int] | None = None
        self._content: Content | None = None

    def folder(self) -> Path | None:
        """Where its pictures are."""
        found = self._folder()
        return found if found is not None and found.is_dir() else None

    def of_the_day(
        self, now: float | None, usual_s: float = USUAL.announcement_s
    ) -> tuple[Announcement, ...]:
        """What is shown, as :func:`announcements.of_the_day`. Content that cannot be read is told once, and
        what was shown before stays."""
        folder = self.folder()
        if folder is None:
            self._seen, self._content = None, None
            return ()
        try:
            seen = (os.path.realpath(folder), (folder / announcements.FILE).stat().st_mtime_ns)
        except OSError:
            seen = (os.path.realpath(folder), 0)
        if seen != self._seen:
            self._seen = seen
            try:
                self._content = announcements.read(folder)
            except announcements.BadContent as error:
                self._note("bad-content", str(error)[:300])
        if self._content is None:
            return ()
        return announcements.of_the_day(self._content, now, usual_s)
