"""Who is in which ring: every device in exactly one, shares rounded up, and the same whenever it is dealt."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.rings import Candidate, Ring, deal
from room_manager.errors import Invalid


def candidates(count: int) -> list[Candidate]:
    return [Candidate(DeviceId(f"k{n:04}"), f"{n % 30:03}") for n in range(count)]


def test_shares_are_of_what_is_left_and_rounded_up() -> None:
    rings = (Ring(share=0.01), Ring(share=0.1), Ring())

    dealt = deal(rings, candidates(1000), "r1")

    assert [list(dealt.values()).count(ring) for ring in range(3)] == [10, 99, 891]
    assert list(deal(rings, candidates(30), "r1").values()).count(0) == 1


def test_named_devices_and_districts_go_first_and_the_rest_last() -> None:
    named = (DeviceId("k0007"), DeviceId("not there"))

    dealt = deal((Ring(devices=named), Ring(districts=("007", "001")), Ring()), candidates(60), "r1")

    assert [device for device, ring in dealt.items() if ring == 0] == ["k0007"]
    assert {device for device, ring in dealt.items() if ring == 1} == {"k0001", "k0031", "k0037"}
    assert len(dealt) == 60


@given(
    st.lists(st.floats(0.001, 1.0), max_size=5),
    st.integers(0, 120),
    st.text(max_size=5),
    st.randoms(use_true_random=False),
)
def test_each_device_is_in_one_ring_whatever_their_order(
    shares: list[float], count: int, salt: str, random: Random
) -> None:
    rings = (*(Ring(share=share) for share in shares), Ring())
    given_ones = candidates(count)
    shuffled = given_ones[:]
    random.shuffle(shuffled)

    dealt = deal(rings, given_ones, salt)

    assert dealt == deal(rings, shuffled, salt)
    assert dealt.keys() == {candidate.device for candidate in given_ones}


@pytest.mark.parametrize(
    "rings",
    [
        (),
        (Ring(), Ring()),
        (Ring(share=0.5, districts=("001",)), Ring()),
        (Ring(share=0.5), Ring(share=0.5)),
        (Ring(share=0.1),) * 10 + (Ring(),),
    ],
)
def test_a_plan_that_leaves_something_open_is_refused(rings: tuple[Ring, ...]) -> None:
    with pytest.raises(Invalid):
        deal(rings, candidates(3), "r1")
