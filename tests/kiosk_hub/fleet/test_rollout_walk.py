"""A walk over the rollout machine: people, devices and time act in any order; what must hold, holds.

The devices are modelled: each is offered what the rules offer it, installs, fails, goes back, tells late or
twice. Whatever happens, a ring starts only after the one before had its share and its soak (or a person's
word), what was stopped stays stopped, and no device leaves its ring.
"""

from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kiosk_hub.fleet.experience import Counts, ExperienceGate, Fared, judge
from kiosk_hub.fleet.ids import BundleId, DeviceId, RolloutId
from kiosk_hub.fleet.news import Installing
from kiosk_hub.fleet.orders import InstallStep
from kiosk_hub.fleet.reasons import Reason
from kiosk_hub.fleet.rings import Candidate, Ring, deal
from kiosk_hub.fleet.rollout_rules import (
    AnyDeed,
    Approve,
    Pause,
    Resume,
    StartRing,
    Stop,
    Submit,
    Tally,
    apply,
    enough_installed,
    heard,
    is_offered,
    look,
    retried,
    too_many_failed,
)
from kiosk_hub.fleet.rollouts import (
    Gate,
    Member,
    MemberStep,
    RingProgress,
    Rollout,
    RolloutPlan,
    RolloutState,
)
from kiosk_hub.fleet.values import BundleKind
from room_manager.errors import DomainError

PEOPLE = ("an", "bình", "chi")
BY_HAND = Reason("by-hand", "Dừng theo yêu cầu.", "Stopped by hand.")
STEPS: tuple[InstallStep, ...] = (
    "offered",
    "downloading",
    "downloaded",
    "installing",
    "installed",
    "failed",
    "returned",
)


