"""REST: the incidents board, one incident, and what people do with it."""

from typing import Final

from kiosk_hub.fleet import incident_acts as acts
from kiosk_hub.fleet import incident_timeline as timeline
from kiosk_hub.fleet import incidents as rules
from kiosk_hub.fleet.ids import DeviceId, IncidentId
from kiosk_hub.fleet.incident_words import IncidentRow
from kiosk_hub.fleet.incidents import AnyEvent, Incident
from kiosk_hub.fleet.notice import Notice
from kiosk_hub.fleet.permissions import Action
from kiosk_hub.fleet.values import Severity
from kiosk_hub.services.incidents import may_handle
from signaling.fleet.operation import Asked, Operation, Query
from signaling.wire.fleet import incidents as wire

MOST_DEVICES: Final = 500
MOST_EVENTS: Final = 500


async def _open(asked: Asked) -> wire.IncidentsAnswer:
    rows = asked.hub.incidents.open_rows(asked.staff.grant)
    district, device = asked.text("district"), asked.text("device")
    severity = asked.text("severity")
    offset, limit = asked.number("offset", 0), asked.number("limit", 500)
    found = [
        row
        for row in rows
        if (not district or row.district == district)
        and (not severity or row.severity == severity)
        and (not device or row.id == asked.hub.incidents.incident_of(DeviceId(device)))
    ]
    return await _answer(asked, found[offset : offset + limit], len(found))


async def _closed(asked: Asked) -> wire.IncidentsAnswer:
    rows, total = await asked.hub.incidents.closed_rows(
        asked.staff.grant, asked.text("device"), asked.number("offset", 0), asked.number("limit", 50)
    )
    return await _answer(asked, rows, total)


async def _answer(asked: Asked, rows: list[IncidentRow], total: int) -> wire.IncidentsAnswer:
    return wire.IncidentsAnswer(_now(asked), total, tuple(rows), await _people(asked, rows))


async def _people(asked: Asked, rows: list[IncidentRow]) -> tuple[wire.Handler, ...]:
    """Those named in the rows: nobody learns of all accounts from the board."""
    named = {who for row in rows for who in (row.assignee, row.acknowledged_by, row.closed_by) if who}
    if not named:
        return ()
    return tuple(
        wire.Handler(account, name) for account, name, _ in await asked.hub.grants.all() if account in named
    )


async def _one(asked: Asked) -> wire.IncidentAnswer:
    name = IncidentId(asked.path("incident"))
    incident, events = await asked.hub.incidents.get(name, asked.staff.grant)
    row = asked.hub.incidents.row(incident)
    names = {account: shown for account, shown, _ in await asked.hub.grants.all()}
    return wire.IncidentAnswer(
        time=_now(asked),
        row=row,
        devices=_devices(asked, incident),
        timeline=tuple(_entry(asked, incident, event, names) for event in events[:-MOST_EVENTS:-1]),
        children=tuple(
            child
            for child in await asked.hub.incidents.rows_of(incident.children)
            if asked.staff.grant.covers(child.district)
        ),
        notices=tuple(_notice(one) for one in await asked.hub.notifier.book.of_incident(name)),
        handlers=await _handlers(asked, incident),
        people=await _people(asked, [row]),
        may_handle=_may(asked, incident),
    )


def _may(asked: Asked, incident: Incident) -> bool:
    return may_handle(asked.staff.grant, incident.spot)


def _devices(asked: Asked, incident: Incident) -> tuple[wire.IncidentDevice, ...]:
    """Those in this person's districts: one of the whole city's is seen by all, its devices are not."""
    directory, grant = asked.hub.directory, asked.staff.grant
    seen = [
        (device, affected)
        for device, affected in incident.devices.items()
        if grant.covers("" if (known := directory.find(device)) is None else directory.district_of(known))
    ]
    ordered = sorted(seen, key=lambda item: (item[1].well_at is not None, item[1].since))
    made = []
    for device, affected in ordered[:MOST_DEVICES]:
        record = asked.hub.directory.find(device)
        made.append(
            wire.IncidentDevice(
                id=device,
                name=record.name if record is not None else device,
                unit=record.place.unit if record is not None else "",
                building=record.place.building if record is not None else "",
                since=affected.since,
                well_at=affected.well_at,
                reasons=tuple(one.reason for one in affected.troubles.values()),
                flapping=device in incident.flapping,
            )
        )
    return tuple(made)


def _entry(asked: Asked, incident: Incident, event: AnyEvent, names: dict[str, str]) -> wire.TimelineEntry:
    def name_of(device: DeviceId) -> str:
        record = asked.hub.directory.find(device)
        return record.name if record is not None else device

    if isinstance(event, rules.Assigned):
        event = rules.Assigned(to=names.get(event.to, event.to), at=event.at, by=event.by)
    said = timeline.said(event, incident.spot.level, name_of)
    return wire.TimelineEntry(
        at=event.at,
        what=said.code,
        said=said,
        by=event.by,
        name=names.get(event.by, event.by),
        text=timeline.written(event),
    )


