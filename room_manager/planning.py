"""A meeting to come: named, with the units that are expected. Nothing runs yet."""

import base64
import secrets
from collections.abc import Collection

from room_manager.errors import UnknownSite
from room_manager.ids import HOST, RoomId, SiteId
from room_manager.meeting.lifecycle import opening
from room_manager.store.stores import Stores

ID_BYTES = 10


async def plan_meeting(
    stores: Stores, title: str, sites: Collection[SiteId], simulated: Collection[SiteId] = ()
) -> RoomId:
    """A meeting of these units is scheduled; the host is at every meeting.

    Raises ``Invalid``, ``Limit`` or ``UnknownSite``.
    """
    expected = [site for site in opening(title, sites).sites if site != HOST]
    known = await stores.roster.units(expected)
    missing = [site for site in expected if site not in known]
    if missing:
        raise UnknownSite(f"not on the roster: {', '.join(missing[:5])}")
    room = RoomId(base64.b32encode(secrets.token_bytes(ID_BYTES)).decode().lower())
    await stores.meetings.create(room, title.strip(), expected, frozenset(simulated))
    return room
