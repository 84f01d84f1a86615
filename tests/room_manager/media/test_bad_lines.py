"""A ward on a bad line still follows the meeting, and nobody else notices.

Real engine, ICE, DTLS and SRTP across an emulated line between two namespaces. What is asserted is where
things end, not how fast this machine is; the times are those of docs/media.md.
"""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest

from tests.helpers.bad_line import FRAMES_PER_S, GOOD, Meeting, meeting
from tests.helpers.link import Direction, Link, Shape, both, link, why_no_link

pytestmark = [pytest.mark.netns, pytest.mark.timeout(100)]

GOOD_LINE = both(Direction(delay_s=0.01))
PATIENCE_S = 20.0
RECOVERED_S = 10.0


@pytest.fixture
def line() -> Iterator[Link]:
    reason = why_no_link()
    if reason is not None:
        pytest.skip(reason)
    with link(GOOD_LINE) as made:
        yield made


def run(line: Link, test: Callable[[Meeting], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with meeting(line) as here:
            assert await here.until(
                lambda: all(len(w.viewer.shown) > 10 for w in here.wards.values() if w.viewer), PATIENCE_S
            )
            await test(here)
            undisturbed(here)

    asyncio.run(whole())


def undisturbed(here: Meeting) -> None:
    """The other wards have lost nothing, and stand where they stood."""
    assert here.other_steps == []
    for site in GOOD:
        ward = here.wards[site]
        assert ward.viewer is not None
        assert ward.peer.slots["main"].lost == 0
        assert ward.peer.slots["audio-1"].lost == 0


def shown(here: Meeting) -> list[float]:
    assert here.bad.viewer is not None
    return here.bad.viewer.shown


async def recovers(here: Meeting) -> None:
    """The line is good again: the step is full in time, and the picture moves as before."""
    here.link.shape(GOOD_LINE)
    assert await here.until(lambda: here.step == "full", RECOVERED_S)
    before = len(shown(here))
    assert await here.until(lambda: len(shown(here)) >= before + 2 * FRAMES_PER_S, PATIENCE_S)


def test_64_kbit_s_carries_sound_and_stills(line: Link) -> None:
    async def test(here: Meeting) -> None:
        here.link.shape(Shape(Direction(delay_s=0.02, bps=64_000), Direction(delay_s=0.02)))
        assert await here.until(lambda: here.step in ("still", "audio-only"), PATIENCE_S)
        await here.play(5.0)  # what had queued up is gone, and the first trial is over
        before = len(here.bad.voices)
        await here.play(6.0)

        expected, lost = here.voices_lost(here.bad, before)
        assert expected >= 200
        assert lost <= 0.05 * expected
        await recovers(here)

    run(line, test)


def test_300_ms_away_and_losing_5_percent_is_the_full_picture(line: Link) -> None:
    async def test(here: Meeting) -> None:
        here.bad.peer.ears.again_s = 0.35  # a browser asks again after a round trip
        here.link.shape(both(Direction(delay_s=0.15)))
        await here.play(3.0)
        here.link.shape(both(Direction(delay_s=0.15, loss=0.05)))
        begun, before, frames = time.monotonic(), len(here.bad.voices), len(shown(here))
        await here.play(8.0)

        expected, lost = here.voices_lost(here.bad, before)
        assert expected >= 250
        # In-band FEC carries a packet's sound in the next one: only two in a row are a gap.
        numbers = sorted(here.bad.voices)[before:]
        gone = sum(max(0, later - sooner - 2) for sooner, later in itertools.pairwise(numbers))
        assert gone <= 0.05 * expected
        assert lost <= 0.12 * expected
        assert len(shown(here)) - frames >= 0.6 * 8 * FRAMES_PER_S
        assert here.bad.viewer is not None
        assert here.bad.viewer.longest_gap_s(begun, time.monotonic()) <= 3.0
        assert here.step in ("full", "half")

    run(line, test)


def test_an_outage_is_followed_by_the_full_picture(line: Link) -> None:
    async def test(here: Meeting) -> None:
        here.link.shape(both(Direction(cut=True)))
        assert await here.until(lambda: here.step == "audio-only", PATIENCE_S)
        assert here.steps[-1][2] == "silent"
        await recovers(here)

    run(line, test)


def test_jitter_of_80_ms_is_not_a_thin_line(line: Link) -> None:
    async def test(here: Meeting) -> None:
        here.link.shape(both(Direction(delay_s=0.1, jitter_s=0.08)))
        await here.play(3.0)
        begun, before = time.monotonic(), len(shown(here))
        await here.play(6.0)

        assert here.bad.viewer is not None
        assert len(shown(here)) - before >= 0.7 * 6 * FRAMES_PER_S
        assert here.bad.viewer.longest_gap_s(begun, time.monotonic()) <= 2.0
        assert here.step in ("full", "half")

    run(line, test)


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.parametrize("seconds", [30])
def test_a_long_outage(line: Link, seconds: float) -> None:
    async def test(here: Meeting) -> None:
        here.link.shape(both(Direction(cut=True)))
        await here.play(seconds)
        await recovers(here)

    run(line, test)


@pytest.mark.slow
def test_20_percent_loss_for_10_s(line: Link) -> None:
    async def test(here: Meeting) -> None:
        here.link.shape(both(Direction(delay_s=0.02, loss=0.2)))
        begun = time.monotonic()
        await here.play(10.0)

        assert here.step in ("half", "quarter")
        assert here.steps[-1][2] == "loss"
        assert here.bad.viewer is not None
        assert here.bad.viewer.longest_gap_s(begun, time.monotonic()) <= 4.0
        await recovers(here)

    run(line, test)


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    ("bps", "steps"),
    [(64_000, ("still", "audio-only")), (250_000, ("quarter", "fewer-frames")), (700_000, ("half",))],
)
def test_a_minute_on_a_thin_line(line: Link, bps: int, steps: tuple[str, ...]) -> None:
    async def test(here: Meeting) -> None:
        here.link.shape(Shape(Direction(delay_s=0.02, bps=bps), Direction(delay_s=0.02)))
        await here.play(10.0)
        before = len(here.bad.voices)
        begun = time.monotonic()
        await here.play(50.0)

        assert here.share_at(steps, begun) >= 0.6  # the rest are trials and what follows them
        expected, lost = here.voices_lost(here.bad, before)
        assert expected >= 2_000
        assert lost <= 0.05 * expected
        await recovers(here)

    run(line, test)
