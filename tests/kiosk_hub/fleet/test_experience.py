"""When do counts prove that residents fare worse?"""

from hypothesis import given
from hypothesis import strategies as st

from kiosk_hub.fleet.experience import Counts, ExperienceGate, Fared, judge, rise_at_least, sentence, wilson

GATE = ExperienceGate()


def abandoned(bad: int, of: int) -> Counts:
    return Counts(begun=of, abandoned=bad)


def worse(fared: Fared, gate: ExperienceGate = GATE) -> list[str]:
    return [finding.measure for finding in judge(fared, gate) if finding.worse]


def test_the_interval_is_the_one_of_the_paper() -> None:
    # Newcombe 1998, table II, row (a): 56/70 − 48/80, method 10: 0.0524 to 0.3339 at 95 %.
    assert abs(rise_at_least(56, 70, 48, 80, 1.959964) - 0.0524) < 5e-5


def test_a_clear_worsening_is_seen() -> None:
    assert worse(Fared(abandoned(100, 1000), abandoned(90, 300), abandoned(100, 1000))) == ["abandoned"]


def test_what_befalls_everybody_is_not_the_updates_doing() -> None:
    assert worse(Fared(abandoned(100, 1000), abandoned(90, 300), abandoned(300, 1000))) == []


def test_places_that_always_were_worse_are_not_the_updates_doing() -> None:
    assert worse(Fared(abandoned(300, 1000), abandoned(90, 300), abandoned(100, 1000))) == []


def test_without_others_the_devices_own_past_decides() -> None:
    assert worse(Fared(abandoned(100, 1000), abandoned(90, 300))) == ["abandoned"]


def test_without_a_past_the_others_decide() -> None:
    assert worse(Fared(after=abandoned(90, 300), others=abandoned(100, 1000))) == ["abandoned"]


def test_few_sessions_prove_nothing() -> None:
    assert worse(Fared(abandoned(0, 1000), abandoned(49, 49), abandoned(0, 1000))) == []
    assert judge(Fared(after=abandoned(300, 300)), GATE)[0].own is None


def test_a_small_rise_is_tolerated_however_sure() -> None:
    million = 1_000_000
    assert worse(Fared(abandoned(100_000, million), abandoned(125_000, million))) == []


def test_scans_and_help_calls_count_too() -> None:
    before = Counts(begun=1000, scans=1000, scans_failed=50, help_calls=20)
    after = Counts(begun=400, scans=400, scans_failed=120, help_calls=600)

    found = judge(Fared(before, after, before), GATE)

    assert [finding.measure for finding in found if finding.worse] == ["scans-failed", "help-calls"]
    assert "30,0 % (120/400)" in sentence(found[1]).vi
    assert "5.0 % (50/1000)" in sentence(found[1]).en


numbers = st.integers(0, 5000)


@given(numbers, numbers, numbers, numbers)
def test_the_bound_lies_within_reason_and_never_above_the_rise(a: int, b: int, c: int, d: int) -> None:
    of, of_reference = max(a, b, 1), max(c, d, 1)
    bad, bad_reference = min(a, b), min(c, d)

    bound = rise_at_least(bad, of, bad_reference, of_reference, 3.09)

    assert -1.0 - 1e-9 <= bound <= bad / of - bad_reference / of_reference + 1e-9
    low, high = wilson(bad, of, 3.09)
    assert 0.0 <= low <= bad / of + 1e-9
    assert bad / of - 1e-9 <= high <= 1.0


@given(numbers, st.integers(50, 5000), numbers, st.integers(50, 5000))
def test_more_bad_ones_never_look_better(bad: int, of: int, bad_reference: int, of_reference: int) -> None:
    bad, bad_reference = min(bad, of - 1), min(bad_reference, of_reference)

    fewer = rise_at_least(bad, of, bad_reference, of_reference, 3.09)
    more = rise_at_least(bad + 1, of, bad_reference, of_reference, 3.09)

    assert more >= fewer


@given(st.integers(50, 2000), st.integers(0, 100))
def test_equal_shares_never_stop_it(of: int, percent: int) -> None:
    same = abandoned(of * percent // 100, of)

    assert worse(Fared(same, same, same)) == []
