"""Who records the meetings that say they are recorded: a recorder's process for each, as long as they do.

The meeting's journal is what counts. A recorder that dies is followed by another, in a new file; when it
cannot go on at all, the meeting is told so (``FailRecording``). A restarted server finds in the journal
what was recorded and goes on.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from room_manager.errors import DiskFull, DomainError, Ended, Limit
from room_manager.ids import HOST, ConnectionId, RoomId
from room_manager.manager import Manager
from room_manager.media.engine import Answer, ConnectionsLost, EngineEvent, EngineRestarted, MediaDown
from room_manager.meeting.commands import FailRecording, StartRecording
from room_manager.meeting.events import RecordingStarted, RecordingStopped
from room_manager.meeting.member import Member
from room_manager.meeting.values import RecordingEnd, Role
from room_manager.recording.archive import Archive
from room_manager.recording.control import Ended as PartEnded
from room_manager.recording.control import Progress
from room_manager.recording.driver import RecorderProcess
from room_manager.recording.space import Space, free_bytes
from room_manager.runner import Batch
from room_manager.store.journal import UnknownMeeting

MAX_RECORDERS: Final = 16
MAX_DEATHS: Final = 5  # of recorders, one soon after the other
HEALTHY_S: Final = 60.0
RETRY_S: Final = 1.0
TIDY_SOON_S: Final = 2.0  # while another process still writes what is to be mended
TIDY_S: Final = 3_600.0
CLOSE_LIMIT_S: Final = 15.0

log = logging.getLogger(__name__)


class Recordist:
    """Keeps a recorder for each recorded room. All methods are for one event loop."""

    def __init__(self, manager: Manager, archive: Archive, space: Space) -> None:
        self._manager = manager
        self.archive = archive
        self._space = space
        self._wanted: set[RoomId] = set()
        self._tasks: dict[RoomId, asyncio.Task[None]] = {}
        self._recorders: dict[RoomId, RecorderProcess] = {}
        self._connections: dict[RoomId, ConnectionId] = {}
        self._tidying: asyncio.Task[None] | None = None
        self._closing = False

    async def start(self) -> None:
        """Record what the journals say is recorded, and mend what was left."""
        self._manager.check_before(StartRecording, self.check)
        self._manager.listen_openings(self._watch)
        for room in self._manager.rooms():
            self._watch(room)
        self._tidying = asyncio.create_task(self._tidy(), name="tidy recordings")

    async def close(self) -> None:
        """Finish every file. The meetings stay recorded: the next server goes on. Idempotent."""
        self._closing = True
        for recorder in self._recorders.values():
            recorder.finish()
        tasks = [*self._tasks.values(), *([self._tidying] if self._tidying is not None else [])]
        if self._tidying is not None:
            self._tidying.cancel()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=CLOSE_LIMIT_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def check(self, room: RoomId) -> None:
        """May a recording begin now? Raises ``DiskFull`` or ``Limit``."""
        if room in self._wanted:
            return
        if len(self._tasks) >= MAX_RECORDERS:
            raise Limit(f"{MAX_RECORDERS} meetings are recorded already")
        try:
            self.archive.prepare()
            free = free_bytes(self.archive.folder)
        except OSError as error:
            raise DiskFull("the folder of recordings cannot be used") from error
        if not self._space.may_start(free):
            raise DiskFull("the server's disk has too little space to record")

    def pid(self, room: RoomId) -> int | None:
        """The recorder's process of this room, while there is one."""
        recorder = self._recorders.get(room)
        return recorder.pid if recorder is not None else None

    def progress(self, room: RoomId) -> Progress | None:
        """What is durable of the file under way."""
        recorder = self._recorders.get(room)
        return recorder.progress if recorder is not None else None

    # --- what the meetings say ---

    def _watch(self, room: RoomId) -> None:
        self._manager.listen(room, self._on_batch, lambda _: self._stop(room))
        if self._manager.told(room).recording_since is not None:
            self._start(room)

    def _on_batch(self, batch: Batch) -> None:
        for record in batch.records:
            if isinstance(record.event, RecordingStarted):
                self._start(batch.room)
            elif isinstance(record.event, RecordingStopped):
                self._stop(batch.room)

    def _start(self, room: RoomId) -> None:
        if self._closing:
            return
        self._wanted.add(room)
        if room not in self._tasks:
            self._tasks[room] = asyncio.create_task(self._record(room), name=f"record {room}")

    def _stop(self, room: RoomId) -> None:
        self._wanted.discard(room)
        recorder = self._recorders.get(room)
        if recorder is not None:
            recorder.finish()

    # --- one room ---

    async def _record(self, room: RoomId) -> None:
        """One file after the other until the room is not recorded any more."""
        try:
            await self._parts(room)
        except Exception:
            log.exception("! room %s: recording failed by a bug", room)
            await self._give_up(room, RecordingEnd.FAILED)
        finally:
            del self._tasks[room]
        if self._goes_on(room):
            self._start(room)  # asked for again while this one was ending

    async def _parts(self, room: RoomId) -> None:
        loop = asyncio.get_running_loop()
        deaths = 0
        while self._goes_on(room):
            begun_at = loop.time()
            ended = await self._part(room)
            if not self._goes_on(room):
                return
            if loop.time() - begun_at > HEALTHY_S:
                deaths = 0
            if ended is not None and ended.why is RecordingEnd.ASKED:
                continue  # stopped, and started again meanwhile
            deaths += 1
            why = ended.why if ended is not None else RecordingEnd.FAILED
            if why is RecordingEnd.DISK_FULL or deaths >= MAX_DEATHS:
                await self._give_up(room, why)
                return
            log.warning("! room %s: the recorder died; another goes on", room)
            await asyncio.sleep(RETRY_S)

    def _goes_on(self, room: RoomId) -> bool:
        return room in self._wanted and not self._closing

    async def _part(self, room: RoomId) -> PartEnded | None:
        """One file, from its beginning to its place on the list; None: its recorder died."""
        try:
            recording, stem = await self.archive.begin(room)
        except (DomainError, OSError) as error:
            log.error("! room %s: no recording can begin: %s", room, error)
            return PartEnded(RecordingEnd.FAILED, None)
        recorder = RecorderProcess(stem, self._space.stop_below, lambda sdp: self._join(room, sdp))
        self._recorders[room] = recorder
        ended: PartEnded | None = None
        unlisten: Callable[[], None] | None = None
        try:
            unlisten = self._manager.listen_media(room, lambda event: self._on_media(room, event))
            if not self._goes_on(room):
                recorder.finish()
            ended = await recorder.run()
        except (OSError, UnknownMeeting) as error:
            log.error("! room %s: no recorder: %s", room, error)
        finally:
            del self._recorders[room]
            if unlisten is not None:
                unlisten()
            self._leave(room)
            await self.archive.end(recording, ended)
        return ended

    async def _join(self, room: RoomId, sdp: str) -> Answer:
        """Put the recorder's offer to the engine, as a receiver that stands for no site."""
        self._leave(room)
        connection = ConnectionId(f"recorder-{secrets.token_urlsafe(9)}")
        self._connections[room] = connection
        return await self._manager.offer(room, connection, None, sdp)

    def _leave(self, room: RoomId) -> None:
        connection = self._connections.pop(room, None)
        if connection is not None:
            self._manager.media_left(connection, room)

    def _on_media(self, room: RoomId, event: EngineEvent) -> None:
        own = self._connections.get(room)
        match event:
            case MediaDown():
                gone = event.connection == own
            case ConnectionsLost():
                gone = own in event.connections
            case _:
                gone = isinstance(event, EngineRestarted)
        if gone:
            recorder = self._recorders.get(room)
            if recorder is not None:
                recorder.rejoin()

    async def _give_up(self, room: RoomId, why: RecordingEnd) -> None:
        """The meeting is told that it is recorded no more; asked again until that is durable."""
        itself = Member(Role.CHAIR, HOST)
        while self._goes_on(room):
            try:
                await self._manager.submit(room, FailRecording(why), itself)
                return
            except (Ended, UnknownMeeting):
                self._wanted.discard(room)
            except DomainError as error:
                log.error("! room %s: cannot say that recording has ended: %s", room, error)
                await asyncio.sleep(RETRY_S)

    # --- the folder ---

    async def _tidy(self) -> None:
        """Mend what was left, delete what is old; at the start and then every hour."""
        while True:
            settled = True
            try:
                settled = await self.archive.settle()
                await self.archive.expire(datetime.now(UTC))
            except (DomainError, OSError) as error:
                log.error("! recordings: not tidied: %s", error)
            except Exception:
                log.exception("! recordings: tidying failed by a bug; next time again")
            await asyncio.sleep(TIDY_S if settled else TIDY_SOON_S)


async def say_nobody_records(manager: Manager) -> None:
    """Rooms that were recorded when the server ended are told that they are no more: nobody records here."""
    for room in manager.rooms():
        if manager.told(room).recording_since is None:
            continue
        try:
            await manager.submit(room, FailRecording(RecordingEnd.FAILED), Member(Role.CHAIR, HOST))
        except DomainError as error:
            log.error("! room %s: cannot say that recording has ended: %s", room, error)
