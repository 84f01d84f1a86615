"""All receivers of one run: who reads them, what has come, and what they say back."""

import asyncio
from typing import Final

from msgspec import Struct

from benchmarks.drain import Drain, Receiver, Verifier
from benchmarks.feed import Fed
from room_manager.media.light import LightPeer
from room_manager.media.sfu import rtcp
from room_manager.media.sfu.twcc import ArrivalRecorder

VERIFYING: Final = 12
SWEEP_S: Final = 0.05
REPORT_S: Final = 1.0
TURN: Final = 16  # receivers read before others get a turn
SOUNDS: Final = ("programme", "audio-1")  # what is called what by us, and by another server
PICTURE: Final = "main"


class Tally(Struct, frozen=True):
    """Since the last mark, of everybody who is read."""

    arrived: int
    lost: int
    complete: int  # receivers that got everything


class Crowd:
    """Drained, all are read; else only the verifying ones, and the kernel drops what does not fit."""

    def __init__(self, *, drained: bool = True, reports: bool = False, transport_wide: bool = False) -> None:
        """What all send back, as browsers do: a receiver report a second (RFC 3550, section 6.2), and for
        packets that carry transport-wide numbers their arrivals, 20 times a second."""
        self._drained = drained
        self._reports = reports
        self._transport_wide = transport_wide
        self.told_back = 0  # transport-wide feedback
        self._drain = Drain()
        self._marks: list[tuple[int, int]] = []
        self.receivers: list[Receiver] = []
        self.verifiers: list[Verifier] = []

    def take(self, peers: list[LightPeer]) -> None:
        """Read in their place; the verifying ones are spread over the order they joined in."""
        self.receivers = [Receiver(peer) for peer in peers]
        count = min(VERIFYING, len(peers))
        places = {round(n * (len(peers) - 1) / max(1, count - 1)) for n in range(count)}
        loop = asyncio.get_running_loop()
        for place in sorted(places):
            verifier = Verifier(self.receivers[place])
            self.verifiers.append(verifier)
            loop.add_reader(verifier.receiver.socket.fileno(), verifier.readable)
        self._counting = [r for n, r in enumerate(self.receivers) if n not in places]
        for receiver in self._counting if self._transport_wide else ():
            receiver.arrivals = ArrivalRecorder()
        self.mark()

    async def sweep(self) -> None:
        """Empty the counting ones and let all report, for ever."""
        loop = asyncio.get_running_loop()
        every = REPORT_S / max(1, len(self.receivers))
        reporting, due = 0, loop.time()
        while True:
            for place, receiver in enumerate(self._counting if self._drained else ()):
                self._drain.empty(receiver)
                if receiver.arrivals is not None:
                    self._tell_back(receiver, receiver.arrivals.feedback())
                if place % TURN == 0:
                    await asyncio.sleep(0)
            while self._reports and due <= loop.time():
                self._report(self.receivers[reporting % len(self.receivers)])
                reporting, due = reporting + 1, due + every
            await asyncio.sleep(SWEEP_S)

    def mark(self) -> None:
        """Count from here."""
        self._marks = [_counts(receiver) for receiver in self._read()]
        for verifier in self.verifiers:
            verifier.added_s.clear()

    def tally(self, fed: Fed) -> Tally:
        """What has come of what was fed since the mark."""
        arrived = lost = complete = 0
        for receiver, (sound, picture) in zip(self._read(), self._marks, strict=True):
            now = _counts(receiver)
            missing = max(0, fed.sound - (now[0] - sound)) + max(0, fed.picture - (now[1] - picture))
            arrived += now[0] - sound + now[1] - picture
            lost += missing
            complete += not missing
        return Tally(arrived, lost, complete)

    def arrived(self) -> int:
        """Packets so far, of everybody who is read."""
        return sum(sum(_counts(receiver)) for receiver in self._read())

    def added_s(self) -> list[float]:
        """How long packets were on their way since the mark, as the verifying ones saw it."""
        return [s for verifier in self.verifiers for s in verifier.added_s]

    def close(self) -> None:
        for receiver in self.receivers:
            receiver.peer.close()

    def _read(self) -> list[Receiver]:
        return self.receivers if self._drained else [v.receiver for v in self.verifiers]

    def _tell_back(self, receiver: Receiver, bodies: list[bytes]) -> None:
        for body in bodies:
            receiver.peer.send_control(rtcp.transport_wide(1, 0, body))
            self.told_back += 1

    @staticmethod
    def _report(receiver: Receiver) -> None:
        blocks = [
            rtcp.Block(ssrc, 0, 0, counted.highest, 0, 0, 0)
            for ssrc, counted in receiver.by_ssrc.items()
            if counted.first is not None
        ]
        if blocks:
            receiver.peer.send_control(rtcp.receiver_report(1, blocks))


def _counts(receiver: Receiver) -> tuple[int, int]:
    sound = next(receiver.slots[name] for name in SOUNDS if name in receiver.slots)
    return sound.packets, receiver.slots[PICTURE].packets
