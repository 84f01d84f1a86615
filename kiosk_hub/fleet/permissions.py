"""Who of the staff may do what, and where: one table, and nothing is allowed that is not in it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from kiosk_hub.fleet.values import FleetRole
from room_manager.errors import NotAllowed


class Action(StrEnum):
    """Everything a person can ask of the fleet."""

    SEE = "see"  # devices, facts, history, incidents, commands, rollouts
    ENROL = "enrol"  # bind a device to a place, refuse one
    EDIT_DEVICE = "edit-device"  # its name, place, hours, maintenance window
    QUARANTINE = "quarantine"  # and release
    RETIRE = "retire"
    PREAUTHORISE = "preauthorise"
    COMMAND = "command"  # the harmless ones
    COMMAND_DANGEROUS = "command-dangerous"  # ask for one; a second person approves
    APPROVE = "approve"  # be that second person
    SEE_SCREENSHOT = "see-screenshot"  # and logs; each look is in the audit
    HANDLE_INCIDENT = "handle-incident"  # acknowledge, assign, comment, close
    PLAN_ROLLOUT = "plan-rollout"
    APPROVE_ROLLOUT = "approve-rollout"
    STOP_ROLLOUT = "stop-rollout"  # anybody who sees harm being done
    SEE_AUDIT = "see-audit"
    SET_UP = "set-up"  # thresholds, quiet hours, where notices go, roles


EVERYWHERE: Final = frozenset[str]()
"""As districts of a grant: all of them."""

_TECHNICIAN: Final = frozenset(
    {
        Action.SEE,
        Action.ENROL,
        Action.EDIT_DEVICE,
        Action.QUARANTINE,
        Action.COMMAND,
        Action.COMMAND_DANGEROUS,
        Action.APPROVE,
        Action.SEE_SCREENSHOT,
        Action.HANDLE_INCIDENT,
        Action.STOP_ROLLOUT,
    }
)

TABLE: Final[Mapping[FleetRole, frozenset[Action]]] = {
    FleetRole.VIEWER: frozenset({Action.SEE}),
    FleetRole.TECHNICIAN: _TECHNICIAN,
    FleetRole.ADMINISTRATOR: frozenset(Action),
}


class Grant(Struct, frozen=True):
    """What one account has been given. A technician's districts bound everything, seeing too, but the map."""

    role: FleetRole
    districts: frozenset[str] = EVERYWHERE  # codes; for a technician, none means none

    def covers(self, district: str) -> bool:
        """Is this district within the grant?"""
        if self.role is FleetRole.TECHNICIAN:
            return district in self.districts
        return not self.districts or district in self.districts

    def allows(self, action: Action, district: str | None = None) -> bool:
        """May it be done (there)? ``district`` None: the act is not bound to one."""
        if action not in TABLE[self.role]:
            return False
        return district is None or self.covers(district)


class Staff(Struct, frozen=True):
    """Who asks: an account with its grant, and from which address."""

    account: str
    name: str
    grant: Grant
    address: str = ""


def check(staff: Staff, action: Action, district: str | None = None) -> None:
    """Raise ``NotAllowed`` unless the table lets this person do this (there)."""
    if not staff.grant.allows(action):
        raise NotAllowed(f"{action} is not for the role {staff.grant.role}")
    if district is not None and not staff.grant.covers(district):
        raise NotAllowed("this district is not one of yours")
