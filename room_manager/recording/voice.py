"""One voice at a time out of the slots for sound: players play one track, and mixing would take decoding.

Pure. Whoever speaks keeps the track until a pause; then the loudest of those who speak gets it (levels of
RFC 6464). The choice looks a little ahead, so that a first syllable is not cut off.
"""

from collections import deque
from typing import Final, NamedTuple

from room_manager.ids import SiteId
from room_manager.media.sfu.levels import Levels
from room_manager.media.sfu.rtp import Packet
from room_manager.recording.frames import Frame
from room_manager.recording.sequencer import Sequencer

AHEAD_S: Final = 0.3
SILENT_S: Final = 0.5  # a slot without packets for so long holds nothing


class Heard(NamedTuple):
    """A frame of the chosen voice. ``anew``: another voice than before, on a clock of its own."""

    arrived_at: float
    frame: Frame
    anew: bool


class OneVoice:
    """The sound of a recording."""

    __slots__ = ("_chosen", "_last", "_level_id", "_levels", "_packet_at", "_sequencers", "_waiting")

    def __init__(self, level_id: int | None) -> None:
        """``level_id``: of the header extension that carries levels; None: there is none."""
        self._level_id = level_id
        self._levels = Levels()
        self._sequencers: dict[str, Sequencer] = {}
        self._waiting: dict[str, deque[tuple[float, Frame]]] = {}
        self._packet_at: dict[str, float] = {}
        self._chosen: str | None = None
        self._last: str | None = None

    def put(self, slot: str, packet: Packet) -> None:
        """A packet of one of the slots has come."""
        if slot not in self._sequencers:
            self._sequencers[slot] = Sequencer()
            self._waiting[slot] = deque()
        self._sequencers[slot].put(packet)

    def pull(self, now: float, *, last: bool = False) -> list[Heard]:
        """What is to be heard, up to :data:`AHEAD_S` ago; ``last``: up to now."""
        for slot, sequencer in self._sequencers.items():
            for packet, _ in sequencer.take(now):
                self._packet_at[slot] = now
                self._levels.heard(SiteId(slot), self._level(packet), now)
                data = packet.data[packet.start : packet.end]
                if data:
                    self._waiting[slot].append((now, Frame(packet.timestamp, data, key=True)))
        self._choose(now)
        found: list[Heard] = []
        until = now if last else now - AHEAD_S
        for slot, waiting in self._waiting.items():
            while waiting and waiting[0][0] <= until:
                arrived_at, frame = waiting.popleft()
                if slot == self._chosen:
                    found.append(Heard(arrived_at, frame, slot != self._last))
                    self._last = slot
        return found

    def _choose(self, now: float) -> None:
        speakers = [str(slot) for slot in self._levels.speaking(lambda _: True, now)]
        if self._chosen in speakers:
            return
        if speakers:
            self._chosen = speakers[0]
        elif self._chosen is None or now - self._packet_at[self._chosen] > SILENT_S:
            alive = [slot for slot, at in self._packet_at.items() if now - at <= SILENT_S]
            self._chosen = min(alive, default=self._chosen)

    def _level(self, packet: Packet) -> int | None:
        value = packet.extensions.get(self._level_id) if self._level_id is not None else None
        return value[0] & 0x7F if value else None
