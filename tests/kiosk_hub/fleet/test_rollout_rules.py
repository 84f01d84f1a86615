"""A rollout's rules by example: who approves, when rings start, when it stops by itself."""

import pytest
from msgspec.structs import replace

from kiosk_hub.fleet.experience import Counts, ExperienceGate, Fared, judge
from kiosk_hub.fleet.ids import BundleId, DeviceId, RolloutId
from kiosk_hub.fleet.news import Installing
from kiosk_hub.fleet.orders import InstallStep
from kiosk_hub.fleet.reasons import Reason
from kiosk_hub.fleet.rings import Ring
from kiosk_hub.fleet.rollout_rules import (
    Approve,
    FallBack,
    Finish,
    Pause,
    Reach,
    Resume,
    StartRing,
    Stop,
    Submit,
    Tally,
    apply,
    heard,
    is_offered,
    look,
    retried,
    soak_ends_at,
)
from kiosk_hub.fleet.rollouts import Gate, Member, RingProgress, Rollout, RolloutPlan, RolloutState
from kiosk_hub.fleet.values import BundleKind
from room_manager.errors import NotAllowed, WrongState

SOAK_S = 600.0
GATE = Gate(advance_share=0.9, soak_s=SOAK_S, failed_share=0.1, failed_least=2)
DRAFT = Rollout(
    id=RolloutId("r1"),
    plan=RolloutPlan(BundleId("b1"), (Ring(share=0.1), Ring()), gate=GATE),
    kind=BundleKind.CONTENT,
    version="2",
    state=RolloutState.DRAFT,
    planners=("an",),
    planned_at=0.0,
    rings=(RingProgress(), RingProgress()),
)


def running(now: float = 0.0) -> Rollout:
    return apply(apply(DRAFT, Submit("an"), now), Approve("bình"), now)


def test_a_second_person_approves_and_the_first_ring_starts() -> None:
    submitted = apply(DRAFT, Submit("an"), 1.0)

    with pytest.raises(NotAllowed):
        apply(submitted, Approve("an"), 2.0)
    with pytest.raises(NotAllowed):
        apply(submitted, Approve(), 2.0)
    approved = apply(submitted, Approve("bình"), 3.0)

    assert approved.state is RolloutState.RUNNING
    assert (approved.approved_by, approved.approved_at) == ("bình", 3.0)
    assert [ring.started_at for ring in approved.rings] == [3.0, None]


def test_a_draft_cannot_be_approved_nor_a_stopped_one_resumed() -> None:
    stopped = apply(running(), Stop("an", reason=Reason("by-hand", "", "")), 1.0)

    with pytest.raises(WrongState):
        apply(DRAFT, Approve("bình"), 1.0)
    with pytest.raises(WrongState):
        apply(stopped, Resume("an"), 1.0)


def test_the_next_ring_waits_for_the_share_and_the_soak() -> None:
    rollout = running()

    assert look(rollout, ({"installed": 8, "offered": 2}, {"waiting": 90}), (), 1e6) is None
    tallies: tuple[Tally, ...] = ({"installed": 9, "offered": 1}, {"waiting": 90})
    assert look(rollout, tallies, (), 100.0) == Reach(ring=0)
    reached = apply(rollout, Reach(ring=0), 100.0)
    assert soak_ends_at(reached) == 100.0 + SOAK_S
    assert look(reached, tallies, (), 100.0 + SOAK_S - 0.001) is None
    assert look(reached, tallies, (), 100.0 + SOAK_S) == StartRing(ring=1)


def test_a_device_that_goes_back_during_the_soak_begins_it_anew() -> None:
    reached = apply(running(), Reach(ring=0), 100.0)

    tallies: tuple[Tally, ...] = ({"installed": 8, "returned": 1, "offered": 1}, {"waiting": 90})

    assert look(reached, tallies, (), 200.0) == FallBack(ring=0)
    assert apply(reached, FallBack(ring=0), 200.0).rings[0].reached_at is None


