"""A city and a device that talk over a line which loses, repeats and reorders, and a device that restarts.

Whatever happens: the effect is had at most once, never after a cancel or an expiry, and every command ends.
"""

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec import Struct, structs

from kiosk_hub.fleet import commands as rules
from kiosk_hub.fleet.commands import FINAL, Command, CommandState, Plan, apply
from kiosk_hub.fleet.ids import CommandId, DeviceId
from kiosk_hub.fleet.orders import Outcome, RestartPage
from room_manager.errors import DomainError


class Flying(Struct, frozen=True):
    """One message on the line: ``order``, ``kept``, ``claim``, ``go``, ``no-go``, ``began``, ``done``."""

    what: str
    command: CommandId
    outcome: Outcome | None = None


class CityAndDevice(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.now = 1_000.0
        self.city: dict[CommandId, Command] = {}
        self.ended: dict[CommandId, CommandState] = {}
        self.line: list[Flying] = []
        # What a device has on its disk: orders, and those it has begun.
        self.kept: set[CommandId] = set()
        self.begun: set[CommandId] = set()
        self.effects: dict[CommandId, int] = {}

    def happened(self, id: CommandId, event: rules.CommandEvent | None) -> None:
        if event is not None:
            self.city[id] = apply(self.city[id], event)
        if self.city[id].state in FINAL:
            self.ended.setdefault(id, self.city[id].state)

    # --- staff ---

    @precondition(lambda self: len(self.city) < 4)
    @rule(second=st.booleans(), ttl_s=st.sampled_from([60.0, 600.0]), ahead_s=st.sampled_from([None, 30.0]))
    def ask(self, second: bool, ttl_s: float, ahead_s: float | None) -> None:
        id = CommandId(f"c{len(self.city)}")
        plan = Plan(ttl_s=ttl_s, not_before=self.now + ahead_s if ahead_s is not None else None)
        self.city[id] = rules.ask(
            id=id,
            device=DeviceId("d"),
            do=RestartPage(),
            plan=plan,
            second=second,
            by="lan",
            by_name="",
            why="",
            now=self.now,
        )

    @precondition(lambda self: self.city)
    @rule(data=st.data(), deed=st.sampled_from(["approve", "approve", "refuse", "cancel"]))
    def staff_decides(self, data: st.DataObject, deed: str) -> None:
        id = data.draw(st.sampled_from(sorted(self.city)))
        try:
            if deed == "approve":
                self.happened(id, rules.approve(self.city[id], "minh", self.now))
            elif deed == "refuse":
                self.happened(id, rules.refuse(self.city[id], "minh", "", self.now))
            else:
                self.happened(id, rules.cancel(self.city[id], "lan", "", self.now))
        except DomainError:
            pass

    # --- the line ---

    @precondition(lambda self: any(rules.is_deliverable(c, self.now) for c in self.city.values()))
    @rule()
    def city_sends_what_waits(self) -> None:
        for id, command in self.city.items():
            if rules.is_deliverable(command, self.now):
                self.happened(id, rules.Sent(self.now))
                self.line.append(Flying("order", id))

    @precondition(lambda self: self.kept - self.begun)
    @rule()
    def device_claims(self) -> None:
        self.line += [Flying("claim", id) for id in sorted(self.kept - self.begun)]

    @precondition(lambda self: self.line)
    @rule(data=st.data(), again=st.booleans(), allowed=st.booleans(), works=st.booleans())
    def something_arrives(self, data: st.DataObject, again: bool, allowed: bool, works: bool) -> None:
        """The newest or any other; perhaps once more later, perhaps never."""
        at = data.draw(st.integers(0, len(self.line) - 1))
        message = self.line[at]
        if not again or message.what in ("go", "no-go"):  # an answer belongs to one connection
            self.line.pop(at)
        self.arrives(message, allowed, works)

    @precondition(lambda self: self.line)
    @rule(works=st.booleans())
    def everything_arrives(self, works: bool) -> None:
        for _ in range(len(self.line)):
            self.arrives(self.line.pop(0), True, works)

    def arrives(self, message: Flying, allowed: bool, works: bool) -> None:
        id = message.command
        match message.what:
            case "order":
                if id not in self.begun:
                    self.kept.add(id)
                self.line.append(Flying("kept", id))
            case "kept":
                if self.city[id].state in (CommandState.PENDING, CommandState.SENT):
                    self.happened(id, rules.Acknowledged(self.now))
            case "claim":
                self.claim(id, allowed)
            case "go":
                if id in self.kept and id not in self.begun:
                    self.begun.add(id)
                    self.effects[id] = self.effects.get(id, 0) + 1
                    self.line.append(Flying("began", id))
                    self.line.append(Flying("done", id, Outcome(works, "" if works else "no-browser")))
            case "no-go":
                self.kept.discard(id)
            case "began":
                self.happened(id, rules.begun(self.city[id], self.now))
            case "done":
                assert message.outcome is not None
                self.happened(id, rules.done(self.city[id], message.outcome, self.now))

    def claim(self, id: CommandId, allowed: bool) -> None:
        was = self.city[id].state
        try:
            event = rules.claim(self.city[id], None if allowed else ("right-withdrawn", ""), self.now)
        except DomainError:
            self.line.append(Flying("no-go", id))
            return
        self.happened(id, event)
        go = event is None or isinstance(event, rules.Claimed)
        assert not go or allowed or was is CommandState.RUNNING
        self.line.append(Flying("go" if go else "no-go", id))

    @precondition(lambda self: self.begun)
    @rule()
    def device_restarts_and_says_it_was_interrupted(self) -> None:
        self.line += [Flying("done", id, Outcome(False, "interrupted")) for id in sorted(self.begun)]

    # --- time ---

    @rule(seconds=st.sampled_from([1.0, 31.0, 300.0, 30_000.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.city)
    @rule()
    def city_looks_at_the_clock(self) -> None:
        for id in self.city:
            self.happened(id, rules.due(self.city[id], self.now))
        for command in self.city.values():
            assert command.state in FINAL or rules.next_at(command) > self.now

    @precondition(lambda self: self.city)
    @rule()
    def city_restarts_and_has_forgotten_what_it_sent(self) -> None:
        for id, command in self.city.items():
            if command.state in (CommandState.SENT, CommandState.DELIVERED):
                self.city[id] = structs.replace(command, state=CommandState.PENDING)

    # --- what always holds ---

    @invariant()
    def had_at_most_once(self) -> None:
        assert all(many == 1 for many in getattr(self, "effects", {}).values())

    @invariant()
    def what_was_called_off_was_not_done(self) -> None:
        for id, command in getattr(self, "city", {}).items():
            if command.state in (CommandState.CANCELLED, CommandState.EXPIRED):
                assert id not in self.effects

    @invariant()
    def what_has_ended_stays_as_it_ended(self) -> None:
        for id, state in getattr(self, "ended", {}).items():
            assert self.city[id].state is state

    @invariant()
    def nothing_begins_outside_its_time(self) -> None:
        for command in getattr(self, "city", {}).values():
            if command.claimed_at is not None:
                assert command.starts_at <= command.claimed_at < command.expires_at

    def teardown(self) -> None:
        if not hasattr(self, "city"):
            return
        for _ in range(2):
            self.now += 10 * 86_400
            for id in self.city:
                self.happened(id, rules.due(self.city[id], self.now))
        assert all(command.state in FINAL for command in self.city.values())


TestWalk = CityAndDevice.TestCase
TestWalk.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@pytest.mark.slow
def test_long_walk() -> None:
    run_state_machine_as_test(
        CityAndDevice,
        settings=settings(
            max_examples=2_000,
            stateful_step_count=80,
            deadline=None,
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
        ),
    )
