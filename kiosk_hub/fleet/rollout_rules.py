"""What may be done with a rollout, and what follows by itself. Pure: time and tallies are arguments.

``decide`` says whether a deed is allowed, ``apply`` what is true after it; ``look`` names the next deed that
follows from the figures. A member's own steps are ``heard`` below.
"""

from collections.abc import Mapping, Sequence
from typing import Final, assert_never

from msgspec import Struct
from msgspec.structs import replace

from kiosk_hub.fleet.experience import Effect, sentence
from kiosk_hub.fleet.news import Installing
from kiosk_hub.fleet.reasons import Reason
from kiosk_hub.fleet.rollouts import ENDED, UNDER_WAY, Member, MemberStep, Rollout, RolloutState
from room_manager.errors import NotAllowed, WrongState
from room_manager.words import kebab


class Deed(Struct, frozen=True, tag=kebab):
    """Base. ``by``: the account; empty: the rollout itself."""

    by: str = ""


class Submit(Deed, frozen=True):
    """The plan is finished; a second administrator may approve it."""


class Approve(Deed, frozen=True):
    """It runs: its first ring is started."""


class Pause(Deed, frozen=True):
    """Nothing more is offered for now."""


class Resume(Deed, frozen=True):
    """It goes on where it was."""


class Stop(Deed, frozen=True, kw_only=True):
    """It has ended early, for this reason."""

    reason: Reason


class Reach(Deed, frozen=True, kw_only=True):
    """Enough of the ring has it; the soak begins."""

    ring: int


class FallBack(Deed, frozen=True, kw_only=True):
    """The ring no longer has enough; its soak will begin anew."""

    ring: int


class StartRing(Deed, frozen=True, kw_only=True):
    """The ring's devices are offered the bundle. By a person: without waiting for the ring before."""

    ring: int


class Finish(Deed, frozen=True):
    """Every ring has it."""


AnyDeed = Submit | Approve | Pause | Resume | Stop | Reach | FallBack | StartRing | Finish

_S = RolloutState
TRANSITIONS: Final[Mapping[RolloutState, Mapping[type[Deed], RolloutState]]] = {
    _S.DRAFT: {Submit: _S.AWAITING_APPROVAL, Stop: _S.STOPPED},
    _S.AWAITING_APPROVAL: {Approve: _S.RUNNING, Stop: _S.STOPPED},
    _S.RUNNING: {
        Pause: _S.PAUSED,
        Stop: _S.STOPPED,
        Reach: _S.RUNNING,
        FallBack: _S.RUNNING,
        StartRing: _S.RUNNING,
        Finish: _S.FINISHED,
    },
    _S.PAUSED: {Resume: _S.RUNNING, Stop: _S.STOPPED},
    _S.STOPPED: {},
    _S.FINISHED: {Stop: _S.STOPPED},  # late joiners get it no more
}

Tally = Mapping[MemberStep, int]
"""How many of one ring's devices are at each step."""


def decide(rollout: Rollout, deed: AnyDeed) -> None:
    """Raise ``WrongState`` or ``NotAllowed`` if it may not be done now."""
    if type(deed) not in TRANSITIONS[rollout.state]:
        raise WrongState(f"a rollout that is {rollout.state} cannot do that")
    if isinstance(deed, Approve) and (not deed.by or deed.by in rollout.planners):
        raise NotAllowed("a rollout is approved by somebody who had no hand in its plan")
    if isinstance(deed, StartRing):
        started = [ring.started_at is not None for ring in rollout.rings]
        if not 0 <= deed.ring < len(started) or started[deed.ring] or not all(started[: deed.ring]):
            raise WrongState("rings start in their order, each once")


def apply(rollout: Rollout, deed: AnyDeed, now: float) -> Rollout:
    """The rollout after the deed. Raises what ``decide`` does."""
    decide(rollout, deed)
    after = replace(rollout, state=TRANSITIONS[rollout.state][type(deed)], changes=rollout.changes + 1)
    match deed:
        case Submit() | Pause():
            return after
        case Resume():
            return replace(after, reason=None)
        case Approve():
            return _ring(replace(after, approved_by=deed.by, approved_at=now), 0, started_at=now)
        case Stop():
            return replace(after, reason=deed.reason, stopped_by=deed.by, ended_at=now)
        case Reach():
            return _ring(after, deed.ring, reached_at=now)
        case FallBack():
            return _ring(after, deed.ring, reached_at=None)
        case StartRing():
            return _ring(after, deed.ring, started_at=now)
        case Finish():
            return replace(after, ended_at=now)
        case _:
            assert_never(deed)


def _ring(rollout: Rollout, place: int, **changed: float | None) -> Rollout:
    rings = list(rollout.rings)
    rings[place] = replace(rings[place], **changed)
    return replace(rollout, rings=tuple(rings))


def due(tally: Tally) -> int:
    """Devices of the ring that are to have it."""
    return sum(tally.values()) - tally.get("left-out", 0)


def failed(tally: Tally) -> int:
    return tally.get("failed", 0) + tally.get("returned", 0)


