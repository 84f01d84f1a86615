"""A site that speaks, in a process of its own: ``python -m benchmarks.speaker MARK [ADDRESS]``.

Sends a steady picture and sound; a keyframe when one is asked for, as an encoder does, with its next frame.
Packets tell by their size alone whose they are and whether they belong to a keyframe, so that hundreds of
receivers need not decrypt: a size of ``MARK`` modulo 4, from ``KEY_BYTES`` up for keyframes.
"""

import asyncio
import sys
import time
from typing import Final

from benchmarks.publisher import AUDIO_BYTES, AUDIO_PPS, FRAME_PACKETS, hear, say
from room_manager.media.light import LightPeer, Sections
from room_manager.media.sfu import vp8

FRAMES_PER_S: Final = 26
KEY_BYTES: Final = 1_100  # of a payload
DELTA_BYTES: Final = 900
MARKS: Final = 4


class Speaker:
    """``on``: the picture is wanted."""

    def __init__(self, peer: LightPeer, mark: int) -> None:
        self._peer = peer
        self._mark = mark
        self._picture = 0
        self._answered = 0  # keyframe requests
        self._sent_before = False
        self.on = True

    async def run(self) -> None:
        """For ever."""
        began = time.monotonic()
        sound_at = frame_at = 0.0
        while True:
            at = min(sound_at, frame_at)
            await asyncio.sleep(max(0.0, began + at - time.monotonic()))
            if sound_at == at:
                self._peer.send_rtp("microphone", bytes(AUDIO_BYTES), timestamp=int(at * 48_000), level=20)
                sound_at += 1 / AUDIO_PPS
            else:
                self._frame(at)
                frame_at += 1 / FRAMES_PER_S

    def _frame(self, at_s: float) -> None:
        if not self.on:
            self._sent_before = False
            return
        asked = self._peer.keyframe_requests
        key = not self._sent_before or asked != self._answered
        self._answered, self._sent_before = asked, True
        self._picture += 1
        size = (KEY_BYTES if key else DELTA_BYTES) + self._mark
        for place in range(FRAME_PACKETS):
            head = vp8.descriptor(self._picture, starts_frame=place == 0) + (b"\0" if key else b"\1")
            self._peer.send_rtp(
                "camera",
                head + bytes(size - len(head)),
                timestamp=int(at_s * 90_000),
                marker=place == FRAME_PACKETS - 1,
            )


async def main(mark: int, host: str) -> None:
    """Join, send, obey, leave."""
    peer = LightPeer(Sections(screen=False, audio_slots=0, video_slots=0, layers=()), host=host)
    say(offer=peer.offer())
    answer = await hear()
    await peer.accept(answer["sdp"], answer["slots"])
    await peer.connected()
    say(connected=True)
    speaker = Speaker(peer, mark)
    sending = asyncio.create_task(speaker.run())
    while order := await hear():
        speaker.on = order["picture"]
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    peer.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1"))
