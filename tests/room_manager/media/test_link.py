"""The emulated line itself: what it does to packets, so that what is tested across it can be believed."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from benchmarks.mortal import mortal
from tests.helpers.link import FAR_ADDRESS, GOOD, NEAR_ADDRESS, Direction, Link, both, link, why_no_link

pytestmark = [pytest.mark.netns, pytest.mark.timeout(60)]

PING = """
import json, socket, sys, time
near, far, count, size, pause = sys.argv[1], sys.argv[2], *map(float, sys.argv[3:6])
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((near, 0)); sock.connect((far, 9999)); sock.setblocking(False)
trips, sent, due, number = [], {}, time.monotonic(), 0
end = due + count * pause + 3
while time.monotonic() < end and (number < count or len(trips) < count):
    now = time.monotonic()
    if number < count and now >= due:
        sent[number] = now
        sock.send(number.to_bytes(4, "big") + bytes(int(size) - 4))
        number += 1; due += pause
    try:
        data = sock.recv(2048)
        trips.append(time.monotonic() - sent[int.from_bytes(data[:4], "big")])
    except OSError:
        time.sleep(0.0005)
print(json.dumps(sorted(trips)))
"""
ECHO = """
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((sys.argv[1], 9999)); print("ready", flush=True)
while True:
    data, peer = sock.recvfrom(2048); sock.sendto(data, peer)
"""


@pytest.fixture(scope="module")
def line() -> Iterator[Link]:
    """A line with somebody at the far end who sends everything back."""
    reason = why_no_link()
    if reason is not None:
        pytest.skip(reason)
    with link() as made:
        echo = subprocess.Popen(
            mortal(made.at_far([sys.executable, "-c", ECHO, FAR_ADDRESS])), stdout=subprocess.PIPE, text=True
        )
        try:
            assert echo.stdout is not None
            assert echo.stdout.readline() == "ready\n"
            yield made
        finally:
            echo.kill()
            echo.wait(10)
            assert echo.stdout is not None
            echo.stdout.close()


def pinged(line: Link, count: int, size: int = 100, pause_s: float = 0.002) -> list[float]:
    """The round trips of those that came back, shortest first."""
    words = [sys.executable, "-c", PING, NEAR_ADDRESS, FAR_ADDRESS, str(count), str(size), str(pause_s)]
    done = subprocess.run(line.at_near(words), capture_output=True, text=True, check=True, timeout=30)
    trips: list[float] = json.loads(done.stdout)
    return trips


def test_a_good_line_loses_nothing(line: Link) -> None:
    before = line.shape(GOOD)

    assert len(pinged(line, 200)) == 200

    after = line.counts()
    assert after.down[0] - before.down[0] >= 200
    assert after.down[1:] == before.down[1:]


def test_delay_is_at_least_what_was_asked_for_and_loss_about(line: Link) -> None:
    line.shape(both(Direction(delay_s=0.15, loss=0.2)))

    trips = pinged(line, 400)

    assert trips[0] >= 0.3
    assert 0.45 < len(trips) / 400 < 0.8  # 0.64 is expected of two ways


def test_a_thin_line_queues_up_to_its_bound_and_drops_beyond(line: Link) -> None:
    before = line.shape(both(Direction(bps=64_000, queue_s=0.3)))

    trips = pinged(line, 60, size=500)

    assert 0 < len(trips) < 60
    assert trips[-1] >= 0.25
    assert line.counts().down[2] > before.down[2]


def test_a_cut_line_carries_nothing_until_it_is_mended(line: Link) -> None:
    line.shape(both(Direction(cut=True)))
    assert pinged(line, 20) == []

    line.shape(GOOD)
    assert len(pinged(line, 20)) == 20
