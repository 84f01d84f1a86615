"""Who is told what, and when: the settings, and what an incident's events mean for each route.

A route is one way out: some e-mail addresses or one webhook, for some districts, from some severity on. A
person is told once that an incident began, once for each time it becomes graver, and once that it is over;
what is flapping is told once and its end not at all. At night everything waits for the morning but what is
critical.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from kiosk_hub.fleet import incidents as i
from kiosk_hub.fleet.hours import DAY_S, OFFSET_S
from kiosk_hub.fleet.ids import IncidentId
from kiosk_hub.fleet.incident_words import IncidentRow
from kiosk_hub.fleet.incidents import RANK, AnyEvent
from kiosk_hub.fleet.places import Minutes
from kiosk_hub.fleet.values import IncidentState, Severity
from room_manager.errors import Invalid

Language = Literal["vi", "en"]
Address = Annotated[
    str, Meta(min_length=3, max_length=200, pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+$")
]
RouteId = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[a-z0-9-]+$")]

MAX_ROUTES: Final = 100
RETRY_AFTER_S: Final = (10, 30, 120, 300, 900, 1_800, 3_600, 7_200, 14_400, 14_400, 14_400)
"""How long to wait after the first failure, the second …; 17 hours in all. After the last it is given up."""


class NoticeKind(StrEnum):
    OPENED = "opened"
    REOPENED = "reopened"
    WORSE = "worse"
    ESCALATED = "escalated"
    CLOSED = "closed"
    DIGEST = "digest"
    TEST = "test"


class NoticeState(StrEnum):
    WAITING = "waiting"  # until its time, or until the next try
    SENT = "sent"  # the other side has said that it has it
    DEAD = "dead"  # given up: refused for good, or tried too often; staff see it and may try again
    DROPPED = "dropped"  # no longer true before it was its time, or its route is gone


class Route(Struct, frozen=True, kw_only=True):
    """One way out."""

    id: RouteId
    name: Annotated[str, Meta(min_length=1, max_length=60)]
    channel: Literal["email", "webhook"]
    addresses: Annotated[tuple[Address, ...], Meta(max_length=20)] = ()
    url: Annotated[str, Meta(max_length=500)] = ""
    on: bool = True
    districts: Annotated[tuple[str, ...], Meta(max_length=100)] = ()  # codes; none: all
    least: Severity = Severity.MAJOR
    escalations: bool = False  # is told only what nobody has acknowledged in time
    digest: bool = False  # once a day, what has long been silent
    quiet: bool = True  # keeps the quiet hours
    language: Language = "vi"


class QuietHours(Struct, frozen=True):
    """Hà Nội's time; equal: none. From the evening to the morning, they go over midnight."""

    from_minute: Minutes = 21 * 60
    to_minute: Minutes = 6 * 60 + 30


class NoticeSettings(Struct, frozen=True, kw_only=True):
    """All of it. ``version`` counts changes."""

    version: int = 0
    routes: Annotated[tuple[Route, ...], Meta(max_length=MAX_ROUTES)] = ()
    quiet: QuietHours = QuietHours()
    escalate_critical_minutes: Annotated[int, Meta(ge=0, le=1_440)] = 15  # 0: never
    escalate_major_minutes: Annotated[int, Meta(ge=0, le=1_440)] = 60
    digest_minute: Minutes = 7 * 60 + 30
    silent_days: Annotated[int, Meta(ge=1, le=90)] = 7  # before a silent device is in the digest


def check(settings: NoticeSettings) -> None:
    """Raise ``Invalid`` for routes that lead nowhere, or two of one id."""
    if len({route.id for route in settings.routes}) < len(settings.routes):
        raise Invalid("routes: each has an id of its own")
    for route in settings.routes:
        if any(address != address.strip() for address in route.addresses):
            raise Invalid(f"routes: {route.name}: an address ends in a space")
        if route.channel == "email" and (not route.addresses or route.url):
            raise Invalid(f"routes: {route.name}: e-mail needs addresses, and no url")
        if route.channel == "webhook" and (not route.url or route.addresses):
            raise Invalid(f"routes: {route.name}: a webhook needs a url, and no addresses")


