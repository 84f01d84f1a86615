"""One meeting: ``handle`` decides, ``apply`` remembers. (Contract; the rules fill it in.)"""

from room_manager.ids import SiteId
from room_manager.meeting.commands import AnyCommand
from room_manager.meeting.events import AnyEvent
from room_manager.meeting.state import State
from msgspec import Struct
from room_manager.meeting.values import Role


class Member(Struct, frozen=True):
    """Who asks: a role, and for a site (or the chair at the host site) which one."""

    role: Role
    site: SiteId | None = None
    name: str = ""


class Heard(Struct, frozen=True):
    """Who may be heard: everybody in ``only``, or, if that is None, everybody but ``never``."""

    only: frozenset[SiteId] | None
    never: frozenset[SiteId] = frozenset()


class Meeting:
    """The rules over one :class:`State`."""

    def __init__(self) -> None:
        self.state = State()

    def handle(self, command: AnyCommand, by: Member, now: float) -> list[AnyEvent]:
        """Decide. Changes nothing; raises ``DomainError``. Events must be applied in order."""
        raise NotImplementedError

    def apply(self, event: AnyEvent) -> None:
        """Remember. Never refuses: what is in the journal has happened."""
        raise NotImplementedError

    def due(self) -> float | None:
        """When ``tick`` has something to do next, or None."""
        raise NotImplementedError

    def tick(self, now: float) -> list[AnyEvent]:
        """What the passing of time brings: grace and speaking times that have ended."""
        raise NotImplementedError

    def heard(self) -> Heard:
        """Who may be heard now, by mode, floor and mutes."""
        raise NotImplementedError
