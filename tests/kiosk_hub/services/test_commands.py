"""Commands over a real database: nothing is told that is not stored, and every right is looked at twice."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from kiosk_hub.fleet import commands as rules
from kiosk_hub.fleet.commands import Command, CommandState, Plan, SamePerson, TooLate
from kiosk_hub.fleet.ids import CommandId, DeviceId
from kiosk_hub.fleet.news import Began, DeviceTime, Done
from kiosk_hub.fleet.orders import Outcome, Reboot, RestartAgent, RestartPage, SetVolume
from kiosk_hub.fleet.permissions import Grant
from kiosk_hub.fleet.values import DeviceState, FleetRole
from kiosk_hub.ports import Denied
from kiosk_hub.services.commands import (
    MAX_OPEN_PER_DEVICE,
    KeyReused,
    NotInUse,
    QueueFull,
    UnknownCommand,
)
from kiosk_hub.store import commands as store
from kiosk_hub.store.tables import audit
from room_manager.errors import Invalid, NotAllowed, NotStored
from room_manager.store.stores import Stores
from tests.helpers import databases
from tests.helpers.command_bench import HOA, LAN, MINH, QUAN, XEM, Bench, bench, opened

D0, D2 = DeviceId("d0"), DeviceId("d2")  # d2 is in the other district
Test = Callable[[Bench], Coroutine[Any, Any, None]]


@pytest.fixture
def run(tmp_path: Path) -> Callable[[Test], None]:
    databases.prepare()

    def go(test: Test) -> None:
        async def main() -> None:
            async with bench(tmp_path) as found, asyncio.timeout(30):
                await test(found)

        asyncio.run(main())

    return go


async def deeds(found: Bench) -> list[tuple[str, str, str | None]]:
    async with found.database.read() as connection:
        rows = await connection.execute(
            select(audit.c.action, audit.c.account, audit.c.device).order_by(audit.c.seq)
        )
        return [(row.action, row.account, row.device) for row in rows]


async def stored(found: Bench, command: Command) -> CommandState:
    """As the next server will read it."""
    async with found.database.read() as connection:
        read = await store.get(connection, command.id)
    assert read is not None
    return read.state


Run = Callable[[Test], None]


def test_a_command_comes_to_its_device_and_ends(run: Run) -> None:
    async def test(found: Bench) -> None:
        found.lines.connected.add(D0)

        command = await found.commands.ask(LAN, D0, RestartPage(), Plan(), "treo trang")
        assert [order.id for _, order in found.lines.orders] == [command.id]
        await found.commands.acknowledged(D0, command.id)
        assert await found.commands.claim(D0, command.id) is None
        assert await stored(found, command) is CommandState.RUNNING
        await found.report("d0", Began(command.id))
        await found.report("d0", Done(command.id, Outcome(True)))

        ended = await found.commands.get(LAN, command.id)
        assert ended.state is CommandState.SUCCEEDED
        assert found.commands.open_of(D0) == []
        assert await deeds(found) == [("ask-command", "lan", "d0"), ("end-command", "", "d0")]
        assert found.feed.commands

    run(test)


def test_a_device_that_was_away_is_given_what_waits_in_order(run: Run) -> None:
    async def test(found: Bench) -> None:
        first = await found.commands.ask(LAN, D0, RestartPage(), Plan(), "một")
        second = await found.commands.ask(LAN, D0, SetVolume(0.4), Plan(), "hai")
        assert found.lines.orders == []

        found.lines.connected.add(D0)
        found.commands.on_connected(D0, "boot-0001", found.clock())

        assert [order.id for _, order in found.lines.orders] == [first.id, second.id]

    run(test)


def test_asking_twice_is_asking_once(run: Run) -> None:
    async def test(found: Bench) -> None:
        first = await found.commands.ask(LAN, D0, RestartPage(), Plan(), "một", "key-1")
        again = await found.commands.ask(LAN, D0, RestartPage(), Plan(), "một", "key-1")
        assert again.id == first.id
        with pytest.raises(KeyReused):
            await found.commands.ask(LAN, D0, SetVolume(1.0), Plan(), "khác", "key-1")

        other = await found.commands.ask(MINH, D0, RestartPage(), Plan(), "của tôi", "key-1")
        assert other.id != first.id
        assert len(found.commands.open_of(D0)) == 2

    run(test)


def test_the_rights_are_looked_at_when_it_is_asked_for(run: Run) -> None:
    async def test(found: Bench) -> None:
        for who, device in ((XEM, D0), (LAN, D2), (HOA, D0)):
            with pytest.raises(NotAllowed):
                await found.commands.ask(who, device, RestartPage(), Plan(), "…")
        with pytest.raises(Invalid):
            await found.commands.ask(LAN, D0, RestartPage(), Plan(ttl_s=1), "…")
        await found.set_state("d0", DeviceState.QUARANTINED)
        with pytest.raises(NotInUse):
            await found.commands.ask(LAN, D0, RestartPage(), Plan(), "…")

        assert await deeds(found) == []

    run(test)


@pytest.mark.parametrize("how", ["disabled", "role", "district", "quarantined"])
def test_the_right_is_looked_at_again_when_the_device_claims(run: Run, how: str) -> None:
    async def test(found: Bench) -> None:
        found.lines.connected.add(D0)
        command = await found.commands.ask(LAN, D0, RestartPage(), Plan(), "…")

        match how:
            case "disabled":
                await Stores(found.database).accounts.set_disabled("lan", True)
            case "role":
                await found.staff.set("lan", Grant(FleetRole.VIEWER))
            case "district":
                await found.staff.set("lan", HOA.grant)
            case _:
                await found.set_state("d0", DeviceState.QUARANTINED)
        answer = await found.commands.claim(D0, command.id)

        assert answer is not None
        assert answer.code == ("not-in-use" if how == "quarantined" else "right-withdrawn")
        assert await stored(found, command) is CommandState.CANCELLED
        # And for ever: the right given back does not bring it back.
        await Stores(found.database).accounts.set_disabled("lan", False)
        await found.staff.set("lan", LAN.grant)
        again = await found.commands.claim(D0, command.id)
        assert again is not None
        assert again.code == answer.code

    run(test)


def test_a_reboot_needs_two_and_the_second_is_looked_at_too(run: Run) -> None:
    async def test(found: Bench) -> None:
        found.lines.connected.add(D0)
        command = await found.commands.ask(LAN, D0, Reboot(), Plan(), "treo máy")
        assert command.state is CommandState.AWAITING_APPROVAL
        assert found.lines.orders == []
        with pytest.raises(SamePerson):
            await found.commands.approve(LAN, (command.id,))
        for who in (XEM, HOA):
            with pytest.raises(NotAllowed):
                await found.commands.approve(who, (command.id,))

        await found.commands.approve(MINH, (command.id,))
        assert [order.id for _, order in found.lines.orders] == [command.id]
        await found.staff.set("minh", None)
        answer = await found.commands.claim(D0, command.id)

        assert answer is not None
        assert answer.code == "right-withdrawn"

    run(test)


def test_the_second_person_may_say_no(run: Run) -> None:
    async def test(found: Bench) -> None:
        command = await found.commands.ask(LAN, D0, Reboot(), Plan(), "treo máy")

        (refused,) = await found.commands.refuse(QUAN, (command.id,), "đang có người dùng")

        assert (refused.state, refused.code, refused.ended_by) == (
            CommandState.CANCELLED,
            "refused",
            "quan",
        )

    run(test)


def test_many_of_the_dangerous_one_by_one_are_a_bulk_all_the_same(run: Run) -> None:
    async def test(found: Bench) -> None:
        states = [
            (await found.commands.ask(LAN, D0, RestartAgent(), Plan(), f"lần {n}")).state for n in range(10)
        ]

        assert states[:9] == [CommandState.PENDING] * 9
        assert states[9] is CommandState.AWAITING_APPROVAL

    run(test)


def test_what_is_cancelled_is_taken_back_and_never_let_go(run: Run) -> None:
    async def test(found: Bench) -> None:
        found.lines.connected.add(D0)
        command = await found.commands.ask(LAN, D0, RestartPage(), Plan(), "…")

        await found.commands.cancel(MINH, command.id, "không cần nữa")
        answer = await found.commands.claim(D0, command.id)

        assert found.lines.taken_back == [(D0, command.id)]
        assert answer == Denied("by-staff", "it has ended: cancelled")

    run(test)


def test_cancelling_what_runs_is_too_late(run: Run) -> None:
    async def test(found: Bench) -> None:
        found.lines.connected.add(D0)
        command = await found.commands.ask(LAN, D0, RestartPage(), Plan(), "…")
        assert await found.commands.claim(D0, command.id) is None

        with pytest.raises(TooLate):
            await found.commands.cancel(LAN, command.id, "thôi")
        with pytest.raises(UnknownCommand):
            await found.commands.cancel(LAN, CommandId("c0"), "thôi")

    run(test)


def test_another_device_cannot_claim_or_end_it(run: Run) -> None:
    async def test(found: Bench) -> None:
        command = await found.commands.ask(LAN, D0, RestartPage(), Plan(), "…")

        answer = await found.commands.claim(D2, command.id)
        await found.report("d2", Done(command.id, Outcome(True)))
        await found.commands.acknowledged(D2, command.id)

        assert answer is not None
        assert answer.code == "unknown-command"
        assert (await found.commands.get(LAN, command.id)).state is CommandState.PENDING

    run(test)


def test_what_is_not_acknowledged_is_sent_again_and_expires(run: Run) -> None:
    async def test(found: Bench) -> None:
        found.lines.connected.add(D0)
        command = await found.commands.ask(LAN, D0, RestartPage(), Plan(ttl_s=60), "…")

        found.clock.now += rules.REPEAT_AFTER_S
        await found.commands.look()
        assert [order.id for _, order in found.lines.orders] == [command.id] * 2
        found.clock.now += 30
        await found.commands.look()

        assert await stored(found, command) is CommandState.EXPIRED
        assert found.lines.taken_back == [(D0, command.id)]
        assert (await deeds(found))[-1] == ("end-command", "", "d0")

    run(test)


def test_planned_for_tonight_it_starts_tonight(run: Run) -> None:
    async def test(found: Bench) -> None:
        found.lines.connected.add(D0)
        plan = Plan(not_before=found.clock() + 3_600)
        command = await found.commands.ask(LAN, D0, RestartPage(), plan, "tối nay")
        await found.commands.look()
        assert found.lines.orders == []

        found.clock.now += 3_600
        await found.commands.look()

        assert [order.id for _, order in found.lines.orders] == [command.id]

    run(test)


def test_a_server_that_restarts_goes_on_where_it_was(run: Run) -> None:
    async def test(found: Bench) -> None:
        found.lines.connected.add(D0)
        sent = await found.commands.ask(LAN, D0, RestartPage(), Plan(), "một")
        running = await found.commands.ask(LAN, D0, SetVolume(0.4), Plan(), "hai")
        asked = await found.commands.ask(LAN, D0, Reboot(), Plan(), "ba")
        assert await found.commands.claim(D0, running.id) is None
        await found.commands.close()
        found.lines.orders.clear()

        async with opened(found.database, found.clock, found.lines) as next_server:
            states = {c.id: c.state for c in next_server.commands.open_of(D0)}
            next_server.commands.on_connected(D0, "boot-0001", found.clock())
            assert await next_server.commands.claim(D0, running.id) is None  # told again: go
            await next_server.report("d0", Done(running.id, Outcome(True)))

            assert states == {
                sent.id: CommandState.SENT,
                running.id: CommandState.RUNNING,
                asked.id: CommandState.AWAITING_APPROVAL,
            }
            assert [order.id for _, order in found.lines.orders] == [sent.id]
            assert await stored(found, running) is CommandState.SUCCEEDED

    run(test)


def test_a_report_told_twice_and_an_outcome_told_late(run: Run) -> None:
    async def test(found: Bench) -> None:
        found.lines.connected.add(D0)
        command = await found.commands.ask(LAN, D0, RestartPage(), Plan(), "…")
        assert await found.commands.claim(D0, command.id) is None
        found.clock.now += 3_600
        await found.commands.look()
        assert await stored(found, command) is CommandState.FAILED

        await found.report("d0", Done(command.id, Outcome(True)), "key-late-1")
        await found.report("d0", Done(command.id, Outcome(True)), "key-late-1")

        ended = await found.commands.get(LAN, command.id)
        assert (ended.state, ended.code, ended.late) == (CommandState.FAILED, "no-result", Outcome(True))
        assert [deed for deed, _, _ in await deeds(found)].count("end-command") == 2

    run(test)


def test_several_reports_in_one_transaction(run: Run) -> None:
    """Those of one device may be committed together; the first outcome is the one that holds."""

    async def test(found: Bench) -> None:
        found.lines.connected.add(D0)
        command = await found.commands.ask(LAN, D0, RestartPage(), Plan(), "…")
        assert await found.commands.claim(D0, command.id) is None
        at = DeviceTime("boot-0001", 1, 1.0, 1.0)

        afters = []
        async with found.database.write() as connection:
            for news in (
                Began(command.id),
                Done(command.id, Outcome(True)),
                Done(command.id, Outcome(False, "interrupted")),
            ):
                handle = found.commands.on_began if isinstance(news, Began) else found.commands.on_done
                afters.append(await handle(connection, D0, at, news, found.clock()))
        for after in afters:
            if after is not None:
                after()

        ended = await found.commands.get(LAN, command.id)
        assert (ended.state, ended.outcome) == (CommandState.SUCCEEDED, Outcome(True))
        assert ended.began_at is not None
        assert found.commands.open_of(D0) == []

    run(test)


def test_what_waits_for_a_device_ends_when_it_is_retired(run: Run) -> None:
    async def test(found: Bench) -> None:
        waiting = await found.commands.ask(LAN, D0, RestartPage(), Plan(), "…")
        asked = await found.commands.ask(LAN, D0, Reboot(), Plan(), "…")
        await found.set_state("d0", DeviceState.RETIRED)
        await found.commands.look()

        for command in (waiting, asked):
            ended = await found.commands.get(LAN, command.id)
            assert (ended.state, ended.code) == (CommandState.CANCELLED, "not-in-use")

    run(test)


def test_a_device_is_kept_so_many_and_no_more(run: Run) -> None:
    async def test(found: Bench) -> None:
        for number in range(MAX_OPEN_PER_DEVICE):
            await found.commands.ask(LAN, D0, SetVolume(0.5), Plan(), f"{number}")

        with pytest.raises(QueueFull):
            await found.commands.ask(LAN, D0, SetVolume(0.5), Plan(), "thêm nữa")

    run(test)


def test_many_claims_at_once_share_their_transactions(run: Run) -> None:
    async def test(found: Bench) -> None:
        found.lines.connected.add(D0)
        asked = [
            await found.commands.ask(LAN, D0, SetVolume(0.5), Plan(), str(number)) for number in range(30)
        ]

        answers = await asyncio.gather(*(found.commands.claim(D0, command.id) for command in asked * 2))

        assert answers == [None] * 60
        assert {command.state for command in found.commands.open_of(D0)} == {CommandState.RUNNING}

    run(test)


def test_a_claim_that_cannot_be_stored_is_not_let_go(run: Run) -> None:
    async def test(found: Bench) -> None:
        found.lines.connected.add(D0)
        command = await found.commands.ask(LAN, D0, RestartPage(), Plan(), "…")

        async def full(on: bool) -> None:
            """A trigger that fails as a full disk does, for this table."""
            async with found.database.write() as connection:
                if on:
                    await connection.execute(
                        text(
                            "CREATE TRIGGER full BEFORE UPDATE ON commands "
                            "BEGIN SELECT json('no space is left'); END"
                        )
                    )
                else:
                    await connection.execute(text("DROP TRIGGER full"))

        await full(True)
        with pytest.raises(NotStored):
            await found.commands.claim(D0, command.id)
        assert (await found.commands.get(LAN, command.id)).state is CommandState.SENT

        await full(False)
        assert await found.commands.claim(D0, command.id) is None

    run(test)