class Planned(Struct, frozen=True):
    """Something a route is to be told, not before ``due_at`` (seconds, UTC)."""

    incident: IncidentId
    kind: NoticeKind
    route: Route
    due_at: float


def kinds_of(events: Sequence[tuple[IncidentId, AnyEvent]]) -> dict[IncidentId, list[NoticeKind]]:
    """What these events, committed together, are worth telling. At most one thing of each kind."""
    found: dict[IncidentId, dict[NoticeKind, None]] = {}
    for name, event in events:
        kinds = found.setdefault(name, {})
        match event:
            case i.Opened():
                kinds[NoticeKind.OPENED] = None
            case i.Reopened():
                kinds[NoticeKind.REOPENED] = None
            case i.Unfolded():
                pass  # was told before the wider one took it in
            case i.SeverityRose() if NoticeKind.OPENED not in kinds and NoticeKind.REOPENED not in kinds:
                kinds[NoticeKind.WORSE] = None
            case i.Escalated():
                kinds[NoticeKind.ESCALATED] = None
            case i.Closed() if event.note != "with-parent":
                kinds[NoticeKind.CLOSED] = None
            case _:
                pass
    return {name: list(kinds) for name, kinds in found.items() if kinds}


def plan(
    kinds: Iterable[NoticeKind], row: IncidentRow, flapped: bool, settings: NoticeSettings, now: float
) -> list[Planned]:
    """Who is told of these, and when. Of an end only whoever was told of the beginning is, which is not
    known here."""
    planned: list[Planned] = []
    for kind in kinds:
        if row.state is IncidentState.FOLDED or (kind is NoticeKind.CLOSED and flapped):
            continue
        if row.state is IncidentState.CLOSED and kind is not NoticeKind.CLOSED:
            continue
        for route in settings.routes:
            if wants(route, kind, row, settings):
                due_at = due(route, row.severity, settings.quiet, now)
                planned.append(Planned(IncidentId(row.id), kind, route, due_at))
    return planned


def wants(route: Route, kind: NoticeKind, row: IncidentRow, settings: NoticeSettings) -> bool:
    """Is this for that route?"""
    if not route.on:
        return False
    if route.districts and row.district and row.district not in route.districts:
        return False
    if kind is NoticeKind.CLOSED:
        return True  # if it was told before
    if RANK[row.severity] < RANK[route.least]:
        return False
    if kind is NoticeKind.ESCALATED:
        nobody = not any(one.on and one.escalations for one in settings.routes)
        return route.escalations or nobody
    return not route.escalations


def due(route: Route, severity: Severity, quiet: QuietHours, now: float) -> float:
    """Now, or the end of the quiet hours."""
    if severity is Severity.CRITICAL or not route.quiet:
        return now
    return end_of_quiet(quiet, now) or now


def end_of_quiet(quiet: QuietHours, now: float) -> float | None:
    """When the quiet hours end that it is in; None: it is in none."""
    begins, ends = quiet.from_minute * 60, quiet.to_minute * 60
    if begins == ends:
        return None
    second = (now + OFFSET_S) % DAY_S
    midnight = now - second
    if begins < ends:
        return midnight + ends if begins <= second < ends else None
    if second >= begins:
        return midnight + DAY_S + ends
    return midnight + ends if second < ends else None


def last_digest(settings: NoticeSettings, now: float) -> float:
    """The latest time of the digest that is not later than ``now``."""
    at = now - (now + OFFSET_S) % DAY_S + settings.digest_minute * 60
    return at if at <= now else at - DAY_S


def retry_at(attempts: int, now: float, jitter: float) -> float | None:
    """When to try again after so many attempts; None: not any more.

    Args:
        jitter: From 0 to 1, drawn by the caller: what failed together does not come back together.
    """
    if attempts > len(RETRY_AFTER_S):
        return None
    return now + RETRY_AFTER_S[attempts - 1] * (0.8 + 0.4 * jitter)
