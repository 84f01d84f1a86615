"""One life of Chromium in kiosk mode: a fresh profile, one page, and an end that leaves nothing behind."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from kiosk_client.body import launch
from kiosk_client.body.cdp import BrowserGone, BrowserRefused, BrowserSilent, Cdp
from kiosk_client.body.display import display, is_required
from kiosk_client.errors import AgentError

START_LIMIT_S: Final = 40.0
GENTLE_END_S: Final = 3.0
KILL_LIMIT_S: Final = 3.0
DISPLAY_LIMIT_S: Final = 15.0
DISPLAY_EVERY_S: Final = 0.5
PROFILE_PREFIX: Final = "browser-"

FLAGS: Final = (
    "--no-first-run",
    "--no-default-browser-check",
    "--noerrdialogs",
    "--disable-session-crashed-bubble",
    "--disable-pinch",
    "--overscroll-history-navigation=0",
    "--hide-scrollbars",
    "--password-store=basic",
    "--disable-breakpad",  # a crash report may hold what a resident wrote
    "--disable-sync",
    "--disable-component-update",
    "--disable-background-networking",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--check-for-update-interval=31536000",
    # a screen that a compositor believes covered must still paint, or it would look frozen
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-features=Translate,MediaRouter,OptimizationHints,AutofillServerCommunication,InterestFeedContentSuggestions",
    "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-pipe",
)


class BrowserSettings(Struct, frozen=True):
    """Which Chromium, and how."""

    program: str
    profiles: Path  # where profiles are made; a tmpfs where there is one
    width_px: int = 1080  # of a screen that is none (headless); a real one fills itself
    height_px: int = 1920
    headless: bool | None = None  # None: when there is neither Wayland nor X
    window: bool = False  # in a window of that size instead of over the whole screen
    arguments: tuple[str, ...] = ()


class NoDisplay(AgentError):
    """A window is to be shown, and there is nowhere to show it."""

    code = "no-display"


def installed() -> str | None:
    """The Chromium of this machine, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


