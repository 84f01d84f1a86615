"""What is dropped, merged, and never dropped."""

from collections.abc import Iterator

import msgspec
import pytest

from kiosk_client.outbox import DROPPED, LOG_LINES_LAST_S, MOST_LOG_LINES, Outbox
from kiosk_client.store import Store
from signaling.wire.kiosk.words import (
    BundleId,
    CommandId,
    DeviceTime,
    Done,
    Installing,
    LogLine,
    Outcome,
    RolloutId,
    Sessions,
)

AT = DeviceTime("boot-0001", 1, 1.0, 1.0)
NOW = 1_800_000_000.0


@pytest.fixture
def outbox() -> Iterator[Outbox]:
    store = Store(":memory:")
    yield Outbox(store)
    store.close()


def test_outcomes_go_before_counts_and_these_before_lines(outbox: Outbox) -> None:
    outbox.put(LogLine("info", "x"), AT, NOW)
    outbox.put(Sessions(5, begun=1), AT, NOW)
    outbox.put(Done(CommandId("c"), Outcome(succeeded=True)), AT, NOW)

    assert [type(one.news).__name__ for one in outbox.pending(10)] == ["Done", "Sessions", "LogLine"]


def test_counts_of_an_hour_add_up_until_they_are_told(outbox: Outbox) -> None:
    outbox.put(Sessions(5, begun=1, finished=1), AT, NOW)
    outbox.put(Sessions(5, begun=2, abandoned=1), AT, NOW)
    outbox.put(Sessions(6, begun=7), AT, NOW)
    first = outbox.pending(10)
    assert [one.news for one in first] == [
        Sessions(5, begun=3, finished=1, abandoned=1),
        Sessions(6, begun=7),
    ]
    assert all(one.merged for one in first)

    outbox.seal([first[0].seq])
    outbox.put(Sessions(5, begun=1), AT, NOW)

    after = outbox.pending(10)
    assert [one.news for one in after] == [first[0].news, Sessions(6, begun=7), Sessions(5, begun=1)]
    assert len({one.key for one in after}) == 3


def test_of_an_install_under_way_only_the_newest_step_is_told_and_its_end_always(outbox: Outbox) -> None:
    def step(word: str, done: int = 0) -> Installing:
        return Installing(RolloutId("r"), BundleId("b"), word, done)  # type: ignore[arg-type]

    for news in (step("downloading", 1), step("downloading", 2), step("installed"), step("returned")):
        outbox.put(news, AT, NOW)

    assert {one.news for one in outbox.pending(10)} == {
        step("downloading", 2),
        step("installed"),
        step("returned"),
    }


def test_the_oldest_lines_are_dropped_and_counted(outbox: Outbox) -> None:
    outbox.put(Done(CommandId("c"), Outcome(succeeded=True)), AT, NOW)
    for n in range(MOST_LOG_LINES + 30):
        outbox.put(LogLine("info", f"line-{n}"), AT, NOW)
    assert outbox.depth == MOST_LOG_LINES + 1

    assert outbox.tell_dropped(AT, NOW)
    assert not outbox.tell_dropped(AT, NOW)

    lines = [one.news for one in outbox.pending(1_000) if isinstance(one.news, LogLine)]
    assert lines[0].code == DROPPED
    assert "30" in lines[0].text
    assert [line.code for line in lines[1:]] == [f"line-{n}" for n in range(30, MOST_LOG_LINES + 30)]


def test_lines_of_last_month_are_dropped_where_the_time_is_known(outbox: Outbox) -> None:
    outbox.put(LogLine("info", "old"), AT, NOW)
    outbox.put(LogLine("info", "of-unknown-age"), AT, None)
    outbox.put(LogLine("info", "new"), AT, NOW + LOG_LINES_LAST_S + 1)

    codes = [one.news.code for one in outbox.pending(9) if isinstance(one.news, LogLine)]
    assert codes == ["of-unknown-age", "new"]


def test_what_the_wire_would_not_take_is_not_kept(outbox: Outbox) -> None:
    with pytest.raises(msgspec.ValidationError):
        outbox.put(LogLine("info", "x" * 65), AT, NOW)

    assert outbox.depth == 0


def test_what_is_stored_is_forgotten_with_its_evidence(outbox: Outbox) -> None:
    outbox.put(LogLine("info", "a"), AT, NOW)
    outbox.put(LogLine("info", "b"), AT, NOW)
    first, second = outbox.pending(2)

    assert outbox.forget((first.key, "unknown-key")) == []

    assert outbox.pending(2) == [second]
    assert outbox.depth == 1
