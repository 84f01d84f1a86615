"""The city's time from exchanges, and how far a wall clock is believed."""

from hypothesis import given
from hypothesis import strategies as st

from kiosk_client import clock
from kiosk_client.clock import CityClock
from signaling.wire.kiosk.words import ClockTrust

CITY = 1_800_000_000.0
trips = st.floats(0, 30)
shares = st.floats(0, 1)
monos = st.floats(0, 1e7)
walls = st.floats(0, 4e9)


@given(monos, trips, shares)
def test_the_city_s_time_is_never_off_by_more_than_half_the_round_trip(
    mono: float, trip_s: float, share: float
) -> None:
    said = CITY + trip_s * share  # somewhere within the round trip
    sample = clock.sample(said, mono, mono + trip_s)

    now = mono + trip_s
    truth = CITY + trip_s
    assert abs(now + sample.offset_s - truth) <= sample.error_s + 1e-6


@given(st.sampled_from([-1.0, 0.0, 1e300, float("inf"), float("nan")]))
def test_what_is_no_time_is_not_taken_for_one(said: float) -> None:
    held = CityClock()
    held.hear(CITY, 10.0, 10.1)

    held.hear(said, 2_000.0, 2_000.0)

    assert abs((held.now(2_000.0) or 0.0) - (CITY + 1_990.0)) < 1


@given(st.lists(st.tuples(st.floats(0, 5_000), trips, shares), min_size=1, max_size=20))
def test_what_is_held_is_never_worse_than_it_says(exchanges: list[tuple[float, float, float]]) -> None:
    held = CityClock()
    mono = 0.0
    for gap_s, trip_s, share in exchanges:
        mono += gap_s
        held.hear(CITY + mono + trip_s * share, mono, mono + trip_s)
        mono += trip_s

        now = held.now(mono)
        assert now is not None
        assert held.held is not None
        assert abs(now - (CITY + mono)) <= held.held.error_at(mono) + 1e-3


@given(monos, walls, st.booleans())
def test_without_the_city_only_the_kernel_vouches(mono: float, wall: float, kept: bool) -> None:
    assert clock.trust(None, 0.0, mono, wall, kept) is (ClockTrust.SYNCED if kept else ClockTrust.UNSET)


@given(st.floats(-4e8, 4e8), st.floats(0, 86_400 * 7), st.booleans())
def test_a_wall_clock_that_the_city_contradicts_is_never_believed(
    off_s: float, later_s: float, kept: bool
) -> None:
    held = clock.sample(CITY, 100.0, 100.1)
    mono = 100.1 + later_s
    wall = mono + held.offset_s + off_s

    found = clock.trust(held, 100.1, mono, wall, kept)

    if abs(off_s) > clock.TOLERANCE_S + held.error_at(mono):
        assert found is ClockTrust.UNSET
    elif kept or later_s <= clock.FRESH_S:
        assert found is not ClockTrust.UNSET
    else:
        assert found is ClockTrust.HELD


@given(monos, walls, st.floats(0, 3_600), st.floats(-1e6, 1e6))
def test_a_set_clock_is_noticed_and_a_slewed_one_is_not(
    mono: float, wall: float, later_s: float, set_s: float
) -> None:
    found = clock.jump_s((mono, wall), mono + later_s, wall + later_s + set_s)

    if abs(set_s) > clock.JUMP_S + 0.01:
        assert found is not None
        assert abs(found - set_s) < 0.01
    if abs(set_s) < clock.JUMP_S - 0.01:
        assert found is None


def test_a_city_whose_clock_was_set_is_followed_at_once() -> None:
    held = CityClock()
    held.hear(CITY, 10.0, 10.01)
    held.hear(CITY + 500.0, 20.0, 20.2)

    now = held.now(20.2)

    assert now is not None
    assert abs(now - (CITY + 500.1)) < 0.2
