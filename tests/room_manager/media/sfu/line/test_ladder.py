"""The ladder by example: down at once, up by trial, and what silence means."""

from room_manager.media.sfu.line.ladder import Ladder, cheaper, dearer
from room_manager.media.sfu.line.reading import Pressed, Reading

COSTS = (1_300e3, 1_250e3, 450e3, 170e3, 120e3, 60e3, 48e3)
ONE_LAYER = (1_250e3, 1_250e3, 1_250e3, 1_250e3, 1_250e3, 150e3, 48e3)


class Played:
    """A ladder in virtual time, looked at ten times a second."""

    def __init__(self, costs: tuple[float, ...] = COSTS) -> None:
        self.now = 10.0
        self.costs = costs
        self.ladder = Ladder(self.now)

    @property
    def reason(self) -> str:
        return self.ladder.reason

    def look(
        self,
        seconds: float = 0.1,
        *,
        pressed: Pressed | None = None,
        bps: float | None = None,
        capacity: float | None = None,
        loss: float = 0.0,
        shown: bool = True,
    ) -> str:
        for _ in range(round(seconds * 10)):
            self.now += 0.1
            reading = Reading(bps=bps, pressed=pressed, capacity_bps=capacity, loss=loss)
            self.ladder.decide(reading, self.costs, self.now, shown=shown)
        return self.ladder.step


def test_it_falls_at_once_to_what_the_line_carries() -> None:
    played = Played()

    assert played.look(pressed="delay", bps=200e3) == "quarter"
    assert played.ladder.reason == "delay"


def test_a_step_down_is_given_time_to_show_before_the_next() -> None:
    played = Played()
    played.look(pressed="delay", bps=200e3)

    assert played.look(0.5, pressed="delay", bps=20e3) == "quarter"
    assert played.look(0.5, pressed="delay", bps=20e3) == "audio-only"


def test_a_line_pressed_although_it_should_fit_goes_down_one_step() -> None:
    played = Played()

    assert played.look(pressed="loss", bps=5_000e3) == "half"
    assert played.look(1.0, pressed="loss", bps=5_000e3) == "quarter"


def test_it_rises_by_trials_until_there_is_room_for_all() -> None:
    played = Played()
    played.look(pressed="delay", bps=200e3)

    played.look(10.0, bps=300e3, capacity=50_000e3)

    assert (played.ladder.step, played.ladder.reason) == ("full", "room")


def test_a_trial_that_fails_is_undone_and_the_next_comes_later() -> None:
    played = Played()
    played.look(pressed="delay", bps=200e3)
    waits = []
    for _ in range(5):
        began = played.now
        while played.look(bps=200e3) != "half":
            assert played.now - began < 30
        waits.append(played.now - began)
        assert played.look(pressed="delay", bps=200e3) == "quarter"

    assert waits[0] < waits[3] < waits[4]
    assert waits[4] > 2 * waits[0]


def test_packets_that_came_far_apart_forbid_a_trial_for_a_while() -> None:
    played = Played()
    played.look(pressed="delay", bps=200e3)

    assert played.look(10.0, bps=300e3, capacity=250e3) == "quarter"
    assert played.look(15.0, bps=300e3, capacity=250e3) == "half"


def test_a_line_that_loses_is_left_where_it_is() -> None:
    played = Played()
    played.look(pressed="loss", bps=500e3)

    assert played.look(30.0, bps=500e3, loss=0.2) == "half"
    assert played.look(10.0, bps=500e3) == "full"


def test_silence_leaves_sound_alone_and_ends_where_it_began() -> None:
    played = Played()
    played.look(pressed="loss", bps=500e3)

    assert played.look(pressed="silent") == "audio-only"
    assert played.reason == "silent"
    assert played.look() == "half"
    assert played.reason == "loss"


def test_a_step_that_takes_no_less_is_passed_over() -> None:
    played = Played(ONE_LAYER)

    assert played.look(pressed="delay", bps=900e3) == "still"
    played.look(30.0, bps=900e3, capacity=9e6)
    assert (played.ladder.step, played.ladder.reason) == ("full", "room")


def test_neighbours_are_what_differs_noticeably() -> None:
    assert cheaper(0, ONE_LAYER) == 5
    assert dearer(5, ONE_LAYER) == 0
    assert dearer(6, COSTS) == 5
    assert cheaper(6, COSTS) == 6
    assert dearer(0, COSTS) == 0
