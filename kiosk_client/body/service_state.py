"""Whether the device is out of service, kept over restarts and power cuts."""

import contextlib
import os
from pathlib import Path

import msgspec
from msgspec import Struct

from kiosk_client.errors import NotKept


class Kept(Struct, frozen=True):
    """``message``: what residents read while it is out of service; None: it serves."""

    message: str | None = None


class ServiceState:
    """One small file, written whole."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> str | None:
        """The message, or None. A file that cannot be read says that it serves: a kiosk that shows nothing
        to residents because a byte fell over helps nobody."""
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=Kept).message
        except (OSError, msgspec.MsgspecError):
            return None

    def write(self, message: str | None) -> None:
        """It is so, and stays so after a power cut.

        Raises:
            NotKept: The disk refuses; what was, stays.
        """
        fresh = self._file.with_suffix(".new")
        try:
            with open(fresh, "wb") as file:
                file.write(msgspec.json.encode(Kept(message)))
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, self._file)
            folder = os.open(self._file.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise NotKept(f"the disk refused: {error.strerror}") from None
