"""The process that takes stills: ``python -m room_manager.recording.looker FD``.

A wall like an operator's: it offers, and whenever its parent has told the engine what the slots show, it
waits for one keyframe in each, makes a small picture of it, tells it, and forgets it. It ends with its
parent.
"""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable
from typing import Final

from room_manager.media.light import ConnectFailed, LightPeer, Sections
from room_manager.media.sfu.rtp import Packet
from room_manager.recording import control
from room_manager.recording.answers import codec_of, original
from room_manager.recording.frames import Codec
from room_manager.recording.h264 import H264Frames
from room_manager.recording.jpeg import still
from room_manager.recording.sequencer import Sequencer
from room_manager.recording.vp8 import Vp8Frames

JOIN_PATIENCE_S: Final = 15.0
SETTLE_S: Final = 0.5
"""What still arrives may be of the site that a slot showed before: no face under another's name."""

LOOK_S: Final = 5.0
ASK_S: Final = 1.0
STEP_S: Final = 0.1
SLOTS: Final = 25
WALL: Final = Sections(
    microphone=False,
    camera=False,
    screen=False,
    audio_slots=0,
    video_slots=SLOTS,
    video_codecs=("VP8", "H264"),
)

logger = logging.getLogger("room_manager.stills")


class Looker:
    """One wall, and what is looked for in its slots."""

    def __init__(self, peer: LightPeer, codec: Codec, tell: Callable[[control.AnyReport], None]) -> None:
        self._peer = peer
        self._codec: Codec = codec
        self._tell = tell
        self._wanted: dict[str, tuple[Sequencer, Vp8Frames | H264Frames]] = {}
        peer.on_packet = self._put

    async def look(self, slots: tuple[str, ...]) -> None:
        """Tell a still of each slot in which a picture flows."""
        self._wanted.clear()
        await asyncio.sleep(SETTLE_S)
        for slot in slots:
            if slot in self._peer.slots:
                self._wanted[slot] = (Sequencer(), Vp8Frames() if self._codec == "vp8" else H264Frames())
        loop = asyncio.get_running_loop()
        until, ask_at = loop.time() + LOOK_S, 0.0
        while self._wanted and loop.time() < until:
            if loop.time() >= ask_at:
                ask_at = loop.time() + ASK_S
                for slot in self._wanted:
                    self._peer.ask_keyframe(slot)
            await asyncio.sleep(STEP_S)
            for slot, keyframe in self._found(loop.time()):
                made = await asyncio.to_thread(still, self._codec, keyframe)
                if made is not None:
                    self._tell(control.Still(slot, made))
        self._wanted.clear()
        self._peer.report()
        self._tell(control.Looked())

    def _put(self, slot: str, packet: Packet) -> None:
        wanted = self._wanted.get(slot)
        if wanted is not None and original(packet, self._peer.slots[slot].ssrc):
            wanted[0].put(packet)

    def _found(self, now: float) -> list[tuple[str, bytes]]:
        found: list[tuple[str, bytes]] = []
        for slot, (sequencer, frames) in list(self._wanted.items()):
            for packet, lost in sequencer.take(now):
                frame = frames.take(packet, lost)
                if frame is not None and frame.key:
                    found.append((slot, frame.data))
                    del self._wanted[slot]
                    break
        return found


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Join, then look whenever told to, until the parent is gone or says so."""

    def tell(report: control.AnyReport) -> None:
        if not writer.is_closing():
            writer.write(control.frame(report))

    peer = LightPeer(WALL)
    try:
        tell(control.Offer(peer.offer()))
        async with asyncio.timeout(JOIN_PATIENCE_S):
            body = await control.read_frame(reader)
            answer = control.orders(body) if body is not None else None
            if not isinstance(answer, control.Joined):
                return
            await peer.accept(answer.sdp, answer.slots)
            await peer.connected()
        looker = Looker(peer, codec_of(answer), tell)
        tell(control.Looked())
        while (body := await control.read_frame(reader)) is not None:
            order = control.orders(body)
            if not isinstance(order, control.Look):
                return
            await looker.look(order.slots)
    except (ConnectFailed, TimeoutError, KeyError, ValueError) as error:
        logger.warning("- no stills: %s", error)
    finally:
        peer.on_packet = None
        peer.close()


async def main(fd: int) -> None:
    """Serve the parent at the other end of the socket."""
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=fd))
    try:
        await serve(reader, writer)
    except (control.BrokenFrame, ConnectionError) as error:
        logger.error("! control: %s", error)
    finally:
        writer.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s stills %(message)s")
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)  # both are for the parent; we end when it does
    asyncio.run(main(int(sys.argv[1])))
