"""One recorder, as the server sees it: a child that receives and writes a file.

Knows neither rooms nor the list of recordings. If the child dies, :meth:`RecorderProcess.run` says so and the
part it left is for others to mend.
"""

import asyncio
from pathlib import Path
from typing import Final

from room_manager.recording import control
from room_manager.recording.child import END_PATIENCE_S, Join, ReceiverProcess

MODULE: Final = "room_manager.recording.process"


class RecorderProcess:
    """The child; :meth:`run` is its life."""

    def __init__(self, stem: Path, stop_below_bytes: int, join: Join) -> None:
        self._begin = control.Begin(str(stem), stop_below_bytes)
        self._child = ReceiverProcess(MODULE, join)
        self._finishing = asyncio.Event()
        self._ended: control.Ended | None = None
        self.progress: control.Progress | None = None

    @property
    def pid(self) -> int | None:
        """While it lives."""
        return self._child.pid

    def rejoin(self) -> None:
        """Its connection is gone. Never blocks."""
        self._child.order(control.Rejoin())

    def finish(self) -> None:
        """Finish the file and end. Never blocks; may be said before it runs."""
        self._finishing.set()
        self._child.order(control.Finish())

    async def run(self) -> control.Ended | None:
        """Record until told to finish or until it cannot go on; None: it died. Raises ``OSError``."""
        running = asyncio.create_task(self._child.run(self._first, self._heard))
        late = asyncio.create_task(self._too_late())
        try:
            await asyncio.wait((running, late), return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
        finally:
            for task in (running, late):
                task.cancel()
            await asyncio.gather(running, late, return_exceptions=True)
        return self._ended

    def _first(self) -> list[control.AnyOrder]:
        return [self._begin, control.Finish()] if self._finishing.is_set() else [self._begin]

    def _heard(self, report: control.AnyReport) -> bool:
        match report:
            case control.Progress():
                self.progress = report
            case control.Ended():
                self._ended = report
                return True
            case _:
                pass
        return False

    async def _too_late(self) -> None:
        await self._finishing.wait()
        await asyncio.sleep(END_PATIENCE_S)
