"""What simulated sites do: bounded, reversible, the same for the same seed."""

from random import Random

from signaling.simulate.life import (
    HANDS_AT_ONCE,
    WEAK_AT_ONCE,
    Act,
    ComeBack,
    GoAway,
    Life,
    LowerHand,
    MendLine,
    RaiseHand,
    WeakenLine,
)

SITES = [f"{code:05}" for code in range(40)]
HOUR_S = 3600.0


def live(seed: int, sites: list[str] = SITES) -> list[tuple[float, Act]]:
    """An hour of a city's life."""
    life = Life(sites, Random(seed), now=0.0)
    lived = []
    while (now := life.due()) < HOUR_S:
        if act := life.act(now):
            lived.append((now, act))
    return lived


def test_a_meeting_lives() -> None:
    kinds = [type(act) for _, act in live(seed=1)]

    assert {RaiseHand, LowerHand, GoAway, ComeBack, WeakenLine, MendLine} == set(kinds)
    assert kinds.count(RaiseHand) > 20


def test_few_do_something_at_a_time_and_nobody_two_things() -> None:
    hands: set[str] = set()
    gone: set[str] = set()
    weak: set[str] = set()

    for _, act in live(seed=2):
        match act:
            case RaiseHand(site):
                assert site not in hands | gone | weak
                hands.add(site)
            case LowerHand(site):
                hands.remove(site)
            case GoAway(site):
                assert site not in hands | gone | weak
                gone.add(site)
            case ComeBack(site):
                gone.remove(site)
            case WeakenLine(site):
                assert site not in hands | gone | weak
                weak.add(site)
            case MendLine(site):
                weak.remove(site)
        assert len(hands) <= HANDS_AT_ONCE
        assert len(gone) <= 2
        assert len(weak) <= WEAK_AT_ONCE


def test_the_same_seed_lives_the_same_life() -> None:
    assert live(seed=3) == live(seed=3)
    assert live(seed=3) != live(seed=4)


def test_a_whole_city_does_no_more_than_one_act_in_two_seconds_on_average() -> None:
    city = [f"{code:05}" for code in range(578)]

    begun = [act for _, act in live(seed=5, sites=city) if isinstance(act, RaiseHand | GoAway | WeakenLine)]

    assert len(begun) <= HOUR_S / 2 * 1.1