class Life:
    """From start to end. ``ended`` is set when the browser or its page is gone; ``why`` says how."""

    def __init__(self, settings: BrowserSettings, environment: Mapping[str, str] | None = None) -> None:
        self._settings = settings
        self._environment = dict(environment or os.environ)
        self._headless = bool(settings.headless)
        self._profile: Path | None = None
        self._child: asyncio.subprocess.Process | None = None
        self._cdp = Cdp(self._heard)
        self._watching: asyncio.Task[None] | None = None
        self._session = ""
        self._target = ""
        self.ended = asyncio.Event()
        self.why = ""

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child is not None else None

    async def begin(self, url: str) -> None:
        """Start, and open the page. Whoever begins must ``end``, also when this raises.

        Raises:
            NoDisplay, BrowserGone, BrowserSilent, BrowserRefused, OSError
        """
        await self._find_display()
        clear_profiles(self._settings.profiles)
        self._settings.profiles.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._profile = Path(tempfile.mkdtemp(prefix=PROFILE_PREFIX, dir=self._settings.profiles))
        await self._spawn()
        targets = (await self._cdp.ask("Target.getTargets", limit_s=START_LIMIT_S))["targetInfos"]
        page = next((target for target in targets if target["type"] == "page"), None)
        if page is None:
            raise BrowserGone("the browser opened no window")
        self._target = page["targetId"]
        await self._cdp.ask("Target.setDiscoverTargets", {"discover": True}, limit_s=START_LIMIT_S)
        attached = await self._cdp.ask(
            "Target.attachToTarget", {"targetId": self._target, "flatten": True}, limit_s=START_LIMIT_S
        )
        self._session = attached["sessionId"]
        # The address has a secret in it, and a command line can be read by every user of the machine.
        answer = await self.ask("Page.navigate", {"url": url}, START_LIMIT_S)
        if answer.get("errorText"):
            raise BrowserRefused(f"the page could not be opened: {answer['errorText']}"[:200])

    async def ask(self, method: str, params: dict[str, Any] | None = None, limit_s: float = 5.0) -> Any:
        """A DevTools method, asked of the page."""
        return await self._cdp.ask(method, params, self._session, limit_s)

    async def evaluate(self, expression: str, limit_s: float = 5.0) -> Any:
        """The value of an expression in the page, awaited if it is a promise."""
        answer = await self.ask(
            "Runtime.evaluate",
            {"expression": expression, "awaitPromise": True, "returnByValue": True},
            limit_s,
        )
        if "exceptionDetails" in answer:
            raise BrowserRefused("the page raised an error")
        return answer.get("result", {}).get("value")

    async def end(self) -> None:
        """Gently, then not; afterwards nothing of it is left, neither processes nor profile."""
        child = self._child
        if child is not None:
            if child.returncode is None:
                with contextlib.suppress(BrowserGone, BrowserSilent, BrowserRefused):
                    await self._cdp.ask("Browser.close", limit_s=GENTLE_END_S)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(child.wait(), GENTLE_END_S)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)  # its helpers too, whoever of them is left
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(child.wait(), KILL_LIMIT_S)
        await self._cdp.close()
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
        if self._profile is not None:
            await asyncio.to_thread(shutil.rmtree, self._profile, ignore_errors=True)

    async def _find_display(self) -> None:
        """Some compositors end with their last window and are started anew: theirs is waited for."""
        if self._settings.headless:
            return
        needed = self._settings.headless is False or is_required(self._environment)
        tries = round(DISPLAY_LIMIT_S / DISPLAY_EVERY_S) if needed else 1
        for _ in range(tries):
            found = display(self._environment)
            if found is not None:
                self._environment.update(found)
                return
            if needed:
                await asyncio.sleep(DISPLAY_EVERY_S)
        if needed:
            raise NoDisplay("there is neither a Wayland compositor nor an X server")
        self._headless = True

    async def _spawn(self) -> None:
        from_us = os.pipe()
        from_browser = os.pipe()
        try:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                "-S",
                launch.__file__,
                str(from_us[0]),
                str(from_browser[1]),
                str(os.getpid()),
                *self._command(),
                pass_fds=(from_us[0], from_browser[1]),
                start_new_session=True,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,  # it names addresses
                env=self._environment,
            )
        except BaseException:
            os.close(from_us[1])
            os.close(from_browser[0])
            raise
        finally:
            os.close(from_us[0])
            os.close(from_browser[1])
        await self._cdp.open(from_browser[0], from_us[1])
        self._watching = asyncio.create_task(self._watch(self._child), name="browser-ends")

    def _command(self) -> list[str]:
        assert self._profile is not None
        settings = self._settings
        command = [settings.program, *FLAGS, f"--user-data-dir={self._profile}"]
        size = f"{settings.width_px}x{settings.height_px}"
        if settings.window and not self._headless:
            command.append(f"--window-size={size.replace('x', ',')}")
        else:
            command.append("--kiosk")
        if self._headless:
            command += [
                "--headless=new",
                f"--screen-info={{{size}}}",
                f"--window-size={size.replace('x', ',')}",
            ]
        elif self._environment.get("WAYLAND_DISPLAY"):
            command.append("--ozone-platform=wayland")
        else:
            command.append("--ozone-platform=x11")
        if os.geteuid() == 0:
            command.append(
                "--no-sandbox"
            )  # Chromium refuses to run as root with it; a kiosk has its own user
        return [*command, *settings.arguments, "about:blank"]

    async def _watch(self, child: asyncio.subprocess.Process) -> None:
        code = await child.wait()
        self._over(f"kết thúc với mã {code}" if code >= 0 else f"bị {signal.Signals(-code).name}")

    def _heard(self, session: str, method: str, params: dict[str, Any]) -> None:
        if method == "Target.targetCrashed" and params.get("targetId") == self._target:
            self._over(f"trang bị sập ({params.get('status', '')}, {params.get('errorCode', '')})")
        elif method == "Target.targetDestroyed" and params.get("targetId") == self._target:
            self._over("trang bị đóng")

    def _over(self, why: str) -> None:
        if not self.ended.is_set():
            self.why = why
            self.ended.set()


def clear_profiles(folder: Path) -> None:
    """Take away what browsers of an agent that was killed left behind."""
    for left in folder.glob(f"{PROFILE_PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)
