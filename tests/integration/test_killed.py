"""The real server is killed while sixty wards talk to it, and is started again: the meeting is as it was."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from room_manager.meeting.values import SiteState
from room_manager.roster.builtin import hanoi_579
from signaling.simulate.door import Door
from signaling.wire import client as say
from signaling.wire import server as told
from tests.helpers.client import Client
from tests.helpers.server import CHAIR, LiveServer, Planned, ward

CODES = [str(unit.code) for unit in hanoi_579()[:60]]
SPEAKER, TILES, HANDS, LEAVE = CODES[0], tuple(CODES[1:4]), CODES[4:20], CODES[50:]
STAY = CODES[:50]
KILL_AFTER = 300  # counts that were acknowledged, so that it falls among many
SAME = (
    "version",
    "site",
    "until",
    "held_until",
    "total",
    "first",
    "main",
    "tiles",
    "content",
    "mode",
    "locked",
)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path)
    live.start()
    try:
        yield live
    finally:
        live.stop()


def test_a_killed_server_comes_back_with_the_meeting_as_it_was_acknowledged(own_server: LiveServer) -> None:
    planned = own_server.plan([CHAIR, *map(ward, CODES)])
    asyncio.run(_scenario(own_server, planned))


async def _scenario(server: LiveServer, planned: Planned) -> None:
    door = Door(server.origin, None)
    clients = [Client(door) for _ in planned.tokens]
    chair, wards = clients[0], dict(zip(CODES, clients[1:], strict=True))
    await asyncio.gather(*map(Client.enter, clients, planned.tokens))
    await _prepare(chair, wards)
    before = _sections(chair)

    asked = await _kill_among_commands(server, wards)
    acknowledged = {code: max(_acknowledged(wards[code], asked[code]), default=None) for code in STAY}
    last = max(m.seq for one in clients for m in one.heard if isinstance(m, told.Done))
    server.start()

    assert _last_number(server, planned) >= last
    again = Client(door)
    await again.come_back(chair)
    assert again.latest[told.Welcome].epoch > chair.latest[told.Welcome].epoch
    assert _sections(again) == before
    rows = await _rows(again)
    for code in STAY:
        assert rows[code].state is SiteState.PRESENT
        assert rows[code].hand is (code in HANDS)
        # What was asked last may have become durable without an answer; nothing else may have.
        assert rows[code].people in {acknowledged[code], max(asked[code].values(), default=None)}
    assert {rows[code].state for code in LEAVE} == {SiteState.LEFT}

    back = [Client(door) for _ in STAY]
    await asyncio.gather(*(one.come_back(wards[code]) for one, code in zip(back, STAY, strict=True)))
    assert [one.latest[told.Welcome].you.site.code for one in back] == STAY
    await back[10].command(say.CountPeople, people=77)
    await again.until(told.Presence, lambda seen: any(row.people == 77 for row in seen.sites))
    assert _sections(again) == before
    assert again.latest[told.Counts].present == len(STAY)
    for one in (*clients, again, *back):
        await one.close()


async def _prepare(chair: Client, wards: dict[str, Client]) -> None:
    """One speaks, four are seen, sixteen ask for the floor, ten have left."""
    for code in HANDS:
        await wards[code].command(say.RaiseHand)
    await chair.command(say.GiveFloor, site=SPEAKER, floor_version=0, speaking_time_s=3_600)
    stage = await chair.until(told.Stage, lambda stage: stage.main.code == SPEAKER)
    await chair.command(say.SetStage, main=SPEAKER, tiles=TILES, stage_version=stage.version)
    for code in LEAVE:
        await wards[code].command(say.Leave)
    await chair.until(told.Stage, lambda stage: {*TILES} <= {tile.code for tile in stage.tiles})
    await chair.until(told.Counts, lambda counts: counts.present == len(STAY))


async def _kill_among_commands(server: LiveServer, wards: dict[str, Client]) -> dict[str, dict[int, int]]:
    """Everybody counts its people again and again until the server is dead: by rid, what each asked for."""
    asked: dict[str, dict[int, int]] = {code: {} for code in STAY}
    enough = asyncio.Event()
    done = 0

    async def count(code: str) -> None:
        nonlocal done
        for people in range(1, 60):
            asked[code][wards[code]._rid + 1] = people
            await wards[code].command(say.CountPeople, people=people)
            done += 1
            if done == KILL_AFTER:
                enough.set()

    counting = [asyncio.create_task(count(code)) for code in STAY]
    await enough.wait()
    await asyncio.to_thread(server.kill)
    await asyncio.gather(*(wards[code].gone() for code in STAY))
    for task in counting:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*counting, return_exceptions=True)
    assert done < 59 * len(STAY), "it was killed after everything"
    return asked


def _acknowledged(one: Client, asked: dict[int, int]) -> list[int]:
    return [asked[m.rid] for m in one.heard if isinstance(m, told.Done) and m.rid in asked]


def _sections(one: Client) -> dict[str, dict[str, Any]]:
    """Floor, hands, stage and the rest of the snapshot, but for the numbers of their last telling."""
    kinds = (told.Floor, told.Hands, told.Stage, told.Meeting)
    return {
        kind.__name__: {
            name: getattr(one.latest[kind], name) for name in SAME if hasattr(one.latest[kind], name)
        }
        for kind in kinds
    }


async def _rows(one: Client) -> dict[str, told.SiteRow]:
    """Every site's row as an official is told it."""
    await one.command(say.WatchPresence, on=True)
    found: dict[str, told.SiteRow] = {}

    def all_seen(_: told.Presence) -> bool:
        for message in one.heard:
            if isinstance(message, told.Presence):
                found.update({row.code: row for row in message.sites})
        return found.keys() >= set(CODES)

    await one.until(told.Presence, all_seen)
    return found


def _last_number(server: LiveServer, planned: Planned) -> int:
    """The last number in the journal, which has no gap."""
    with contextlib.closing(sqlite3.connect(server.db)) as line:
        count, last = line.execute(
            "SELECT count(*), max(seq) FROM events WHERE room = ?", (planned.room,)
        ).fetchone()
    assert count == last
    return int(last)
