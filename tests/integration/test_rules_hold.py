"""What the rules promise, over real sockets and real packets: no browser is needed to see them broken."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

from room_manager.media.light import LightPeer
from room_manager.media.loops import shipped
from room_manager.meeting.values import Mode
from room_manager.roster.builtin import hanoi_579
from signaling.simulate.door import Door
from signaling.wire import client as say
from signaling.wire import server as told
from tests.helpers.client import Client
from tests.helpers.server import CHAIR, LiveServer, Planned, ward

CODES = [unit.code for unit in hanoi_579()[:20]]
LIMIT_S = 15.0


class Hall:
    """Everybody's clients in one meeting; all leave at the end."""

    def __init__(self, server: LiveServer, planned: Planned, stack: AsyncExitStack) -> None:
        self._door = Door(server.origin, None)
        self._tokens = planned.tokens
        self._stack = stack

    async def enter(self, place: int) -> Client:
        """By the link of this place; 0 is the chair's."""
        client = Client(self._door)
        self._stack.push_async_callback(client.close)
        return await client.enter(self._tokens[place])


def test_after_mute_all_no_joining_or_returning_site_is_heard(server: LiveServer) -> None:
    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            hall = Hall(server, planned, stack)
            chair = await hall.enter(0)
            listener = await chair.send_media()
            await chair.command(say.SetMode, mode=Mode.OPEN, mode_version=0)
            await chair.command(say.MuteAll)

            first = [await _talking(hall, place) for place in range(1, 21)]
            again = [await _talking(hall, place) for place in range(1, 21)]
            await chair.command(say.SetStage, main=CODES[0], tiles=(), stage_version=0)
            await _until(lambda: _packets(listener, "main") > 20)

            peers = [listener, *first, *again]
            assert [_audio(peer) for peer in peers] == [0] * len(peers)

            await chair.command(say.UnmuteAll)  # else the zeros above would prove nothing
            await _until(lambda: _audio(listener) > 20)

    planned = server.plan([CHAIR, *map(ward, CODES)])
    asyncio.run(scenario())


def test_hands_raised_in_the_same_millisecond_stand_in_one_order_for_everybody(server: LiveServer) -> None:
    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            hall = Hall(server, planned, stack)
            clients = [await hall.enter(place) for place in range(7)]
            raising = clients[1:4]

            await asyncio.gather(*(one.say(say.RaiseHand(rid=one.number())) for one in raising))
            hands = [await one.until(told.Hands, lambda told: told.total == 3) for one in clients]

            orders = {tuple(site.code for site in seen.first) for seen in hands}
            assert len(orders) == 1
            assert set(orders.pop()) == set(CODES[:3])
            assert len({seen.version for seen in hands}) == 1

    planned = server.plan([CHAIR, *map(ward, CODES[:6])])
    asyncio.run(scenario())


def test_site_that_comes_again_while_its_ghost_lives_is_one_site_and_keeps_the_floor(
    server: LiveServer,
) -> None:
    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            hall = Hall(server, planned, stack)
            chair = await hall.enter(0)
            await chair.command(say.WatchPresence, on=True)
            ghost = await hall.enter(1)
            await ghost.send_media()
            await chair.command(say.GiveFloor, site=CODES[0], floor_version=0)

            back = await hall.enter(1)
            await back.send_media()

            dismissed = await ghost.until(told.Leave, lambda _: True)
            assert (dismissed.code, dismissed.action) == ("superseded", "disconnect")
            floor = await back.until(told.Floor, lambda floor: floor.site is not None)
            assert floor.site is not None
            assert (floor.site.code, floor.held_until) == (CODES[0], None)
            assert chair.latest[told.Counts].present == 1
            assert not [m for m in chair.heard if isinstance(m, told.Act) and m.act == "floor-ended"]

    planned = server.plan([CHAIR, ward(CODES[0])])
    asyncio.run(scenario())


async def _talking(hall: Hall, place: int) -> LightPeer:
    """A ward that sends its picture and its voice, whatever anybody says."""
    client = await hall.enter(place)
    peer = await client.send_media()
    peer.play(shipped()[place % len(shipped())], layers=("q",))
    return peer


def _packets(peer: LightPeer, slot: str) -> int:
    return peer.slots[slot].packets


def _audio(peer: LightPeer) -> int:
    return sum(arrived.packets for slot, arrived in peer.slots.items() if slot.startswith("audio"))


async def _until(so: Callable[[], bool]) -> None:
    """Packets come without a word, so look again and again."""
    async with asyncio.timeout(LIMIT_S):
        while not so():  # noqa: ASYNC110 - nobody could set an event
            await asyncio.sleep(0.02)
