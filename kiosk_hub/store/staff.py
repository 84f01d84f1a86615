"""Which account has which role in the fleet."""

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from kiosk_hub.fleet.permissions import Grant
from kiosk_hub.fleet.values import FleetRole
from kiosk_hub.store.tables import fleet_roles
from room_manager.store.database import Database
from room_manager.store.tables import accounts


class StaffStore:
    """Grants, by account."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def grant_of(self, account: str) -> Grant | None:
        """None: this account has nothing to do with the fleet."""
        async with self._database.read() as connection:
            row = (
                await connection.execute(select(fleet_roles).where(fleet_roles.c.account == account))
            ).one_or_none()
        return None if row is None else Grant(FleetRole(row.role), frozenset(row.districts.split()))

    async def all(self) -> dict[str, Grant]:
        async with self._database.read() as connection:
            return await grants_in(connection)

    async def set(self, account: str, grant: Grant | None) -> None:
        """None takes it away."""
        async with self._database.write() as connection:
            await set_grant(connection, account, grant)


async def standing_grant(connection: AsyncConnection, account: str) -> Grant | None:
    """What the account may do now; None: nothing, or it is disabled."""
    found = await connection.execute(
        select(fleet_roles)
        .join(accounts, accounts.c.name == fleet_roles.c.account)
        .where(fleet_roles.c.account == account, accounts.c.disabled.is_(False))
    )
    row = found.one_or_none()
    return None if row is None else Grant(FleetRole(row.role), frozenset(row.districts.split()))


async def grants_in(connection: AsyncConnection) -> dict[str, Grant]:
    """All of them, as the caller's transaction has them."""
    rows = await connection.execute(select(fleet_roles).order_by(fleet_roles.c.account))
    return {row.account: Grant(FleetRole(row.role), frozenset(row.districts.split())) for row in rows}


async def set_grant(connection: AsyncConnection, account: str, grant: Grant | None) -> None:
    """In the caller's transaction."""
    await connection.execute(delete(fleet_roles).where(fleet_roles.c.account == account))
    if grant is not None:
        districts = " ".join(sorted(grant.districts))
        await connection.execute(
            insert(fleet_roles).values(account=account, role=grant.role, districts=districts)
        )
