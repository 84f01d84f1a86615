"""Reports and REMB: what they say of a line, and whom they make us measure."""

from room_manager.media.sfu.line.coarse import Coarse
from room_manager.media.sfu.line.need import AFTER_S, NEWCOMER_S, Need


def test_a_remb_that_follows_a_still_picture_says_nothing() -> None:
    coarse = Coarse()
    for second in range(20):
        coarse.remb(90_000, 60_000, float(second))

    assert coarse.reading(20.0).pressed is None


def test_a_remb_below_what_is_sent_is_a_full_line() -> None:
    coarse = Coarse()
    coarse.remb(425_000, 1_200_000, 1.0)
    assert coarse.reading(1.0).pressed is None

    coarse.remb(425_000, 1_200_000, 2.0)

    assert coarse.reading(2.0).pressed == "bandwidth"
    assert coarse.reading(2.0).bps == 425_000
    assert coarse.reading(4.0).pressed is None


def test_reported_losses_press_a_line_and_5_percent_do_not() -> None:
    good, bad = Coarse(), Coarse()
    for second in range(10):
        good.reported(130, 6, 1e6, float(second))
        bad.reported(130, 30, 1e6, float(second))

    assert good.reading(9.0).pressed is None
    assert bad.reading(9.0).pressed == "loss"
    assert bad.loss > 0.2


def test_a_round_trip_that_grows_is_a_queue_and_a_long_one_is_not() -> None:
    far, full = Coarse(), Coarse()
    for second in range(10):
        far.took(600.0, 1e6, float(second))
        full.took(40.0 + 60 * second, 1e6, float(second))

    assert far.reading(9.0).pressed is None
    assert full.reading(9.0).pressed == "delay"


def test_what_came_in_while_we_were_late_ourselves_is_forgotten() -> None:
    coarse = Coarse()
    coarse.remb(425_000, 1_200_000, 1.0)
    coarse.remb(425_000, 1_200_000, 2.0)

    coarse.forget()

    assert coarse.reading(2.0).pressed is None


def test_a_newcomer_is_measured_for_a_moment() -> None:
    need = Need(0.0)

    assert need.measured(NEWCOMER_S - 0.1, below_full=False)
    assert not need.measured(NEWCOMER_S + 0.1, below_full=False)


def test_a_good_line_is_left_alone_and_a_doubtful_one_measured_for_a_while() -> None:
    need = Need(0.0)
    need.reported(0.005, 20.0, 5.0, 50.0)
    need.remb(1_500_000, 1_200_000, 50.0)
    assert not need.measured(50.0, below_full=False)

    need.reported(0.05, 20.0, 5.0, 60.0)

    assert need.measured(60.0 + AFTER_S - 0.1, below_full=False)
    assert not need.measured(60.0 + AFTER_S + 0.1, below_full=False)


def test_who_stands_below_full_is_measured() -> None:
    need = Need(0.0)

    assert need.measured(500.0, below_full=True)
    assert need.measured(500.0 + AFTER_S - 0.1, below_full=False)
