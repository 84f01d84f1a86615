"""How fast and how late the journal is: ``python -m benchmarks.journal --json -``.

Every figure is of durable appends (WAL, ``synchronous=FULL``) to a file on the disk of ``--folder``.
"one writer" appends again as soon as the last is durable: the time of one commit. "at once" lets many
appenders do the same, each in a room of its own; group commit makes them share.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.report import machine, percentile_ms, print_json
from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.meeting.commands import AnyCommand, Join, LowerHand, RaiseHand
from room_manager.meeting.events import HandRaised
from room_manager.meeting.lifecycle import opening
from room_manager.meeting.member import Member
from room_manager.meeting.values import Device, Role
from room_manager.runner import Runner
from room_manager.store.database import open_database
from room_manager.store.journal import Journal, Recorded
from room_manager.store.meetings import MeetingStore
from room_manager.store.sql_journal import SqlJournal

LONGEST_S = 60.0
FOLD_ROUNDS = 8


async def appender(journal: Journal, room: RoomId, epoch: int, appends: int, events: int) -> list[float]:
    """Seconds each append took."""
    took = []
    for number in range(appends):
        first = number * events + 1
        records = [
            Recorded(seq, 0.0, "", HandRaised(SiteId("00001"))) for seq in range(first, first + events)
        ]
        begun = time.perf_counter()
        await journal.append(room, epoch, records)
        took.append(time.perf_counter() - begun)
    return took


async def measure(folder: Path, name: str, appenders: int, appends: int, events: int = 1) -> dict[str, Any]:
    database = await open_database(f"sqlite+aiosqlite:///{folder / (name.replace(' ', '-') + '.db')}")
    meetings = MeetingStore(database)
    rooms = [RoomId(f"room-{number}") for number in range(appenders)]
    for room in rooms:
        await meetings.create(room, "Giao ban", [])
    journal = SqlJournal(database)
    await journal.start()
    epochs = [await journal.take_over(room) for room in rooms]
    begun_cpu, begun = time.process_time(), time.perf_counter()
    took = await asyncio.gather(
        *(appender(journal, room, epoch, appends, events) for room, epoch in zip(rooms, epochs, strict=True))
    )
    wall_s, cpu_s = time.perf_counter() - begun, time.process_time() - begun_cpu
    commits = journal.commits
    await journal.close()
    await database.close()
    every = [seconds for one in took for seconds in one]
    return {
        "run": name,
        "appenders": appenders,
        "events_per_append": events,
        "appends_per_s": round(len(every) / wall_s),
        "events_per_s": round(len(every) * events / wall_s),
        "commits_per_s": round(commits / wall_s),
        "append_p50_ms": percentile_ms(every, 0.5),
        "append_p99_ms": percentile_ms(every, 0.99),
        "append_max_ms": percentile_ms(every, 1.0),
        "cpu_us_per_append": round(cpu_s / len(every) * 1e6, 1),
    }


async def measure_room(folder: Path, sites: int) -> dict[str, Any]:
    """A whole room on the journal: everybody joins at once, then a crash, and the room is folded again."""
    database = await open_database(f"sqlite+aiosqlite:///{folder / 'room.db'}")
    codes = [SiteId(f"{number:05}") for number in range(sites)]
    await MeetingStore(database).create(RoomId("room"), "Giao ban", codes)
    journal = SqlJournal(database)
    await journal.start()
    runner = Runner(RoomId("room"), journal, time.time)
    await runner.open(opening("Giao ban", codes))
    task = asyncio.create_task(runner.run())
    took: list[float] = []

    async def ask(command: AnyCommand, site: SiteId) -> None:
        begun = time.perf_counter()
        await runner.submit(command, Member(Role.SITE, site))
        took.append(time.perf_counter() - begun)

    begun_cpu, begun = time.process_time(), time.perf_counter()
    await asyncio.gather(*(ask(Join(code, Device.PRIMARY, ConnectionId(code)), code) for code in codes))
    joined_s, joined_cpu_s = time.perf_counter() - begun, time.process_time() - begun_cpu
    joins = list(took)
    for _ in range(FOLD_ROUNDS):
        await asyncio.gather(*(ask(RaiseHand(code), code) for code in codes))
        await asyncio.gather(*(ask(LowerHand(code), code) for code in codes))
    runner.close()
    await task
    begun = time.perf_counter()
    again = Runner(RoomId("room"), journal, time.time)
    await again.open(opening("Giao ban", codes))
    folded_s = time.perf_counter() - begun
    assert again.told.state == runner.told.state
    await journal.close()
    await database.close()
    return {
        "run": "a room",
        "sites": sites,
        "join_all_s": round(joined_s, 3),
        "join_p99_ms": percentile_ms(joins, 0.99),
        "join_cpu_us": round(joined_cpu_s / sites * 1e6, 1),
        "events": again.seq,
        "fold_s": round(folded_s, 3),
        "fold_us_per_event": round(folded_s / again.seq * 1e6, 1),
    }


async def measure_all(folder: Path, quick: bool) -> list[dict[str, Any]]:
    share = 10 if quick else 1
    return [
        await measure(folder, "one writer", 1, 1_000 // share),
        await measure(folder, "one writer, batches of 256", 1, 200 // share, events=256),
        await measure(folder, "20 at once", 20, 200 // share),
        await measure(folder, "600 at once", 600, 20 // min(share, 5)),
        await measure_room(folder, 579),
    ]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", default="-", metavar="FILE", help="where to write; - is standard output")
    options.add_argument(
        "--folder", type=Path, help="a folder on the disk to measure (default: a temporary one)"
    )
    options.add_argument("--quick", action="store_true", help="a tenth of the work")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        begun = machine()
        runs = asyncio.run(asyncio.wait_for(measure_all(Path(folder), chosen.quick), LONGEST_S * 5))
    print_json({"benchmark": "journal", "machine": begun, "runs": runs}, chosen.json)


if __name__ == "__main__":
    main()
