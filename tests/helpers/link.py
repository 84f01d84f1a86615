"""A bad line between two network namespaces: a process that carries packets from one TUN device to another.

Kernels often come without ``sch_netem``, so delay, loss, rate, jitter and outages are made here, in user
space. Parameters change while it runs, randomness is seeded, and what was dropped is counted. Of the
machine's own network nothing is touched: namespaces, devices and process belong to the test and end with
it.
"""

import ctypes
import fcntl
import heapq
import json
import os
import random
import selectors
import struct
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Final

import msgspec
from msgspec import Struct

from tests.helpers.netns import IP, why_not

NEAR_ADDRESS: Final = "10.96.0.1"
FAR_ADDRESS: Final = "10.96.0.2"
MTU_BYTES: Final = 1_400
PATIENCE_S: Final = 20.0

_TUNSETIFF: Final = 0x400454CA
_IFF_TUN: Final = 0x0001
_IFF_NO_PI: Final = 0x1000
_CLONE_NEWNET: Final = 0x40000000
_TUN: Final = "/dev/net/tun"
_ROUND: Final = 64  # packets taken from one side before the other has its turn
_LONGEST_WAIT_S: Final = 0.05


class Direction(Struct, frozen=True):
    """What happens to packets on one way. ``bps`` None: no limit."""

    delay_s: float = 0.0
    jitter_s: float = 0.0  # ± around the delay, so a packet may overtake another
    loss: float = 0.0
    bps: float | None = None
    queue_s: float = 0.3  # what would wait longer before a limited line is dropped
    cut: bool = False


class Shape(Struct, frozen=True):
    """Both ways of a line: ``down`` from the near end to the far one."""

    down: Direction = Direction()
    up: Direction = Direction()


class Counts(Struct, frozen=True):
    """Packets taken in, dropped by loss or cut, and dropped because the queue was full; per way."""

    down: tuple[int, int, int]
    up: tuple[int, int, int]


GOOD: Final = Shape()


def both(direction: Direction) -> Shape:
    """The same both ways."""
    return Shape(direction, direction)


def why_no_link() -> str | None:
    """Why no such line can be made here, or None if it can."""
    reason = why_not()
    if reason is None and not os.access(_TUN, os.R_OK | os.W_OK):
        return f"{_TUN} cannot be opened"
    return reason


class Link:
    """The line at work."""

    def __init__(self, near: str, far: str, process: "subprocess.Popen[str]") -> None:
        self.near = near
        self.far = far
        self._process = process

    def at_near(self, command: Sequence[str]) -> list[str]:
        """The command, run in the near end's namespace."""
        return [_ip(), "netns", "exec", self.near, *command]

    def at_far(self, command: Sequence[str]) -> list[str]:
        """The command, run in the far end's namespace."""
        return [_ip(), "netns", "exec", self.far, *command]

    def inside_near(self) -> AbstractContextManager[None]:
        """Sockets and processes that this thread makes meanwhile belong to the near end for life."""
        return _inside(self.near)

    def inside_far(self) -> AbstractContextManager[None]:
        """The same at the far end."""
        return _inside(self.far)

    def shape(self, shape: Shape) -> Counts:
        """Be such a line from now on; returns what was counted so far."""
        return self._say(msgspec.json.encode(shape).decode())

    def counts(self) -> Counts:
        """What was counted so far."""
        return self._say("")

    def _say(self, line: str) -> Counts:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return msgspec.json.decode(_answer(self._process), type=Counts)


