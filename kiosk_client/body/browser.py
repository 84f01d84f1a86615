"""Keeps one Chromium alive and proves that it paints; starts it anew when it died or paints no more.

"The process is there" proves nothing: a browser may be healthy while its screen has stood still for an hour.
So the page is asked for two animation frames, which come only when renderer and compositor are at work, and
for its picture, of which only a hash is kept.
"""

import asyncio
import base64
import contextlib
import hashlib
from collections.abc import Callable
from typing import Any, Final

from kiosk_client.body.browser_life import BrowserSettings, Life
from kiosk_client.body.budget import Budget
from kiosk_client.body.cdp import BrowserGone
from kiosk_client.errors import AgentError
from signaling.wire.kiosk.words import Painted

FRAME_LIMIT_S: Final = 4.0
PICTURE_LIMIT_S: Final = 8.0
GRACE_S: Final = 60.0  # a new page may need so long before its first frame
STARTS: Final = 5  # within …
STARTS_WITHIN_S: Final = 600.0
FIRST_PAUSE_S: Final = 1.0
LAST_PAUSE_S: Final = 30.0

FRAME: Final = """
new Promise((tell) => requestAnimationFrame(() => requestAnimationFrame(() =>
  tell(document.documentElement.dataset.page ?? ""))))
"""


class Browser:
    """The screen's browser. ``url`` tells the page's address; ``note(code, text)`` tells staff."""

    def __init__(
        self,
        settings: BrowserSettings,
        url: Callable[[], str],
        note: Callable[[str, str], None],
        pause_s: float = FIRST_PAUSE_S,
        grace_s: float = GRACE_S,
    ) -> None:
        self._settings = settings
        self._url = url
        self._note = note
        self._first_pause_s = pause_s
        self._grace_s = grace_s
        self._budget = Budget(STARTS, STARTS_WITHIN_S)
        self._life: Life | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._wanted_anew = asyncio.Event()
        self._probing = asyncio.Lock()
        self._begun_at = 0.0
        self._framed_at: float | None = None
        self._changed_at: float | None = None
        self._hash = b""
        self._page = ""
        self.restarts = 0

    def start(self) -> None:
        """Begin to keep one alive."""
        self._begun_at = self._now()
        self._keeping = asyncio.create_task(self._keep(), name="browser")

    async def close(self) -> None:
        """End it and everything of it."""
        if self._keeping is not None:
            self._keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeping

    @property
    def life(self) -> Life:
        """The browser as it is.

        Raises:
            BrowserGone: There is none at the moment.
        """
        if self._life is None or self._life.ended.is_set():
            raise BrowserGone("the browser is not running")
        return self._life

    def painted(self) -> Painted:
        """As last probed; ages go on by themselves."""
        now = self._now()
        return Painted(
            frame_age_s=None if self._framed_at is None else max(0.0, now - self._framed_at),
            changed_age_s=None if self._changed_at is None else max(0.0, now - self._changed_at),
            page=self._page[:64],
        )

    def well(self) -> bool:
        """Has it painted lately, or is it young?"""
        since = self._begun_at if self._framed_at is None else self._framed_at
        return self._now() - since <= self._grace_s

    async def probe(self) -> None:
        """Ask for a frame and a picture, and remember when they came. One that paints no more is ended."""
        async with self._probing:
            life = self._life
            if life is None or life.ended.is_set():
                return
            try:
                page = await life.evaluate(FRAME, FRAME_LIMIT_S)
                self._framed_at = self._now()
                self._page = page if isinstance(page, str) else ""
                digest = hashlib.sha256(await picture(life, quality=20)).digest()
                if digest != self._hash:
                    self._hash, self._changed_at = digest, self._now()
            except AgentError:
                if not self.well() and self._life is life and self._now() - self._begun_at > self._grace_s:
                    self._note(
                        "browser-frozen",
                        f"Màn hình đứng yên quá {self._grace_s:.0f} giây; đã khởi động lại trình duyệt",
                    )
                    self._wanted_anew.set()

    async def restart(self, limit_s: float) -> float:
        """Start it anew, and wait for its first frame.

        Returns:
            Seconds that took.

        Raises:
            BrowserGone: It did not paint within ``limit_s``.
        """
        asked_at = self._now()
        before = self._life
        self._budget.refill()  # a person asks: what was spent is forgotten
        self._wanted_anew.set()
        while self._now() - asked_at < limit_s:
            await asyncio.sleep(0.2)
            if self._life is not None and self._life is not before:
                await self.probe()
                if self._framed_at is not None and self._framed_at >= asked_at and self._life is not before:
                    return self._now() - asked_at
        raise BrowserGone(f"the page did not paint within {limit_s:.0f} s")

    async def _keep(self) -> None:
        pause_s = self._first_pause_s
        while True:
            wait_s = self._budget.wait_s(self._now())
            if wait_s > 0.0:
                self._note(
                    "browser-given-up", f"Trình duyệt dừng {STARTS} lần liền; thử lại sau {wait_s:.0f} giây"
                )
                await self._unless_wanted(wait_s)
            self._budget.take(self._now())
            lived_s, why = await self._live()
            if self._wanted_anew.is_set():
                self._wanted_anew.clear()
                pause_s = self._first_pause_s
            else:
                self._note("browser-ended", f"Trình duyệt dừng: {why}")
                pause_s = self._first_pause_s if lived_s > LAST_PAUSE_S else min(LAST_PAUSE_S, pause_s * 2)
                await self._unless_wanted(pause_s)
            self.restarts += 1

    async def _live(self) -> tuple[float, str]:
        """One life, from start to end. Returns how long it was and why it ended."""
        self._wanted_anew.clear()
        begun_at = self._begun_at = self._now()
        life = Life(self._settings)
        try:
            await life.begin(self._url())
            self._life = life
            await _first(life.ended.wait(), self._wanted_anew.wait())
            return self._now() - begun_at, life.why
        except (AgentError, OSError) as error:
            return (
                self._now() - begun_at,
                f"không khởi động được ({getattr(error, 'code', type(error).__name__)})",
            )
        finally:
            self._life = None
            self._page = ""
            await life.end()

    async def _unless_wanted(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wanted_anew.wait(), seconds)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


async def picture(life: Life, quality: int | None = None) -> bytes:
    """What the page shows: JPEG of that quality, or PNG."""
    kind: dict[str, Any] = {"format": "png"} if quality is None else {"format": "jpeg", "quality": quality}
    answer = await life.ask("Page.captureScreenshot", {**kind, "optimizeForSpeed": True}, PICTURE_LIMIT_S)
    return base64.b64decode(answer["data"])


async def _first(*waits: Any) -> None:
    """Until the first of them is over; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
