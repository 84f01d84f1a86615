"""One command to one device: what moves it, and that it always ends."""

from typing import get_args

import pytest

from kiosk_hub.fleet import acts
from kiosk_hub.fleet import commands as rules
from kiosk_hub.fleet.acts import ACTS, Beside, Danger, needs_second
from kiosk_hub.fleet.commands import Command, CommandState, Plan, SamePerson, TooLate, apply
from kiosk_hub.fleet.ids import CommandId, DeviceId
from kiosk_hub.fleet.orders import (
    AnyAct,
    Outcome,
    Reboot,
    RestartPage,
    SetScreen,
    SetVolume,
    TakeOutOfService,
    TakeScreenshot,
)
from room_manager.errors import Invalid, WrongState

T0 = 1_000_000.0


def asked(do: AnyAct, plan: Plan | None = None, second: bool = False, offset_s: float = 0.0) -> Command:
    return rules.ask(
        id=CommandId("c1"),
        device=DeviceId("d1"),
        do=do,
        plan=plan or Plan(),
        second=second,
        by="lan",
        by_name="Lan",
        why="kiểm tra",
        now=T0,
        offset_s=offset_s,
    )


def running(command: Command, at: float = T0 + 1) -> Command:
    event = rules.claim(command, None, at)
    assert isinstance(event, rules.Claimed)
    return apply(command, event)


def test_every_act_has_its_line_in_the_table() -> None:
    assert set(ACTS) == set(get_args(AnyAct))


def test_every_state_is_in_the_table_and_final_ones_only_hear_late_news() -> None:
    assert set(rules.TRANSITIONS) == set(CommandState)
    for state in rules.FINAL:
        assert rules.TRANSITIONS[state] == {rules.ToldLate: state}


@pytest.mark.parametrize(
    ("do", "devices", "waits", "force_after_s", "second"),
    [
        (Reboot(), 1, True, None, True),
        (RestartPage(), 500, True, None, False),
        (TakeOutOfService("Bảo trì"), 9, True, None, False),
        (TakeOutOfService("Bảo trì"), 10, True, None, True),
        (SetScreen(on=False), 10, True, None, True),
        (SetScreen(on=True), 10, True, None, False),
        (RestartPage(), 1, False, None, True),
        (RestartPage(), 1, True, acts.FORCED_SOON_S - 1, True),
        (RestartPage(), 1, True, acts.FORCED_SOON_S, False),
        (SetVolume(0.5), 500, False, None, False),
    ],
)
def test_the_dangerous_needs_a_second_person(
    do: AnyAct, devices: int, waits: bool, force_after_s: float | None, second: bool
) -> None:
    assert needs_second(do, devices, waits, force_after_s) is second


def test_the_life_of_a_command_that_succeeds() -> None:
    command = asked(RestartPage())
    assert command.state is CommandState.PENDING

    seen = []
    for event in (rules.Sent(T0 + 1), rules.Acknowledged(T0 + 2), rules.claim(command, None, T0 + 3)):
        assert event is not None
        command = apply(command, event)
        seen.append(command.state)
    command = apply(command, rules.Begun(T0 + 4))
    done = rules.done(command, Outcome(True), T0 + 5)
    assert done is not None
    command = apply(command, done)

    assert seen == [CommandState.SENT, CommandState.DELIVERED, CommandState.RUNNING]
    assert command.state is CommandState.SUCCEEDED
    assert (command.sent_at, command.delivered_at, command.claimed_at) == (T0 + 1, T0 + 2, T0 + 3)
    assert (command.began_at, command.ended_at) == (T0 + 4, T0 + 5)


def test_nothing_is_given_out_before_the_second_person_agrees() -> None:
    command = asked(Reboot(), second=True)

    assert command.state is CommandState.AWAITING_APPROVAL
    assert not rules.is_deliverable(command, T0)
    with pytest.raises(WrongState):
        rules.claim(command, None, T0)
    assert rules.done(command, Outcome(True), T0) is None


def test_nobody_approves_what_they_asked_for() -> None:
    command = asked(Reboot(), second=True)

    with pytest.raises(SamePerson):
        rules.approve(command, "lan", T0 + 1)
    with pytest.raises(SamePerson):
        rules.refuse(command, "lan", "nhầm", T0 + 1)


def test_its_time_begins_with_the_approval() -> None:
    command = asked(Reboot(), Plan(ttl_s=600, force_after_s=60), second=True)

    command = apply(command, rules.approve(command, "minh", T0 + 5_000))

    assert command.starts_at == T0 + 5_000
    assert command.expires_at == T0 + 5_600
    assert rules.order_of(command).force_at == T0 + 5_060
    with pytest.raises(WrongState):
        rules.approve(command, "minh", T0 + 5_001)


def test_what_nobody_approves_expires() -> None:
    command = asked(Reboot(), second=True)

    assert rules.due(command, T0 + rules.APPROVAL_LASTS_S - 1) is None
    event = rules.due(command, T0 + rules.APPROVAL_LASTS_S)

    assert event == rules.Expired(T0 + rules.APPROVAL_LASTS_S, "not-approved")


