"""Acts for many devices by REST: what would happen, doing it, and how far it is."""

from collections import Counter
from typing import Final

from kiosk_hub.fleet.bulks import Fate
from kiosk_hub.fleet.command_words import refusal_of
from kiosk_hub.fleet.commands import RETRACTABLE, CommandState
from kiosk_hub.fleet.ids import BulkId
from kiosk_hub.fleet.permissions import Action
from kiosk_hub.services.bulks import Progress
from signaling.fleet.commands import plan_of
from signaling.fleet.operation import Asked, Operation
from signaling.wire.fleet import commands as wire

LISTED: Final = 50


def _row(asked: Asked, progress: Progress) -> wire.BulkRow:
    bulk, counts = progress.bulk, progress.counts
    grant = asked.staff.grant
    may = []
    if any(state in RETRACTABLE for state in counts) and grant.allows(Action.COMMAND):
        may.append("cancel")
    if (
        counts.get(CommandState.AWAITING_APPROVAL)
        and bulk.by != asked.staff.account
        and all(grant.allows(Action.APPROVE, district) for district in bulk.districts)
    ):
        may += ["approve", "refuse"]
    return wire.BulkRow(
        id=bulk.id,
        do=bulk.do,
        by=bulk.by,
        by_name=bulk.by_name,
        why=bulk.why,
        created_at=bulk.created_at,
        second=bulk.second,
        pace=bulk.pace,
        lasts_s=bulk.lasts_s,
        many=bulk.many,
        refused=len(bulk.refused),
        counts={str(state): many for state, many in counts.items()},
        districts=bulk.districts,
        may=tuple(may),
    )


async def _dry_run(asked: Asked) -> wire.DryRunAnswer:
    told: wire.AskDryRun = await asked.body(wire.AskDryRun)
    run = await asked.hub.bulks.dry_run(asked.staff, told.selection, told.do, plan_of(told.plan), told.pace)
    counts = Counter(one.fate for one in run.foreseen)
    texts = {one.code: one.text for one in run.foreseen if one.code}
    return wire.DryRunAnswer(
        token=run.token,
        ends_at=run.ends_at,
        second=run.second,
        pace=run.pace,
        lasts_s=max((one.offset_s for one in run.foreseen), default=0.0),
        counts={str(fate): counts[fate] for fate in Fate},
        rows=tuple(wire.ForeseenRow(one.device, one.fate, one.offset_s, one.code) for one in run.foreseen),
        reasons=tuple(refusal_of(code, text) for code, text in texts.items()),
    )


async def _act(asked: Asked) -> wire.BulkRow:
    told: wire.AskBulk = await asked.body(wire.AskBulk)
    bulk = await asked.hub.bulks.act(asked.staff, told.token, told.why, told.request_key)
    return _row(asked, await asked.hub.bulks.progress(asked.staff, bulk.id))


async def _list(asked: Asked) -> wire.BulksAnswer:
    found = await asked.hub.bulks.newest(asked.staff, LISTED)
    return wire.BulksAnswer(tuple(_row(asked, one) for one in found))


def _id(asked: Asked) -> BulkId:
    return BulkId(asked.path("bulk"))


async def _one(asked: Asked) -> wire.BulkRow:
    return _row(asked, await asked.hub.bulks.progress(asked.staff, _id(asked)))


async def _approve(asked: Asked) -> wire.BulkRow:
    return _row(asked, await asked.hub.bulks.approve(asked.staff, _id(asked)))


async def _refuse(asked: Asked) -> wire.BulkRow:
    told: wire.AskDecision = await asked.body(wire.AskDecision)
    return _row(asked, await asked.hub.bulks.refuse(asked.staff, _id(asked), told.why))


async def _cancel(asked: Asked) -> wire.BulkRow:
    told: wire.AskDecision = await asked.body(wire.AskDecision)
    return _row(asked, await asked.hub.bulks.cancel(asked.staff, _id(asked), told.why))


BULKS: Final = (
    Operation(
        method="POST",
        path="/dry-runs",
        action=Action.COMMAND,
        summary="What would happen, device by device; nothing does",
        call=_dry_run,
        body=wire.AskDryRun,
        answer=wire.DryRunAnswer,
        refusals=("limit", "unknown-device"),
    ),
    Operation(
        method="POST",
        path="/bulks",
        action=Action.COMMAND,
        summary="Do what a dry run showed",
        call=_act,
        body=wire.AskBulk,
        answer=wire.BulkRow,
        status=201,
        refusals=("stale", "key-reused", "queue-full"),
    ),
    Operation(
        method="GET",
        path="/bulks",
        action=Action.SEE,
        summary="Acts for many devices, the newest first",
        call=_list,
        answer=wire.BulksAnswer,
    ),
    Operation(
        method="GET",
        path="/bulks/{bulk}",
        action=Action.SEE,
        summary="How far one is",
        call=_one,
        answer=wire.BulkRow,
        refusals=("unknown-bulk",),
    ),
    Operation(
        method="POST",
        path="/bulks/{bulk}/approve",
        action=Action.APPROVE,
        summary="Be the second person for all of it",
        call=_approve,
        answer=wire.BulkRow,
        refusals=("unknown-bulk", "same-person", "wrong-state"),
    ),
    Operation(
        method="POST",
        path="/bulks/{bulk}/refuse",
        action=Action.APPROVE,
        summary="Be the second person, and say no",
        call=_refuse,
        body=wire.AskDecision,
        answer=wire.BulkRow,
        refusals=("unknown-bulk", "same-person", "wrong-state"),
    ),
    Operation(
        method="POST",
        path="/bulks/{bulk}/cancel",
        action=Action.COMMAND,
        summary="Cancel what has not begun",
        call=_cancel,
        body=wire.AskDecision,
        answer=wire.BulkRow,
        refusals=("unknown-bulk",),
    ),
)