def _notice(one: Notice) -> wire.NoticeLine:
    return wire.NoticeLine(
        id=one.id,
        kind=one.kind,
        route=one.route_name,
        channel=one.channel,
        state=one.state,
        created_at=one.created_at,
        due_at=one.due_at,
        done_at=one.done_at,
        attempts=one.attempts,
        code=one.code,
    )


async def _handlers(asked: Asked, incident: Incident) -> tuple[wire.Handler, ...]:
    return tuple(
        wire.Handler(account, name)
        for account, name, grant in await asked.hub.grants.all()
        if grant is not None and may_handle(grant, incident.spot)
    )


def _now(asked: Asked) -> float:
    return asked.hub.directory.clock()


async def _act(asked: Asked, command: acts.AnyCommand) -> IncidentRow:
    return await asked.hub.incidents.act(asked.staff, IncidentId(asked.path("incident")), command)


async def _acknowledge(asked: Asked) -> IncidentRow:
    told: wire.AskVersion = await asked.body(wire.AskVersion)
    return await _act(asked, acts.Acknowledge(by=asked.staff.account, version=told.version))


async def _assign(asked: Asked) -> IncidentRow:
    told: wire.AskAssign = await asked.body(wire.AskAssign)
    return await _act(asked, acts.Assign(by=asked.staff.account, to=told.to, version=told.version))


async def _comment(asked: Asked) -> IncidentRow:
    told: wire.AskComment = await asked.body(wire.AskComment)
    return await _act(asked, acts.Comment(by=asked.staff.account, text=told.text))


async def _close(asked: Asked) -> IncidentRow:
    told: wire.AskNote = await asked.body(wire.AskNote)
    return await _act(asked, acts.Close(by=asked.staff.account, note=told.note, version=told.version))


async def _reopen(asked: Asked) -> IncidentRow:
    told: wire.AskNote = await asked.body(wire.AskNote)
    return await _act(asked, acts.Reopen(by=asked.staff.account, note=told.note, version=told.version))


_OFFSET: Final = Query("offset", "how many to pass over", int, 0, 1_000_000)
_LIMIT: Final = Query("limit", "how many at most", int, 1, 500)
_DEVICE: Final = Query("device", "only what concerns this device", most=64)
_HANDLING: Final = ("unknown-incident", "not-allowed", "stale", "wrong-state", "invalid")

INCIDENTS: Final = (
    Operation(
        method="GET",
        path="/incidents",
        action=Action.SEE,
        summary="Open incidents, the gravest first",
        call=_open,
        answer=wire.IncidentsAnswer,
        query=(
            Query("district", "only those of this district, by its code", most=10),
            Query("severity", "only those of this severity", choices=tuple(Severity)),
            _DEVICE,
            _OFFSET,
            _LIMIT,
        ),
    ),
    Operation(
        method="GET",
        path="/incidents/closed",
        action=Action.SEE,
        summary="Closed incidents, the latest first",
        call=_closed,
        answer=wire.IncidentsAnswer,
        query=(_DEVICE, _OFFSET, _LIMIT),
    ),
    Operation(
        method="GET",
        path="/incidents/{incident}",
        action=Action.SEE,
        summary="One incident, with its devices and all that happened",
        call=_one,
        answer=wire.IncidentAnswer,
        refusals=("unknown-incident", "not-allowed"),
    ),
    Operation(
        method="POST",
        path="/incidents/{incident}/acknowledge",
        action=Action.HANDLE_INCIDENT,
        summary="Say that somebody is looking",
        call=_acknowledge,
        answer=IncidentRow,
        body=wire.AskVersion,
        refusals=_HANDLING,
    ),
    Operation(
        method="POST",
        path="/incidents/{incident}/assign",
        action=Action.HANDLE_INCIDENT,
        summary="Give it to somebody",
        call=_assign,
        answer=IncidentRow,
        body=wire.AskAssign,
        refusals=_HANDLING,
    ),
    Operation(
        method="POST",
        path="/incidents/{incident}/comment",
        action=Action.HANDLE_INCIDENT,
        summary="Write something down",
        call=_comment,
        answer=IncidentRow,
        body=wire.AskComment,
        refusals=("unknown-incident", "not-allowed", "limit"),
    ),
    Operation(
        method="POST",
        path="/incidents/{incident}/close",
        action=Action.HANDLE_INCIDENT,
        summary="Close it; with a note, if something is still wrong",
        call=_close,
        answer=IncidentRow,
        body=wire.AskNote,
        refusals=_HANDLING,
    ),
    Operation(
        method="POST",
        path="/incidents/{incident}/reopen",
        action=Action.HANDLE_INCIDENT,
        summary="Open a closed one again",
        call=_reopen,
        answer=IncidentRow,
        body=wire.AskNote,
        refusals=_HANDLING,
    ),
)
