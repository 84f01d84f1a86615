"""The list of changes: each thing once, the newest last, and no reader is owed more than there are things."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kiosk_hub.fleet.ids import DeviceId, IncidentId
from kiosk_hub.fleet.places import Place
from kiosk_hub.services.directory import Directory
from kiosk_hub.services.feed import MOST_THINGS, Changes
from kiosk_hub.services.geography import Geography
from room_manager.ids import SiteId
from room_manager.store.database import open_database
from tests.helpers import databases
from tests.helpers.fleet import Clock, device, open_directory

A, B, C = DeviceId("a"), DeviceId("b"), DeviceId("c")


class _Listening:
    """All of a directory that a list of changes needs when nothing moves."""

    def listen(self, changed: Callable[..., None]) -> None:
        pass


def changes() -> Changes:
    return Changes(_Listening(), Clock())  # type: ignore[arg-type]


def test_a_reader_hears_of_each_row_once_at_the_place_of_its_last_change() -> None:
    feed = changes()
    start = feed.version
    for one in (A, B, A, C, A):
        feed.row_changed(one)

    assert feed.rows_after(start, 10) == ([B, C, A], feed.version)
    assert feed.rows_after(feed.version, 10) == ([], feed.version)


def test_a_reader_that_takes_a_part_goes_on_where_it_stopped() -> None:
    feed = changes()
    start = feed.version
    for one in (A, B, C):
        feed.row_changed(one)

    first, reached = feed.rows_after(start, 2)
    feed.row_changed(A)
    rest, end = feed.rows_after(reached, 2)

    assert (first, rest, end) == ([A, B], [C, A], feed.version)


def test_of_a_bulk_each_device_is_told_to_whoever_looks_at_it() -> None:
    feed = changes()
    start = feed.version
    devices = tuple(DeviceId(str(number)) for number in range(3 * MOST_THINGS))
    for one in devices:
        feed.commands_changed(one)

    assert feed.things_after(start).commands == devices


def test_things_beside_rows_are_bounded() -> None:
    feed = changes()
    start = feed.version
    for number in range(MOST_THINGS + 5):
        feed.incident_changed(IncidentId(str(number)))
    feed.audit_changed()

    things = feed.things_after(start)

    assert len(things.incidents) == MOST_THINGS
    assert (things.audit, things.enrolments) == (True, False)
    assert feed.things_after(feed.version).incidents == ()


def test_numbers_go_on_growing_over_a_restart() -> None:
    clock = Clock()
    before = Changes(_Listening(), clock)  # type: ignore[arg-type]
    for _ in range(1000):
        before.row_changed(A)
    clock.now += 1

    assert Changes(_Listening(), clock).version > before.version  # type: ignore[arg-type]


def test_a_device_that_moves_is_known_to_have_left_its_district(tmp_path: Path) -> None:
    async def main() -> None:
        database = await open_database(databases.new(tmp_path))
        try:
            directory: Directory = await open_directory(database, Clock(), [device(1)])
            feed = Changes(directory, Clock())
            start = feed.version
            assert isinstance(directory.geography, Geography)
            async with directory.change() as change:
                await change.put(replace(device(1), place=Place(unit=SiteId("00003"))))

            assert feed.left_after(start) == {DeviceId("d00001"): frozenset({"001"})}
            assert feed.left_after(feed.version) == {}
        finally:
            await database.close()

    asyncio.run(main())


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 3)), max_size=60))
def test_whoever_reads_often_or_seldom_ends_with_the_same_versions(steps: list[tuple[str, int]]) -> None:
    feed = changes()
    readers = dict.fromkeys((1, 2, 7), feed.version)
    told: dict[int, set[str]] = {every: set() for every in readers}
    for number, (name, most) in enumerate(steps):
        feed.row_changed(DeviceId(name))
        for every in readers:
            if number % every == 0:
                rows, readers[every] = feed.rows_after(readers[every], most)
                told[every] |= set(rows)
                assert len(rows) <= most
    for every, at in readers.items():
        rows, end = feed.rows_after(at, 100)
        assert told[every] | set(rows) == {name for name, _ in steps}
        assert end == feed.version
