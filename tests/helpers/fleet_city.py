"""A real server with a fleet behind it for tests that look at pages.

It runs on a loop in a thread of its own, so that a browser may be driven from the test's.
"""

import asyncio
import secrets
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from playwright.sync_api import BrowserContext, Page, Playwright, expect, sync_playwright

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.facts import Facts
from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.permissions import Grant
from kiosk_hub.fleet.values import FleetRole
from kiosk_hub.hub import Hub
from room_manager.store.sessions import Session
from signaling.auth import _hash, cookie_name
from signaling.settings import Settings
from tests.helpers.browser import CHROMIUM
from tests.helpers.fleet import GOOD
from tests.helpers.servers import Hall, hall, settings
from tests.helpers.staff import furnish

LIMIT_S: Final = 60.0
T = TypeVar("T")


class FleetCity:
    """The server and its devices, as a test in another thread handles them."""

    def __init__(self, here: Hall, hub: Hub, loop: asyncio.AbstractEventLoop) -> None:
        self.here = here
        self.hub = hub
        self.origin = here.origin
        self._loop = loop

    def do(self, act: Callable[[], Awaitable[T]]) -> T:
        """Run it on the server's loop; what it gives."""

        async def main() -> T:
            return await act()

        return asyncio.run_coroutine_threadsafe(main(), self._loop).result(LIMIT_S)

    def beat(self, device: DeviceId, facts: Facts = GOOD, times: int = 1, at: float | None = None) -> None:
        """As the device edge hears it. A symptom needs several in a row."""

        async def act() -> None:
            now = self.hub.directory.clock() if at is None else at
            for _ in range(times):
                self.hub.registry.on_beat(device, facts, now)
                self.hub.history.on_beat(device, facts, now)

        self.do(act)

    def put(self, *devices: Device) -> None:
        """Their records are these."""

        async def act() -> None:
            async with self.hub.directory.change() as change:
                for device in devices:
                    await change.put(device)

        self.do(act)

    def cookie(
        self,
        role: FleetRole | None = FleetRole.ADMINISTRATOR,
        districts: Iterable[str] = (),
        name: str = "Trần Văn Bình",
    ) -> dict[str, Any]:
        """Of an account with this role, logged in; without the slow hashing of a password."""

        async def act() -> str:
            account, token = f"binh-{secrets.token_hex(3)}", secrets.token_urlsafe(16)
            at = datetime.now(UTC)
            await self.here.stores.accounts.add(account, name, "x", None)
            if role is not None:
                await self.hub.staff.set(account, Grant(role, frozenset(districts)))
            csrf = secrets.token_urlsafe(16)
            session = Session(_hash(token), account, csrf, at, at, at + timedelta(hours=1))
            await self.here.stores.sessions.begin(session)
            return token

        return {"name": cookie_name(False), "value": self.do(act), "url": self.origin}


@contextmanager
def fleet_city(
    folder: Path, devices: Iterable[Device] = (), chosen: Settings | None = None
) -> Iterator[FleetCity]:
    """The server with the whole roster and these devices; it is closed, and its thread ended, afterwards."""
    with_settings = chosen or settings(folder)  # makes a database: not on a loop
    ready: list[FleetCity | BaseException] = []
    listening = threading.Event()
    over: list[Callable[[], object]] = []

    async def main() -> None:
        async with hall(with_settings, sites=()) as here:
            hub = await furnish(here, devices)
            ends = asyncio.Event()
            loop = asyncio.get_running_loop()
            over.append(lambda: loop.call_soon_threadsafe(ends.set))
            ready.append(FleetCity(here, hub, loop))
            listening.set()
            await ends.wait()

    def run() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:
            ready.insert(0, error)
            listening.set()

    thread = threading.Thread(target=run, name="fleet city")
    thread.start()
    try:
        assert listening.wait(LIMIT_S), "the server did not start"
        city = ready[0]
        if isinstance(city, BaseException):
            raise city
        yield city
    finally:
        for end in over:
            end()
        thread.join(LIMIT_S)
        assert not thread.is_alive(), "the server did not end"


class Desk:
    """One Chromium, and a fresh window of it for each person who looks at the fleet."""

    def __init__(self, playwright: Playwright, city: FleetCity) -> None:
        self.city = city
        self._browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def window(
        self,
        path: str = "/fleet",
        *,
        role: FleetRole | None = FleetRole.ADMINISTRATOR,
        districts: Iterable[str] = (),
        language: str = "vi",
        theme: str = "light",
        width: int = 1366,
        height: int = 768,
        logged_in: bool = True,
    ) -> Page:
        """A page of the fleet as that person sees it."""
        context = self._browser.new_context(
            viewport={"width": width, "height": height}, locale="vi-VN", timezone_id="Europe/London"
        )
        self._contexts.append(context)
        if logged_in:
            context.add_cookies([self.city.cookie(role, districts)])  # type: ignore[list-item]
        context.add_init_script(
            f"localStorage['diemcau.language'] ??= '{language}';"
            f"localStorage['diemcau.fleet.theme'] ??= '{theme}';"
        )
        page = context.new_page()
        page.set_default_timeout(LIMIT_S * 1000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None,
        )
        page.goto(self.city.origin + path)
        return page

    def close_windows(self) -> None:
        while self._contexts:
            self._contexts.pop().close()

    def close(self) -> None:
        self.close_windows()
        self._browser.close()


@contextmanager
def desk(city: FleetCity) -> Iterator[Desk]:
    """A browser to open windows from; ended afterwards."""
    expect.set_options(timeout=LIMIT_S * 1000)
    with sync_playwright() as playwright:
        opened = Desk(playwright, city)
        try:
            yield opened
        finally:
            opened.close()
