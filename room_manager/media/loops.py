"""Loops of pictures and sound encoded beforehand, and playing them in time.

A loop is made by ``make_loops.py`` beside this file and shipped in ``data``. Nothing is encoded here: a
player only numbers frames and hands out payloads when they are due.
"""

import secrets
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Final

import msgspec
from msgspec import Struct

from room_manager.media.sfu import vp8

VIDEO_CLOCK_HZ: Final = 90_000
AUDIO_CLOCK_HZ: Final = 48_000
AUDIO_FRAME_S: Final = 0.02
PAYLOAD_BYTES: Final = 1100
LATEST_S: Final = 0.5  # a player later than this skips instead of catching up

Send = Callable[[str, str, bytes, int, bool, int | None], None]
"""Kind, layer, payload, timestamp, marker, audio level."""


class Layer(Struct, frozen=True):
    """One simulcast layer: encoded VP8 frames."""

    name: str
    width_px: int
    height_px: int
    frames: tuple[bytes, ...]


class Sound(Struct, frozen=True):
    """Opus packets of 20 ms with the level each carries (RFC 6464)."""

    packets: tuple[bytes, ...]
    levels: tuple[int, ...]


class Loop(Struct, frozen=True):
    """A picture in layers that share their frame times, and a sound."""

    name: str
    frames_per_s: int
    keyframes: tuple[int, ...]  # frame numbers at which every layer can be entered
    layers: tuple[Layer, ...]
    sound: Sound
    temporal_layers: int = 1  # 2: every second frame may be left out


_decoder: Final = msgspec.msgpack.Decoder(Loop)


@cache
def shipped() -> tuple[Loop, ...]:
    """The loops that come with the package, marked as simulated in their picture."""
    folder = resources.files("room_manager.media").joinpath("data")
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".bin")), key=lambda e: e.name)
    return tuple(_decoder.decode(entry.read_bytes()) for entry in files)


class LoopPlayer:
    """Plays one loop for one sender."""

    def __init__(self, loop: Loop, send: Send, *, layers: tuple[str, ...], voice: bool) -> None:
        self.loop = loop
        self._send = send
        self.layers = layers
        self.voice = voice
        self._frame = 0
        self._packet = secrets.randbelow(len(loop.sound.packets))
        self._picture = secrets.randbits(14)
        self._video_timestamp = secrets.randbits(31)
        self._audio_timestamp = secrets.randbits(31)
        self._video_due_at: float | None = None
        self._audio_due_at = 0.0
        self._jump = False
        self._base = 0  # TL0PICIDX

    def change(self, loop: Loop, *, layers: tuple[str, ...], voice: bool) -> None:
        """Play this from now on, beginning with a keyframe; the numbers go on."""
        if loop is not self.loop or layers != self.layers:
            self._jump = True
        if loop is not self.loop:
            self.loop = loop
            self._frame = self._packet = 0
        self.layers = layers
        self.voice = voice

    def jump_to_keyframe(self) -> None:
        """The next frame played is one a decoder can begin with."""
        self._jump = True

    def timestamp(self, kind: str) -> int:
        """The timestamp last sent, for sender reports."""
        return (self._audio_timestamp if kind == "microphone" else self._video_timestamp) & 0xFFFFFFFF

    def advance(self, now: float) -> None:
        """Send what is due by now."""
        if self._video_due_at is None:
            # A random start, so that hundreds of players do not send in the same moment.
            self._video_due_at = now + secrets.randbelow(1000) / 1000 / self.loop.frames_per_s
            self._audio_due_at = now + secrets.randbelow(1000) / 1000 * AUDIO_FRAME_S
        elif now - self._video_due_at > LATEST_S:
            self._video_timestamp += int((now - self._video_due_at) * VIDEO_CLOCK_HZ)
            self._audio_timestamp += int((now - self._audio_due_at) * AUDIO_CLOCK_HZ)
            self._video_due_at = self._audio_due_at = now
        while self._video_due_at <= now:
            self._play_frame()
            self._video_due_at += 1 / self.loop.frames_per_s
        while self._audio_due_at <= now:
            self._play_sound()
            self._audio_due_at += AUDIO_FRAME_S

    def _play_frame(self) -> None:
        loop = self.loop
        if self._jump:
            self._jump = False
            self._frame = next((k for k in loop.keyframes if k >= self._frame), loop.keyframes[0])
        self._picture = (self._picture + 1) & 0x7FFF
        self._video_timestamp += VIDEO_CLOCK_HZ // loop.frames_per_s
        temporal = None
        if loop.temporal_layers > 1:
            temporal = 0 if self._frame in loop.keyframes else self._frame % 2
            self._base = (self._base + (temporal == 0)) & 0xFF
        for layer in loop.layers:
            if layer.name in self.layers:
                frame = layer.frames[self._frame]
                for at in range(0, len(frame), PAYLOAD_BYTES):
                    head = vp8.descriptor(
                        self._picture,
                        starts_frame=at == 0,
                        temporal=temporal,
                        tl0=self._base,
                        sync=temporal == 1,
                    )
                    last = at + PAYLOAD_BYTES >= len(frame)
                    payload = head + frame[at : at + PAYLOAD_BYTES]
                    self._send("camera", layer.name, payload, self._video_timestamp & 0xFFFFFFFF, last, None)
        self._frame = (self._frame + 1) % len(loop.layers[0].frames)

    def _play_sound(self) -> None:
        self._audio_timestamp += int(AUDIO_CLOCK_HZ * AUDIO_FRAME_S)
        sound = self.loop.sound
        self._packet = (self._packet + 1) % len(sound.packets)
        if self.voice:
            level = sound.levels[self._packet]
            timestamp = self._audio_timestamp & 0xFFFFFFFF
            self._send("microphone", "", sound.packets[self._packet], timestamp, False, level)
