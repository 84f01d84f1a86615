"""A device's real body with its real browser, on a loop of its own thread, and a core that remembers."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from kiosk_client.body.browser import Browser
from kiosk_client.body.real import BodySettings, RealBody
from kiosk_client.ports import Result, Standing
from signaling.wire.kiosk.words import (
    AnyAct,
    AnyNews,
    CommandId,
    DeviceSettings,
    LogLine,
    Order,
    Place,
)

T = TypeVar("T")

LIMIT_S: Final = 60.0


class RememberingCore:
    """What the agent gives its body, kept in memory."""

    server = "https://diemcau.example"
    certificate = None

    def __init__(self, state: Path) -> None:
        self.state = state
        self.news: list[AnyNews] = []
        self.lines: list[LogLine] = []
        self.changes = 0
        self.ahead_s: float | None = 0.0

    def token(self) -> str | None:
        return None

    def city_now(self) -> float | None:
        return None if self.ahead_s is None else time.time() + self.ahead_s

    async def configure(self) -> None:
        raise AssertionError("only an updater asks for it")

    def session_changed(self) -> None:
        self.changes += 1

    async def report(self, news: AnyNews) -> None:
        self.news.append(news)

    def note(self, line: LogLine) -> None:
        self.lines.append(line)

    def restart(self, why: str) -> None:
        raise AssertionError(why)


class BodyHouse:
    """One body that lives; its coroutines are run from the test's thread."""

    def __init__(self, settings: BodySettings, state: Path) -> None:
        self.core = RememberingCore(state)
        self.body = RealBody(settings)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._orders = 0

    def run(self, work: Coroutine[Any, Any, T], limit_s: float = LIMIT_S) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(limit_s)

    def call(self, work: Callable[[], T]) -> T:
        async def called() -> T:
            return work()

        return self.run(called())

    def start(self) -> None:
        self._thread.start()
        self.run(self.body.start(self.core))

    def close(self) -> None:
        try:
            if self._thread.is_alive():
                self.run(self.body.close())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(LIMIT_S)
            self._loop.close()

    def do(self, act: AnyAct) -> Result:
        self._orders += 1
        order = Order(id=CommandId(f"command-{self._orders}"), do=act, expires_at=4e9)
        return self.run(self.body.carry_out(order), 120.0)

    def stand(self, standing: Standing) -> None:
        self.call(lambda: self.body.show(standing))

    def settle(self, **place: Any) -> None:
        """The city tells its name and place."""
        settings = DeviceSettings("Ki-ốt sảnh A", Place(unit="00004", **place))  # type: ignore[arg-type]
        self.call(lambda: self.body.on_settings(settings))

    @property
    def browser(self) -> Browser:
        browser = self.body._browser
        assert browser is not None
        return browser

    def page(self, expression: str) -> Any:
        """The value of an expression in the page."""
        return self.run(self.browser.life.evaluate(expression))

    def press(self, selector: str) -> None:
        """As a finger does: down, up, click."""
        self.page(
            f"""(() => {{ const part = document.querySelector({selector!r});
            part.dispatchEvent(new PointerEvent("pointerdown", {{ bubbles: true }})); part.click(); }})()"""
        )

    def until(self, look: Callable[[], object], what: str, limit_s: float = LIMIT_S) -> None:
        """Wait until it is so; a browser that is being started anew is no answer yet."""
        until = time.monotonic() + limit_s
        while True:
            try:
                if look():
                    return
            except Exception as error:
                last: object = error
            else:
                last = ""
            if time.monotonic() > until:
                raise AssertionError(f"not within {limit_s:.0f} s: {what} {last}")
            threading.Event().wait(0.05)

    def shows(self, scene: str) -> None:
        self.until(lambda: self.page("document.documentElement.dataset.page") == scene, f"scene {scene}")


@contextmanager
def living(settings: BodySettings, state: Path) -> Iterator[BodyHouse]:
    """A body from start to end."""
    house = BodyHouse(settings, state)
    try:
        house.start()
        yield house
    finally:
        house.close()
