"""The body of a real machine: its senses, its screen, its hands, behind the agent's ``Body``."""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from kiosk_client.body import acts, sessions
from kiosk_client.body.browser import Browser
from kiosk_client.body.browser_life import BrowserSettings
from kiosk_client.body.camera import CameraSense, first_camera
from kiosk_client.body.content import Shelf
from kiosk_client.body.disk import DiskSense
from kiosk_client.body.looking import Looking
from kiosk_client.body.machine import MachineSense
from kiosk_client.body.page_server import STATIC, PageServer
from kiosk_client.body.printer import PrinterSense
from kiosk_client.body.programs import Programs
from kiosk_client.body.screen import ScreenSense
from kiosk_client.body.service_state import ServiceState
from kiosk_client.body.sound import SoundSense
from kiosk_client.body.stage import Stage, serves, shown
from kiosk_client.body.touch import TouchSense
from kiosk_client.errors import NotKept
from kiosk_client.ports import BodyFacts, Core, Result, Standing
from signaling.wire.kiosk.bundles import Configuration
from signaling.wire.kiosk.page import AnyPageMessage, Begin, Finish, Shown, Touched
from signaling.wire.kiosk.words import Camera, DeviceSettings, Disk, LogLine, Order, Sessions

T = TypeVar("T")

log = logging.getLogger("diemcau.body")

FIRST_LOOK_LIMIT_S: Final = 4.0
TICK_S: Final = 1.0
DRAWN_AFTER_S: Final = 0.5
BLIND_FOR_S: Final = 300.0
"""So long a screen may stand still, or the disk go unlooked at, before the watchdog is told no more."""


class BodySettings(Struct, frozen=True, kw_only=True):
    """What the body is made of. ``browser``: None, where no page is shown (a bridge point's PC)."""

    browser: BrowserSettings | None = None
    camera: str | None = None  # a path; empty: none; None: as the city says, else the first one
    content: Path | None = None  # the folder of the content in use; None: the updater's
    may_reboot: bool = False
    look_every_s: float = 10.0
    static: Path = STATIC


