"""The download window, in Hà Nội's time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk_hub.fleet.window import is_open, opens_in_s

MIDNIGHT = 17 * 3600.0  # of 2 January 1970 in Hà Nội, as seconds UTC


@pytest.mark.parametrize(
    ("minute", "open_"),
    [(22 * 60, True), (23 * 60 + 59, True), (0, True), (299, True), (300, False), (1319, False)],
)
def test_it_goes_over_midnight(minute: int, open_: bool) -> None:
    assert is_open(22 * 60, 5 * 60, MIDNIGHT + minute * 60) is open_


def test_it_tells_when_it_opens() -> None:
    assert opens_in_s(60, 120, MIDNIGHT) == 3600
    assert opens_in_s(60, 120, MIDNIGHT + 7200) == 23 * 3600
    assert opens_in_s(None, 120, MIDNIGHT) == 0
    assert opens_in_s(0, 1440, MIDNIGHT + 500) == 0


@given(st.integers(0, 1440), st.integers(0, 1440), st.integers(0, 10**10))
def test_when_it_says_it_opens_it_is_open(first: int, last: int, now: int) -> None:
    assert is_open(first, last, now + opens_in_s(first, last, now))
