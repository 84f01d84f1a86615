"""The sockets over which workers hand packets to each other: one pair for every two workers.

Datagram pairs, inherited: nobody else can reach them, and they outlive a worker, whose successor gets the
same end. Our own copies are never read or written.
"""

import socket
from typing import Final

BUFFER_BYTES: Final = 4 << 20  # about a second of thirty pictures; the kernel may give less


class Links:
    """All pairs of one engine."""

    def __init__(self, workers: int) -> None:
        self._ends: list[dict[int, socket.socket]] = [{} for _ in range(workers)]
        for one in range(workers):
            for other in range(one + 1, workers):
                ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
                for end in ends:
                    end.setblocking(False)
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
                self._ends[one][other], self._ends[other][one] = ends

    def of(self, worker: int) -> dict[int, socket.socket]:
        """This worker's ends, by the number of the worker at the other end."""
        return self._ends[worker]

    def close(self) -> None:
        """Free ours. Idempotent."""
        for ends in self._ends:
            for end in ends.values():
                end.close()
