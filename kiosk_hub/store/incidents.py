"""Incidents in SQL: each one's row as the board shows it, and all its events in order."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from kiosk_hub.fleet.ids import IncidentId
from kiosk_hub.fleet.incident_words import IncidentRow
from kiosk_hub.fleet.incidents import AnyEvent, Incident
from kiosk_hub.fleet.values import IncidentState
from kiosk_hub.store.tables import incident_events, incidents

_event: Final = msgspec.json.Decoder(AnyEvent)
_row: Final = msgspec.json.Decoder(IncidentRow)


async def put(connection: AsyncConnection, changed: Sequence[tuple[Incident, IncidentRow]]) -> None:
    """The rows are these."""
    known = set(
        (
            await connection.execute(
                select(incidents.c.id).where(incidents.c.id.in_([one.id for one, _ in changed]))
            )
        ).scalars()
    )
    new: list[dict[str, Any]] = []
    for incident, row in changed:
        values = {
            "state": incident.state,
            "scope": incident.spot.key,
            "district": incident.spot.district,
            "ill": incident.ill,
            "opened_at": incident.opened_at,
            "closed_at": incident.closed_at,
            "body": msgspec.json.encode(row),
        }
        if incident.id in known:
            await connection.execute(incidents.update().where(incidents.c.id == incident.id).values(**values))
        else:
            new.append({"id": incident.id, **values})
    if new:
        await connection.execute(insert(incidents), new)


async def append(connection: AsyncConnection, events: Iterable[tuple[IncidentId, int, AnyEvent]]) -> None:
    """Each with its number in its incident, from 1."""
    rows = [{"incident": name, "seq": seq, "body": msgspec.json.encode(event)} for name, seq, event in events]
    if rows:
        await connection.execute(insert(incident_events), rows)


async def events_of(connection: AsyncConnection, name: IncidentId) -> list[AnyEvent]:
    """All of one, in order; empty: there is no such incident."""
    rows = await connection.execute(
        select(incident_events.c.body)
        .where(incident_events.c.incident == name)
        .order_by(incident_events.c.seq)
    )
    return [_event.decode(body) for body in rows.scalars()]


async def load(connection: AsyncConnection, closed_after: float) -> dict[IncidentId, list[AnyEvent]]:
    """The events of all that matter: not closed, or lately, or closed though a device was ill."""
    matters = or_(
        incidents.c.state != IncidentState.CLOSED,
        incidents.c.ill > 0,
        incidents.c.closed_at > closed_after,
    )
    rows = await connection.execute(
        select(incident_events.c.incident, incident_events.c.body)
        .join(incidents, incidents.c.id == incident_events.c.incident)
        .where(matters)
        .order_by(incident_events.c.incident, incident_events.c.seq)
    )
    found: dict[IncidentId, list[AnyEvent]] = {}
    for row in rows:
        found.setdefault(row.incident, []).append(_event.decode(row.body))
    return found


async def prune(connection: AsyncConnection, closed_before: float, most: int) -> int:
    """Forget what was over before that; how many there were, of at most so many."""
    old = list(
        (
            await connection.execute(
                select(incidents.c.id)
                .where(incidents.c.closed_at < closed_before, incidents.c.ill == 0)
                .where(incidents.c.state == IncidentState.CLOSED)
                .limit(most)
            )
        ).scalars()
    )
    if old:
        await connection.execute(delete(incident_events).where(incident_events.c.incident.in_(old)))
        await connection.execute(delete(incidents).where(incidents.c.id.in_(old)))
    return len(old)


async def closed(
    connection: AsyncConnection, districts: frozenset[str] | None, device: str, offset: int, limit: int
) -> tuple[list[IncidentRow], int]:
    """A page of the closed ones, the latest first, and how many there are. ``districts`` None: all."""
    wanted: list[ColumnElement[bool]] = [incidents.c.state == IncidentState.CLOSED]
    if districts is not None:
        wanted.append(incidents.c.district.in_(sorted(districts)))
    if device:
        wanted.append(incidents.c.scope == f"device:{device}")
    total = (
        await connection.execute(select(func.count()).where(and_(*wanted)).select_from(incidents))
    ).scalar_one()
    rows = await connection.execute(
        select(incidents.c.body)
        .where(and_(*wanted))
        .order_by(incidents.c.closed_at.desc(), incidents.c.id)
        .offset(offset)
        .limit(limit)
    )
    return [_row.decode(body) for body in rows.scalars()], total


async def row_of(connection: AsyncConnection, name: IncidentId) -> IncidentRow | None:
    body = (
        await connection.execute(select(incidents.c.body).where(incidents.c.id == name))
    ).scalar_one_or_none()
    return None if body is None else _row.decode(body)
