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
from room_manager.ids import RoomId, SiteId
from room_manager.meeting.events import HandRaised
from room_manager.store.database import open_database
from room_manager.store.journal import Journal, Recorded
from room_manager.store.meetings import MeetingStore
from room_manager.store.sql_journal import SqlJournal

LONGEST_S = 60.0


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


async def measure_all(folder: Path, quick: bool) -> list[dict[str, Any]]:
    share = 10 if quick else 1
    return [
        await measure(folder, "one writer", 1, 1_000 // share),
        await measure(folder, "one writer, batches of 256", 1, 200 // share, events=256),
        await measure(folder, "20 at once", 20, 200 // share),
        await measure(folder, "600 at once", 600, 20 // min(share, 5)),
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
