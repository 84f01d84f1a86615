"""A walk over outbox and ledger: orders that come twice, late, out of order; crashes between any two steps; a
disk that is full for a while.

Whatever happens: no effect twice, none of an order that may not begin, nothing lost.
"""

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from kiosk_client.errors import NotKept
from kiosk_client.ledger import Ledger
from kiosk_client.orders import (
    TRANSITIONS,
    Ask,
    Expire,
    Look,
    OrderState,
    Rest,
    next_step,
    outcome_after_restart,
)
from kiosk_client.outbox import Outbox
from kiosk_client.store import Store
from signaling.wire.kiosk.words import (
    Began,
    CommandId,
    DeviceTime,
    Done,
    LogLine,
    Order,
    Outcome,
    Reboot,
    RestartAgent,
    RestartPage,
    Sessions,
)

T0 = 1_800_000_000.0
ids = st.integers(0, 7).map(lambda n: CommandId(f"c{n}"))
acts = st.sampled_from([RestartPage(), RestartAgent(), Reboot()])


class DeviceWalk(RuleBasedStateMachine):
    """The device's durable half, and a city that remembers what it was told."""

    @initialize()
    def begin(self) -> None:
        self.store = Store(":memory:")  # a crash loses the process, not what was committed
        self.now = T0
        self.boot, self.run = 1, 1
        self.full = False
        self.in_session = False
        self.orders: dict[CommandId, Order] = {}
        self.taken_back: set[CommandId] = set()
        self.acknowledged: set[CommandId] = set()
        self.effects: Counter[CommandId] = Counter()
        self.doing: CommandId | None = None
        self.told: dict[str, Any] = {}
        self.counted = 0
        self._open()

    def _open(self) -> None:
        self.outbox = Outbox(self.store)
        self.ledger = Ledger(self.store, self.outbox)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()

    def _at(self) -> DeviceTime:
        return DeviceTime(f"boot-{self.boot:04}", 1, 1.0, self.now)

    # --- the city ---

    @rule(id_=ids, do=acts, lasts_s=st.integers(1, 500), waits=st.booleans(), forced=st.booleans())
    def order(self, id_: CommandId, do: Any, lasts_s: int, waits: bool, forced: bool) -> None:
        force_at = self.now + lasts_s / 2 if forced else None
        order = self.orders.setdefault(id_, Order(id_, do, self.now + lasts_s, waits, force_at))
        try:
            if self.ledger.receive(order):
                self.acknowledged.add(id_)
        except NotKept:
            assert self.full

    @rule(id_=ids)
    def take_back(self, id_: CommandId) -> None:
        began = self.ledger.state(id_) in (OrderState.BEGUN, OrderState.DONE)
        try:
            self.ledger.take_back(id_, self.now)
            if not began:
                self.taken_back.add(id_)
        except NotKept:
            assert self.full

    # --- the device ---

    @precondition(lambda self: self.doing is None)
    @rule(connected=st.booleans(), go=st.booleans())
    def step(self, connected: bool, go: bool) -> None:
        look = Look(self.now, self.in_session, connected)
        found = next_step(self.ledger.waiting(), look)
        try:
            match found:
                case Expire(order=order):
                    assert self.now >= order.expires_at
                    self.ledger.expire(order.id)
                case Ask(order=order):
                    assert connected
                    assert self.now < order.expires_at
                    assert (
                        not self.in_session
                        or not order.waits_for_session
                        or self.now >= (order.force_at or 0)
                    )
                    if go:
                        self.ledger.begin(order.id, self._at(), f"run-{self.run}", self.now)
                        self.doing = order.id
                    else:
                        self.ledger.refuse(order.id)
                case Rest(until=until):
                    assert until is None or until > self.now
        except NotKept:
            assert self.full

    @precondition(lambda self: self.doing is not None)
    @rule()
    def effect(self) -> None:
        """It happens; whether it is told is another matter."""
        assert self.doing is not None
        if self.effects[self.doing] == 0:
            self.effects[self.doing] += 1

    @precondition(lambda self: self.doing is not None)
    @rule()
    def finish(self) -> None:
        assert self.doing is not None
        self.effects[self.doing] = 1
        try:
            self.ledger.finish(self.doing, Outcome(succeeded=True), self._at(), self.now)
            self.doing = None
        except NotKept:
            assert self.full

    @rule(reboot=st.booleans())
    def crash(self, reboot: bool) -> None:
        """And start again, on what was committed."""
        self.run += 1
        self.boot += reboot
        self.doing = None
        self._open()
        self._settle()

    def _settle(self) -> None:
        for begun in list(self.ledger.begun.values()):
            outcome = outcome_after_restart(begun, f"boot-{self.boot:04}", f"run-{self.run}")
            assert outcome is not None
            try:
                self.ledger.finish(begun.order.id, outcome, self._at(), self.now)
            except NotKept:
                assert self.full

    @rule()
    def report_session(self) -> None:
        try:
            self.outbox.put(Sessions(5, begun=1), self._at(), self.now)
            self.counted += 1
        except NotKept:
            assert self.full

    @rule()
    def log(self) -> None:
        try:
            self.outbox.put(LogLine("info", "x", "y" * 300), self._at(), self.now)
        except NotKept:
            assert self.full

    @rule(many=st.integers(1, 5), answered=st.booleans())
    def deliver(self, many: int, answered: bool) -> None:
        """Reports reach the city; its answer may be lost."""
        try:
            self.outbox.seal([one.seq for one in self.outbox.pending(many) if one.merged])
        except NotKept:
            assert self.full
            return
        batch = self.outbox.pending(many)
        for one in batch:
            before = self.told.setdefault(one.key, one.news)
            assert before == one.news, "the same key says something else"
        if answered:
            try:
                self.outbox.forget(tuple(one.key for one in batch))
            except NotKept:
                assert self.full

    # --- the world ---

    @rule(seconds=st.integers(1, 200))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @rule(active=st.booleans())
    def session(self, active: bool) -> None:
        self.in_session = active

    @rule(full=st.booleans())
    def disk(self, full: bool) -> None:
        self.full = full
        self.store.read(f"PRAGMA max_page_count = {1 if full else 2**30}")
        if not full:
            self._settle_left()

    def _settle_left(self) -> None:
        """What a full disk kept from being told after a crash is told now."""
        if self.doing is None:
            self._settle()

    # --- what holds ---

    def _news(self, kind: type[Any]) -> list[Any]:
        return [
            *self.told.values(),
            *(one.news for one in self.outbox.pending(10_000) if one.key not in self.told),
        ]

    @invariant()
    def no_effect_twice_and_none_that_was_forbidden(self) -> None:
        if not hasattr(self, "store"):
            return
        assert all(count <= 1 for count in self.effects.values())
        for id_ in self.taken_back:
            assert self.effects[id_] == 0
            assert self.ledger.state(id_) in (
                OrderState.TAKEN_BACK,
                OrderState.EXPIRED,
                OrderState.REFUSED,
            )

    @invariant()
    def every_outcome_is_told_once(self) -> None:
        if not hasattr(self, "store"):
            return
        done = Counter(news.command for news in self._news(Done) if isinstance(news, Done))
        began = Counter(news.command for news in self._news(Began) if isinstance(news, Began))
        for id_ in self.orders:
            state = self.ledger.state(id_)
            assert done[id_] == (1 if state is OrderState.DONE else 0)
            assert began[id_] == (1 if state in (OrderState.BEGUN, OrderState.DONE) else 0)
            if self.effects[id_]:
                assert state in (OrderState.BEGUN, OrderState.DONE)

    @invariant()
    def what_was_acknowledged_is_known(self) -> None:
        if not hasattr(self, "store"):
            return
        assert all(self.ledger.state(id_) is not None for id_ in self.acknowledged)

    @invariant()
    def no_session_is_lost_or_counted_twice(self) -> None:
        if not hasattr(self, "store"):
            return
        assert sum(news.begun for news in self._news(Sessions) if isinstance(news, Sessions)) == self.counted

    @invariant()
    def the_depth_is_true(self) -> None:
        if hasattr(self, "store"):
            assert self.outbox.depth == len(self.outbox.pending(100_000))


def _walks(many: int, steps: int) -> settings:
    return settings(
        max_examples=many,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def test_a_walk_of_the_device() -> None:
    run_state_machine_as_test(DeviceWalk, settings=_walks(50, 40))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_long_walk_of_the_device() -> None:
    run_state_machine_as_test(DeviceWalk, settings=_walks(1_500, 80))


def test_every_state_has_its_row_and_the_last_ones_are_final() -> None:
    assert set(TRANSITIONS) == set(OrderState)
    finals = {state for state, row in TRANSITIONS.items() if not row}
    assert finals == {OrderState.DONE, OrderState.REFUSED, OrderState.EXPIRED, OrderState.TAKEN_BACK}
