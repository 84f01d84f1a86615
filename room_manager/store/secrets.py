"""Keys that the server signs with: made once, kept with the data they protect."""

from collections.abc import Callable

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from room_manager.store.database import Database
from room_manager.store.tables import secrets


class SecretStore:
    """Secrets by name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get_or_make(self, name: str, make: Callable[[], bytes]) -> bytes:
        """The secret of this name; made now if there is none. Two who ask at once get the same."""
        wanted = select(secrets.c.value).where(secrets.c.name == name)
        async with self._database.read() as connection:
            found: bytes | None = await connection.scalar(wanted)
        if found is not None:
            return found
        value = make()
        try:
            async with self._database.write() as connection:
                await connection.execute(insert(secrets).values(name=name, value=value))
        except IntegrityError:
            async with self._database.read() as connection:
                earlier: bytes | None = await connection.scalar(wanted)
            if earlier is None:
                raise
            return earlier
        return value