class RolloutWalk(RuleBasedStateMachine):
    """One rollout of up to 40 devices in up to four rings."""

    @initialize(
        count=st.integers(0, 40),
        shares=st.lists(st.sampled_from([0.05, 0.2, 0.5, 1.0]), max_size=3),
        soak_s=st.sampled_from([0.0, 60.0, 3600.0]),
        failed_share=st.sampled_from([0.0, 0.1, 0.5]),
    )
    def begin(self, count: int, shares: list[float], soak_s: float, failed_share: float) -> None:
        self.now = 1000.0
        rings = (*(Ring(share=share) for share in shares), Ring())
        gate = Gate(soak_s=soak_s, failed_share=failed_share, experience=ExperienceGate(least=10))
        self.rollout = Rollout(
            id=RolloutId("r"),
            plan=RolloutPlan(BundleId("b"), rings, gate=gate),
            kind=BundleKind.CONTENT,
            version="2",
            state=RolloutState.DRAFT,
            planners=("an",),
            planned_at=self.now,
            rings=tuple(RingProgress() for _ in rings),
        )
        candidates = [Candidate(DeviceId(f"k{n}"), "001") for n in range(count)]
        self.dealt = deal(rings, candidates, "r")
        self.members = {device: Member(device, ring) for device, ring in self.dealt.items()}
        self.after = Counts()
        self.pushed: set[int] = set()
        self.ended = False

    def tallies(self) -> list[Tally]:
        found: list[Counter[MemberStep]] = [Counter() for _ in self.rollout.rings]
        for member in self.members.values():
            found[member.ring][member.step] += 1
        return list(found)

    def do(self, deed: AnyDeed) -> None:
        before = self.rollout
        try:
            self.rollout = apply(before, deed, self.now)
        except DomainError:
            assert self.rollout is before
            return
        assert self.rollout.changes == before.changes + 1
        if isinstance(deed, StartRing):
            self.pushed.add(deed.ring)

    @rule(by=st.sampled_from(PEOPLE), deed=st.sampled_from([Submit, Approve, Pause, Resume]))
    def person(self, by: str, deed: type[Submit] | type[Approve] | type[Pause] | type[Resume]) -> None:
        self.do(deed(by))

    @rule(by=st.sampled_from(PEOPLE), ring=st.integers(0, 4))
    def push(self, by: str, ring: int) -> None:
        self.do(StartRing(by, ring=ring))

    @rule(by=st.sampled_from(PEOPLE), really=st.integers(0, 9))
    def stop(self, by: str, really: int) -> None:
        if really == 0:
            self.do(Stop(by, reason=BY_HAND))

    @rule(seconds=st.sampled_from([1.0, 59.0, 61.0, 3601.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.members)
    @rule(data=st.data(), step=st.sampled_from(STEPS))
    def device_tells(self, data: st.DataObject, step: InstallStep) -> None:
        member = data.draw(st.sampled_from(sorted(self.members.values(), key=lambda one: one.device)))
        if member.step == "waiting" and not is_offered(self.rollout, member):
            return  # it knows of nothing
        self._tell(member, step)

    @rule(failing=st.sampled_from([0, 0, 0, 7, 2]))
    def devices_go_on(self, failing: int) -> None:
        """All that are offered it install it; every so-manieth fails."""
        for number, member in enumerate(self.members.values()):
            if is_offered(self.rollout, member):
                self._tell(member, "failed" if failing and number % failing == 0 else "installed")

    @precondition(lambda self: self.members)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        member = data.draw(st.sampled_from(sorted(self.members.values(), key=lambda one: one.device)))
        try:
            self.members[member.device] = retried(member, self.now)
        except DomainError:
            assert member.step not in ("failed", "returned")

    @rule(bad=st.integers(0, 12), of=st.integers(0, 12))
    def residents(self, bad: int, of: int) -> None:
        self.after = self.after + Counts(begun=of, abandoned=min(bad, of))

    def _tell(self, member: Member, step: InstallStep) -> None:
        news = Installing(self.rollout.id, self.rollout.plan.bundle, step)
        after = heard(member, news, self.now)
        assert heard(after, news, self.now + 1).step == after.step  # told twice
        self.members[member.device] = after

    @rule()
    def look(self) -> None:
        reference = Counts(begun=1000, abandoned=100)
        gate = self.rollout.plan.gate.experience
        assert gate is not None
        findings = judge(Fared(reference, self.after, reference), gate)
        for _ in range(3 * len(self.rollout.rings) + 3):
            before, tallies = self.rollout, self.tallies()
            deed = look(before, tallies, findings, self.now)
            if deed is None:
                return
            self.rollout = apply(before, deed, self.now)  # what follows by itself is always allowed
            if isinstance(deed, StartRing):
                earlier = before.rings[deed.ring - 1]
                assert earlier.reached_at is not None
                assert enough_installed(before, tallies[deed.ring - 1])
                assert not any(too_many_failed(before, t) for t in tallies[: deed.ring])
                assert not any(finding.worse for finding in findings)
        raise AssertionError("it never comes to rest")

    @invariant()
    def rings_start_in_order(self) -> None:
        started = [ring.started_at for ring in self.rollout.rings]
        known = [at for at in started if at is not None]
        assert started[: len(known)] == known == sorted(known)
        if self.rollout.approved_at is None:
            assert not known

    @invariant()
    def nobody_approves_an_own_plan(self) -> None:
        assert self.rollout.approved_by not in self.rollout.planners
        live = (RolloutState.RUNNING, RolloutState.PAUSED, RolloutState.FINISHED)
        assert (self.rollout.state not in live) or self.rollout.approved_by

    @invariant()
    def what_is_stopped_stays_stopped(self) -> None:
        assert not self.ended or self.rollout.state is RolloutState.STOPPED
        self.ended = self.rollout.state is RolloutState.STOPPED
        if self.ended:
            assert self.rollout.reason is not None
            assert not any(is_offered(self.rollout, member) for member in self.members.values())

    @invariant()
    def nobody_leaves_a_ring(self) -> None:
        assert {device: member.ring for device, member in self.members.items()} == self.dealt


QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much]
RolloutWalk.TestCase.settings = settings(
    max_examples=30, stateful_step_count=40, deadline=None, suppress_health_check=QUIET
)
TestRolloutWalk = RolloutWalk.TestCase


class LongRolloutWalk(RolloutWalk):
    """The same, for longer."""


LongRolloutWalk.TestCase.settings = settings(
    max_examples=1000, stateful_step_count=80, deadline=None, suppress_health_check=QUIET
)
TestLongRolloutWalk = pytest.mark.slow(LongRolloutWalk.TestCase)
