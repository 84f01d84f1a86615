"""What each act is like: does it disturb a resident, is it dangerous, how long may it wait and run.

One table, so that the server, the pages and the documentation say the same. It knows nothing of who asks.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal

from msgspec import Struct

from kiosk_hub.fleet.orders import (
    Act,
    AnyAct,
    CheckLine,
    CollectLogs,
    Reboot,
    RefreshContent,
    RestartAgent,
    RestartPage,
    ReturnToService,
    SetScreen,
    SetVolume,
    TakeOutOfService,
    TakeScreenshot,
    TestCamera,
    TestPrinter,
)

BULK_IS_MANY: Final = 10
"""From so many devices on, what is dangerous in bulk needs a second person."""
FORCED_SOON_S: Final = 600.0
"""A session that is ended by force earlier than this after the start needs a second person: whoever
began just before is then cut off in the middle."""
RECENT_S: Final = 600.0
"""What the same person asked for in the last ten minutes counts into a bulk, so that it cannot be split."""

MIN_TTL_S: Final = 60.0
MAX_TTL_S: Final = 7 * 86_400.0
MAX_AHEAD_S: Final = 30 * 86_400.0
"""How far ahead an act may be planned."""

HOUR_S: Final = 3600.0
DAY_S: Final = 86_400.0


class Beside(StrEnum):
    """What an act is to a resident who is being served."""

    HARMLESS = "harmless"  # nothing is noticed: it does not wait
    DISTURBS = "disturbs"  # it waits for the end of the session, unless forced
    NEVER = "never"  # the device refuses it during a session, forced or not


class Danger(StrEnum):
    """When a second person must approve."""

    NONE = "none"
    IN_BULK = "in-bulk"
    ALWAYS = "always"


class ActRule(Struct, frozen=True):
    """One line of the table. ``action_evidence``: what kind of file its result comes with."""

    beside: Beside
    danger: Danger
    ttl_s: float  # default: how long it may wait for the device and the session
    runs_at_most_s: float
    evidence: Literal["screenshot", "log"] | None = None


ACTS: Final[Mapping[type[Act], ActRule]] = {
    RestartPage: ActRule(Beside.DISTURBS, Danger.NONE, HOUR_S, 120.0),
    RestartAgent: ActRule(Beside.DISTURBS, Danger.IN_BULK, HOUR_S, 180.0),
    Reboot: ActRule(Beside.DISTURBS, Danger.ALWAYS, HOUR_S, 600.0),
    SetScreen: ActRule(Beside.DISTURBS, Danger.IN_BULK, HOUR_S, 30.0),
    SetVolume: ActRule(Beside.HARMLESS, Danger.NONE, HOUR_S, 30.0),
    RefreshContent: ActRule(Beside.HARMLESS, Danger.NONE, DAY_S, 900.0),
    CollectLogs: ActRule(Beside.HARMLESS, Danger.NONE, DAY_S, 180.0, "log"),
    TakeScreenshot: ActRule(Beside.NEVER, Danger.NONE, HOUR_S / 4, 60.0, "screenshot"),
    TestCamera: ActRule(Beside.DISTURBS, Danger.NONE, HOUR_S, 60.0),
    TestPrinter: ActRule(Beside.DISTURBS, Danger.NONE, HOUR_S, 60.0),
    CheckLine: ActRule(Beside.HARMLESS, Danger.NONE, HOUR_S, 120.0),
    TakeOutOfService: ActRule(Beside.DISTURBS, Danger.IN_BULK, DAY_S, 60.0),
    ReturnToService: ActRule(Beside.HARMLESS, Danger.NONE, DAY_S, 60.0),
}


def name_of(act: AnyAct | type[Act]) -> str:
    """Its tag: the name it has everywhere."""
    kind = act if isinstance(act, type) else type(act)
    return str(kind.__struct_config__.tag)


def rule_of(act: AnyAct) -> ActRule:
    """Its line of the table. To switch a screen on is not dangerous and disturbs nobody."""
    rule = ACTS[type(act)]
    if isinstance(act, SetScreen) and act.on:
        return ActRule(Beside.HARMLESS, Danger.NONE, rule.ttl_s, rule.runs_at_most_s)
    return rule


def forces_soon(act: AnyAct, waits_for_session: bool, force_after_s: float | None) -> bool:
    """May it end a resident's session within :data:`FORCED_SOON_S`?"""
    if rule_of(act).beside is not Beside.DISTURBS:
        return False
    return not waits_for_session or (force_after_s is not None and force_after_s < FORCED_SOON_S)


def needs_second(act: AnyAct, devices: int, waits_for_session: bool, force_after_s: float | None) -> bool:
    """Must a second person approve?

    Args:
        act: What is to be done.
        devices: At how many: this act's, and those the same person asked the same for lately.
        waits_for_session: Does it wait for the end of a session?
        force_after_s: How long it waits at most.
    """
    danger = rule_of(act).danger
    return (
        danger is Danger.ALWAYS
        or (danger is Danger.IN_BULK and devices >= BULK_IS_MANY)
        or forces_soon(act, waits_for_session, force_after_s)
    )
