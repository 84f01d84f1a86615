"""What sending one packet to one receiver costs, for each way of sending.

``python -m benchmarks.egress --json -``

In one process, taking turns every few milliseconds, so that whatever else the machine does hits all alike;
CPU time of the thread. A child empties the receivers' sockets. It is loopback, so the receiving half of the
kernel's way is in the figures, which a network card would not show.
"""

import argparse
import os
import random
import socket
import statistics
import sys
import time
from typing import Any, Final

from benchmarks.drain import BUFFER_BYTES, Drain
from benchmarks.publisher import FRAME_PACKETS, LARGEST_BYTES, SMALLEST_BYTES, split_evenly
from benchmarks.report import machine, print_json
from room_manager.media.sfu.audience import UNMARKED, UNSHIFTED, Audience, Marks, Row, Shifts
from room_manager.media.sfu.batch import BatchEgress
from room_manager.media.sfu.rtp import build, extension_block
from room_manager.media.sfu.send_log import SendLog
from room_manager.media.sfu.srtp import PROFILES, Keys, material_bytes
from room_manager.media.sfu.udp import PlainEgress, Receiver, open_port

PAUSE_S: Final = 0.004
SWEEP_S: Final = 0.05
SOUND_BYTES: Final = 120
BLOCK: Final = extension_block([(5, b"\0\0")])
MARKS: Final = Marks(picture_at=22, layer_at=24, number_at=17)
MAX_RECEIVERS: Final = 900
MAX_SECONDS: Final = 60.0


class Sending:
    """One way of sending, with receivers and keys of its own behind the same sockets."""

    def __init__(
        self,
        egress: BatchEgress | PlainEgress,
        sockets: list[socket.socket],
        profile: int,
        *,
        own_numbers: bool = False,
    ) -> None:
        """``own_numbers``: each receiver has numbers of its own, and a line that is measured."""
        self._egress = egress
        self._marks = MARKS if own_numbers else UNMARKED
        self._seq = 0
        kind = PROFILES[profile]
        rows = []
        for number, sock in enumerate(sockets):
            receiver = Receiver()
            receiver.secure(Keys(kind, os.urandom(material_bytes(kind)), server=True))
            receiver.move(sock.getsockname())
            shifts, log = (
                (Shifts(number + 1, number, number, 1), SendLog()) if own_numbers else (UNSHIFTED, None)
            )
            rows.append(Row(receiver, number, shifts, log))
        self._audience = Audience(rows)

    def send(self, sizes: list[int]) -> float:
        """A frame to everybody; returns µs per packet and receiver."""
        plains = [
            build(96, self._seq + n, 0, 0, bytes(size), extensions=BLOCK) for n, size in enumerate(sizes)
        ]
        self._seq += len(sizes)
        before_s = time.thread_time()
        for plain in plains:
            self._egress.fan(plain, self._audience, self._marks, more=True)
        self._egress.flush()
        return (time.thread_time() - before_s) * 1e6 / (len(sizes) * len(self._audience))


def empty_for(sockets: list[socket.socket], seconds: float) -> None:
    drain, until = Drain(), time.monotonic() + seconds
    while time.monotonic() < until:
        for sock in sockets:
            drain.skip(sock.fileno())
        time.sleep(SWEEP_S)


def measure(count: int, seconds: float, profile: int) -> dict[str, Any]:
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for sock in sockets:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        sock.bind(("127.0.0.1", 0))
    child = os.fork()
    if child == 0:
        empty_for(sockets, seconds + 0.5)
        os._exit(0)
    port = open_port("127.0.0.1", 0)
    ways = {
        "plain": Sending(PlainEgress(port), sockets, profile),
        "batch": Sending(BatchEgress(port, segmented=False), sockets, profile),
        "batch_gso": Sending(BatchEgress(port), sockets, profile),
        "batch_gso_own_numbers": Sending(BatchEgress(port), sockets, profile, own_numbers=True),
    }
    rng = random.Random(0)
    spent: dict[str, dict[str, list[float]]] = {}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        largest = rng.randint(SMALLEST_BYTES, LARGEST_BYTES) * FRAME_PACKETS - rng.randrange(FRAME_PACKETS)
        shapes = {
            "sound": [SOUND_BYTES],
            "frame_as_browsers_split": split_evenly(largest, FRAME_PACKETS),
            "frame_of_equals": [LARGEST_BYTES] * FRAME_PACKETS,
        }
        for shape, sizes in shapes.items():
            for name, way in rng.sample(sorted(ways.items()), len(ways)):
                spent.setdefault(shape, {}).setdefault(name, []).append(way.send(sizes))
                time.sleep(PAUSE_S)
    os.waitpid(child, 0)
    for sock in (*sockets, port):
        sock.close()
    return {
        shape: {f"{name}_us": round(statistics.median(values), 2) for name, values in of_shape.items()}
        for shape, of_shape in spent.items()
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.egress", description=__doc__)
    parser.add_argument("--sites", type=int, default=579)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--profile", choices=("gcm", "cm"), default="gcm")
    parser.add_argument("--json", default="-", metavar="FILE", help="where to write, - for standard output")
    options = parser.parse_args()
    if not 1 <= options.sites <= MAX_RECEIVERS or not 0 < options.seconds <= MAX_SECONDS:
        parser.error(f"1 to {MAX_RECEIVERS} sites, up to {MAX_SECONDS:.0f} seconds")
    before = machine()
    figures = measure(options.sites, options.seconds, 0 if options.profile == "gcm" else 1)
    print_json(
        {"sites": options.sites, "profile": options.profile, **figures, "machine": before}, options.json
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
