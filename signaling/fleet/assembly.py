"""Puts the fleet together: which adapter serves which port, and in what order things open."""

import time
from contextlib import AsyncExitStack

from starlette.applications import Starlette

from kiosk_hub.hub import Hub
from kiosk_hub.services.directory import Directory
from kiosk_hub.services.feed import Changes
from kiosk_hub.services.geography import Geography
from kiosk_hub.services.registry import Registry
from kiosk_hub.services.reports import Reports
from kiosk_hub.store.staff import StaffStore
from room_manager.store.database import Database
from room_manager.store.stores import Stores
from signaling.auth import Logins
from signaling.edge import Edge
from signaling.fleet.staff import StaffLogins


async def open_fleet(
    app: Starlette, edge: Edge, database: Database, stores: Stores, stack: AsyncExitStack
) -> Hub:
    """The hub, started; what it opened is closed with ``stack``, in reverse."""
    geography = Geography(stores.roster)
    await geography.refresh()
    directory = Directory(database, geography, time.time)
    await directory.start()
    changes = Changes(directory, time.time)
    registry = Registry(database, directory, changes, time.time)
    hub = Hub(
        database=database,
        geography=geography,
        directory=directory,
        changes=changes,
        registry=registry,
        reports=Reports(database, time.time),
        staff=StaffStore(database),
    )
    app.state.hub = hub
    app.state.staff_logins = StaffLogins(Logins(edge, stores), hub.staff)
    # Last: whoever is told judgements or statuses has registered by now.
    await registry.start()
    stack.push_async_callback(registry.close)
    return hub
