"""Staff change what is written down about a device: its name, its place, a maintenance window."""

from msgspec.structs import replace

from kiosk_hub.fleet import hours
from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.permissions import Action, Staff, check
from kiosk_hub.fleet.places import Place
from kiosk_hub.services.directory import Directory
from kiosk_hub.store import audit
from room_manager.errors import Invalid


async def edit_device(
    directory: Directory,
    staff: Staff,
    id: DeviceId,
    *,
    name: str | None = None,
    place: Place | None = None,
    maintenance_minutes: int | None = None,
) -> Device:
    """The record as it is now. What is None stays; ``maintenance_minutes`` 0 ends the window.

    Raises ``UnknownDevice``, ``NotAllowed`` (also for the district it would come to), ``Invalid``, or what
    the store raises.
    """
    if name is not None and not name.strip():
        raise Invalid("name: a device needs one")
    if place is not None:
        hours.check(place.hours)
        if directory.geography.unit(place.unit) is None:
            await directory.geography.refresh()
        if directory.geography.unit(place.unit) is None:
            raise Invalid("unit: it is not on the roster")
        check(staff, Action.EDIT_DEVICE, directory.geography.district_of(place.unit))
    async with directory.change() as change:
        before = change.get(id)
        check(staff, Action.EDIT_DEVICE, directory.district_of(before))
        after = before
        if name is not None:
            after = replace(after, name=name.strip())
        if place is not None:
            after = replace(after, place=place)
        if maintenance_minutes is not None:
            until = change.now + maintenance_minutes * 60 if maintenance_minutes else None
            after = replace(after, in_maintenance_until=until)
        if after == before:
            return before
        if (after.name, after.place) != (before.name, before.place):
            after = replace(after, settings_version=before.settings_version + 1)
        await change.put(after)
        await change.note(
            audit.Entry(
                "edit-device",
                account=staff.account,
                device=id,
                address=staff.address,
                values=_values(before, after),
            )
        )
    return after


def _values(before: Device, after: Device) -> dict[str, str | int | float | bool | None]:
    """What became different, in words an auditor can read; of the contact only that it changed."""
    values: dict[str, str | int | float | bool | None] = {}
    if after.name != before.name:
        values |= {"name": after.name, "name_before": before.name}
    if after.place.unit != before.place.unit:
        values |= {"unit": after.place.unit, "unit_before": before.place.unit}
    if after.place.building != before.place.building:
        values |= {"building": after.place.building, "building_before": before.place.building}
    for field in ("floor", "note", "contact", "hours", "mm_per_px", "camera", "low_reach_mm"):
        if getattr(after.place, field) != getattr(before.place, field):
            values[f"{field}_changed"] = True
    if after.in_maintenance_until != before.in_maintenance_until:
        values["maintenance_until"] = after.in_maintenance_until
    return values