class RealBody:
    """See :class:`kiosk_client.ports.Body`."""

    def __init__(self, settings: BodySettings) -> None:
        self._settings = settings
        self._stage = Stage()
        self._stack = AsyncExitStack()
        self._works: set[asyncio.Task[None]] = set()
        self._core: Core | None = None
        self._camera_seen: tuple[str, bool] | None = None
        self._lookings: tuple[Looking[Any], ...] = ()

    async def start(self, core: Core) -> None:
        self._core = core
        folder = core.state / "body"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._kept = ServiceState(folder / "service.json")
        self._stage = replace(self._stage, out_of_service=self._kept.read())
        self._programs = Programs()
        self._camera = CameraSense(self._camera_path, self._note)
        self._printer = PrinterSense(self._programs)
        self._screen = ScreenSense(self._programs)
        self._sound = SoundSense(self._programs)
        self._machine = MachineSense()
        self._disk = DiskSense(core.state, self._programs)
        self._touch = TouchSense(folder / "has-touch")
        self._stack.push_async_callback(self._camera.close)
        await self._start_screen()
        self._start_looking()
        ticking = asyncio.create_task(self._tick(), name="body-tick")
        self._stack.push_async_callback(_cancelled, ticking)

    async def close(self) -> None:
        self._count(sessions.abandon)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2.0):
                await asyncio.gather(*self._works, return_exceptions=True)
        await self._stack.aclose()

    def alive(self) -> bool:
        looked_at = self._looking_disk.looked_at
        now = asyncio.get_running_loop().time()
        if looked_at is not None and now - looked_at > BLIND_FOR_S:
            return False
        if self._browser is None:
            return True
        age_s = self._browser.painted().frame_age_s
        return self._browser.well() or age_s is None or age_s <= BLIND_FOR_S

    async def facts(self) -> BodyFacts:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_LOOK_LIMIT_S):
                await asyncio.gather(*(looking.first() for looking in self._lookings))
        painted = None
        if self._browser is not None:
            painted = replace(self._browser.painted(), on=self._looking_screen.last)
        return BodyFacts(
            disk=self._looking_disk.last,
            load=self._machine.look(),
            network_kind=self._machine.network_kind(),
            painted=painted,
            touch_ok=self._looking_touch.last,
            camera=self._looking_camera.last,
            microphone_share=self._looking_sound.last,
            printer=self._looking_printer.last,
            out_of_service=self._stage.out_of_service is not None,
            restarts=self._browser.restarts if self._browser is not None else 0,
        )

    def session_active(self) -> bool:
        return self._stage.service.active

    async def carry_out(self, order: Order) -> Result:
        hands = acts.Hands(
            programs=self._programs,
            browser=self._browser,
            camera=self._camera,
            printer=self._printer,
            screen=self._screen,
            sound=self._sound,
            in_session=self.session_active,
            set_service=self._set_service,
            now=self._now,
            name=lambda: self._stage.settings.name if self._stage.settings else "",
            may_reboot=self._settings.may_reboot,
        )
        result = await acts.carry_out(order, hands)
        for looking in self._lookings:
            looking.again()  # the next beat tells what the act has changed
        return result

    def show(self, standing: Standing) -> None:
        self._set(replace(self._stage, standing=standing))

    def on_settings(self, settings: DeviceSettings) -> None:
        self._set(replace(self._stage, settings=settings))

    def on_configuration(self, configuration: Configuration) -> None:
        before = self._stage.configuration.volume_share
        self._set(replace(self._stage, configuration=configuration))
        if self._server is not None:
            self._read_content()
        if configuration.volume_share is not None and configuration.volume_share != before:
            self._own(self._set_volume(configuration.volume_share), "volume")

    async def _set_volume(self, share: float) -> None:
        code = await self._sound.set_volume(share)
        if code:
            self._note(code, "Không đặt được âm lượng theo cấu hình")

    # --- the screen ---

    async def _start_screen(self) -> None:
        self._browser: Browser | None = None
        self._server: PageServer | None = None
        if self._settings.browser is None:
            return
        self._shelf = Shelf(self._content_folder, self._note)
        self._read_content()
        self._server = PageServer(
            shown=self._shown,
            heard=self._heard,
            left=lambda: self._count(sessions.abandon),
            content=self._shelf.folder,
            pairing_url=lambda: self._stage.standing.pairing.url if self._stage.standing.pairing else "",
            static=self._settings.static,
        )
        await self._server.start()
        self._stack.push_async_callback(self._server.close)
        self._browser = Browser(self._settings.browser, lambda: _url(self._server), self._note)
        self._browser.start()
        self._stack.push_async_callback(self._browser.close)

    def _shown(self) -> Shown:
        assert self._core is not None
        return shown(self._stage, self._core.city_now())

    def _set(self, stage: Stage) -> None:
        before, self._stage = self._stage, stage
        if stage.service.active and not serves(stage):
            self._count(sessions.abandon)
        if stage != before and self._server is not None:
            self._server.tell()
            if self._lookings:
                # another page is about to be drawn: the next beat should tell it
                asyncio.get_running_loop().call_later(DRAWN_AFTER_S, self._looking_page.again)

    def _heard(self, message: AnyPageMessage) -> None:
        match message:
            case Begin():
                if serves(self._stage):
                    self._count(lambda service: sessions.begin(service, self._clock()))
            case Touched():
                touched = sessions.touch(self._stage.service, self._clock())
                self._stage = replace(self._stage, service=touched)  # nothing of it is drawn
            case Finish():
                self._count(sessions.finish)

    def _count(self, step: Callable[[sessions.Service], tuple[sessions.Service, Sessions | None]]) -> None:
        """The session goes on, begins or ends; what is to be counted is."""
        was_active = self._stage.service.active
        service, counted = step(self._stage.service)
        self._set(replace(self._stage, service=service))
        if counted is not None:
            self._report(sessions.of_the_hour(counted, self._now()))
        if service.active != was_active and self._core is not None:
            self._core.session_changed()

    async def _set_service(self, message: str | None) -> None:
        await asyncio.to_thread(self._kept.write, message)
        self._set(replace(self._stage, out_of_service=message))

    async def _tick(self) -> None:
        """What only time brings: an idle session's end, new content, a code running out. And
        a camera that was pulled out or put in is looked for at once."""
        while True:
            await asyncio.sleep(TICK_S)
            try:
                self._pass_time()
            except Exception:  # without ticks no session would ever end, and no order begin
                log.exception("! a tick: a bug")

    def _pass_time(self) -> None:
        self._count(self._end_idle)
        source = self._camera_path()
        seen = (source, os.path.exists(source))
        if seen != self._camera_seen:
            self._camera_seen = seen
            self._looking_camera.again()
        if self._server is not None:
            self._read_content()
            if self._stage.standing.pairing is not None:
                self._server.tell()

    def _end_idle(self, service: sessions.Service) -> tuple[sessions.Service, Sessions | None]:
        return sessions.pass_time(service, self._clock(), self._stage.configuration.session_idle_s)

    def _content_folder(self) -> Path:
        assert self._core is not None
        installed = self._core.state / "updates" / "content" / "current"
        given = self._settings.content
        return installed if given is None or installed.exists() else given

    def _read_content(self) -> None:
        assert self._core is not None
        usual_s = self._stage.configuration.announcement_s
        found = self._shelf.of_the_day(self._core.city_now(), usual_s)
        self._set(replace(self._stage, announcements=found))

    # --- the senses ---

    def _start_looking(self) -> None:
        every_s = self._settings.look_every_s
        gone = Disk(free_share=0.0, free_bytes=0, writable=False)
        self._looking_disk = Looking("disk", self._disk.look, gone, every_s, 20.0)
        self._looking_camera = Looking[Camera | None](
            "camera", self._camera.look, Camera(state="failed"), every_s * 1.5, 30.0
        )
        self._looking_printer = Looking("printer", self._printer.look, None, every_s * 3, 15.0)
        self._looking_screen = Looking("screen", self._screen.is_on, None, every_s * 3, 10.0)
        self._looking_sound = Looking("sound", self._hear, None, every_s * 6, 10.0)
        self._looking_touch = Looking("touch", _soon(self._touch.look), None, every_s * 6, 5.0)
        self._looking_page = Looking("page", self._probe, None, every_s, 20.0)
        self._lookings = (
            self._looking_disk,
            self._looking_camera,
            self._looking_printer,
            self._looking_screen,
            self._looking_sound,
            self._looking_touch,
            self._looking_page,
        )
        for looking in self._lookings:
            looking.start()
            self._stack.push_async_callback(looking.close)

    async def _probe(self) -> None:
        if self._browser is not None:
            await self._browser.probe()

    async def _hear(self) -> float | None:
        """The microphone is left alone while a resident is being served."""
        if self.session_active():
            return self._looking_sound.last
        return await self._sound.microphone_share()

    def _camera_path(self) -> str:
        if self._settings.camera is not None:
            return self._settings.camera
        named = self._stage.settings.place.camera if self._stage.settings else ""
        return named or first_camera()

    # --- the agent ---

    def _note(self, code: str, text: str) -> None:
        if self._core is not None:
            self._core.note(LogLine(level="warning", code=code, text=text[:500]))

    def _report(self, counted: Sessions) -> None:
        async def report() -> None:
            assert self._core is not None
            with contextlib.suppress(NotKept):  # a full disk is told by the disk
                await self._core.report(counted)

        self._own(report(), "sessions")

    def _own(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run it; closing waits for it."""
        task = asyncio.create_task(work, name=name)
        self._works.add(task)
        task.add_done_callback(self._works.discard)

    def _now(self) -> float:
        """Seconds, UTC: the city's if it is known, else this machine's."""
        known = self._core.city_now() if self._core is not None else None
        return time.time() if known is None else known

    @staticmethod
    def _clock() -> float:
        return asyncio.get_running_loop().time()


def _url(server: PageServer | None) -> str:
    assert server is not None
    return server.url


def _soon(look: Callable[[], T]) -> Callable[[], Awaitable[T]]:
    """A look that may wait for a driver, off the loop."""

    async def looked() -> T:
        return await asyncio.to_thread(look)

    return looked


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
