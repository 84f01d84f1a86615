"""A device as the list shows it: the record, what is known of it, and what alerting marks it with."""

from collections.abc import Iterator

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.permissions import Grant
from kiosk_hub.hub import Hub
from kiosk_hub.services.registry import Known
from signaling.wire.fleet.devices import DeviceRow


def row_of(hub: Hub, device: Device, known: Known) -> DeviceRow:
    """One line."""
    verdict, health, marks = known.verdict, known.health, hub.registry.marks
    facts = health.facts
    return DeviceRow(
        id=device.id,
        version=hub.changes.version_of(device.id),
        name=device.name,
        kind=device.kind,
        state=device.state,
        unit=device.place.unit,
        district=hub.directory.district_of(device),
        building=device.place.building,
        status=verdict.status,
        since=verdict.since,
        reason=verdict.symptoms[0].reason if verdict.symptoms else None,
        more=max(0, len(verdict.symptoms) - 1),
        floor=device.place.floor,
        seen_at=health.heard_at,
        agent=facts.versions.agent if facts is not None else "",
        content=facts.versions.content if facts is not None else "",
        flapping=marks is not None and marks.is_flapping(device.id),
        in_session=facts is not None and facts.in_session and known.connected,
        connected=known.connected,
        incident=marks.incident_of(device.id) if marks is not None else None,
    )


def in_sight(hub: Hub, grant: Grant) -> Iterator[tuple[Device, Known]]:
    """The devices this person may see, in a steady order."""
    for device, known in hub.registry.all():
        if grant.covers(hub.directory.district_of(device)):
            yield device, known
