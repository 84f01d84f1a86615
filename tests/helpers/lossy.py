"""A UDP relay that loses packets, for lines nobody has here.

Only media is lost, every n-th packet in each direction, so that a run repeats itself.
"""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from room_manager.media.sfu.rtp import looks_like_rtcp

POLL_S: Final = 0.2


class LossyRelay:
    """Clients talk to ``port``; each gets a socket of its own towards the target."""

    def __init__(self, target: tuple[str, int], lose_every: int) -> None:
        self._target = target
        self._lose_every = lose_every
        self._front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._front.bind(("127.0.0.1", 0))
        self._backs: dict[tuple[str, int], socket.socket] = {}
        self._clients: dict[socket.socket, tuple[str, int]] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._front, selectors.EVENT_READ)
        self._passed = {"up": 0, "down": 0}
        self.lost = {"up": 0, "down": 0}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where clients should send."""
        return int(self._front.getsockname()[1])

    def close(self) -> None:
        """End the relay."""
        self._ending.set()
        self._thread.join(10)
        for back in (self._front, *self._backs.values()):
            back.close()
        self._selector.close()

    def _run(self) -> None:
        while not self._ending.is_set():
            for key, _ in self._selector.select(POLL_S):
                sock = key.fileobj
                assert isinstance(sock, socket.socket)
                data, address = sock.recvfrom(2048)
                if sock is self._front:
                    if self._keeps(data, "up"):
                        self._back(address).send(data)
                elif self._keeps(data, "down"):
                    self._front.sendto(data, self._clients[sock])

    def _back(self, client: tuple[str, int]) -> socket.socket:
        back = self._backs.get(client)
        if back is None:
            back = self._backs[client] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            back.connect(self._target)
            self._clients[back] = client
            self._selector.register(back, selectors.EVENT_READ)
        return back

    def _keeps(self, data: bytes, way: str) -> bool:
        if data and data[0] > 127 and not looks_like_rtcp(data):
            self._passed[way] += 1
            if self._passed[way] % self._lose_every == 0:
                self.lost[way] += 1
                return False
        return True


@contextmanager
def lossy(target: tuple[str, int], lose_every: int) -> Iterator[LossyRelay]:
    """A relay, gone at the end."""
    relay = LossyRelay(target, lose_every)
    try:
        yield relay
    finally:
        relay.close()
