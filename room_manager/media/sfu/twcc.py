"""When packets arrived, told back to the sender (draft-holmer-rmcat-transport-wide-cc-extensions-01).

A browser raises its bit rate only on this feedback; without it the top simulcast layer never comes.
"""

import struct
from typing import Final

from room_manager.media.sfu.rtp import unwrap

MAX_PENDING: Final = 512
MAX_LATE: Final = 64
MAX_STATUSES: Final = 2048  # told in one feedback, lost ones included
TICK_S: Final = 0.000_25
REFERENCE_S: Final = 0.064

_RECEIVED_SMALL: Final = 1
_RECEIVED_LARGE: Final = 2
_WORD: Final = struct.Struct("!H")
_SIGNED: Final = struct.Struct("!h")
_HEAD: Final = struct.Struct("!HH")


class ArrivalRecorder:
    """Collects the arrivals of one peer's packets until they are told."""

    __slots__ = ("_arrivals", "_count", "_late", "_newest", "_next")

    def __init__(self) -> None:
        self._arrivals: dict[int, float] = {}
        self._late: dict[int, float] = {}
        self._newest: int | None = None
        self._next: int | None = None  # first index not told yet
        self._count = 0

    def record(self, seq: int, now: float) -> None:
        """A packet with this 16-bit transport-wide number has arrived."""
        index = unwrap(seq, self._newest, 16) if self._newest is not None else seq
        if self._next is not None and index < self._next:
            if len(self._late) < MAX_LATE:  # told as lost, and here now
                self._late.setdefault(index, now)
            return
        if self._newest is None or index > self._newest:
            self._newest = index
        if len(self._arrivals) < MAX_PENDING:
            self._arrivals.setdefault(index, now)

    def feedback(self) -> list[bytes]:
        """Bodies of the feedback packets for everything recorded since the last call."""
        bodies = self._corrections()
        indices = sorted(self._arrivals)
        while indices:
            first = indices[0]
            if self._next is not None and first - self._next < MAX_STATUSES:
                first = self._next
            taken = 0
            reference = int(self._arrivals[indices[0]] / REFERENCE_S)
            clock = round(reference * REFERENCE_S / TICK_S)
            statuses: list[int] = []
            deltas = bytearray()
            for index in indices:
                if index - first >= MAX_STATUSES:
                    break
                ticks = round(self._arrivals[index] / TICK_S)
                delta = ticks - clock
                if not -0x8000 <= delta <= 0x7FFF:
                    break
                statuses += [0] * (index - first - len(statuses))
                if 0 <= delta <= 0xFF:
                    statuses.append(_RECEIVED_SMALL)
                    deltas.append(delta)
                else:
                    statuses.append(_RECEIVED_LARGE)
                    deltas += _SIGNED.pack(delta)
                clock = ticks
                taken += 1
            body = bytearray(_HEAD.pack(first & 0xFFFF, len(statuses)))
            body += (reference & 0xFFFFFF).to_bytes(3, "big")
            body.append(self._count & 0xFF)
            body += _chunks(statuses) + deltas
            body += b"\0" * (-len(body) % 4)
            bodies.append(bytes(body))
            self._count += 1
            self._next = first + len(statuses)
            indices = indices[taken:]
        self._arrivals.clear()
        return bodies

    def _corrections(self) -> list[bytes]:
        """One feedback for each packet that was told as lost and came late, and for nothing else.

        Senders keep what was reported lost, since it may be reported received later.
        """
        bodies: list[bytes] = []
        for index, at in self._late.items():
            reference = int(at / REFERENCE_S)
            delta = min(0xFF, round(at / TICK_S) - round(reference * REFERENCE_S / TICK_S))
            body = _HEAD.pack(index & 0xFFFF, 1) + (reference & 0xFFFFFF).to_bytes(3, "big")
            body += (
                bytes([self._count & 0xFF])
                + _WORD.pack(_RECEIVED_SMALL << 13 | 1)
                + bytes([max(0, delta), 0])
            )
            bodies.append(body)
            self._count += 1
        self._late.clear()
        return bodies


def _chunks(statuses: list[int]) -> bytes:
    """Packet status chunks: runs of equal statuses, else vectors of seven (section 3.1)."""
    out = bytearray()
    at, size = 0, len(statuses)
    while at < size:
        run = 1
        while at + run < size and run < 0x1FFF and statuses[at + run] == statuses[at]:
            run += 1
        if run >= 7 or at + run == size:
            out += _WORD.pack(statuses[at] << 13 | run)
            at += run
            continue
        vector = 0xC000
        for i, status in enumerate(statuses[at : at + 7]):
            vector |= status << (12 - 2 * i)
        out += _WORD.pack(vector)
        at += 7
    return bytes(out)
