from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kiosk_hub.fleet.spans import Span, spans_of
from kiosk_hub.fleet.values import Status

OK, OFF, BAD = Status.OK, Status.OFFLINE, Status.FAULTY


def test_the_status_that_held_before_begins_the_strip() -> None:
    changes = [(10.0, OK, None), (50.0, OFF, None), (70.0, OK, None)]

    assert spans_of(changes, 20.0) == [Span(OK, 20, 50), Span(OFF, 50, 70), Span(OK, 70, None)]


@given(st.lists(st.tuples(st.floats(0, 100), st.sampled_from([OK, OFF, BAD]), st.none()), max_size=20))
def test_spans_follow_each_other_without_overlap(changes: list[tuple[float, Status, None]]) -> None:
    spans = spans_of(changes, 30.0)

    for one, following in pairwise(spans):
        assert one.until == following.since
        assert one.status is not following.status
    assert not spans or spans[-1].until is None
    assert all(one.since >= 30 for one in spans)
