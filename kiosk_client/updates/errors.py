"""Why a bundle is not installed, as the codes that staff read."""

from typing import ClassVar

from kiosk_client.errors import AgentError


class Unfit(AgentError):
    """This bundle will not be installed here; trying again would change nothing."""

    code: ClassVar[str] = "unfit"

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.why = code


class Later(AgentError):
    """Not now; what is loaded is kept. ``retry_after_s``: not before."""

    code: ClassVar[str] = "later"

    def __init__(self, text: str, retry_after_s: float = 0.0) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class Doubtful(Later):
    """It may pass, or be an attack: tried some times more, then it is ``Unfit`` with this code."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.why = code


class NotOffered(Later):
    """The city has taken the offer back; wait for its next word."""
