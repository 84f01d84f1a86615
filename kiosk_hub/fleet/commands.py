"""One command to one device: its states, what moves it, and that it always comes to an end.

Nothing is done on a device before the city has said ``go`` to its claim. So everything before ``running``
can be taken back with certainty, cancelled or expired *here*, whatever the line does; and from
``running`` on only the device knows. A command that has ended stays as it ended: what a device tells
later is kept beside it (``late``).

The device may tell things twice or in another order, and the server may have forgotten after a crash that
it had sent an order: so from ``pending`` on everything the device can say is possible.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct, structs

from kiosk_hub.fleet.acts import (
    MAX_AHEAD_S,
    MAX_TTL_S,
    MIN_TTL_S,
    Beside,
    rule_of,
)
from kiosk_hub.fleet.ids import BulkId, CommandId, DeviceId
from kiosk_hub.fleet.orders import AnyAct, Order, Outcome
from room_manager.errors import DomainError, Invalid, NotAllowed, WrongState

APPROVAL_LASTS_S: Final = 8 * 3600.0
"""So long a command waits for its second person."""
RESULT_GRACE_S: Final = 600.0
"""After the longest run: so long the device has to come back from a restart and tell what came of it."""
REPEAT_AFTER_S: Final = 30.0
"""An order that was sent and not acknowledged is sent again."""


class TooLate(DomainError):
    """It has begun, or has ended."""

    code = "too-late"


class SamePerson(NotAllowed):
    """Two persons are needed, and this is one."""

    code = "same-person"


class CommandState(StrEnum):
    """How far a command is. The last four are final."""

    AWAITING_APPROVAL = "awaiting-approval"
    PENDING = "pending"  # the device is not connected, or its time has not come
    SENT = "sent"
    DELIVERED = "delivered"  # kept on the device's disk; waits for the end of a session
    RUNNING = "running"  # the device has claimed it and was told to go
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


FINAL: Final = frozenset(
    {CommandState.SUCCEEDED, CommandState.FAILED, CommandState.EXPIRED, CommandState.CANCELLED}
)
OPEN: Final = frozenset(CommandState) - FINAL
RETRACTABLE: Final = OPEN - {CommandState.RUNNING}


class Plan(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How an act is to be done, as whoever asks wants it. None: the act's own default."""

    ttl_s: float | None = None
    waits_for_session: bool | None = None
    force_after_s: float | None = None  # a session is ended by force so long after the start
    not_before: float | None = None  # seconds, UTC