def test_a_device_that_is_not_there_until_the_end_gets_nothing() -> None:
    command = asked(RestartPage(), Plan(ttl_s=600))

    event = rules.due(command, T0 + 600)

    assert event == rules.Expired(T0 + 600, "not-reached")
    with pytest.raises(TooLate):
        rules.claim(apply(command, event), None, T0 + 601)


def test_a_session_that_does_not_end_lets_it_expire_and_says_so() -> None:
    command = apply(asked(RestartPage(), Plan(ttl_s=600)), rules.Acknowledged(T0 + 1))

    assert rules.due(command, T0 + 600) == rules.Expired(T0 + 600, "in-session")


def test_a_claim_after_its_time_ends_it() -> None:
    command = asked(RestartPage(), Plan(ttl_s=600))

    assert isinstance(rules.claim(command, None, T0 + 600), rules.Expired)


def test_a_claim_of_whose_right_is_gone_ends_it() -> None:
    event = rules.claim(asked(RestartPage()), ("right-withdrawn", "…"), T0 + 1)

    assert event == rules.Cancelled(T0 + 1, "", "right-withdrawn", "…")


def test_the_answer_to_a_claim_may_be_lost_and_is_given_again() -> None:
    command = running(asked(RestartPage()))

    assert rules.claim(command, ("right-withdrawn", "…"), T0 + 30) is None


def test_a_claim_that_is_repeated_too_late_is_the_end() -> None:
    command = running(asked(RestartPage()))

    event = rules.claim(command, None, T0 + 2 + rules.RESULT_GRACE_S)

    assert isinstance(event, rules.Failed)
    assert event.code == "no-result"


def test_cancelling_is_certain_before_it_runs_and_too_late_after() -> None:
    command = asked(RestartPage())
    cancelled = apply(command, rules.cancel(command, "minh", "không cần nữa", T0 + 1))
    assert cancelled.state is CommandState.CANCELLED
    with pytest.raises(TooLate):
        rules.claim(cancelled, None, T0 + 2)

    with pytest.raises(TooLate):
        rules.cancel(running(command), "minh", "", T0 + 2)


def test_no_result_is_a_failure_and_a_late_one_is_kept_beside_it() -> None:
    command = running(asked(RestartPage()))
    end = T0 + 1 + command.runs_at_most_s + rules.RESULT_GRACE_S

    assert rules.due(command, end - 1) is None
    event = rules.due(command, end)
    assert isinstance(event, rules.Failed)
    failed = apply(command, event)
    late = rules.done(failed, Outcome(True), end + 100)
    assert late is not None
    failed = apply(failed, late)

    assert (failed.state, failed.code) == (CommandState.FAILED, "no-result")
    assert failed.late == Outcome(True)
    assert rules.done(failed, Outcome(True), end + 200) is None


def test_done_may_come_before_begun() -> None:
    command = running(asked(RestartPage()))
    event = rules.done(command, Outcome(False, "no-browser", "…"), T0 + 2)
    assert event is not None
    command = apply(command, event)

    assert (command.state, command.code) == (CommandState.FAILED, "no-browser")
    assert rules.begun(command, T0 + 3) is None


def test_a_device_that_let_it_expire_says_so() -> None:
    command = apply(asked(RestartPage()), rules.Acknowledged(T0 + 1))

    assert isinstance(rules.done(command, Outcome(False, "expired"), T0 + 2), rules.Expired)


def test_planned_for_later_it_waits_for_its_time() -> None:
    command = asked(RestartPage(), Plan(not_before=T0 + 3_600, ttl_s=600), offset_s=30)

    assert not rules.is_deliverable(command, T0 + 3_629)
    assert rules.is_deliverable(command, T0 + 3_630)
    assert command.expires_at == T0 + 4_230
    with pytest.raises(WrongState):
        rules.claim(command, None, T0 + 1)


def test_a_screenshot_is_never_forced_into_a_session() -> None:
    assert ACTS[TakeScreenshot].beside is Beside.NEVER
    assert asked(TakeScreenshot()).waits_for_session
    with pytest.raises(Invalid):
        asked(TakeScreenshot(), Plan(waits_for_session=False))
    with pytest.raises(Invalid):
        asked(TakeScreenshot(), Plan(force_after_s=60))


@pytest.mark.parametrize(
    "plan",
    [
        Plan(ttl_s=59),
        Plan(ttl_s=acts.MAX_TTL_S + 1),
        Plan(ttl_s=600, force_after_s=601),
        Plan(waits_for_session=False, force_after_s=60),
        Plan(not_before=T0 + acts.MAX_AHEAD_S + 1),
    ],
)
def test_a_plan_that_cannot_be_is_refused(plan: Plan) -> None:
    with pytest.raises(Invalid):
        asked(RestartPage(), plan)


def test_what_disturbs_nobody_does_not_wait() -> None:
    assert not asked(SetVolume(0.3)).waits_for_session
    assert not asked(SetScreen(on=True)).waits_for_session
    assert asked(SetScreen(on=False)).waits_for_session
    assert ACTS[Reboot].danger is Danger.ALWAYS
