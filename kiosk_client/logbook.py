"""The agent's own log: the newest lines in memory, bounded, for staff who ask for them.

Nothing personal is logged to begin with; what looks like it is struck out all the same before it leaves.
"""

import logging
import re
import time
from collections import deque
from typing import Final

MOST_BYTES: Final = 2 * 2**20
FORMAT: Final = "%(asctime)s %(name)s %(message)s"
STRUCK_OUT: Final = "[…]"
PERSONAL: Final = re.compile(
    r"[\w.+-]+@[\w-]+\.[\w.-]+"  # e-mail
    r"|(?<![\w-])\+?\d[\d .]{7,}\d(?![\w-])"  # telephone, identity card
    r"|(?<![\w-])[A-Za-z0-9_-]{43,}(?![\w-])"  # keys, tokens, signatures
)


class Logbook(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter(FORMAT, "%Y-%m-%dT%H:%M:%S%z"))
        self._lines: deque[tuple[float, str]] = deque()
        self._bytes = 0

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        self._lines.append((record.created, line))
        self._bytes += _bytes(line)
        while self._bytes > MOST_BYTES:
            self._bytes -= _bytes(self._lines.popleft()[1])

    def text(self, hours: int) -> bytes:
        """The lines of the last hours, oldest first, nothing personal in them."""
        since = time.time() - hours * 3_600
        lines = [struck_out(line) for when, line in list(self._lines) if when >= since]
        return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def _bytes(line: str) -> int:
    """As it leaves: what is not ASCII is two or three bytes, and a log that is too long is none."""
    return len(line.encode("utf-8", "replace")) + 1


def struck_out(line: str) -> str:
    """The same without what may be a person's; the time at its beginning stays."""
    when, space, rest = line.partition(" ")
    return when + space + PERSONAL.sub(STRUCK_OUT, rest)
