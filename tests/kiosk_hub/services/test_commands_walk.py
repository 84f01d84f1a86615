"""Commands over a real database, a server that is killed and starts again, staff whose rights come and go.

After every step what memory knows is what SQL knows, but for what may be forgotten; at the end every command
has ended, has been carried out at most once, and the audit is what was written.
"""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

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

from kiosk_hub.fleet.commands import FINAL, Command, CommandState, Plan
from kiosk_hub.fleet.ids import CommandId, DeviceId
from kiosk_hub.fleet.news import AnyNews, Began, Done
from kiosk_hub.fleet.orders import Outcome, Reboot, RestartPage
from kiosk_hub.services.commands import SOFT
from kiosk_hub.store import commands as store
from room_manager.errors import DomainError
from signaling.cli.audit import verify
from tests.helpers import databases
from tests.helpers.command_bench import LAN, MINH, Bench, bench, opened

D0 = DeviceId("d0")
MOST = 6


class CityOverSql(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        databases.prepare()
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.found: Bench = self.runner.run(
            self.stack.enter_async_context(bench(Path(self.folder.name), clock_runs=False))
        )
        self.servers: list[AsyncExitStack] = []
        self.ids: list[CommandId] = []
        self.carried_out: dict[CommandId, int] = {}
        self.outbox: list[tuple[str, AnyNews]] = []
        self.ended: dict[CommandId, CommandState] = {}

    def stored(self) -> list[Command]:
        async def read() -> list[Command]:
            async with self.found.database.read() as connection:
                return await store.newest(connection, limit=100)

        return self.runner.run(read())

    @precondition(lambda self: len(self.ids) < MOST)
    @rule(reboot=st.booleans(), ahead_s=st.sampled_from([None, 45.0]), key=st.sampled_from([None, "key-1"]))
    def ask(self, reboot: bool, ahead_s: float | None, key: str | None) -> None:
        clock = self.found.clock
        plan = Plan(ttl_s=300, not_before=None if ahead_s is None else clock.now + ahead_s)
        do = Reboot() if reboot else RestartPage()
        try:
            made = self.runner.run(self.found.commands.ask(LAN, D0, do, plan, "đi dạo", key))
        except DomainError:
            return
        if made.id not in self.ids:
            self.ids.append(made.id)

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), deed=st.sampled_from(["approve", "refuse", "cancel"]))
    def decide(self, data: st.DataObject, deed: str) -> None:
        id = data.draw(st.sampled_from(self.ids))
        commands = self.found.commands
        try:
            if deed == "approve":
                self.runner.run(commands.approve(MINH, (id,)))
            elif deed == "refuse":
                self.runner.run(commands.refuse(MINH, (id,), ""))
            else:
                self.runner.run(commands.cancel(MINH, id, ""))
        except DomainError:
            pass

    @rule(there=st.booleans())
    def line(self, there: bool) -> None:
        if there:
            self.found.lines.connected.add(D0)
            self.found.commands.on_connected(D0, "boot-0001", self.found.clock())
        else:
            self.found.lines.connected.discard(D0)

    @rule(allowed=st.booleans())
    def right(self, allowed: bool) -> None:
        self.runner.run(self.found.staff.set("lan", LAN.grant if allowed else None))

    @precondition(lambda self: self.found.lines.orders)
    @rule(data=st.data(), carries=st.booleans(), works=st.booleans())
    def device_claims(self, data: st.DataObject, carries: bool, works: bool) -> None:
        """It may claim again what it was told to go with, as long as it has not begun."""
        orders = {order.id for _, order in self.found.lines.orders} - set(self.carried_out)
        if not orders:
            return
        id = data.draw(st.sampled_from(sorted(orders)))
        self.runner.run(self.found.commands.acknowledged(D0, id))
        denied = self.runner.run(self.found.commands.claim(D0, id))
        if denied is None and carries:
            self.carried_out[id] = self.carried_out.get(id, 0) + 1
            self.outbox.append((f"began-{id}", Began(id)))
            self.outbox.append((f"done-{id}", Done(id, Outcome(works, "" if works else "no-browser"))))
            self.outbox.append((f"again-{id}", Done(id, Outcome(False, "interrupted"))))

    @precondition(lambda self: self.outbox)
    @rule(data=st.data(), many=st.integers(1, 4))
    def device_reports(self, data: st.DataObject, many: int) -> None:
        """In any order, several in one transaction, some of them twice."""
        chosen = [data.draw(st.sampled_from(self.outbox)) for _ in range(many)]

        async def tell() -> None:
            await asyncio.gather(*(self.found.report("d0", news, key) for key, news in chosen))

        self.runner.run(tell())

    @rule(seconds=st.sampled_from([1.0, 31.0, 200.0, 2_000.0]))
    def time_passes(self, seconds: float) -> None:
        self.found.clock.now += seconds
        self.runner.run(self.found.commands.look())

    @rule(killed=st.booleans())
    def server_starts_again(self, killed: bool) -> None:
        """Killed: what was not written is forgotten."""
        before = self.found
        if not killed:
            self.runner.run(before.commands.flush())
        stack = AsyncExitStack()
        self.found = self.runner.run(
            stack.enter_async_context(opened(before.database, before.clock, before.lines, clock_runs=False))
        )
        self.servers.append(stack)

    @invariant()
    def memory_is_what_sql_says(self) -> None:
        if not hasattr(self, "found"):
            return
        stored = {command.id: command for command in self.stored()}
        assert set(stored) == set(self.ids)
        known = {command.id: command for command in self.found.commands.all_open()}
        for id, command in stored.items():
            if command.state in FINAL:
                assert id not in known
                assert self.ended.setdefault(id, command.state) is command.state
            elif command.state in SOFT:
                assert known[id].state in SOFT
            else:
                assert known[id].state is command.state

    @invariant()
    def carried_out_once_and_never_after_a_cancel(self) -> None:
        if not hasattr(self, "found"):
            return
        for id, many in self.carried_out.items():
            assert many == 1
            assert self.ended.get(id) not in (CommandState.CANCELLED, CommandState.EXPIRED)

    def teardown(self) -> None:
        if not hasattr(self, "found"):
            return
        try:
            for _ in range(2):
                self.found.clock.now += 10 * 86_400
                self.runner.run(self.found.commands.look())
            assert all(command.state in FINAL for command in self.stored())
            assert list(self.found.commands.all_open()) == []
            _, fault = verify(Path(self.folder.name) / "diemcau.db")
            assert fault is None
        finally:
            for stack in reversed(self.servers):
                self.runner.run(stack.aclose())
            self.runner.run(self.stack.aclose())
            self.runner.close()
            self.folder.cleanup()


SLOW_MACHINE = [HealthCheck.too_slow, HealthCheck.data_too_large]


def test_walk() -> None:
    run_state_machine_as_test(
        CityOverSql,
        settings=settings(
            max_examples=15, stateful_step_count=30, deadline=None, suppress_health_check=SLOW_MACHINE
        ),
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_long_walk() -> None:
    run_state_machine_as_test(
        CityOverSql,
        settings=settings(
            max_examples=250, stateful_step_count=50, deadline=None, suppress_health_check=SLOW_MACHINE
        ),
    )
