"""From changes of status to stretches of one status."""

from collections.abc import Sequence

from msgspec import Struct

from kiosk_hub.fleet.reasons import Reason
from kiosk_hub.fleet.values import Status


class Span(Struct, frozen=True):
    """It was so from ``since`` until ``until`` (None: still)."""

    status: Status
    since: float
    until: float | None
    reason: Reason | None = None


def spans_of(changes: Sequence[tuple[float, Status, Reason | None]], since: float) -> list[Span]:
    """Stretches after ``since``, in order, without overlap; neighbours of one status are one."""
    made: list[Span] = []
    ordered = sorted(changes, key=lambda one: one[0])
    for place, (at, status, reason) in enumerate(ordered):
        until = ordered[place + 1][0] if place + 1 < len(ordered) else None
        begins = max(at, since)
        if until is not None and until <= begins:
            continue
        if made and made[-1].status is status:
            made[-1] = Span(status, made[-1].since, until, made[-1].reason)
        else:
            made.append(Span(status, begins, until, reason))
    return made
