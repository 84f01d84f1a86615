"""Who may do what with the fleet, as administrators see and set it."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from kiosk_hub.fleet.values import FleetRole

DistrictCode = Annotated[str, Meta(min_length=1, max_length=10)]


class RoleRow(Struct, frozen=True):
    """One account. ``role`` None: it has no part in the fleet."""

    account: str
    name: str
    role: FleetRole | None
    districts: tuple[str, ...]  # empty: all (of a technician: none)


class RolesAnswer(Struct, frozen=True):
    accounts: tuple[RoleRow, ...]


class AskRole(Struct, frozen=True):
    """What the account is to have from now on."""

    role: FleetRole | None
    districts: Annotated[tuple[DistrictCode, ...], Meta(max_length=100)] = ()


TYPES: Final[tuple[type[Struct], ...]] = (RoleRow, RolesAnswer, AskRole)
