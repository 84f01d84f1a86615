"""What monitoring reads of the media workers."""

from pathlib import Path

import msgspec
from msgspec import Struct

from room_manager.media.figures import Family, Sample
from room_manager.media.sfu.gauges import NAMES, PREFIX, Figures, WorkerView, families
from room_manager.media.sfu.room_stats import RoomStats
from room_manager.media.sfu.sums import added
from signaling.metrics import Metrics
from tests.helpers.router_driver import ROOM, RouterDriver


class Some(Struct, frozen=True):
    """Any counters."""

    number: int
    parts: dict[str, int]


def some_stats() -> RoomStats:
    driver = RouterDriver()
    driver.join(None)
    stats = driver.router.stats(ROOM)
    assert stats is not None
    return stats


def figures(*, rooms: int = 1, media: RoomStats | None = None) -> Figures:
    return Figures(
        rooms=rooms,
        joins=3,
        sent=1000,
        send_failed=2,
        refused={"unproven": 7},
        relayed={"in": 5, "out": 0},
        loop_lag_s=0.25,
        cpu_s=1.5,
        rss_bytes=1 << 20,
        media=media,
    )


def by_name(found: tuple[Family, ...]) -> dict[str, Family]:
    assert len({family.name for family in found}) == len(found)
    return {family.name: family for family in found}


def test_every_worker_has_its_numbers_and_a_dead_one_is_seen() -> None:
    found = by_name(
        families({0: WorkerView(True, 0, figures(media=some_stats())), 1: WorkerView(False, 4, None)})
    )

    assert found["diemcau_media_up"].samples == (Sample(1.0, {"worker": "0"}), Sample(0.0, {"worker": "1"}))
    assert found["diemcau_media_restarts"].samples[1] == Sample(4.0, {"worker": "1"})
    assert found["diemcau_media_connections"].samples == (Sample(1.0, {"worker": "0"}),)
    assert found["diemcau_media_refused"].samples == (Sample(7.0, {"worker": "0", "reason": "unproven"}),)
    assert found["diemcau_media_refused"].kind == "counter"
    assert found["diemcau_media_loop_lag_seconds"].samples[0].value == 0.25


def test_the_page_keeps_to_the_conventions() -> None:
    page = Metrics(lambda: families({0: WorkerView(True, 0, figures(media=some_stats()))})).page().decode()

    assert "# TYPE diemcau_media_sent_total counter" in page
    assert 'diemcau_media_sent_total{worker="0"} 1000.0' in page
    assert 'diemcau_media_refused_total{reason="unproven",worker="0"} 7.0' in page
    assert "# TYPE diemcau_media_rss_bytes gauge" in page
    assert 'diemcau_media_cpu_seconds_total{worker="0"} 1.5' in page


def test_a_server_without_media_figures_has_a_page_all_the_same() -> None:
    assert b"diemcau_media" not in Metrics().page()


def test_counters_of_a_closed_room_stay_counted() -> None:
    driver = RouterDriver()
    driver.join(None)
    driver.router.close_room(ROOM, driver.now)
    driver.join(None)
    driver.router.close_room(ROOM, driver.now)

    rooms, total = driver.router.totals()

    assert rooms == 0
    assert total is not None
    assert total.connections == 0


def test_sums_reach_into_dicts_and_nothing_has_no_sum() -> None:
    one, other = Some(1, {"a": 1}), Some(2, {"a": 1, "b": 5})

    assert added([one, other]) == Some(3, {"a": 2, "b": 5})
    assert added([]) is None


def test_every_counter_is_named_and_explained() -> None:
    fields = {f.name for struct in (Figures, RoomStats) for f in msgspec.structs.fields(struct)} - {"media"}
    assert fields == set(NAMES)

    read = Path("docs/media.md").read_text(encoding="utf-8")
    table = read[read.index("## How to read the metrics") :].split("## ")[1]
    shown = families({0: WorkerView(True, 0, figures(media=some_stats()))})
    missing = [f.name for f in shown if f"`{f.name.removeprefix(PREFIX)}" not in table]

    assert missing == []
