"""What a demo needs in its database before the server starts: roster, meeting, links, places to simulate."""

import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

from msgspec import Struct

from kiosk_hub.fleet.ids import Fingerprint
from room_manager.ids import RoomId, SiteId
from room_manager.meeting.values import Role
from room_manager.planning import plan_meeting
from room_manager.roster.builtin import hanoi_579
from room_manager.store.meetings import MeetingState
from room_manager.store.stores import Stores
from signaling.cli.fleet_demo import FleetAccess, prepare_fleet
from signaling.cli.storage import opened
from signaling.links import LinkFor, LinkMaker, link_url, signers
from signaling.simulate.job import Place

TITLE: Final = "Họp trực tuyến thành phố với 579 điểm cầu (bản dùng thử)"
YOUR_WARD: Final = SiteId("00004")  # Phường Trúc Bạch: left free for whoever tries the demo
LINKS_LAST_S: Final = 7 * 86_400.0
SEED: Final = 579  # the same wards every time


class Prepared(Struct, frozen=True):
    """Links to print, and the job of the simulated sites."""

    room: RoomId
    chair: str
    operator: str
    ward: str
    fleet: FleetAccess | None
    places: tuple[Place, ...]


async def prepare(db: Path, origin: str, simulated: int, kiosk: Fingerprint | None) -> Prepared:
    """The last demo meeting if it is not over, else a new one, with fresh links. ``kiosk``: the key of the
    device that is expected; None: no fleet."""
    async with opened(db) as stores:
        units = hanoi_579()
        await stores.roster.import_units(units)
        played = _played([unit.code for unit in units], simulated)
        room = await _meeting(stores, [unit.code for unit in units], frozenset(played))
        signer, _ = await signers(stores.secrets)
        maker = LinkMaker(stores.links, signer, time.time)
        whom = [LinkFor(Role.CHAIR), LinkFor(Role.OPERATOR), LinkFor(Role.SITE, YOUR_WARD)]
        whom += [LinkFor(Role.SITE, site) for site in played]
        made = await maker.make_all(room, whom, LINKS_LAST_S, by="demo")
        fleet = await prepare_fleet(stores, kiosk) if kiosk is not None else None
    tokens = [token for _, token in made]
    chair, operator, ward = (link_url(origin, room, token) for token in tokens[:3])
    places = tuple(Place(site, token) for site, token in zip(played, tokens[3:], strict=True))
    return Prepared(room, chair, operator, ward, fleet, places)


def _played(codes: Sequence[SiteId], count: int) -> list[SiteId]:
    """Wards all over the city, never the one that is yours."""
    free = [code for code in codes if code != YOUR_WARD]
    return Random(SEED).sample(free, min(count, len(free)))  # noqa: S311 - nothing here is a secret


async def _meeting(stores: Stores, codes: Sequence[SiteId], simulated: frozenset[SiteId]) -> RoomId:
    for row in await stores.meetings.list():
        if row.title == TITLE and row.state is not MeetingState.ENDED:
            await stores.meetings.set_simulated(row.id, simulated)
            return row.id
    return await plan_meeting(stores, TITLE, codes, simulated)
