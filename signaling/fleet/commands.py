"""Commands by REST: asking, deciding, cancelling, looking, and the files they came back with."""

from collections.abc import Iterable, Mapping
from typing import Final

from starlette.responses import Response

from kiosk_hub.fleet import acts
from kiosk_hub.fleet import commands as rules
from kiosk_hub.fleet.acts import ACTS, name_of
from kiosk_hub.fleet.command_words import reason_of
from kiosk_hub.fleet.commands import FINAL, OPEN, RETRACTABLE, Command, CommandState, Plan
from kiosk_hub.fleet.ids import BulkId, CommandId, DeviceId, EvidenceId
from kiosk_hub.fleet.permissions import Action, check
from kiosk_hub.store.evidence import Piece
from signaling.fleet.operation import Asked, Operation, Query
from signaling.wire.fleet import commands as wire

PAGE: Final = 50
PAGE_MAX: Final = 100
STATES: Final[Mapping[str, frozenset[CommandState]]] = {
    "open": OPEN,
    "past": FINAL,
    **{str(state): frozenset({state}) for state in CommandState},
}
FILE_HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
}


def row_of(asked: Asked, command: Command, evidence: Iterable[Piece] = ()) -> wire.CommandRow:
    """One command as this person may see it."""
    device = asked.hub.directory.find(command.device)
    order = rules.order_of(command)
    return wire.CommandRow(
        id=command.id,
        device=command.device,
        device_name=device.name if device is not None else "",
        do=command.do,
        state=command.state,
        by=command.by,
        by_name=command.by_name,
        why=command.why,
        created_at=command.created_at,
        starts_at=command.starts_at,
        expires_at=command.expires_at,
        waits_for_session=command.waits_for_session,
        force_at=order.force_at,
        second=command.second,
        approved_by=command.approved_by,
        approved_at=command.approved_at,
        sent_at=command.sent_at,
        delivered_at=command.delivered_at,
        claimed_at=command.claimed_at,
        began_at=command.began_at,
        ended_at=command.ended_at,
        ended_by=command.ended_by,
        reason=reason_of(command),
        outcome=command.outcome,
        late=command.late,
        bulk=command.bulk,
        may=_may(asked, command),
        evidence=tuple(wire.EvidenceRef(one.id, one.kind, one.length_bytes, one.at) for one in evidence),
    )


def _may(asked: Asked, command: Command) -> tuple[str, ...]:
    district = asked.hub.commands.district_of(command)
    grant = asked.staff.grant
    found = []
    if command.state in RETRACTABLE and grant.allows(Action.COMMAND, district):
        found.append("cancel")
    if (
        command.state is CommandState.AWAITING_APPROVAL
        and command.by != asked.staff.account
        and grant.allows(Action.APPROVE, district)
    ):
        found += ["approve", "refuse"]
    return tuple(found)


def plan_of(told: wire.AskPlan) -> Plan:
    return Plan(
        ttl_s=told.ttl_s,
        waits_for_session=told.waits_for_session,
        force_after_s=told.force_after_s,
        not_before=told.not_before,
    )


async def _acts(asked: Asked) -> wire.ActsAnswer:
    return wire.ActsAnswer(
        acts=tuple(
            wire.ActInfo(
                name_of(kind), rule.beside, rule.danger, rule.ttl_s, rule.runs_at_most_s, rule.evidence
            )
            for kind, rule in ACTS.items()
        ),
        bulk_is_many=acts.BULK_IS_MANY,
        forced_soon_s=acts.FORCED_SOON_S,
        least_ttl_s=acts.MIN_TTL_S,
        most_ttl_s=acts.MAX_TTL_S,
    )


async def _ask(asked: Asked) -> wire.CommandRow:
    told: wire.AskCommand = await asked.body(wire.AskCommand)
    device = DeviceId(asked.path("device"))
    command = await asked.hub.commands.ask(
        asked.staff, device, told.do, plan_of(told.plan), told.why, told.request_key
    )
    return row_of(asked, command)


async def _of_device(asked: Asked) -> wire.CommandsAnswer:
    device = asked.hub.directory.get(DeviceId(asked.path("device")))
    check(asked.staff, Action.SEE, asked.hub.directory.district_of(device))
    found, before = await _page(asked, device.id, asked.text("act"))
    files = await asked.hub.evidence.of_commands(
        [one.id for one in found if acts.rule_of(one.do).evidence is not None]
    )
    rows = [row_of(asked, command, files.get(command.id, ())) for command in found]
    return wire.CommandsAnswer(tuple(rows), before)


async def _list(asked: Asked) -> wire.CommandsAnswer:
    found, before = await _page(asked, None)
    return wire.CommandsAnswer(tuple(row_of(asked, command) for command in found), before)


