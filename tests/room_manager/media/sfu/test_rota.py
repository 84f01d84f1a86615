"""Everybody once a period, and never all at once."""

from hypothesis import given
from hypothesis import strategies as st

from room_manager.media.sfu.garbage import OVERDUE, WORTH_IT, Departures
from room_manager.media.sfu.rota import SHARES, Rota


def full(members: int) -> Rota[int]:
    rota: Rota[int] = Rota(1.0)
    for member in range(members):
        rota.add(member)
    rota.due(100.0)
    return rota


def test_everybody_is_due_once_a_period_in_even_shares() -> None:
    rota = full(579)

    told = [rota.due(100.0 + (tick + 0.5) / SHARES) for tick in range(1, SHARES + 1)]

    assert sorted(member for due in told for member in due) == list(range(579))
    assert max(map(len, told)) <= 579 // SHARES + 1


def test_after_a_pause_nobody_is_due_twice() -> None:
    rota = full(50)

    assert sorted(rota.due(160.0)) == list(range(50))
    assert rota.due(160.0) == []


def test_who_is_removed_is_not_due_and_may_come_back() -> None:
    rota = full(3)
    rota.remove(1)
    rota.remove(1)
    rota.remove(99)

    assert sorted(rota.due(102.0)) == [0, 2]
    rota.add(1)
    rota.add(1)
    assert sorted(rota.due(104.0)) == [0, 1, 2]


@given(st.lists(st.floats(0.001, 0.3), min_size=40, max_size=80))
def test_uneven_ticks_leave_nobody_out(pauses: list[float]) -> None:
    rota = full(60)
    now, turns = 100.0, [0] * 60
    for pause in pauses:
        now += pause
        for member in rota.due(now):
            turns[member] += 1

    assert max(turns) - min(turns) <= 1
    assert abs(max(turns) - (now - 100.0)) <= 1.1


def test_all_is_looked_at_when_nobody_sends_or_very_many_have_gone() -> None:
    departures = Departures()
    for _ in range(WORTH_IT):
        departures.one_more()

    assert not departures.due(0.5)
    assert departures.due(1.5)
    assert not departures.due(2.5)

    for _ in range(OVERDUE):
        departures.one_more()
    assert departures.due(0.0)
