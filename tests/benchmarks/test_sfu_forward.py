"""The benchmark measures what it says: real receivers, every packet counted, some of them opened."""

import asyncio

import pytest

from benchmarks import egress
from benchmarks.drain import Counted
from benchmarks.publisher import split_evenly
from benchmarks.sfu_forward import Crowd, measure, parse


@pytest.mark.parametrize("profile", ["gcm", "cm"])
def test_a_small_meeting_arrives_whole_and_opens(profile: str) -> None:
    options = parse(["--sites", "14", "--pps", "250", "--seconds", "0.4", "--profile", profile])

    figures = asyncio.run(measure(options))

    assert figures["sites"] == 14
    assert figures["fed_packets"] > 90
    assert figures["lost"] == 0
    assert figures["not_verified"] == 0
    assert figures["verified"] >= 12 * figures["fed_packets"]
    assert figures["arrived"] >= 14 * figures["fed_packets"]
    assert figures["added_latency_p50_ms"] > 0


def test_a_frame_splits_into_sizes_that_differ_by_one() -> None:
    assert split_evenly(5002, 5) == [1000, 1000, 1000, 1001, 1001]
    assert split_evenly(5000, 5) == [1000] * 5


def test_a_packet_only_one_receiver_missed_is_lost() -> None:
    class Read:
        def __init__(self, seqs: list[int]) -> None:
            self.slots = {"main": Counted()}
            for seq in seqs:
                self.slots["main"].count(seq)

    crowd = Crowd(drained=True)
    crowd.receivers = [Read([65534, 65535, 0, 1]), Read([65534, 0, 1]), Read([])]  # type: ignore[list-item]

    assert crowd.tally() == (7, 1 + 4)


def test_every_way_of_sending_is_measured() -> None:
    figures = egress.measure(20, 0.2, profile=0)

    assert set(figures) == {"sound", "frame_as_browsers_split", "frame_of_equals"}
    assert all(us > 0 for ways in figures.values() for us in ways.values())
