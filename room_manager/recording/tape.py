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
from room_manager.recording.voice import AHEAD_S, OneVoice
from room_manager.recording.vp8 import Vp8Frames, size_of

PICTURES: Final[tuple[Track, ...]] = ("main", "content")
NOMINAL_PX: Final = (1280, 720)
KEYFRAME_AGAIN_S: Final = 1.0
KEYFRAME_EVERY_S: Final = 30.0
"""A player can jump only to keyframes, and browsers make none unless asked."""

SLOTS: Final[dict[str, Track]] = {"main": "main", "content": "content"}
SOUND_SLOTS: Final = ("audio-1", "audio-2", "audio-3")


class Tape:
    """One recording's streams. ``began_at`` is where its time begins, on the caller's clock."""

    def __init__(self, codec: Codec, began_at: float, level_id: int | None = None) -> None:
        """``level_id``: of the header extension that carries audio levels, None: none does."""
        self.codec: Codec = codec
        self._began_at = began_at
        self._timelines = {track: Timeline(hz) for track, hz in CLOCK_HZ.items()}
        self._sequencers: dict[Track, Sequencer] = {}
        self._pictures: dict[Track, Vp8Frames | h264.H264Frames] = {}
        self._asked_at: dict[Track, float] = {}
        self._sound = OneVoice(level_id)
        self._held: list[tuple[float, Block]] = []  # pictures wait for the sound, which looks ahead
        self._seen: set[Track] = set()  # pictures of which something has come since the last rejoin
        self.sizes: dict[Track, tuple[int, int]] = {}
        self.configurations: dict[Track, bytes] = {}
        self.anew(level_id)

    def anew(self, level_id: int | None) -> None:
        """Whatever follows are other streams: the receiver has joined again."""
        self._sequencers = {track: Sequencer() for track in PICTURES}
        self._sound = OneVoice(level_id)
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
        elif slot in SOUND_SLOTS:
            self._sound.put(slot, packet)

    def pull(self, now: float, *, last: bool = False) -> list[Block]:
        """What has become complete up to :data:`AHEAD_S` ago; ``last``: up to now."""
        for track, sequencer in self._sequencers.items():
            for packet, lost in sequencer.take(now):
                frame = self._pictures[track].take(packet, lost)
                if frame is not None:
                    if frame.key:
                        self._learn(track, frame)
                    self._held.append((now, self._block(track, frame, now)))
        blocks = []
        for arrived_at, frame, anew in self._sound.pull(now, last=last):
            if anew:
                self._timelines["sound"].anew()
            blocks.append(self._block("sound", frame, arrived_at))
        until = now if last else now - AHEAD_S
        blocks += [block for at, block in self._held if at <= until]
        self._held = [(at, block) for at, block in self._held if at > until]
        return blocks

    def missing(self) -> dict[Track, list[int]]:
        """Sequence numbers to ask for again, by track; each is told once."""
        found = {track: sequencer.missing() for track, sequencer in self._sequencers.items()}
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

    def _block(self, track: Track, frame: Frame, arrived_at: float) -> Block:
        at_ms = self._timelines[track].at(frame.timestamp, (arrived_at - self._began_at) * 1000)
        return Block(at_ms, track, frame.key, self._kept(frame, track))

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