def test_failed_installs_stop_it_but_one_alone_does_not() -> None:
    rollout = running()

    assert look(rollout, ({"failed": 1, "offered": 9}, {"waiting": 90}), (), 1.0) is None
    stop = look(rollout, ({"failed": 1, "returned": 1, "installed": 8}, {"waiting": 90}), (), 1.0)

    assert isinstance(stop, Stop)
    assert stop.reason.code == "too-many-failed"
    assert "2 trong 10" in stop.reason.vi
    assert apply(rollout, stop, 2.0).state is RolloutState.STOPPED


def test_the_only_device_of_a_ring_is_enough_to_stop_it() -> None:
    assert isinstance(look(running(), ({"failed": 1}, {"waiting": 90}), (), 1.0), Stop)


def test_failures_within_the_limit_do_not_stop_it() -> None:
    assert look(running(), ({"failed": 2, "installed": 18, "offered": 80}, {"waiting": 90}), (), 1.0) is None


def test_residents_who_fare_worse_stop_it_before_a_ring_starts() -> None:
    reached = apply(running(), Reach(ring=0), 100.0)
    before, after = Counts(begun=500, abandoned=50), Counts(begun=100, abandoned=60)
    findings = judge(Fared(before, after, before), ExperienceGate())

    stop = look(reached, ({"installed": 10}, {"waiting": 90}), findings, 1e6)

    assert isinstance(stop, Stop)
    assert stop.reason.code == "experience-abandoned"


def test_it_is_finished_when_the_last_ring_has_soaked() -> None:
    rollout = apply(apply(running(), Reach(ring=0), 0.0), StartRing(ring=1), SOAK_S)
    tallies: tuple[Tally, ...] = ({"installed": 10}, {"installed": 85, "offered": 5})

    rollout = apply(rollout, Reach(ring=1), SOAK_S)

    assert look(rollout, tallies, (), SOAK_S * 2) == Finish()
    finished = apply(rollout, Finish(), SOAK_S * 2)
    assert is_offered(finished, Member(DeviceId("late"), 1))
    assert look(finished, tallies, (), 1e9) is None


def test_a_ring_nobody_is_in_holds_nobody_up() -> None:
    reached = apply(running(), Reach(ring=0), 5.0)

    assert look(running(), ({}, {"waiting": 1}), (), 5.0) == Reach(ring=0)
    assert look(reached, ({"left-out": 3}, {"waiting": 1}), (), 5.0) == StartRing(ring=1)


def test_a_person_may_start_the_next_ring_but_not_skip_one() -> None:
    three = replace(
        running(),
        plan=replace(DRAFT.plan, rings=(Ring(share=0.1), Ring(share=0.5), Ring())),
        rings=(RingProgress(0.0), RingProgress(), RingProgress()),
    )

    with pytest.raises(WrongState):
        apply(three, StartRing("an", ring=2), 1.0)
    assert apply(three, StartRing("an", ring=1), 1.0).rings[1].started_at == 1.0


def test_nothing_is_offered_while_paused() -> None:
    member = Member(DeviceId("k"), 0)

    assert is_offered(running(), member)
    assert not is_offered(apply(running(), Pause("an"), 1.0), member)
    assert not is_offered(running(), Member(DeviceId("k"), 1))
    assert not is_offered(running(), replace(member, step="installed"))


def news(step: InstallStep, bytes_done: int = 0) -> Installing:
    return Installing(RolloutId("r1"), BundleId("b1"), step, bytes_done)


def test_a_device_goes_forward_only() -> None:
    member = heard(Member(DeviceId("k"), 0), news("downloading", 10), 1.0)
    member = heard(member, news("offered"), 2.0)
    assert (member.step, member.bytes_done, member.at) == ("downloading", 10, 1.0)

    member = heard(member, news("installed"), 3.0)
    assert heard(member, news("downloading", 99), 4.0) == member
    assert heard(member, news("failed"), 4.0) == member
    assert heard(member, news("returned"), 5.0).step == "returned"
    assert heard(member, news("returned"), 5.0).installed_at == 3.0


def test_only_what_failed_is_tried_again() -> None:
    member = heard(Member(DeviceId("k"), 0), news("failed"), 1.0)

    again = retried(member, 2.0)

    assert (again.step, again.attempt) == ("offered", 2)
    with pytest.raises(WrongState):
        retried(again, 3.0)
