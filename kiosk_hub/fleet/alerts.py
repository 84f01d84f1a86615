"""When a symptom is an alarm: one small machine for each device and each family of symptoms.

A judgement comes with each beat, and what one beat says may be gone with the next. So an alarm is entered by
*m* bad judgements of the last *n*, left only after a stretch without a bad one, and a symptom that comes and
goes is itself a state, *flapping*, entered once and left when it has been steady: one alarm, not twenty.

Nothing here knows of places, people or notices.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct, structs

from kiosk_hub.fleet.values import Status
from kiosk_hub.fleet.verdict import Symptom

OFFLINE: Final = "offline"
"""The family of not being heard of at all."""

SPACING_S: Final = 10.0
"""Judgements closer together than this are one: what counts is what was so, not how often it was asked."""

SET_BACK_S: Final = 60.0
"""A judgement so long before the last one: it is the clock."""


class Phase(StrEnum):
    """How far one family of symptoms of one device has come."""

    CLEAR = "clear"
    SUSPECTED = "suspected"  # bad, not often enough
    RAISED = "raised"
    FLAPPING = "flapping"  # came and went too often; one alarm until it is steady


TRANSITIONS: Final[Mapping[Phase, frozenset[Phase]]] = {
    Phase.CLEAR: frozenset({Phase.SUSPECTED, Phase.RAISED, Phase.FLAPPING}),
    Phase.SUSPECTED: frozenset({Phase.CLEAR, Phase.RAISED, Phase.FLAPPING}),
    Phase.RAISED: frozenset({Phase.CLEAR, Phase.FLAPPING}),
    Phase.FLAPPING: frozenset({Phase.CLEAR, Phase.RAISED}),
}
"""What may follow what, staying apart. Anything else is our bug."""


class Rule(Struct, frozen=True):
    """When a family of symptoms is an alarm. Beats come each 30 to 60 seconds."""

    bad: int = 2  # m: so many bad judgements …
    of: int = 3  # n: … of the last so many …
    within_s: float = 240.0  # … none of them older than this
    leave_s: float = 120.0  # without a bad judgement, and it is over
    flap_changes: int = 6  # from good to bad or back, so many of them …
    flap_window_s: float = 1_800.0  # … within this, are flapping …
    steady_s: float = 900.0  # … until there has been none for this long


DEFAULT: Final = Rule()

RULES: Final[Mapping[str, Rule]] = {
    OFFLINE: Rule(bad=1, of=1, leave_s=60.0),  # its verdict has waited for several beats already
    "network": Rule(bad=3, of=5, within_s=420.0, leave_s=300.0),
    "temperature": Rule(bad=3, of=5, within_s=420.0, leave_s=300.0),
    "load": Rule(bad=3, of=5, within_s=420.0, leave_s=300.0),
    "clock": Rule(bad=3, of=5, within_s=420.0),
}
"""By family; a family that is not here has ``DEFAULT``."""

_FAMILIES: Final[Mapping[str, str]] = {
    "paper": "printer",
    "memory": "load",
    "cpu": "load",
    "line": "network",
    "hot": "temperature",
    "overheated": "temperature",
    "undervoltage": "power",
    "browser": "screen",
}


def family_of(symptom: Symptom) -> str:
    """Symptoms of one part of a device are one family: a camera that is dark, then frozen, is one alarm."""
    if symptom.status is Status.OFFLINE:
        return OFFLINE
    first = symptom.reason.code.partition("-")[0]
    return _FAMILIES.get(first, first)


def rule_for(family: str) -> Rule:
    return RULES.get(family, DEFAULT)


class Vote(Struct, frozen=True):
    """One judgement. Seconds, UTC."""

    at: float
    bad: bool


class Alarm(Struct, frozen=True):
    """One family of symptoms of one device, as far as it must be remembered."""

    phase: Phase = Phase.CLEAR
    since: float = 0.0  # of the phase
    votes: tuple[Vote, ...] = ()  # the last n
    changes: tuple[float, ...] = ()  # when it went from good to bad or back; the last ones
    bad: bool = False  # by the last judgement
    bad_at: float = 0.0  # the last bad judgement
    symptom: Symptom | None = None  # as last seen

    @property
    def is_on(self) -> bool:
        return self.phase in (Phase.RAISED, Phase.FLAPPING)


def step(alarm: Alarm, symptom: Symptom | None, now: float, rule: Rule) -> Alarm:
    """What one more judgement makes of it.

    Args:
        symptom: The worst of the family, or None: the judgement found none.
        now: Seconds, UTC; one that lies a little before the last judgement counts as that.
    """
    if alarm.votes and now < alarm.votes[-1].at - SET_BACK_S:
        alarm = _set_back(alarm, now)
    now = max(now, alarm.votes[-1].at) if alarm.votes else now
    bad = symptom is not None
    changes = alarm.changes if bad is alarm.bad else (*alarm.changes, now)
    changes = tuple(at for at in changes if now - at <= rule.flap_window_s)[-rule.flap_changes :]
    heard = structs.replace(
        alarm,
        votes=_vote(alarm.votes, Vote(now, bad), rule),
        changes=changes,
        bad=bad,
        bad_at=now if bad else alarm.bad_at,
        symptom=symptom if symptom is not None else alarm.symptom,
    )
    phase = _phase(heard, now, rule)
    if phase is alarm.phase:
        return heard
    if phase not in TRANSITIONS[alarm.phase]:
        raise AssertionError(f"{alarm.phase} does not become {phase}")
    settled = alarm.phase is Phase.FLAPPING  # what has been counted as one flap is not counted again
    left = alarm.is_on and phase is Phase.CLEAR
    return structs.replace(
        heard,
        phase=phase,
        since=now,
        changes=() if settled else heard.changes,
        votes=() if left else heard.votes,
    )


def _set_back(alarm: Alarm, now: float) -> Alarm:
    """The clock was set back: what it was before it stays, and is counted from now on. Else the alarm would
    stand still until the clock has caught up."""
    return structs.replace(
        alarm, votes=(), changes=(), since=min(alarm.since, now), bad_at=min(alarm.bad_at, now)
    )


def _vote(votes: tuple[Vote, ...], vote: Vote, rule: Rule) -> tuple[Vote, ...]:
    if votes and vote.at - votes[-1].at < SPACING_S:
        votes = (*votes[:-1], Vote(votes[-1].at, votes[-1].bad or vote.bad))
    else:
        votes = (*votes, vote)
    return tuple(one for one in votes if vote.at - one.at <= rule.within_s)[-rule.of :]


def _phase(alarm: Alarm, now: float, rule: Rule) -> Phase:
    if alarm.phase is Phase.FLAPPING:
        if alarm.changes and now - alarm.changes[-1] < rule.steady_s:
            return Phase.FLAPPING
        return Phase.RAISED if alarm.bad else Phase.CLEAR
    if len(alarm.changes) >= rule.flap_changes:
        return Phase.FLAPPING
    if alarm.phase is Phase.RAISED:
        over = not alarm.bad and now - alarm.bad_at >= rule.leave_s
        return Phase.CLEAR if over else Phase.RAISED
    bad = sum(vote.bad for vote in alarm.votes)
    if bad >= rule.bad:
        return Phase.RAISED
    return Phase.SUSPECTED if bad else Phase.CLEAR


def is_spent(alarm: Alarm) -> bool:
    """Nothing of it needs to be remembered."""
    return alarm.phase is Phase.CLEAR and not alarm.bad and not alarm.changes


def raised(symptom: Symptom, now: float) -> Alarm:
    """An alarm that was on before a restart: it is left by the same rule as any other."""
    return Alarm(Phase.RAISED, now, (Vote(now, True),), (), True, now, symptom)
