"""What the updater asks of the machine around it."""

from pathlib import Path
from typing import Protocol

from kiosk_client.ports import BodyFacts


class Machine(Protocol):
    """The body, as far as updates concern it."""

    def session_active(self) -> bool:
        """Is a resident being served? Nothing is switched under a resident's hands."""

    async def facts(self) -> BodyFacts: ...


class Runtime(Protocol):
    """The agent's own software."""

    @property
    def version(self) -> str:
        """What runs now."""

    @property
    def is_switchable(self) -> bool:
        """Was this agent started through the link that a switch moves?"""

    def make(self, folder: Path, version: str) -> None:
        """The wheels in ``folder`` become an environment in it that can run the agent of this version.

        Waits up to minutes; call it in a thread. Raises ``Unfit``.
        """

    def close(self) -> None:
        """Whatever ``make`` still runs ends."""
