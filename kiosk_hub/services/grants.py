"""Who has which role in the fleet: changed by administrators, each change in the audit."""

from collections.abc import Callable
from typing import ClassVar

from kiosk_hub.fleet.permissions import Action, Grant, Staff, check
from kiosk_hub.fleet.values import FleetRole
from kiosk_hub.services.geography import Geography
from kiosk_hub.store import audit
from kiosk_hub.store.staff import StaffStore, grants_in, set_grant
from room_manager.errors import DomainError, Invalid
from room_manager.store.accounts import AccountStore, UnknownAccount
from room_manager.store.database import Database


class LastAdministrator(DomainError):
    """Nobody would be left who may give roles."""

    code: ClassVar[str] = "last-administrator"


class Grants:
    """Reading is by :class:`StaffStore`; here they change."""

    def __init__(
        self,
        database: Database,
        store: StaffStore,
        accounts: AccountStore,
        geography: Geography,
        clock: Callable[[], float],
    ) -> None:
        self._database = database
        self._store = store
        self._accounts = accounts
        self._geography = geography
        self._clock = clock

    async def all(self) -> list[tuple[str, str, Grant | None]]:
        """Every account that is not disabled: its name, what it is called, its grant."""
        grants = await self._store.all()
        accounts = await self._accounts.all()
        return [(one.name, one.display_name, grants.get(one.name)) for one in accounts if not one.disabled]

    async def give(self, staff: Staff, account: str, grant: Grant | None) -> None:
        """The account has this grant, or none, from now on.

        Raises ``NotAllowed``, ``UnknownAccount``, ``Invalid`` (a district that is none, a technician without
        one),
        ``LastAdministrator``, or what the store raises.
        """
        check(staff, Action.SET_UP)
        if await self._accounts.get(account) is None:
            raise UnknownAccount(f"there is no account {account}")
        if grant is not None:
            check_grant(grant, {unit.district_code for unit in self._geography.units()})
        async with self._database.write() as connection:
            before = await grants_in(connection)
            others = any(
                one.role is FleetRole.ADMINISTRATOR and not one.districts
                for name, one in before.items()
                if name != account
            )
            stays = grant is not None and grant.role is FleetRole.ADMINISTRATOR and not grant.districts
            if not others and not stays:
                raise LastAdministrator("somebody must remain administrator of all districts")
            if before.get(account) == grant:
                return
            await set_grant(connection, account, grant)
            await audit.append(
                connection,
                audit.Entry(
                    "set-role",
                    account=staff.account,
                    address=staff.address,
                    values=values_of(account, grant, before.get(account)),
                ),
                self._clock(),
            )


async def give_from_here(
    database: Database, account: str, grant: Grant | None, districts: set[str], now: float
) -> None:
    """As whoever has the machine: by the command line, where no role is needed and the first one is given.

    Raises ``Invalid``, ``UnknownAccount``, or what the store raises.
    """
    if grant is not None:
        check_grant(grant, districts)
    if await AccountStore(database).get(account) is None:
        raise UnknownAccount(f"there is no account {account}")
    async with database.write() as connection:
        before = (await grants_in(connection)).get(account)
        if before == grant:
            return
        await set_grant(connection, account, grant)
        values = {**values_of(account, grant, before), "by": "command line"}
        await audit.append(connection, audit.Entry("set-role", values=values), now)


def check_grant(grant: Grant, districts: set[str]) -> None:
    """Raises ``Invalid``."""
    unknown = sorted(grant.districts - districts)
    if unknown:
        raise Invalid(f"districts: {', '.join(unknown[:3])} is not on the roster")
    if grant.role is FleetRole.ADMINISTRATOR and grant.districts:
        # Roles, rollouts, notices and the audit are the whole city's: bounds would bind nothing.
        raise Invalid("districts: an administrator has all of them")
    if grant.role is FleetRole.TECHNICIAN and not grant.districts:
        raise Invalid("districts: a technician has at least one")


def values_of(
    account: str, grant: Grant | None, before: Grant | None
) -> dict[str, str | int | float | bool | None]:
    """For the audit."""
    return {
        "of": account,
        "role": grant.role if grant is not None else None,
        "districts": " ".join(sorted(grant.districts)) if grant is not None else "",
        "role_before": before.role if before is not None else None,
        "districts_before": " ".join(sorted(before.districts)) if before is not None else "",
    }
