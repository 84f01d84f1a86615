"""What every way out of a notice keeps: it is delivered, or fails for now, or fails for good."""

from typing import Protocol

from kiosk_hub.fleet.notice import Notice
from kiosk_hub.fleet.notices import Route


class Undelivered(Exception):
    """Not now; try again later."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Refused(Undelivered):
    """Never: to try again would change nothing."""


class Channel(Protocol):
    """One way out."""

    async def send(self, notice: Notice, route: Route, secret: bytes) -> None:
        """Returns once the other side has said that it has it, in bounded time. Raises ``Undelivered``."""
