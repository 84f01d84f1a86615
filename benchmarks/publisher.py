"""One site that sends, in a process of its own: ``python -m benchmarks.publisher [ADDRESS]``.

Speaks JSON lines: tells its offer, is told the answer, says when it is connected, is told how much to send,
and says how much it has sent. A frame leaves at once and in packets of about equal size, as browsers split
it: sizes differ by at most one byte, the larger ones last. Each payload carries the time it left.
"""

import asyncio
import json
import random
import sys
import time
from typing import Any, Final

from benchmarks.drain import TIME
from room_manager.media.light import LightPeer, Sections
from room_manager.media.sfu import vp8

AUDIO_PPS: Final = 50
AUDIO_BYTES: Final = 120
FRAME_PACKETS: Final = 5
LARGEST_BYTES: Final = 1_170  # of a payload; with header, extension and tag this is 1 206 on the wire
SMALLEST_BYTES: Final = 1_050
KEYFRAME_S: Final = 1.0
SEED: Final = 579


def split_evenly(size: int, parts: int) -> list[int]:
    """Sizes that add up to ``size`` and differ by one at most, the larger last."""
    small, larger = divmod(size, parts)
    return [small] * (parts - larger) + [small + 1] * larger


class Publisher:
    """Sends frames and sound at a steady pace."""

    def __init__(self, peer: LightPeer) -> None:
        self._peer = peer
        self._random = random.Random(SEED)
        self._picture = 1
        self._clock_s = 0.0  # of the media; goes on where it was
        self.sound = self.picture = 0  # packets

    async def send(self, pps: float, seconds: float, share: float = 1.0) -> None:
        """So many packets a second, ``AUDIO_PPS`` of them sound; or this share of all that."""
        every = {"frame": FRAME_PACKETS / (pps - AUDIO_PPS) / share, "sound": 1 / AUDIO_PPS / share}
        began = time.monotonic()
        due = {"frame": began, "sound": began + 0.007}
        keyframe_at = began
        while True:
            what = min(due, key=lambda name: due[name])
            at = due[what]
            if at >= began + seconds:
                self._clock_s += seconds
                return
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            due[what] += every[what]
            if what == "sound":
                self._sound(self._clock_s + at - began)
            else:
                self._frame(self._clock_s + at - began, key=at >= keyframe_at)
                if at >= keyframe_at:
                    keyframe_at += KEYFRAME_S

    def _sound(self, at_s: float) -> None:
        payload = TIME.pack(time.time_ns()) + bytes(AUDIO_BYTES - TIME.size)
        self._peer.send_rtp("microphone", payload, timestamp=int(at_s * 48_000), level=20)
        self.sound += 1

    def _frame(self, at_s: float, *, key: bool) -> None:
        self._picture += 1
        size = self._random.randint(FRAME_PACKETS * SMALLEST_BYTES, FRAME_PACKETS * LARGEST_BYTES)
        for place, part in enumerate(split_evenly(size, FRAME_PACKETS)):
            head = vp8.descriptor(self._picture, starts_frame=place == 0) + (b"\0" if key else b"\1")
            payload = head + TIME.pack(time.time_ns())
            self._peer.send_rtp(
                "camera",
                payload + bytes(part - len(payload)),
                timestamp=int(at_s * 90_000),
                marker=place == FRAME_PACKETS - 1,
            )
            self.picture += 1


def say(**values: Any) -> None:
    """One line to whoever started us."""
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


async def hear() -> Any:
    """One line from there."""
    return json.loads(await asyncio.to_thread(sys.stdin.readline) or "{}")


async def main(host: str) -> None:
    """Join, send as told, leave."""
    peer = LightPeer(Sections(screen=False, audio_slots=0, video_slots=0, layers=()), host=host)
    say(offer=peer.offer())
    answer = await hear()
    await peer.accept(answer["sdp"], answer["slots"])
    await peer.connected()
    say(connected=True)
    publisher = Publisher(peer)
    while (order := await hear()).get("pps"):
        sound, picture = publisher.sound, publisher.picture
        await publisher.send(order["pps"], order["seconds"], order.get("share", 1.0))
        say(sound=publisher.sound - sound, picture=publisher.picture - picture)
    peer.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"))
