"""The audit by REST: pages, whole files, and whether it is what was written."""

from typing import Final

from starlette.responses import Response, StreamingResponse

from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.permissions import Action
from kiosk_hub.services.audit import PAGE_MAX, Kept, Verified, Wanted
from kiosk_hub.services.audit_files import FORMATS
from signaling.fleet.operation import Asked, Operation, Query
from signaling.wire.fleet import audit as wire

PAGE: Final = 50
MOST_SECONDS: Final = 10**11


def _wanted(asked: Asked) -> Wanted:
    since, until = asked.number("since", -1), asked.number("until", -1)
    return Wanted(
        account=asked.text("account"),
        action=asked.text("action"),
        device=asked.text("device"),
        since=since if since >= 0 else None,
        until=until if until >= 0 else None,
    )


def _entry(asked: Asked, kept: Kept) -> wire.AuditEntry:
    entry = kept.written.entry
    device = asked.hub.directory.find(DeviceId(entry.device)) if entry.device else None
    return wire.AuditEntry(
        seq=kept.written.seq,
        at=kept.written.at,
        account=entry.account,
        action=entry.action,
        device=entry.device,
        device_name=device.name if device is not None else "",
        address=entry.address,
        result=entry.result,
        values=entry.values,
        hash=kept.hash.hex(),
    )


async def _page(asked: Asked) -> wire.AuditAnswer:
    limit = asked.number("limit", PAGE)
    before = asked.number("before", 0)
    found = await asked.hub.audit.page(_wanted(asked), before or None, limit)
    return wire.AuditAnswer(
        tuple(_entry(asked, kept) for kept in found),
        found[-1].written.seq if len(found) == limit else None,
    )


async def _state(asked: Asked) -> wire.AuditState:
    return _told(await asked.hub.audit.state())


async def _verify(asked: Asked) -> wire.AuditState:
    return _told(await asked.hub.audit.verify())


def _told(state: Verified) -> wire.AuditState:
    return wire.AuditState(
        count=state.head.seq,
        head=str(state.head),
        verified_to=state.verified_to,
        verified_at=state.verified_at,
        fault_seq=state.fault.seq if state.fault is not None else None,
        fault=state.fault.code if state.fault is not None else None,
    )


async def _actions(asked: Asked) -> wire.AuditActions:
    return wire.AuditActions(tuple(await asked.hub.audit.actions()))


async def _export(asked: Asked) -> Response:
    format_: Final = "json" if asked.text("format") == "json" else "csv"
    content = await asked.hub.audit.export(asked.staff, _wanted(asked), format_)
    headers = {
        "content-disposition": f'attachment; filename="audit.{format_}"',
        "cache-control": "no-store",
        "content-security-policy": "default-src 'none'; sandbox",
    }
    return StreamingResponse(content, media_type=FORMATS[format_].media_type, headers=headers)


_FILTERS: Final = (
    Query("account", "whose deeds", most=64),
    Query("action", "which deeds", most=64),
    Query("device", "at which device", most=64),
    Query("since", "seconds, UTC: from then on", int, 0, MOST_SECONDS),
    Query("until", "seconds, UTC: before then", int, 0, MOST_SECONDS),
)

AUDIT: Final = (
    Operation(
        method="GET",
        path="/audit",
        action=Action.SEE_AUDIT,
        summary="Who did what, at which device, from where, with what result; the newest first",
        call=_page,
        query=(
            *_FILTERS,
            Query("before", "the `before` of the page that came before", int, 0, 2**53),
            Query("limit", "at most so many", int, 1, PAGE_MAX),
        ),
        answer=wire.AuditAnswer,
    ),
    Operation(
        method="GET",
        path="/audit/state",
        action=Action.SEE_AUDIT,
        summary="Number and hash of the last entry, and how far the chain has been looked through",
        call=_state,
        answer=wire.AuditState,
    ),
    Operation(
        method="POST",
        path="/audit/verify",
        action=Action.SEE_AUDIT,
        summary="Look through the whole chain now",
        call=_verify,
        answer=wire.AuditState,
    ),
    Operation(
        method="GET",
        path="/audit/actions",
        action=Action.SEE_AUDIT,
        summary="Every action there is an entry of",
        call=_actions,
        answer=wire.AuditActions,
    ),
    Operation(
        method="GET",
        path="/audit/export",
        action=Action.SEE_AUDIT,
        summary="A file of all entries that match, complete or refused; the export is itself in the audit",
        call=_export,
        query=(*_FILTERS, Query("format", "csv or json", choices=("csv", "json"))),
        answer=None,
        media_type="text/csv",
        other_media_types=("application/json",),
        refusals=("too-many-entries",),
    ),
)
