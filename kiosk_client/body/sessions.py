"""When a resident is being served, and what is counted of it. Pure: time is an argument.

Of a session nothing is known but that it is one: no name, no need, no length. What is counted is told at
once, so that a power cut costs no count; reports of the same hour that wait on the disk are added up there.
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from signaling.wire.kiosk.words import Sessions

HOUR_S: Final = 3600.0


class Service(Struct, frozen=True):
    """``touched_at``: when the resident last touched the screen; None: nobody is being served."""

    touched_at: float | None = None
    number: int = 0  # sessions begun so far

    @property
    def active(self) -> bool:
        return self.touched_at is not None

    def ends_at(self, idle_s: float) -> float | None:
        """When it is over by itself, if nobody touches anything."""
        return None if self.touched_at is None else self.touched_at + idle_s


def begin(service: Service, now: float) -> tuple[Service, Sessions | None]:
    """Somebody touched the resting screen. One who is there already is only still there."""
    if service.active:
        return touch(service, now), None
    begun = Service(touched_at=now, number=service.number + 1)
    return begun, Sessions(hour=0, begun=1)


def touch(service: Service, now: float) -> Service:
    """Still there."""
    return replace(service, touched_at=now) if service.active else service


def finish(service: Service) -> tuple[Service, Sessions | None]:
    """The resident said so."""
    if not service.active:
        return service, None
    return replace(service, touched_at=None), Sessions(hour=0, finished=1)


def pass_time(service: Service, now: float, idle_s: float) -> tuple[Service, Sessions | None]:
    """Whoever touched nothing for long has gone."""
    ends_at = service.ends_at(idle_s)
    return abandon(service) if ends_at is not None and now >= ends_at else (service, None)


def abandon(service: Service) -> tuple[Service, Sessions | None]:
    """It ended, and not by the resident's own hand: idle, or the screen went away."""
    if not service.active:
        return service, None
    return replace(service, touched_at=None), Sessions(hour=0, abandoned=1)


def of_the_hour(counted: Sessions, wall: float) -> Sessions:
    """Counted in the hour of ``wall`` (seconds, UTC)."""
    return replace(counted, hour=int(wall // HOUR_S))
