import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk_hub.fleet.hours import (
    check,
    day,
    is_open,
    minute_of_week,
    opened_at,
    opens_at,
    spans,
    weekday,
)
from kiosk_hub.fleet.places import Hours
from room_manager.errors import Invalid
from tests.helpers.fleet import NOON

OFFICE = tuple(Hours(day_of_week, 450, 1020) for day_of_week in range(5))  # 07:30 to 17:00, Monday to Friday
MONDAY = NOON - 12 * 3600  # its first instant in Hà Nội


def test_the_day_begins_at_seventeen_hours_utc_of_the_day_before() -> None:
    assert weekday(MONDAY) == 0
    assert weekday(MONDAY - 1) == 6
    assert minute_of_week(MONDAY) == 0
    assert day(MONDAY) == day(MONDAY + 86_399)
    assert day(MONDAY) != day(MONDAY - 1)


def test_open_from_the_first_minute_to_before_the_last() -> None:
    assert not is_open(OFFICE, MONDAY + 450 * 60 - 1)
    assert is_open(OFFICE, MONDAY + 450 * 60)
    assert is_open(OFFICE, MONDAY + 1020 * 60 - 1)
    assert not is_open(OFFICE, MONDAY + 1020 * 60)


def test_no_hours_mean_always() -> None:
    assert is_open((), NOON)
    assert opened_at((), NOON) == 0.0
    assert opens_at((), NOON) is None


def test_friday_evening_opens_next_on_monday() -> None:
    friday_evening = MONDAY + 4 * 86_400 + 1020 * 60

    assert opens_at(OFFICE, friday_evening) == MONDAY + 7 * 86_400 + 450 * 60


def test_a_stretch_over_midnight_is_one_stretch() -> None:
    night = (Hours(0, 1320, 360),)  # Monday 22:00 to Tuesday 06:00

    assert is_open(night, MONDAY + 86_400 + 5 * 3600)
    assert opened_at(night, MONDAY + 86_400 + 5 * 3600) == MONDAY + 22 * 3600
    assert not is_open(night, MONDAY + 5 * 3600)


def test_sunday_night_goes_on_into_monday() -> None:
    hours = (Hours(6, 1200, 1440), Hours(0, 0, 120))

    assert spans(hours) == ((6 * 1440 + 1200, 7 * 1440 + 120),)
    assert opened_at(hours, MONDAY + 3600) == MONDAY - 4 * 3600


def test_all_week_written_day_by_day_is_always_open() -> None:
    hours = tuple(Hours(one, 0, 1440) for one in range(7))

    assert opened_at(hours, NOON) == 0.0


def test_a_stretch_of_nothing_is_refused() -> None:
    with pytest.raises(Invalid):
        check((Hours(0, 600, 600),))
    with pytest.raises(Invalid):
        check((Hours(0, 1440, 60),))


HOURS = st.lists(
    st.builds(Hours, st.integers(0, 6), st.integers(0, 1439), st.integers(0, 1440)).filter(
        lambda one: one.from_minute != one.to_minute
    ),
    min_size=1,
    max_size=10,
).map(tuple)


@given(HOURS, st.integers(0, 7 * 1440 - 1))
def test_every_minute_agrees_with_a_plain_reading_of_the_list(hours: tuple[Hours, ...], minute: int) -> None:
    open_minutes = set()
    for one in hours:
        lasts = (one.to_minute - one.from_minute) % 1440 or 1440
        begins = one.weekday * 1440 + one.from_minute
        open_minutes |= {(begins + step) % (7 * 1440) for step in range(lasts)}

    now = MONDAY + minute * 60
    assert is_open(hours, now) == (minute in open_minutes)

    opens = opens_at(hours, now)
    if opens is not None:
        assert now < opens <= now + 7 * 86_400
        assert is_open(hours, opens)
        assert not is_open(hours, opens - 60)
    opened = opened_at(hours, now)
    if opened:
        assert is_open(hours, opened)
        assert not is_open(hours, opened - 60)
