"""The benchmark measures what it says: real receivers, every packet counted, some of them opened."""

import asyncio
import socket

import pytest

from benchmarks import egress
from benchmarks.crowd import Crowd, Tally
from benchmarks.drain import Counted, Drain, Receiver
from benchmarks.feed import Fed
from benchmarks.publisher import split_evenly
from benchmarks.sfu_forward import measure, parse
from room_manager.media.sfu.rtp import build, extension_block
from room_manager.media.sfu.twcc import ArrivalRecorder

PROMISED = {
    *(
        "sites",
        "join_s",
        "joins_per_s",
        "join_cpu_ms",
        "expected_pps",
        "sent_pps",
        "lost",
        "worker_cpu_share",
    ),
    *("pps_per_core", "added_latency_p50_ms", "added_latency_p99_ms", "rss_mib", "profile", "idle_share"),
    "kib_per_receiver",
}
"""What others read from the output; a name is never changed."""


@pytest.mark.parametrize("profile", ["gcm", "cm"])
def test_a_small_meeting_arrives_whole_and_opens(profile: str) -> None:
    words = [
        "--sites",
        "14",
        "--pps",
        "250",
        "--seconds",
        "0.4",
        "--idle",
        "0.1",
        "--calm",
        "0",
        "--feedback",
        "rr",
    ]
    options = parse([*words, "--profile", profile])

    figures = asyncio.run(measure(options))

    assert figures["sites"] == 14
    assert figures["fed_packets"] > 90
    assert figures["lost"] == 0
    assert figures["not_verified"] == 0
    assert figures["verified"] >= 12 * figures["fed_packets"]
    assert figures["arrived"] == 14 * figures["fed_packets"]
    assert set(figures) >= PROMISED
    assert figures["added_latency_p50_ms"] > 0


def test_a_frame_splits_into_sizes_that_differ_by_one() -> None:
    assert split_evenly(5002, 5) == [1000, 1000, 1000, 1001, 1001]
    assert split_evenly(5000, 5) == [1000] * 5


def test_a_packet_only_one_receiver_missed_is_lost() -> None:
    class Read:
        def __init__(self) -> None:
            self.slots = {"audio-1": Counted(), "main": Counted()}

        def hear(self, sound: int, picture: list[int]) -> None:
            for seq in range(sound):
                self.slots["audio-1"].count(seq)
            for seq in picture:
                self.slots["main"].count(seq)

    whole, gap, nothing = Read(), Read(), Read()
    crowd = Crowd()
    crowd.receivers = [whole, gap, nothing]  # type: ignore[list-item]
    whole.hear(2, [7])  # before the mark
    crowd.mark()

    whole.hear(2, [65534, 65535, 0, 1])
    gap.hear(2, [65534, 0, 1])

    assert crowd.tally(Fed(sound=2, picture=4)) == Tally(arrived=6 + 5, lost=0 + 1 + 6, complete=1)


def test_packets_with_a_transport_wide_number_are_told_back_and_others_only_counted() -> None:
    class Read(Receiver):
        def __init__(self, sock: socket.socket) -> None:
            self.socket = sock
            self.slots = {"main": Counted()}
            self.by_ssrc = {7: self.slots["main"]}
            self.arrivals = ArrivalRecorder()
            self._sent = self._wraps_s = 0.0

    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as to,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out,
    ):
        to.bind(("127.0.0.1", 0))
        out.connect(to.getsockname())
        read = Read(to)
        for seq, (number, at_s) in enumerate([(65535, 63.99), (0, 0.01), (1, 0.02)]):
            sent = int(at_s * (1 << 18)).to_bytes(3, "big")
            block = extension_block([(5, number.to_bytes(2, "big")), (4, sent)])
            out.send(build(96, seq, 0, 7, bytes(500), extensions=block))
        out.send(build(96, 3, 0, 7, bytes(500)))

        Drain().empty(read)

    assert read.slots["main"].packets == 4
    assert read.arrivals is not None
    (body,) = read.arrivals.feedback()
    assert int.from_bytes(body[:2], "big") == 65535
    assert int.from_bytes(body[2:4], "big") == 3
    assert list(body[11:13]) == [80, 40]  # the second and the third: 20 and 10 ms later, in 250 µs


def test_every_way_of_sending_is_measured() -> None:
    figures = egress.measure(20, 0.2, profile=0)

    assert set(figures) == {"sound", "frame_as_browsers_split", "frame_of_equals"}
    assert all(us > 0 for ways in figures.values() for us in ways.values())