async def _page(asked: Asked, device: DeviceId | None, act: str = "") -> tuple[list[Command], str | None]:
    limit = asked.number("limit", PAGE)
    states = STATES.get(asked.text("state"), frozenset())
    before = asked.text("before")
    bulk = asked.text("bulk") if device is None else ""
    found = await asked.hub.commands.in_sight(
        asked.staff,
        device=device,
        bulk=BulkId(bulk) if bulk else None,
        states=states,
        act=act,
        before=CommandId(before) if before else None,
        limit=limit + 1,
    )
    more = len(found) > limit
    return found[:limit], found[limit - 1].id if more else None


async def _one(asked: Asked) -> wire.CommandRow:
    command = await asked.hub.commands.get(asked.staff, CommandId(asked.path("command")))
    return row_of(asked, command, await asked.hub.evidence.of_command(command.id))


async def _approve(asked: Asked) -> wire.CommandRow:
    (command,) = await asked.hub.commands.approve(asked.staff, (CommandId(asked.path("command")),))
    return row_of(asked, command)


async def _refuse(asked: Asked) -> wire.CommandRow:
    told: wire.AskDecision = await asked.body(wire.AskDecision)
    (command,) = await asked.hub.commands.refuse(asked.staff, (CommandId(asked.path("command")),), told.why)
    return row_of(asked, command)


async def _cancel(asked: Asked) -> wire.CommandRow:
    told: wire.AskDecision = await asked.body(wire.AskDecision)
    command = await asked.hub.commands.cancel(asked.staff, CommandId(asked.path("command")), told.why)
    return row_of(asked, command)


async def _file(asked: Asked) -> Response:
    """Never as a page of ours: its type is fixed, it is sandboxed, and it is not kept by the browser."""
    shown = await asked.hub.evidence.look(asked.staff, EvidenceId(asked.path("evidence")))
    kind, device = shown.piece.kind, shown.piece.device
    name = f"{kind}-{device}.{'txt' if kind == 'log' else shown.media_type.rpartition('/')[2]}"
    headers = {**FILE_HEADERS, "content-disposition": f'attachment; filename="{name}"'}
    return Response(shown.content, media_type=shown.media_type, headers=headers)


_PAGING: Final = (
    Query("state", "open, past, or one state", choices=tuple(STATES)),
    Query("before", "the `before` of the page that came before", most=40),
    Query("limit", "at most so many", int, 1, PAGE_MAX),
)

COMMANDS: Final = (
    Operation(
        method="GET",
        path="/acts",
        action=Action.SEE,
        summary="What a device can be told to do, and what each act is like",
        call=_acts,
        answer=wire.ActsAnswer,
    ),
    Operation(
        method="POST",
        path="/devices/{device}/commands",
        action=Action.COMMAND,
        summary="Tell a device to do something",
        call=_ask,
        body=wire.AskCommand,
        answer=wire.CommandRow,
        status=201,
        refusals=("unknown-device", "not-in-use", "queue-full", "key-reused", "invalid"),
    ),
    Operation(
        method="GET",
        path="/devices/{device}/commands",
        action=Action.SEE,
        summary="Past and upcoming commands of one device, the newest first",
        call=_of_device,
        query=(*_PAGING, Query("act", "only of this act", choices=tuple(name_of(kind) for kind in ACTS))),
        answer=wire.CommandsAnswer,
        refusals=("unknown-device",),
    ),
    Operation(
        method="GET",
        path="/commands",
        action=Action.SEE,
        summary="Commands of all devices in sight, the newest first",
        call=_list,
        query=(*_PAGING, Query("bulk", "only those of this bulk", most=40)),
        answer=wire.CommandsAnswer,
    ),
    Operation(
        method="GET",
        path="/commands/{command}",
        action=Action.SEE,
        summary="One command",
        call=_one,
        answer=wire.CommandRow,
        refusals=("unknown-command",),
    ),
    Operation(
        method="POST",
        path="/commands/{command}/approve",
        action=Action.APPROVE,
        summary="Be the second person a dangerous command needs",
        call=_approve,
        answer=wire.CommandRow,
        refusals=("unknown-command", "same-person", "wrong-state"),
    ),
    Operation(
        method="POST",
        path="/commands/{command}/refuse",
        action=Action.APPROVE,
        summary="Be the second person, and say no",
        call=_refuse,
        body=wire.AskDecision,
        answer=wire.CommandRow,
        refusals=("unknown-command", "same-person", "wrong-state"),
    ),
    Operation(
        method="POST",
        path="/commands/{command}/cancel",
        action=Action.COMMAND,
        summary="Cancel what has not begun",
        call=_cancel,
        body=wire.AskDecision,
        answer=wire.CommandRow,
        refusals=("unknown-command", "too-late"),
    ),
    Operation(
        method="GET",
        path="/evidence/{evidence}",
        action=Action.SEE_SCREENSHOT,
        summary="A screenshot or a log; that it was looked at is in the audit first",
        call=_file,
        answer=None,
        media_type="application/octet-stream",
        other_media_types=("image/png", "image/jpeg", "image/webp", "text/plain"),
        refusals=("unknown-evidence",),
    ),
)
