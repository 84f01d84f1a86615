"""Down-sampling: extremes survive, gaps stay gaps, and no order of flushes or restarts changes a chart."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kiosk_hub.fleet import history
from kiosk_hub.fleet.history import COARSE_S, FINE_S, MINUTE_S, Bucket, Point, Track
from room_manager.errors import Invalid
from tests.helpers.fleet import LOAD, NOON, facts

CPU = history.metric_index("cpu_share")
PAPER = history.metric_index("temperature_c")


def at_cpu(share: float) -> object:
    return facts(load=replace(LOAD, cpu_share=share, temperature_c=None))


def track_of(*beats: tuple[float, float]) -> Track:
    """Seconds after noon, and the processor's share."""
    track = Track(NOON)
    for after_s, share in beats:
        track.add(at_cpu(share), NOON + after_s)  # type: ignore[arg-type]
    return track


def test_a_point_keeps_the_lowest_the_mean_and_the_highest() -> None:
    track = track_of((0, 0.2), (30, 0.9), (60, 0.1))

    point = track.pending(FINE_S)[int(NOON)].point(CPU)

    assert point is not None
    assert [round(value, 4) for value in (point.low, point.mean, point.high)] == [0.1, 0.4, 0.9]


def test_what_is_not_measured_is_no_zero() -> None:
    track = track_of((0, 0.2))

    assert track.pending(FINE_S)[int(NOON)].point(PAPER) is None
    assert track.minutes(PAPER, int(NOON), int(NOON) + 60) == {}


def test_minutes_are_kept_for_two_hours_and_a_silent_one_is_a_gap() -> None:
    beats = [(60.0 * minute, 0.01 * (minute % 50)) for minute in range(200) if minute != 190]
    track = track_of(*beats)

    found = track.minutes(CPU, int(NOON) + 80 * 60, int(NOON) + 200 * 60)

    assert set(found) == {int(NOON) + minute * 60 for minute in range(80, 200) if minute != 190}
    assert math.isclose(found[int(NOON) + 199 * 60].mean, 0.49, abs_tol=1e-6)


def test_a_row_is_read_as_it_was_written() -> None:
    bucket = Bucket()
    bucket.put(CPU, Point(0.25, 0.5, 0.75))
    row = history.row_start(FINE_S, int(NOON))

    body = history.pack(FINE_S, row, {int(NOON) + FINE_S: bucket})
    found = history.unpack(FINE_S, row, body)

    assert list(found) == [int(NOON) + FINE_S]
    assert found[int(NOON) + FINE_S].point(CPU) == Point(0.25, 0.5, 0.75)
    assert len(body) < 200


def test_an_older_row_with_fewer_metrics_is_still_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as older:
        older.setattr(history, "_WIDTH", 3)
        bucket = Bucket()
        bucket.put(CPU, Point(0.25, 0.5, 0.75))
        body = history.pack(FINE_S, 0, {0: bucket})

    found = history.unpack(FINE_S, 0, body)[0]

    assert found.point(CPU) == Point(0.25, 0.5, 0.75)
    assert found.point(len(history.NAMES) - 1) is None


@pytest.mark.parametrize(
    ("back_s", "ago_s", "step_s"),
    [
        (7200, 0, 60),
        (86_400, 0, 300),
        (7 * 86_400, 0, 1800),
        (14 * 86_400, 0, 3600),
        (60 * 86_400, 0, 14_400),
        (400 * 86_400, 0, 86_400),
        (7200, 7200, 300),
        (7200, 20 * 86_400, 3600),
    ],
)
def test_the_step_is_what_is_kept_and_a_chart_can_show(back_s: int, ago_s: int, step_s: int) -> None:
    ends = NOON - ago_s

    assert history.step_for(ends - back_s, ends, NOON) == step_s


def test_a_stretch_that_is_none_is_refused() -> None:
    with pytest.raises(Invalid):
        history.step_for(NOON, NOON, NOON)
    with pytest.raises(Invalid):
        history.step_for(0, NOON, NOON)


BEATS = st.lists(st.tuples(st.integers(1, 900), st.floats(0, 1, width=32)), min_size=1, max_size=60)


@settings(max_examples=60)
@given(
    BEATS,
    st.lists(st.booleans(), min_size=60, max_size=60),
    st.lists(st.booleans(), min_size=60, max_size=60),
)
def test_no_order_of_flushes_and_restarts_changes_lowest_and_highest(
    beats: list[tuple[int, float]], flushes: list[bool], restarts: list[bool]
) -> None:
    """Whatever was flushed when, and wherever the server restarted, each hour shows what was measured."""
    rows: dict[int, dict[int, dict[int, Bucket]]] = {FINE_S: {}, COARSE_S: {}}

    def flush(track: Track, now: float, everything: bool) -> None:
        taken = track.take_closed(now, everything)
        for step_s, buckets in taken.items():
            for start, bucket in buckets.items():
                row = history.row_start(step_s, start)
                merged = history.merge_rows(rows[step_s].get(row, {}), {start: bucket})
                rows[step_s][row] = history.unpack(step_s, row, history.pack(step_s, row, merged))
        track.forget(taken)

    track, now = Track(NOON), NOON
    truth: dict[int, dict[int, list[float]]] = {FINE_S: {}, COARSE_S: {}}
    for (gap_s, share), flushed, restarted in zip(beats, flushes, restarts, strict=False):
        now += gap_s
        track.add(at_cpu(share), now)  # type: ignore[arg-type]
        for step_s in truth:
            truth[step_s].setdefault(int(now // step_s) * step_s, []).append(share)
        if flushed:
            flush(track, now, everything=restarted)
        if flushed and restarted:
            track = Track(now)

    for step_s, shares in truth.items():
        shown: dict[int, Bucket] = {}
        for row in rows[step_s].values():
            shown |= row
        shown = history.merge_rows(shown, track.pending(step_s))
        points = history.points_of(shown.items(), CPU)
        assert set(points) == set(shares)
        for start, measured in shares.items():
            assert math.isclose(points[start].low, min(measured), abs_tol=1e-6)
            assert math.isclose(points[start].high, max(measured), abs_tol=1e-6)
            assert points[start].low - 1e-6 <= points[start].mean <= points[start].high + 1e-6


def test_coarser_steps_are_made_of_finer_ones_with_gaps_left() -> None:
    points = {0: Point(1, 2, 3), 300: Point(0, 4, 5), 1200: Point(7, 7, 7)}

    assert history.coarsen(points, 0, 1800, 600) == [
        (0, Point(0, 3, 5)),
        (600, None),
        (1200, Point(7, 7, 7)),
    ]


def test_the_minute_step_is_the_smallest() -> None:
    assert history.base_of(60) == MINUTE_S
    assert history.base_of(900) == FINE_S
    assert history.base_of(86_400) == COARSE_S


def test_what_comes_while_a_row_is_written_is_not_forgotten_with_it() -> None:
    """A clock that was set back brings a beat into a step that is being written."""
    track = track_of((0, 0.2), (FINE_S, 0.2))
    taken = track.take_closed(NOON + FINE_S + 1)
    track.add(at_cpu(0.9), NOON + 10)  # type: ignore[arg-type]
    track.add(at_cpu(0.1), NOON + 2 * FINE_S)  # type: ignore[arg-type]

    track.forget(taken)

    point = track.pending(FINE_S)[int(NOON)].point(CPU)
    assert point is not None
    assert round(point.high, 4) == 0.9
