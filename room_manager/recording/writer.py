"""Writing a recording without stopping for the disk: blocks are gathered, and a thread makes them durable.

One write is under way at a time; what waits behind it is bounded, and a disk that cannot keep up ends the
recording.
"""

import asyncio
import errno
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from room_manager.meeting.values import RecordingEnd
from room_manager.recording.files import PartFile, Ready
from room_manager.recording.matroska import Block, at_keyframes
from room_manager.recording.space import Space, free_bytes
from room_manager.recording.tape import NOMINAL_PX, Tape

FLUSH_S: Final = 1.0
"""What a crash may take is what came since the last flush, and what the disk needs for it: below 2 s."""

HEAD_PATIENCE_S: Final = 3.0
"""So long the first keyframe is waited for, since the head of the file tells its size."""

MAX_WAITING_BYTES: Final = 64 << 20
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

logger = logging.getLogger(__name__)


class Stopped(Exception):
    """The recording cannot go on."""

    def __init__(self, why: RecordingEnd) -> None:
        super().__init__(why.value)
        self.why = why


class Writer:
    """One recording on its way to the disk. The task that flushes is :meth:`run`."""

    def __init__(self, stem: Path, space: Space, now: Callable[[], float]) -> None:
        self._stem = stem
        self._space = space
        self._now = now
        self._began_at = now()
        self.tape: Tape | None = None
        self._blocks: list[Block] = []
        self._first_at: float | None = None
        self._file: PartFile | None = None
        self._under_way: asyncio.Future[None] | None = None  # goes on when whoever asked is cancelled

    @property
    def name(self) -> str | None:
        """The file's, once there is one."""
        return self._file.path.name if self._file is not None else None

    @property
    def durable(self) -> tuple[int, float]:
        """Bytes and seconds."""
        return (self._file.size_bytes, self._file.duration_ms / 1000) if self._file is not None else (0, 0.0)

    def begin(self, codec: str) -> Tape:
        """The tape to put packets on: a new stream, of the codec of the first time."""
        if self.tape is None:
            self.tape = Tape("h264" if codec == "h264" else "vp8", self._began_at)
        else:
            self.tape.anew()
        return self.tape

    def gather(self) -> None:
        """Take what has become complete. Raises :class:`Stopped` if the disk is too far behind."""
        if self.tape is None:
            return
        self._blocks += self.tape.pull(self._now())
        if self._blocks and self._first_at is None:
            self._first_at = self._now()
        if sum(len(block.data) for block in self._blocks) > MAX_WAITING_BYTES:
            raise Stopped(RecordingEnd.FAILED)

    async def flush(self, *, last: bool = False) -> None:
        """What was gathered is durable afterwards. Raises :class:`Stopped`."""
        try:
            if not last and self._space.must_stop(await asyncio.to_thread(free_bytes, self._stem.parent)):
                raise Stopped(RecordingEnd.DISK_FULL)
            if self.tape is None or not self._blocks or not (last or self._head_known(self.tape)):
                return
            blocks, self._blocks = self._blocks, []
            await self._settled()
            self._under_way = asyncio.ensure_future(asyncio.to_thread(self._write, self.tape, blocks))
            await asyncio.shield(self._under_way)
        except OSError as error:
            logger.error("! recording: %s", error.strerror)
            full = error.errno in FULL
            raise Stopped(RecordingEnd.DISK_FULL if full else RecordingEnd.FAILED) from error

    async def finish(self) -> Ready | None:
        """The file under its name; None: nothing was recorded. Raises ``OSError``."""
        await self._settled()
        file = self._file
        return await asyncio.to_thread(file.finish) if file is not None else None

    async def _settled(self) -> None:
        """No thread is writing."""
        if self._under_way is not None:
            await asyncio.wait([self._under_way])

    def _head_known(self, tape: Tape) -> bool:
        assert self._first_at is not None
        return "main" in tape.sizes or self._now() - self._first_at >= HEAD_PATIENCE_S

    def _write(self, tape: Tape, blocks: list[Block]) -> None:
        if self._file is None:
            sizes = {"main": NOMINAL_PX, "content": NOMINAL_PX, **tape.sizes}
            spoken = tape.configurations
            known = next(iter(spoken.values()), None)
            configurations = {track: spoken.get(track, known) for track in sizes}
            self._file = PartFile(
                self._stem, tape.codec, sizes, {track: made for track, made in configurations.items() if made}
            )
        for part in at_keyframes(blocks):
            self._file.append(part)