def too_many_failed(rollout: Rollout, tally: Tally) -> bool:
    """Does the ring stop the rollout? The share is of installs that have ended: those still under way
    say nothing yet, and waiting for them would let more devices fail."""
    gate = rollout.plan.gate
    bad, ended = failed(tally), failed(tally) + tally.get("installed", 0)
    return bad >= max(1, min(gate.failed_least, due(tally))) and bad > gate.failed_share * ended


def enough_installed(rollout: Rollout, tally: Tally) -> bool:
    """Has the ring its share? A ring nobody is in has."""
    return tally.get("installed", 0) >= rollout.plan.gate.advance_share * due(tally) - 1e-9


def look(
    rollout: Rollout, tallies: Sequence[Tally], findings: Sequence[Effect], now: float
) -> AnyDeed | None:
    """What follows by itself now; None: nothing. To be asked again after it was done.

    Harm goes before progress: a rollout that has a reason to stop never starts a ring in the same look.
    """
    if rollout.state is not RolloutState.RUNNING:
        return None
    for place, (ring, tally) in enumerate(zip(rollout.rings, tallies, strict=True)):
        if ring.started_at is not None and too_many_failed(rollout, tally):
            return Stop(reason=_failures(place, tally))
    for finding in findings:
        if finding.worse:
            return Stop(reason=sentence(finding))
    for place, (ring, tally) in enumerate(zip(rollout.rings, tallies, strict=True)):
        if ring.started_at is None:
            return None if place and not _soaked(rollout, tallies, place - 1, now) else StartRing(ring=place)
        enough = enough_installed(rollout, tally)
        if enough and ring.reached_at is None:
            return Reach(ring=place)
        if not enough and ring.reached_at is not None:
            return FallBack(ring=place)
    last = len(rollout.rings) - 1
    return Finish() if _soaked(rollout, tallies, last, now) else None


def _soaked(rollout: Rollout, tallies: Sequence[Tally], place: int, now: float) -> bool:
    ring = rollout.rings[place]
    if ring.reached_at is None:
        return False
    return due(tallies[place]) == 0 or now >= ring.reached_at + rollout.plan.gate.soak_s


def soak_ends_at(rollout: Rollout) -> float | None:
    """When the clock alone may start the next ring or finish; None: something else is waited for."""
    if rollout.state is not RolloutState.RUNNING:
        return None
    for place, ring in enumerate(rollout.rings):
        following = rollout.rings[place + 1].started_at if place + 1 < len(rollout.rings) else None
        if following is None:
            return None if ring.reached_at is None else ring.reached_at + rollout.plan.gate.soak_s
    return None


def _failures(place: int, tally: Tally) -> Reason:
    bad, ended = failed(tally), failed(tally) + tally.get("installed", 0)
    return Reason(
        "too-many-failed",
        f"Tự dừng: ở vòng {place + 1}, {bad} trong {ended} lượt cài đặt đã kết thúc không thành công"
        f" ({tally.get('returned', 0)} thiết bị đã tự quay về bản tốt trước đó).",
        f"Stopped by itself: in ring {place + 1}, {bad} of {ended} ended installs failed"
        f" ({tally.get('returned', 0)} devices went back to their last good version).",
    )


# --- one device ---

_ORDER: Final[Mapping[MemberStep, int]] = {step: place for place, step in enumerate(UNDER_WAY)}
_AFTER_THE_END: Final[Mapping[MemberStep, frozenset[MemberStep]]] = {
    "installed": frozenset({"returned"}),  # the check after the switch failed later
    "failed": frozenset({"installed", "returned"}),  # it tried again by itself
    "returned": frozenset(),
    "left-out": frozenset({"installed"}),
}


def heard(member: Member, news: Installing, now: float) -> Member:
    """The member after what its device tells. News that came late or twice changes nothing."""
    step: MemberStep = news.step
    if member.step in ENDED:
        if step not in _AFTER_THE_END[member.step]:
            return member
    elif step not in ENDED and _ORDER[step] < _ORDER[member.step]:
        return member
    installed_at = member.installed_at
    if step == "installed" and installed_at is None:
        installed_at = now
    return replace(
        member,
        step=step,
        at=now,
        bytes_done=max(member.bytes_done, news.bytes_done) if step not in ENDED else news.bytes_done,
        code=news.code,
        text=news.text,
        installed_at=installed_at,
    )


def retried(member: Member, now: float) -> Member:
    """It is offered once more. Raises ``WrongState`` unless it has failed or gone back."""
    if member.step not in ("failed", "returned"):
        raise WrongState("only a device that failed or went back is offered it again")
    return Member(member.device, member.ring, "offered", now, installed_at=None, attempt=member.attempt + 1)


def is_offered(rollout: Rollout, member: Member) -> bool:
    """Is the bundle to be offered to this device now?"""
    if rollout.state not in (RolloutState.RUNNING, RolloutState.FINISHED):
        return False
    return rollout.rings[member.ring].started_at is not None and member.step not in ENDED
