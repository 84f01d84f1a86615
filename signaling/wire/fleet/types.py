"""Everything the fleet's pages know, gathered for the generator."""

from typing import Final

from msgspec import Struct

from kiosk_hub.fleet import permissions, values
from kiosk_hub.fleet.rollouts import RolloutState
from signaling.wire.fleet import audit, commands, devices, enrolments, incidents, roles, rollouts, setup

ANSWERS: Final[tuple[type[Struct], ...]] = (
    *devices.TYPES,
    *enrolments.TYPES,
    *incidents.TYPES,
    *commands.TYPES,
    *rollouts.TYPES,
    *audit.TYPES,
    *setup.TYPES,
    *roles.TYPES,
)

ENUMS: Final = (
    values.DeviceKind,
    values.DeviceState,
    values.EnrolmentState,
    values.Status,
    values.ClockTrust,
    values.FleetRole,
    values.BundleKind,
    values.Severity,
    values.IncidentState,
    values.Level,
    RolloutState,
    permissions.Action,
    *commands.ENUMS,
)
