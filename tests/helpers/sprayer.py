"""Somebody on the network who means ill: ``python -m tests.helpers.sprayer PORT RATE SECONDS UFRAG``.

Sprays one loopback port from a single socket with everything that costs a careless server something, at
RATE packets a second, and says at the end how many were sent. Runs in a process of its own.
"""

import os
import socket
import sys
import time
from typing import Final

from room_manager.media.sfu.dtls import Handshake, Identity
from room_manager.media.sfu.ice import binding_request

BURST_S: Final = 0.002
VARIANTS: Final = 64


def ammunition(ufrag: str) -> list[bytes]:
    """What is sprayed, in turn: ClientHellos, short records, SRTP and SRTCP of nobody, forged checks."""
    hello = Handshake(Identity(), "sha-256", bytes(32), server=False).start()[0]
    rounds: list[bytes] = []
    for number in range(VARIANTS):
        rounds += [
            hello,
            b"\x16\xfe\xfd" + os.urandom(number % 10),
            b"\x15\xfe\xfd\0\0\0\0\0\0\0\0\0\2\2\x28",
            b"\x80\x60" + os.urandom(40 + number * 16),
            b"\x80\xc9" + os.urandom(30),
            binding_request("x" * 8, ufrag, f"a guess {number}", number),
            binding_request("x" * 8, f"nobody{number}", "password", number),
            b"\0\1\0\x08\x21\x12\xa4\x42" + os.urandom(20),
            bytes([number * 4 % 256]) + os.urandom(number),
        ]
    return rounds


def spray(port: int, rate: int, seconds: float, ufrag: str) -> int:
    """Returns how many were sent."""
    rounds, sent = ammunition(ufrag), 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", port))
        sock.setblocking(False)
        print("spraying", flush=True)
        begun = time.monotonic()
        while (elapsed := time.monotonic() - begun) < seconds:
            while sent < elapsed * rate:
                try:
                    sock.send(rounds[sent % len(rounds)])
                except OSError:
                    pass  # nobody listens for a moment
                sent += 1
            time.sleep(BURST_S)
    return sent


if __name__ == "__main__":
    print(spray(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]), flush=True)
