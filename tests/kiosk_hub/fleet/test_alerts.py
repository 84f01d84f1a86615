"""One family of symptoms of one device: when it is an alarm."""

from kiosk_hub.fleet.alerts import DEFAULT, OFFLINE, Alarm, Phase, Rule, family_of, is_spent, rule_for, step
from kiosk_hub.fleet.reasons import Reason
from kiosk_hub.fleet.values import Status
from kiosk_hub.fleet.verdict import Symptom
from tests.helpers.alarm_city import CAMERA, SILENT

RULE = Rule(bad=2, of=3, within_s=240.0, leave_s=120.0, flap_changes=6, flap_window_s=1_800.0, steady_s=900.0)


def run(looks: str, every_s: float = 30.0, rule: Rule = RULE, alarm: Alarm | None = None) -> Alarm:
    """``x`` bad, ``.`` good, one judgement each ``every_s``, from second 0 on."""
    after = alarm if alarm is not None else Alarm()
    for place, look in enumerate(looks):
        after = step(after, CAMERA if look == "x" else None, place * every_s, rule)
    return after


def test_one_bad_judgement_is_a_suspicion() -> None:
    assert run("..x").phase is Phase.SUSPECTED
    assert run("..x..").phase is Phase.SUSPECTED
    assert run("..x...").phase is Phase.CLEAR


def test_two_of_the_last_three_raise_it_at_either_pace_of_beats() -> None:
    assert run("..x.x").phase is Phase.RAISED
    assert run("..x.x", every_s=60.0).phase is Phase.RAISED


def test_judgements_in_quick_succession_count_as_one() -> None:
    assert run("xxxxx", every_s=1.0).phase is Phase.SUSPECTED


def test_what_is_long_ago_does_not_count() -> None:
    assert run("x.x", every_s=200.0).phase is Phase.SUSPECTED


def test_it_is_left_after_a_stretch_without_a_bad_one() -> None:
    assert run("xx...").phase is Phase.RAISED
    assert run("xx....").phase is Phase.CLEAR
    assert run("xx..x...").phase is Phase.RAISED


def test_what_comes_and_goes_is_flapping_until_it_is_steady() -> None:
    flapping = run("x.x.x.")
    assert flapping.phase is Phase.FLAPPING

    calm = run("x.x.x." + "." * 29)
    assert calm.phase is Phase.FLAPPING
    assert run("x.x.x." + "." * 31).phase is Phase.CLEAR
    assert run("x.x.x." + "x" * 32).phase is Phase.RAISED


def test_a_flap_that_is_over_is_not_counted_again() -> None:
    over = run("x.x.x." + "." * 31)

    assert is_spent(over)
    assert run("xx", alarm=Alarm()).phase is Phase.RAISED


def test_silence_is_an_alarm_at_once_for_its_verdict_has_waited() -> None:
    assert family_of(SILENT) == OFFLINE
    assert step(Alarm(), SILENT, 0.0, rule_for(OFFLINE)).phase is Phase.RAISED


def test_symptoms_of_one_part_are_one_family() -> None:
    dark = Symptom(Status.DEGRADED, Reason("camera-dark", "", ""))
    paper = Symptom(Status.DEGRADED, Reason("paper-out", "", ""))
    cover = Symptom(Status.DEGRADED, Reason("printer-open", "", ""))

    assert family_of(dark) == family_of(CAMERA) == "camera"
    assert family_of(paper) == family_of(cover) == "printer"
    assert rule_for("camera") is DEFAULT


def test_a_clock_that_was_set_back_keeps_the_order() -> None:
    alarm = step(Alarm(), CAMERA, 1_000.0, RULE)
    alarm = step(alarm, CAMERA, 990.0, RULE)
    assert [vote.at for vote in alarm.votes] == [1_000.0]

    alarm = step(alarm, CAMERA, 10.0, RULE)
    assert [vote.at for vote in alarm.votes] == [10.0]  # far back: counted from there, not held up
    assert step(alarm, CAMERA, 40.0, RULE).phase is Phase.RAISED
