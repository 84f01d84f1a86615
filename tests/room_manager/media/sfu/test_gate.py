"""Who fails often is not checked any more, and nobody else suffers for it."""

from room_manager.media.sfu.gate import (
    MAX_ORIGINS,
    MAX_WRONG,
    MAX_WRONG_IN_ALL,
    MAX_WRONG_PROVEN,
    Gate,
)


def tries(gate: Gate, origin: object, now: float, count: int, *, proven: bool = False) -> int:
    done = 0
    for _ in range(count):
        if gate.may_try(origin, now, proven=proven):
            gate.wrong(origin)
            done += 1
    return done


def test_an_address_has_a_few_wrong_passwords_a_second() -> None:
    gate = Gate()

    assert tries(gate, "bad", 5.0, 1000) == MAX_WRONG
    assert gate.may_try("good", 5.0, proven=False)
    assert tries(gate, "bad", 6.0, 1000) == MAX_WRONG


def test_right_passwords_are_not_counted() -> None:
    gate = Gate()

    assert all(gate.may_try("good", 5.0, proven=False) for _ in range(10_000))


def test_an_address_that_has_proved_itself_is_not_shut_out_by_who_pretends_to_be_it() -> None:
    gate = Gate()

    assert tries(gate, "mine", 5.0, MAX_WRONG * 10, proven=True) == MAX_WRONG * 10
    assert tries(gate, "mine", 5.0, 20_000, proven=True) == MAX_WRONG_PROVEN - MAX_WRONG * 10


def test_all_strangers_together_have_a_limit_and_those_inside_are_not_meant() -> None:
    gate = Gate()
    done = sum(tries(gate, number, 5.0, 10) for number in range(100_000))

    assert done == MAX_WRONG_IN_ALL
    assert len(gate._wrong) <= MAX_ORIGINS
    assert gate.may_try("mine", 5.0, proven=True)
    assert gate.may_try("stranger", 6.0, proven=False)
