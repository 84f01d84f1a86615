"""Every site's row, to those who watch: what changed, a few times a second, a few rows at a time.

Rows hold what the journal knows and what only this moment knows: how the line of the active device is, and
what the device says it sends.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct

from room_manager.ids import SiteId
from room_manager.meeting.microphones import silenced
from room_manager.meeting.state import State
from signaling.frames import text_frame
from signaling.receiver import HasLine, Receiver
from signaling.wire import codec, server

PRESENCE_EVERY_S: Final = 0.1


class DeviceFacts(Struct):
    """What a site's device is like now. Nothing of it outlives its connection."""

    microphone: bool = True
    camera: bool = True


class Presence:
    """The rows of one room and who watches them."""

    def __init__(
        self,
        told: State,
        simulated: Callable[[SiteId], bool],
        seq: Callable[[], int],
        active: Callable[[SiteId], HasLine | None],
    ) -> None:
        self.told = told
        self._simulated = simulated
        self._seq = seq
        self._active = active
        self._facts: dict[SiteId, DeviceFacts] = {}
        self._watchers: dict[Receiver, dict[SiteId, None]] = {}  # and what each has not been told yet
        self._timer: asyncio.TimerHandle | None = None

    def row(self, code: SiteId) -> server.SiteRow:
        """One site as it is now."""
        site = self.told.sites[code]
        facts = self._facts.get(code) or DeviceFacts()
        active = self._active(code)
        line = active.line if active is not None else None
        return server.SiteRow(
            code=code,
            state=site.state,
            device=site.active,
            people=site.people,
            hand=code in self.told.hands,
            muted=silenced(self.told.microphones, code),
            line=line.grade if line is not None else None,
            microphone=facts.microphone,
            camera=facts.camera,
            excuse=site.excuse,
            simulated=self._simulated(code),
            step=line.step if line is not None else None,
            reason=line.reason if line is not None else None,
            step_at=active.step_at if active is not None and line is not None else None,
        )

    def watch(self, receiver: Receiver) -> None:
        """Tell this one every row, and then every change. Again: everything again."""
        self._watchers[receiver] = dict.fromkeys(self.told.sites)
        self._wake(0.0)

    def unwatch(self, receiver: Receiver) -> None:
        self._watchers.pop(receiver, None)

    def touch(self, *sites: SiteId) -> None:
        """These rows have changed."""
        self._touch(site for site in sites if site in self.told.sites)

    def touch_all(self) -> None:
        """Any row may have changed."""
        self._touch(self.told.sites)

    def set_device(self, site: SiteId, microphone: bool, camera: bool) -> None:
        facts = self._facts.setdefault(site, DeviceFacts())
        if (facts.microphone, facts.camera) != (microphone, camera):
            facts.microphone, facts.camera = microphone, camera
            self.touch(site)

    def forget_device(self, site: SiteId) -> None:
        """Its last connection is gone."""
        self._facts.pop(site, None)
        self.touch(site)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _touch(self, sites: Iterable[SiteId]) -> None:
        if not self._watchers:
            return
        codes = tuple(sites)
        for waiting in self._watchers.values():
            waiting.update(dict.fromkeys(codes))
        self._wake(PRESENCE_EVERY_S)

    def _wake(self, wait_s: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._tell)

    def _tell(self) -> None:
        """One message for each watcher that keeps up; who does not, is told the sum later."""
        self._timer = None
        frames: dict[tuple[SiteId, ...], bytes] = {}
        left = False
        for receiver, waiting in self._watchers.items():
            if waiting and not receiver.outbox.behind:
                codes = tuple(list(waiting)[: server.MAX_SITES_TOLD])
                for code in codes:
                    del waiting[code]
                frame = frames.get(codes)
                if frame is None:
                    rows = tuple(self.row(code) for code in codes)
                    message = server.Presence(seq=self._seq(), sites=rows)
                    frame = frames[codes] = text_frame(codec.encode(message))
                receiver.outbox.send(frame)
            left = left or bool(waiting)
        if left:
            self._wake(PRESENCE_EVERY_S)
