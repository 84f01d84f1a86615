"""REST: who asks, where devices may stand, the list, and one device."""

import secrets
from typing import Final

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.hours import is_open
from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.permissions import Action, check
from kiosk_hub.fleet.thresholds import thresholds_for
from kiosk_hub.services.directory import UnknownDevice
from kiosk_hub.services.editing import edit_device
from kiosk_hub.services.registry import Known
from kiosk_hub.store import views
from room_manager.errors import DomainError
from room_manager.roster.builtin import hanoi_districts
from signaling.fleet.operation import Asked, Operation, Query
from signaling.fleet.rows import in_sight, row_of
from signaling.wire.fleet import devices as wire
from signaling.wire.kiosk.fingerprint import words_of

MOST_ROWS: Final = 1000


class UnknownView(DomainError):
    """This person has saved no such view."""

    code = "unknown-view"


async def _me(asked: Asked) -> wire.StaffAnswer:
    staff = asked.staff
    return wire.StaffAnswer(
        account=staff.account,
        name=staff.name,
        role=staff.grant.role,
        districts=tuple(sorted(staff.grant.districts)),
        may=tuple(action for action in Action if staff.grant.allows(action)),
        csrf=asked.csrf,
    )


async def _places(asked: Asked) -> wire.PlacesAnswer:
    units = list(asked.hub.geography.units())
    tiles = {known.code: known for known in hanoi_districts()}
    names = {unit.district_code: unit.district_full_name for unit in units if unit.district_code}
    last_row = max((tile.row for tile in tiles.values()), default=0)
    districts = []
    for number, (code, name) in enumerate(sorted(names.items())):
        tile = tiles.get(code)
        # A district that the schematic map does not know stands in rows of its own below it.
        row, col = (tile.row, tile.col) if tile is not None else (last_row + 1 + number // 8, number % 8)
        districts.append(wire.DistrictRef(code, name, row, col))
    return wire.PlacesAnswer(
        tuple(districts),
        tuple(wire.UnitRef(unit.code, unit.full_name, unit.district_code, unit.sort_key()) for unit in units),
    )


async def _devices(asked: Asked) -> wire.DevicesAnswer:
    offset, limit = asked.number("offset", 0), asked.number("limit", MOST_ROWS)
    seen = list(in_sight(asked.hub, asked.staff.grant))
    return wire.DevicesAnswer(
        version=asked.hub.changes.version,
        total=len(seen),
        devices=tuple(row_of(asked.hub, device, known) for device, known in seen[offset : offset + limit]),
    )


def device_in_sight(asked: Asked, action: Action = Action.SEE) -> tuple[Device, Known]:
    """The device of the path. Raises ``UnknownDevice``, ``NotAllowed`` (not one of this person's
    districts)."""
    device = asked.hub.directory.get(DeviceId(asked.path("device")))
    check(asked.staff, action, asked.hub.directory.district_of(device))
    known = asked.hub.registry.known(device.id)
    if known is None:
        raise UnknownDevice("there is no such device")
    return device, known


def _answer(asked: Asked, device: Device, known: Known) -> wire.DeviceAnswer:
    verdict, now = known.verdict, asked.hub.directory.clock()
    district = asked.hub.directory.district_of(device)
    return wire.DeviceAnswer(
        row=row_of(asked.hub, device, known),
        place=device.place,
        fingerprint_words=" ".join(words_of(device.fingerprint)),
        enrolled_at=device.enrolled_at,
        hardware=device.hardware,
        state_reason=device.state_reason,
        maintenance_until=device.in_maintenance_until,
        reasons=tuple(one.reason for one in (*verdict.symptoms, *verdict.beneath)),
        facts=known.health.facts,
        facts_at=known.health.heard_at,
        beat_every_s=asked.hub.registry.beat_every_s,
        thresholds=tuple(
            wire.Threshold(one.metric, one.enter, one.leave, one.above, one.status)
            for one in thresholds_for(device.kind)
        ),
        open_now=is_open(device.place.hours, now),
        may=tuple(action for action in Action if asked.staff.grant.allows(action, district)),
    )


async def _device(asked: Asked) -> wire.DeviceAnswer:
    return _answer(asked, *device_in_sight(asked))


async def _edit(asked: Asked) -> wire.DeviceAnswer:
    told: wire.AskEditDevice = await asked.body(wire.AskEditDevice)
    device_in_sight(asked, Action.EDIT_DEVICE)
    await edit_device(
        asked.hub.directory,
        asked.staff,
        DeviceId(asked.path("device")),
        name=told.name,
        place=told.place,
        maintenance_minutes=told.maintenance_minutes,
    )
    asked.hub.changes.audit_changed()
    return _answer(asked, *device_in_sight(asked))


async def _views(asked: Asked) -> wire.ViewsAnswer:
    saved = await views.of(asked.hub.database, asked.staff.account)
    return wire.ViewsAnswer(tuple(wire.View(one.id, one.name, one.query) for one in saved))


async def _save_view(asked: Asked) -> wire.View:
    told: wire.AskView = await asked.body(wire.AskView)
    view = views.SavedView(secrets.token_urlsafe(9), told.name, told.query)
    await views.add(asked.hub.database, asked.staff.account, view, asked.hub.directory.clock())
    return wire.View(view.id, view.name, view.query)


async def _forget_view(asked: Asked) -> None:
    if not await views.forget(asked.hub.database, asked.staff.account, asked.path("view")):
        raise UnknownView("you have saved no such view")


DEVICES: Final = (
    Operation(
        method="GET",
        path="/me",
        action=Action.SEE,
        summary="Who is logged in, and what they may do",
        call=_me,
        answer=wire.StaffAnswer,
    ),
    Operation(
        method="GET",
        path="/places",
        action=Action.SEE,
        summary="Districts with their tiles on the map, and units",
        call=_places,
        answer=wire.PlacesAnswer,
    ),
    Operation(
        method="GET",
        path="/devices",
        action=Action.SEE,
        summary="The devices of one's districts, page by page",
        call=_devices,
        answer=wire.DevicesAnswer,
        query=(
            Query("offset", "how many to leave out at the front", int, 0, 1_000_000),
            Query("limit", "how many at most", int, 1, MOST_ROWS),
        ),
    ),
    Operation(
        method="GET",
        path="/devices/{device}",
        action=Action.SEE,
        summary="One device: its place, its facts, every reason that holds",
        call=_device,
        answer=wire.DeviceAnswer,
        refusals=("unknown-device",),
    ),
    Operation(
        method="PATCH",
        path="/devices/{device}",
        action=Action.EDIT_DEVICE,
        summary="Change a device's name, its place, its maintenance window",
        call=_edit,
        answer=wire.DeviceAnswer,
        body=wire.AskEditDevice,
        refusals=("unknown-device",),
    ),
    Operation(
        method="GET",
        path="/views",
        action=Action.SEE,
        summary="One's own saved views of the list",
        call=_views,
        answer=wire.ViewsAnswer,
    ),
    Operation(
        method="POST",
        path="/views",
        action=Action.SEE,
        summary="Save a view of the list",
        call=_save_view,
        answer=wire.View,
        body=wire.AskView,
        status=201,
        refusals=("too-many-views",),
    ),
    Operation(
        method="DELETE",
        path="/views/{view}",
        action=Action.SEE,
        summary="Forget a saved view",
        call=_forget_view,
        answer=None,
        refusals=("unknown-view",),
    ),
)