@contextmanager
def link(shape: Shape = GOOD, *, seed: int = 1) -> Iterator[Link]:
    """Two namespaces joined by this line. The near end has ``NEAR_ADDRESS``, the far one ``FAR_ADDRESS``."""
    mark = uuid.uuid4().hex[:6]
    spaces = (f"dc-near-{mark}", f"dc-far-{mark}")
    made: list[str] = []
    process: subprocess.Popen[str] | None = None
    try:
        for space in spaces:
            _do("netns", "add", space)
            made.append(space)
        root = Path(__file__).parents[2]
        process = subprocess.Popen(
            [sys.executable, __file__, *spaces, str(seed), msgspec.json.encode(shape).decode()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        assert _answer(process).strip() == "ready"
        yield Link(*spaces, process)
    finally:
        if process is not None:
            process.kill()
            process.wait(PATIENCE_S)
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
        for space in made:
            _do("netns", "del", space)


@contextmanager
def _inside(space: str) -> Iterator[None]:
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{space}", os.O_RDONLY)
    try:
        if libc.setns(there, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        try:
            yield
        finally:
            if libc.setns(home, _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(home)
        os.close(there)


def _do(*words: str) -> None:
    subprocess.run([_ip(), *words], check=True, capture_output=True, timeout=PATIENCE_S)


def _answer(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        if not selector.select(PATIENCE_S):
            raise TimeoutError("the line does not answer")
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"the line has ended with {process.wait(PATIENCE_S)}")
    return line


def _ip() -> str:
    assert IP is not None
    return IP


# --- the process between the namespaces ---


class Way:
    """One direction at work."""

    def __init__(self, out: int, rng: random.Random) -> None:
        self.direction = Direction()
        self.taken = self.lost = self.overflowed = 0
        self._out = out
        self._random = rng
        self._busy_until = 0.0
        self._under_way: list[tuple[float, int, bytes]] = []

    def take(self, packet: bytes, now: float) -> None:
        """A packet enters."""
        self.taken += 1
        way = self.direction
        if way.cut or self._random.random() < way.loss:
            self.lost += 1
            return
        at = now
        if way.bps is not None:
            at = max(now, self._busy_until)
            if at - now > way.queue_s:
                self.overflowed += 1
                return
            self._busy_until = at = at + len(packet) * 8 / way.bps
        at += max(0.0, way.delay_s + self._random.uniform(-way.jitter_s, way.jitter_s))
        heapq.heappush(self._under_way, (at, self.taken, packet))

    def deliver(self, now: float) -> float:
        """Let out what is due; returns when the next will be."""
        while self._under_way and self._under_way[0][0] <= now:
            try:
                os.write(self._out, heapq.heappop(self._under_way)[2])
            except OSError:
                pass  # the far end's device is full: as on any line
        return self._under_way[0][0] if self._under_way else now + _LONGEST_WAIT_S

    @property
    def counted(self) -> tuple[int, int, int]:
        return self.taken, self.lost, self.overflowed


def _device(space: str, address: str) -> int:
    """A TUN device in the namespace; returns its descriptor, which works from anywhere."""
    with _inside(space):
        device = os.open(_TUN, os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH", b"line0", _IFF_TUN | _IFF_NO_PI))
        for words in (
            ("link", "set", "lo", "up"),
            ("address", "add", f"{address}/30", "dev", "line0"),
            ("link", "set", "line0", "up", "mtu", str(MTU_BYTES), "txqueuelen", "2000"),
        ):
            _do(*words)
    return device


def _carry(near: int, far: int, seed: int, shape: Shape, orders: IO[str], answers: IO[str]) -> None:
    """Carry packets until there are no more orders."""
    down, up = Way(far, random.Random(seed)), Way(near, random.Random(seed + 1))
    down.direction, up.direction = shape.down, shape.up
    selector = selectors.DefaultSelector()
    selector.register(near, selectors.EVENT_READ, down)
    selector.register(far, selectors.EVENT_READ, up)
    selector.register(orders, selectors.EVENT_READ, None)
    answers.write("ready\n")
    answers.flush()
    next_at = time.monotonic()
    while True:
        for key, _ in selector.select(max(0.0, min(next_at - time.monotonic(), _LONGEST_WAIT_S))):
            way = key.data
            if way is None:
                line = orders.readline()
                if not line:
                    return
                if line.strip():
                    shape = msgspec.json.decode(line, type=Shape)
                    down.direction, up.direction = shape.down, shape.up
                answers.write(json.dumps({"down": down.counted, "up": up.counted}) + "\n")
                answers.flush()
                continue
            for _ in range(_ROUND):
                try:
                    packet = os.read(key.fd, 2048)
                except BlockingIOError:
                    break
                way.take(packet, time.monotonic())
        now = time.monotonic()
        next_at = min(down.deliver(now), up.deliver(now))


if __name__ == "__main__":
    _carry(
        _device(sys.argv[1], NEAR_ADDRESS),
        _device(sys.argv[2], FAR_ADDRESS),
        int(sys.argv[3]),
        msgspec.json.decode(sys.argv[4], type=Shape),
        sys.stdin,
        sys.stdout,
    )
