"""From the packets of a receiver's slots to blocks of a file. Pure: the time is an argument.

Knows which slot is which track, what is missing, and for which picture a keyframe must be asked.
"""

from typing import Final

from room_manager.media.sfu.rtp import Packet
from room_manager.recording import h264, sps
from room_manager.recording.frames import CLOCK_HZ, Codec, Frame, Track
from room_manager.recording.matroska import Block
from room_manager.recording.sequencer import Sequencer
from room_manager.recording.timeline import Timeline
from room_manager.recording.vp8 import Vp8Frames, size_of

PICTURES: Final[tuple[Track, ...]] = ("main", "content")
NOMINAL_PX: Final = (1280, 720)
KEYFRAME_AGAIN_S: Final = 1.0
KEYFRAME_EVERY_S: Final = 30.0
"""A player can jump only to keyframes, and browsers make none unless asked."""

SLOTS: Final[dict[str, Track]] = {"main": "main", "content": "content", "programme": "sound"}


class Tape:
    """One recording's streams. ``began_at`` is where its time begins, on the caller's clock."""

    def __init__(self, codec: Codec, began_at: float) -> None:
        self.codec: Codec = codec
        self._began_at = began_at
        self._timelines = {track: Timeline(hz) for track, hz in CLOCK_HZ.items()}
        self._sequencers: dict[Track, Sequencer] = {}
        self._pictures: dict[Track, Vp8Frames | h264.H264Frames] = {}
        self._asked_at: dict[Track, float] = {}
        self._seen: set[Track] = set()  # pictures of which something has come since the last rejoin
        self.sizes: dict[Track, tuple[int, int]] = {}
        self.configurations: dict[Track, bytes] = {}
        self.anew()

    def anew(self) -> None:
        """Whatever follows are other streams: the receiver has joined again."""
        self._sequencers = {track: Sequencer() for track in CLOCK_HZ}
        self._pictures = {
            track: Vp8Frames() if self.codec == "vp8" else h264.H264Frames() for track in PICTURES
        }
        self._seen.clear()
        for timeline in self._timelines.values():
            timeline.anew()

    def put(self, slot: str, packet: Packet) -> None:
        """A packet of this slot has come. Other slots than ours are ignored."""
        track = SLOTS.get(slot)
        if track is not None:
            self._seen.add(track)
            self._sequencers[track].put(packet)

    def pull(self, now: float) -> list[Block]:
        """What has become complete."""
        now_ms = (now - self._began_at) * 1000
        blocks: list[Block] = []
        for track, sequencer in self._sequencers.items():
            for packet, lost in sequencer.take(now):
                frame = self._frame(track, packet, lost)
                if frame is not None:
                    at_ms = self._timelines[track].at(frame.timestamp, now_ms)
                    blocks.append(Block(at_ms, track, frame.key, self._kept(frame, track)))
        return blocks

    def missing(self) -> dict[Track, list[int]]:
        """Sequence numbers to ask for again, by track; each is told once."""
        found = {track: self._sequencers[track].missing() for track in PICTURES}  # sound is not repeated
        return {track: numbers for track, numbers in found.items() if numbers}

    def keyframes_to_ask(self, now: float) -> list[Track]:
        """Pictures that need a keyframe, or have had none for long; what is told is taken to be asked."""
        asked = []
        for track in PICTURES:
            every_s = KEYFRAME_AGAIN_S if self._pictures[track].wants_keyframe else KEYFRAME_EVERY_S
            if track in self._seen and now - self._asked_at.get(track, -KEYFRAME_EVERY_S) >= every_s:
                self._asked_at[track] = now
                asked.append(track)
        return asked

    def _frame(self, track: Track, packet: Packet, lost: bool) -> Frame | None:
        pictures = self._pictures.get(track)
        if pictures is None:
            data = packet.data[packet.start : packet.end]
            return Frame(packet.timestamp, data, key=True) if data else None
        frame = pictures.take(packet, lost)
        if frame is not None and frame.key:
            self._learn(track, frame)
        return frame

    def _learn(self, track: Track, frame: Frame) -> None:
        """What the head of the file says of a picture."""
        if self.codec == "vp8":
            size = size_of(frame.data)
        else:
            units = h264.units_of(frame.data)
            parameters = next((unit for unit in units if unit[0] & 0x1F == h264.SPS), b"")
            size = sps.size_of(parameters) if parameters else None
            self.configurations.setdefault(track, h264.configuration(frame.data))
        if size is not None:
            self.sizes.setdefault(track, size)

    def _kept(self, frame: Frame, track: Track) -> bytes:
        return frame.data if self.codec == "vp8" or track == "sound" else h264.length_prefixed(frame.data)
