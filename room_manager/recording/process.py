"""The recorder's process: ``python -m room_manager.recording.process FD``.

A receiver like any other: it offers, hears the engine's answer from its parent, and writes what comes. When
the parent is gone, or says so, it finishes the file and ends; when its connection is gone it joins again
and the same file goes on, with a gap as long as it was.
"""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from room_manager.media.light import ConnectFailed, LightPeer, Sections
from room_manager.media.sfu.rtp import Packet
from room_manager.meeting.values import RecordingEnd
from room_manager.recording import control
from room_manager.recording.answers import codec_of, original
from room_manager.recording.space import Space
from room_manager.recording.writer import FLUSH_S, Stopped, Writer

ANSWER_PATIENCE_S: Final = 10.0
FIRST_RETRY_S: Final = 0.2
LONGEST_RETRY_S: Final = 3.0
GATHER_S: Final = 0.1
LOOK_EVERY: Final = 10  # gatherings between two flushes

RECEIVES: Final = Sections(
    microphone=False, camera=False, screen=False, audio_slots=1, video_slots=2, video_codecs=("VP8", "H264")
)

logger = logging.getLogger("room_manager.recording")


class Recorder:
    """One recording, from :class:`control.Begin` to :class:`control.Ended`."""

    def __init__(self, begin: control.Begin, tell: Callable[[control.AnyReport], None]) -> None:
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        space = Space(start_above=begin.stop_below_bytes, stop_below=begin.stop_below_bytes)
        self._writer = Writer(Path(begin.stem), space, self._loop.time)
        self._answers: asyncio.Queue[control.Joined | control.NotTaken] = asyncio.Queue(1)
        self._rejoin = asyncio.Event()
        self._finish = asyncio.Event()
        self._peer: LightPeer | None = None

    def hear(self, order: control.AnyOrder) -> None:
        """What the server says."""
        match order:
            case control.Joined() | control.NotTaken():
                if self._answers.full():
                    self._answers.get_nowait()
                self._answers.put_nowait(order)
            case control.Rejoin():
                self._rejoin.set()
            case control.Finish():
                self._finish.set()
            case control.Begin():
                logger.error("! recording has begun already")

    def finish(self) -> None:
        """The server says so, or is gone."""
        self._finish.set()

    async def run(self) -> control.Ended:
        """Record until told to stop or until it cannot go on; the file is finished."""
        joining = asyncio.create_task(self._keep_joined(), name="join")
        writing = asyncio.create_task(self._keep_writing(), name="write")
        finishing = asyncio.create_task(self._finish.wait(), name="finish")
        why = RecordingEnd.ASKED
        try:
            await asyncio.wait((joining, writing, finishing), return_when=asyncio.FIRST_COMPLETED)
            if not finishing.done():
                why = RecordingEnd.FAILED
        finally:
            for task in (joining, writing, finishing):
                task.cancel()
            ended = await asyncio.gather(joining, writing, finishing, return_exceptions=True)
        for error in ended:
            if isinstance(error, Stopped):
                why = error.why
            elif isinstance(error, Exception):
                logger.error("! recording failed", exc_info=error)
        return await self._end(why)

    async def _end(self, why: RecordingEnd) -> control.Ended:
        """What was gathered last is written too, if it can be."""
        try:
            self._writer.gather()
            await self._writer.flush(last=True)
        except Stopped as stopped:
            why = stopped.why if why is RecordingEnd.ASKED else why
        try:
            ready = await self._writer.finish()
        except OSError as error:
            logger.error("! a recording could not be finished: %s", error.strerror)
            return control.Ended(RecordingEnd.FAILED, self._writer.name, *self._writer.durable)
        if ready is None:
            return control.Ended(why, None)
        return control.Ended(why, ready.path.name, ready.size_bytes, ready.duration_s)

    # --- receiving ---

    async def _keep_joined(self) -> None:
        """Join, and join again whenever the connection is gone, until cancelled."""
        wait_s = FIRST_RETRY_S
        while True:
            self._rejoin.clear()
            peer = LightPeer(self._sections())
            try:
                await self._join(peer)
                wait_s = FIRST_RETRY_S
                await self._rejoin.wait()
                logger.warning("- the recorder's connection is gone; joining again")
            except (ConnectFailed, TimeoutError, KeyError, ValueError) as error:
                logger.warning("- the recorder could not join: %s", error)
            finally:
                self._peer = None
                peer.on_packet = peer.on_closed = None
                peer.close()
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, LONGEST_RETRY_S)

    async def _join(self, peer: LightPeer) -> None:
        """Raises :class:`ConnectFailed` or ``TimeoutError``."""
        while not self._answers.empty():
            self._answers.get_nowait()
        self._tell(control.Offer(peer.offer()))
        async with asyncio.timeout(ANSWER_PATIENCE_S):
            answer = await self._answers.get()
            if isinstance(answer, control.NotTaken):
                raise ConnectFailed(answer.code)
            tape = self._writer.begin(codec_of(answer))

            def put(slot: str, packet: Packet) -> None:
                if original(packet, peer.slots[slot].ssrc):
                    tape.put(slot, packet)

            peer.on_packet, peer.on_closed = put, self._rejoin.set
            await peer.accept(answer.sdp, answer.slots)
            await peer.connected()
        self._peer = peer

    def _sections(self) -> Sections:
        """A file has one codec: who joins again asks for that alone."""
        tape = self._writer.tape
        if tape is None:
            return RECEIVES
        return replace(RECEIVES, video_codecs=("VP8",) if tape.codec == "vp8" else ("H264",))

    # --- writing ---

    async def _keep_writing(self) -> None:
        """Gather and flush until cancelled. Raises :class:`Stopped`."""
        while True:
            for _ in range(LOOK_EVERY):
                await asyncio.sleep(FLUSH_S / LOOK_EVERY)
                self._writer.gather()
                self._ask()
            await self._writer.flush()
            if self._writer.name is not None:
                size_bytes, duration_s = self._writer.durable
                self._tell(control.Progress(self._writer.name, size_bytes, duration_s))
            if self._peer is not None:
                self._peer.report()

    def _ask(self) -> None:
        """For what is missing, and for keyframes."""
        peer, tape = self._peer, self._writer.tape
        if peer is None or tape is None:
            return
        for track, numbers in tape.missing().items():
            if track in peer.slots:
                peer.ask_again(track, numbers[:256])
        for track in tape.keyframes_to_ask(self._loop.time()):
            if track in peer.slots:
                peer.ask_keyframe(track)


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Record as the parent says."""

    def tell(report: control.AnyReport) -> None:
        if not writer.is_closing():
            writer.write(control.frame(report))

    async def hear(recorder: Recorder) -> None:
        try:
            while (body := await control.read_frame(reader)) is not None:
                recorder.hear(control.orders(body))
        except (control.BrokenFrame, ConnectionError) as error:
            logger.error("! control: %s", error)
        recorder.finish()

    body = await control.read_frame(reader)
    begin = control.orders(body) if body is not None else None
    if not isinstance(begin, control.Begin):
        return
    recorder = Recorder(begin, tell)
    hearing = asyncio.create_task(hear(recorder))
    try:
        tell(await recorder.run())
        await writer.drain()
    finally:
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)


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
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s recorder %(message)s")
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)  # both are for the parent; we end when it does
    asyncio.run(main(int(sys.argv[1])))
