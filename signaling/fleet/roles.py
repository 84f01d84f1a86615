"""REST: who has which role in the fleet."""

from typing import Final

from kiosk_hub.fleet.permissions import Action, Grant
from signaling.fleet.operation import Asked, Operation
from signaling.wire.fleet import roles as wire


async def _roles(asked: Asked) -> wire.RolesAnswer:
    rows = [
        wire.RoleRow(
            account,
            name,
            grant.role if grant is not None else None,
            tuple(sorted(grant.districts)) if grant is not None else (),
        )
        for account, name, grant in await asked.hub.grants.all()
    ]
    return wire.RolesAnswer(tuple(rows))


async def _set_role(asked: Asked) -> None:
    told: wire.AskRole = await asked.body(wire.AskRole)
    grant = Grant(told.role, frozenset(told.districts)) if told.role is not None else None
    await asked.hub.grants.give(asked.staff, asked.path("account"), grant)


ROLES: Final = (
    Operation(
        method="GET",
        path="/roles",
        action=Action.SET_UP,
        summary="Every account, with its role in the fleet",
        call=_roles,
        answer=wire.RolesAnswer,
    ),
    Operation(
        method="PUT",
        path="/roles/{account}",
        action=Action.SET_UP,
        summary="Give an account a role in the fleet, or take it away",
        call=_set_role,
        answer=None,
        body=wire.AskRole,
        refusals=("unknown-account", "last-administrator"),
    ),
)
