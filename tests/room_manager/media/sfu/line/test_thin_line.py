"""Estimate, ladder, allotment and pacer together on lines of virtual time: where each ends, and that it
comes back.
"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from room_manager.media.sfu.line.allot import LEVELS
from tests.helpers.thin_line import Receiver

RECOVERED_S = 10.0


def settled(bps: float | None, **line: float) -> Receiver:
    """A receiver that had a good line for 5 s and this one for 25 s."""
    receiver = Receiver()
    receiver.play(5)
    receiver.line.bps = bps
    for name, value in line.items():
        setattr(receiver.line, name, value)
    receiver.play(25)
    return receiver


def recovers(receiver: Receiver) -> bool:
    receiver.line.bps, receiver.line.loss, receiver.line.jitter_s, receiver.line.cut = None, 0.0, 0.0, False
    return receiver.play(RECOVERED_S, lambda: receiver.ladder.level == 0)


@pytest.mark.parametrize(
    ("bps", "steps"),
    [
        (64_000, {"still", "audio-only"}),
        (110_000, {"fewer-frames", "still"}),
        (200_000, {"quarter", "fewer-frames"}),
        (300_000, {"quarter"}),
        (600_000, {"half"}),
        (1_000_000, {"half"}),
        (2_000_000, {"full"}),
    ],
)
def test_a_line_ends_at_the_step_it_carries_and_comes_back(bps: int, steps: set[str]) -> None:
    receiver = settled(bps)
    stood: list[str] = []
    receiver.on_tick = lambda: stood.append(receiver.step)
    receiver.play(20)

    assert sum(step in steps for step in stood) >= 0.7 * len(stood)  # the rest are trials
    assert receiver.estimate.bps is not None
    assert receiver.estimate.bps <= 1.4 * bps
    assert recovers(receiver)


@pytest.mark.parametrize("bps", [64_000, 200_000, 600_000])
def test_the_first_step_down_comes_within_a_second(bps: int) -> None:
    receiver = Receiver()
    receiver.play(5)
    receiver.line.bps = bps

    assert receiver.play(1.2, lambda: receiver.ladder.level > 0)


@pytest.mark.parametrize("bps", [64_000, 200_000, 600_000])
def test_sound_comes_while_the_line_is_thin(bps: int) -> None:
    receiver = Receiver()
    receiver.play(5)
    receiver.line.bps = bps
    receiver.play(5)
    receiver.voice_sent = receiver.voice_came = 0

    receiver.play(25)

    assert receiver.voice_came >= 0.95 * receiver.voice_sent


@pytest.mark.parametrize("bps", [200_000, 300_000, 500_000])
def test_a_narrow_step_is_not_left_and_taken_again_all_the_time(bps: int) -> None:
    receiver = settled(bps)
    receiver.steps.clear()

    receiver.play(60)

    assert len(receiver.steps) <= 8


def test_far_away_and_losing_5_percent_stays_full() -> None:
    receiver = Receiver()
    receiver.line.delay_s, receiver.line.loss = 0.15, 0.05

    receiver.play(60)

    assert receiver.steps[1:] == []


def test_jitter_is_not_a_queue() -> None:
    receiver = Receiver()
    receiver.line.jitter_s = 0.08

    receiver.play(60)

    assert receiver.steps[1:] == []


def test_a_line_that_loses_whatever_is_sent_goes_down_for_loss_but_not_to_the_bottom() -> None:
    receiver = Receiver()
    receiver.play(5)
    receiver.line.loss = 0.2
    receiver.play(10)

    assert receiver.step in {"half", "quarter"}
    assert receiver.ladder.reason == "loss"
    assert recovers(receiver)


def test_an_outage_is_silence_and_then_as_before() -> None:
    receiver = Receiver()
    receiver.play(5)
    receiver.line.cut = True
    receiver.play(30)

    assert (receiver.step, receiver.ladder.reason) == ("audio-only", "silent")
    assert recovers(receiver)
    receiver.play(3)
    assert (receiver.step, receiver.ladder.reason) == ("full", "room")


def test_without_a_pacer_a_thin_line_still_settles() -> None:
    receiver = Receiver(paced=False)
    receiver.play(5)
    receiver.line.bps = 200_000
    receiver.play(25)

    assert receiver.step in {"quarter", "fewer-frames"}


def test_our_own_stall_is_not_the_lines_fault() -> None:
    receiver = Receiver()
    receiver.play(5)
    for _ in range(10):
        receiver.estimate.excuse(receiver.now)
        receiver.line.delay_s = 0.4  # as if all that was sent had waited in our own socket
        receiver.play(0.3)
        receiver.line.delay_s = 0.02
        receiver.play(0.3)

    assert receiver.steps[1:] == []


lines = st.fixed_dictionaries(
    {
        "bps": st.one_of(st.none(), st.integers(30_000, 3_000_000)),
        "delay_s": st.floats(0.001, 0.4),
        "jitter_s": st.floats(0, 0.1),
        "loss": st.floats(0, 0.5),
        "cut": st.booleans(),
        "queue_s": st.floats(0.05, 1.0),
    }
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(lines, st.floats(0.5, 6)), max_size=5), st.integers(0, 1000))
def test_whatever_a_line_does_it_is_full_again_when_it_is_good_again(
    story: list[tuple[dict[str, float | None], float]], seed: int
) -> None:
    receiver = Receiver(seed=seed)
    for line, seconds in story:
        for name, value in line.items():
            setattr(receiver.line, name, value)
        receiver.play(seconds)
        assert 0 <= receiver.ladder.level < len(LEVELS)
        assert receiver.pacer is None or len(receiver.pacer) <= 300

    for name, good in (("bps", None), ("delay_s", 0.02), ("jitter_s", 0.0), ("loss", 0.0), ("cut", False)):
        setattr(receiver.line, name, good)

    assert receiver.play(30, lambda: receiver.ladder.level == 0)
