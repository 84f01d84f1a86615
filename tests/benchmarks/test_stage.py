"""The benchmarks of a whole meeting measure what they say, on a small one."""

import asyncio
import socket
import time

import pytest

from benchmarks import soak, stage_switch
from benchmarks.arrivals import Arrivals
from room_manager.media.sfu.rtp import build


def test_a_new_speaker_is_seen_everywhere_without_a_second_offer() -> None:
    figures = asyncio.run(stage_switch.measure(sites=6, switches=4))

    assert figures["sites"] == 6
    assert figures["not_seen"] == 0
    assert figures["renegotiations"] == 0
    assert 0 < figures["p50_ms"] <= figures["p99_ms"]


def test_coming_and_going_is_counted_and_leaves_nothing_behind() -> None:
    figures = asyncio.run(soak.measure(sites=8, seconds=3))

    assert figures["returns"] > 0
    assert figures["failures"] == 0, figures["failed_with"]
    assert figures["leaked_sockets"] == figures["leaked_threads"] == 0
    assert figures["leaked_tasks"] <= 0


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_a_minute_of_coming_and_going_keeps_memory_flat() -> None:
    figures = asyncio.run(soak.measure(sites=60, seconds=40))

    assert figures["returns"] > 300
    assert figures["failures"] == 0, figures["failed_with"]
    assert figures["leaked_sockets"] == figures["leaked_threads"] == 0
    assert figures["leaked_tasks"] <= 0
    assert abs(figures["unit_drift_percent"]) <= 5


def test_arrivals_tell_size_and_time_of_media_and_pass_over_the_rest() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as to,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out,
    ):
        to.bind(("127.0.0.1", 0))
        to.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        out.connect(to.getsockname())
        Arrivals.stamp(to)
        before_ns = time.time_ns()
        for n in range(130):  # more than are read at once
            out.send(build(96, n, 0, 7, bytes(900 + n)))
        out.send(bytes([0x80, 200, 0, 1, 0, 0, 0, 7]) + bytes(8))  # a sender report
        out.send(b"\1" * 20)

        seen = list(Arrivals().of(to))

    assert [size for _, size, _ in seen] == [12 + 900 + n for n in range(130)]
    assert {ssrc for ssrc, _, _ in seen} == {7}
    assert all(before_ns <= at_ns <= time.time_ns() for _, _, at_ns in seen)