class Command(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One command. Times are seconds, UTC, on the city's clock; None: has not happened."""

    id: CommandId
    device: DeviceId
    do: AnyAct
    state: CommandState
    by: str  # account
    by_name: str
    why: str
    created_at: float
    not_before: float  # as planned
    offset_s: float = 0.0  # its place in the spread of a bulk
    starts_at: float
    ttl_s: float
    waits_for_session: bool
    force_after_s: float | None = None
    runs_at_most_s: float
    expires_at: float  # while it waits for approval: the end of that wait
    bulk: BulkId | None = None
    second: bool = False  # a second person must approve
    approved_by: str = ""
    approved_at: float | None = None
    sent_at: float | None = None
    delivered_at: float | None = None
    claimed_at: float | None = None
    began_at: float | None = None
    ended_at: float | None = None
    ended_by: str = ""  # account that cancelled or refused it
    code: str = ""  # why it did not succeed
    text: str = ""
    outcome: Outcome | None = None
    late: Outcome | None = None  # told after the end


class CommandEvent(Struct, frozen=True):
    """What happened to a command, and when."""

    at: float


class Approved(CommandEvent, frozen=True):
    """By the second person."""

    by: str


class Sent(CommandEvent, frozen=True):
    """It went down a line. Nobody knows yet whether it arrived."""


class Acknowledged(CommandEvent, frozen=True):
    """It is on the device's disk."""


class Claimed(CommandEvent, frozen=True):
    """The device was told to go."""


class Begun(CommandEvent, frozen=True):
    """The device says that it has begun."""


class Succeeded(CommandEvent, frozen=True):
    outcome: Outcome


class Failed(CommandEvent, frozen=True):
    """On the device, with its outcome; or nothing was heard of it (``no-result``)."""

    code: str
    text: str
    outcome: Outcome | None = None


class Expired(CommandEvent, frozen=True):
    """Its time is over before it began."""

    code: str  # ``not-approved``, ``not-reached``, ``in-session``


class Cancelled(CommandEvent, frozen=True):
    """Before it began."""

    by: str  # empty: the city itself
    code: str  # ``by-staff``, ``refused``, or why it was not let go
    text: str


class ToldLate(CommandEvent, frozen=True):
    """The device tells an outcome of what has ended already."""

    outcome: Outcome


S = CommandState
_DEVICE: Final[Mapping[type[CommandEvent], S]] = {
    Sent: S.SENT,
    Acknowledged: S.DELIVERED,
    Claimed: S.RUNNING,
    Begun: S.RUNNING,
    Succeeded: S.SUCCEEDED,
    Failed: S.FAILED,
    Expired: S.EXPIRED,
    Cancelled: S.CANCELLED,
}
TRANSITIONS: Final[Mapping[S, Mapping[type[CommandEvent], S]]] = {
    S.AWAITING_APPROVAL: {Approved: S.PENDING, Expired: S.EXPIRED, Cancelled: S.CANCELLED},
    S.PENDING: _DEVICE,
    S.SENT: _DEVICE,
    S.DELIVERED: {**_DEVICE, Sent: S.DELIVERED},
    S.RUNNING: {Begun: S.RUNNING, Succeeded: S.SUCCEEDED, Failed: S.FAILED},
    S.SUCCEEDED: {ToldLate: S.SUCCEEDED},
    S.FAILED: {ToldLate: S.FAILED},
    S.EXPIRED: {ToldLate: S.EXPIRED},
    S.CANCELLED: {ToldLate: S.CANCELLED},
}
"""A missing entry is our bug: whoever decides asks first."""


def ask(
    *,
    id: CommandId,
    device: DeviceId,
    do: AnyAct,
    plan: Plan,
    second: bool,
    by: str,
    by_name: str,
    why: str,
    now: float,
    bulk: BulkId | None = None,
    offset_s: float = 0.0,
) -> Command:
    """A new command. Raises ``Invalid`` for a plan that the act does not allow."""
    rule = rule_of(do)
    ttl_s = plan.ttl_s if plan.ttl_s is not None else rule.ttl_s
    if not MIN_TTL_S <= ttl_s <= MAX_TTL_S:
        raise Invalid(f"ttl_s: from {MIN_TTL_S:.0f} to {MAX_TTL_S:.0f}")
    waits = waits_for_session(do, plan)
    if plan.force_after_s is not None:
        if rule.beside is not Beside.DISTURBS or not waits:
            raise Invalid("force_after_s: this act does not wait for a session, or is never forced")
        if not 0 <= plan.force_after_s <= ttl_s:
            raise Invalid("force_after_s: within ttl_s")
    not_before = plan.not_before if plan.not_before is not None else now
    if not_before > now + MAX_AHEAD_S:
        raise Invalid("not_before: at most 30 days ahead")
    starts_at = max(not_before, now) + offset_s
    return Command(
        id=id,
        device=device,
        do=do,
        state=S.AWAITING_APPROVAL if second else S.PENDING,
        by=by,
        by_name=by_name,
        why=why,
        created_at=now,
        not_before=not_before,
        offset_s=offset_s,
        starts_at=starts_at,
        ttl_s=ttl_s,
        waits_for_session=waits,
        force_after_s=plan.force_after_s,
        runs_at_most_s=rule.runs_at_most_s,
        expires_at=now + APPROVAL_LASTS_S if second else starts_at + ttl_s,
        bulk=bulk,
        second=second,
    )


def waits_for_session(do: AnyAct, plan: Plan) -> bool:
    """Does it wait for the end of a session? Raises ``Invalid`` if it must and the plan says otherwise."""
    beside = rule_of(do).beside
    if beside is Beside.HARMLESS:
        return False
    if beside is Beside.NEVER and plan.waits_for_session is False:
        raise Invalid("waits_for_session: this act is never done during a session")
    return plan.waits_for_session is not False


def approve(command: Command, by: str, now: float) -> Approved:
    """Raises ``SamePerson``, ``WrongState``."""
    if by == command.by:
        raise SamePerson("somebody else than who asked for it must approve")
    if command.state is not S.AWAITING_APPROVAL:
        raise WrongState("it does not wait for approval")
    return Approved(now, by)


def refuse(command: Command, by: str, why: str, now: float) -> Cancelled:
    """The second person says no. Raises ``SamePerson``, ``WrongState``."""
    approve(command, by, now)
    return Cancelled(now, by, "refused", why)


def cancel(command: Command, by: str, why: str, now: float) -> Cancelled:
    """Raises ``TooLate`` once it has begun: what a device does cannot be called back."""
    if command.state is S.RUNNING:
        raise TooLate("the device has begun; it cannot be called back")
    if command.state in FINAL:
        raise TooLate(f"it has ended: {command.state}")
    return Cancelled(now, by, "by-staff", why)


def order_of(command: Command) -> Order:
    """What the device sees of it."""
    forced = command.waits_for_session and command.force_after_s is not None
    return Order(
        id=command.id,
        do=command.do,
        expires_at=command.expires_at,
        waits_for_session=command.waits_for_session,
        force_at=command.starts_at + (command.force_after_s or 0.0) if forced else None,
        runs_at_most_s=command.runs_at_most_s,
    )


def is_deliverable(command: Command, now: float) -> bool:
    """Should it go down a line that is there now?"""
    return command.state in (S.PENDING, S.SENT, S.DELIVERED) and command.starts_at <= now < command.expires_at


def claim(command: Command, refusal: tuple[str, str] | None, now: float) -> CommandEvent | None:
    """The device is about to begin: what happens. None: it was told to go before, and is told so again.

    Args:
        command: Which one.
        refusal: Code and sentence, if whoever asked (or approved) may not do that any more.
        now: Seconds, UTC.

    Raises ``TooLate`` if it has ended, ``WrongState`` if it has not been given out.
    """
    if command.state in FINAL:
        raise TooLate(f"it has ended: {command.state}")
    if command.state is S.AWAITING_APPROVAL or command.starts_at > now:
        raise WrongState("this command has not been given out")
    if command.state is S.RUNNING:
        # The answer to its first claim was lost. It may go as long as its result would be waited for.
        if command.claimed_at is not None and now > command.claimed_at + RESULT_GRACE_S:
            return _no_result(now)
        return None
    if now >= command.expires_at:
        return Expired(now, _why_expired(command))
    if refusal is not None:
        return Cancelled(now, "", *refusal)
    return Claimed(now)


def begun(command: Command, now: float) -> Begun | None:
    """The device says so. None: it is known, or comes late."""
    if command.state in FINAL or command.state is S.AWAITING_APPROVAL or command.began_at is not None:
        return None
    return Begun(now)


def done(command: Command, outcome: Outcome, now: float) -> CommandEvent | None:
    """The device tells what came of it. None: that is known, or cannot be."""
    if command.state in FINAL:
        known = command.outcome is not None or command.late is not None
        return None if known or _only_confirms(command, outcome) else ToldLate(now, outcome)
    if command.state is S.AWAITING_APPROVAL:
        return None
    if outcome.succeeded:
        return Succeeded(now, outcome)
    if outcome.code == "expired" and command.state is not S.RUNNING:
        return Expired(now, _why_expired(command))
    return Failed(now, outcome.code or "failed", outcome.text, outcome)


def due(command: Command, now: float) -> CommandEvent | None:
    """What time alone has done to it."""
    if command.state in FINAL or next_at(command) > now:
        return None
    if command.state is S.RUNNING:
        return _no_result(now)
    return Expired(now, _why_expired(command))


def next_at(command: Command) -> float:
    """When time alone ends it."""
    if command.state is S.RUNNING:
        since = command.claimed_at if command.claimed_at is not None else command.began_at
        return (since or command.created_at) + command.runs_at_most_s + RESULT_GRACE_S
    return command.expires_at


def apply(command: Command, event: CommandEvent) -> Command:
    """What it is afterwards."""
    state = TRANSITIONS[command.state][type(event)]
    changed = structs.replace(command, state=state)
    match event:
        case Approved(at=at, by=by):
            starts_at = max(command.not_before, at) + command.offset_s
            changed = structs.replace(
                changed,
                approved_by=by,
                approved_at=at,
                starts_at=starts_at,
                expires_at=starts_at + command.ttl_s,
            )
        case Sent(at=at):
            changed = structs.replace(changed, sent_at=at)
        case Acknowledged(at=at):
            changed = structs.replace(changed, delivered_at=at)
        case Claimed(at=at):
            changed = structs.replace(changed, claimed_at=at)
        case Begun(at=at):
            changed = structs.replace(changed, began_at=at)
        case Succeeded(at=at, outcome=outcome):
            changed = structs.replace(changed, ended_at=at, outcome=outcome)
        case Failed(at=at, code=code, text=text, outcome=told):
            changed = structs.replace(changed, ended_at=at, code=code, text=text, outcome=told)
        case Expired(at=at, code=code):
            changed = structs.replace(changed, ended_at=at, code=code)
        case Cancelled(at=at, by=by, code=code, text=text):
            changed = structs.replace(changed, ended_at=at, ended_by=by, code=code, text=text)
        case ToldLate(outcome=outcome):
            changed = structs.replace(changed, late=outcome)
    return changed


def _no_result(now: float) -> Failed:
    return Failed(now, "no-result", "the device began and told no result in time")


def _why_expired(command: Command) -> str:
    if command.state is S.AWAITING_APPROVAL:
        return "not-approved"
    return "in-session" if command.state is S.DELIVERED and command.waits_for_session else "not-reached"


def _only_confirms(command: Command, outcome: Outcome) -> bool:
    """The device says of what was cancelled or has expired that it did not do it: no news."""
    return not outcome.succeeded and command.state in (S.CANCELLED, S.EXPIRED)
