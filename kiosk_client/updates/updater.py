"""Installs what the city offers: one offer at a time, each to its end, over restarts and power cuts.

    offered → (window, place) → downloading → downloaded → installing → on trial → installed
                                     └──────────┴──────────────┴→ failed     └→ returned

What ended is told once, by the agent's durable outbox, and not begun again before the city offers another
attempt. Nothing is switched while a resident is being served.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn, TypeVar

import httpx
import msgspec
from msgspec import Struct
from tuf.api.exceptions import LengthOrHashMismatchError
from tuf.api.metadata import TargetFile

from kiosk_client.errors import NotKept
from kiosk_client.ports import Core
from kiosk_client.updates import files
from kiosk_client.updates.download import Download
from kiosk_client.updates.errors import Doubtful, Later, NotOffered, Unfit
from kiosk_client.updates.ports import Machine, Runtime
from kiosk_client.updates.shelf import Shelf, Trial
from kiosk_client.updates.switching import Pace, Switching
from kiosk_client.updates.trust import Trust
from kiosk_client.updates.unpack import KEEP_FREE_BYTES, unpack
from kiosk_client.wire import tls_context
from signaling.wire.kiosk.words import BundleKind, Finding, Installing, InstallStep, Offer, Outcome

MOST_TRIES: Final = 4  # of what may be an attack
KEPT_ENDS: Final = 50
TELL_EACH: Final = 0.25  # of the length
T = TypeVar("T")

log = logging.getLogger(__name__)


class End(Struct, frozen=True):
    """What came of an offer."""

    rollout: str
    bundle: str
    attempt: int
    step: InstallStep


class BundleUpdater:
    """The agent's :class:`~kiosk_client.ports.Updater`."""

    def __init__(
        self,
        machine: Machine,
        runtime: Runtime,
        *,
        agent: str,
        hardware: str,
        pace: Pace | None = None,
        keep_free_bytes: int = KEEP_FREE_BYTES,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._machine = machine
        self._runtime = runtime
        self._agent = agent
        self._hardware = hardware
        self._pace = pace or Pace()
        self._keep_free_bytes = keep_free_bytes
        self._chance = chance
        self._offer: Offer | None = None
        self._changed = asyncio.Event()  # another word of the city, or an order to look now
        self._hurry = False  # an order: do not wait for the window
        self._held: Offer | None = None  # the city would not give it; wait for its next word
        self._ends: list[End] = []
        self._waiting: list[asyncio.Future[Outcome]] = []
        self._versions: dict[BundleKind, str] = {}
        self._tries = 0
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "updates")

    # --- what the agent asks ---

    async def start(self, core: Core) -> None:
        self._core = core
        self._folder = core.state / "updates"
        self._shelves = {kind: Shelf(self._folder / kind) for kind in BundleKind}
        verify = tls_context(core.server, core.certificate) or False
        self._async = httpx.AsyncClient(
            base_url=core.server, timeout=self._pace.answer_s, verify=verify, trust_env=False
        )
        self._sync = httpx.Client(
            base_url=core.server, timeout=self._pace.answer_s, verify=verify, trust_env=False
        )
        self._trust = Trust(self._folder / "trust", core.server, self._sync, core.token)
        self._download = Download(self._async, self._thread, core.token, core.city_now)
        self._switching = Switching(self._machine, self._runtime, self._pace, core, self._do)
        await self._do(self._open)
        self._task = asyncio.create_task(self._keep_running(), name="updates")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            await self._async.aclose()
            self._sync.close()
        self._runtime.close()
        await asyncio.to_thread(self._thread.shutdown)

    def offered(self, offer: Offer | None) -> None:
        if offer != self._offer or offer == self._held:
            self._offer, self._held, self._tries = offer, None, 0
            self._changed.set()

    def welcomed(self) -> None:
        self._switching.welcomed.set()

    def content(self) -> str:
        return self._versions.get(BundleKind.CONTENT, "")

    def configuration(self) -> str:
        return self._versions.get(BundleKind.CONFIGURATION, "")

    async def refresh(self) -> Outcome:
        if self._offer is None or self._end_of(self._offer) is not None:
            return self._outcome(True, "", "Không có gói mới")
        told: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append(told)
        self._hurry, self._held, self._tries = True, None, 0
        self._changed.set()
        try:
            return await told
        finally:
            self._waiting.remove(told)

    # --- the one task ---

    async def _keep_running(self) -> None:
        """Nobody would notice that a device takes no updates any more."""
        while True:
            try:
                await self._run()
            except Exception:
                log.exception("! a bug, even in telling of one")
                await asyncio.sleep(self._pace.longest_wait_s)

    async def _run(self) -> NoReturn:
        wait_s: float | None = 0.0
        failures = 0
        unfinished = True
        while True:
            if wait_s is not None or self._idle():
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._changed.wait()
            self._changed.clear()
            wait_s, offer = None, self._offer
            try:
                if unfinished:
                    await self._finish_what_was_begun()
                    unfinished = False
                if offer is None:
                    await self._do(self._drop_half_loaded)
                elif not self._idle():
                    await self._install(offer)
                failures = 0
            except Later as error:
                failures += 1
                wait_s = await self._put_off(error, offer, failures)
            except Unfit as error:
                if offer is None or unfinished:
                    wait_s = self._pace.again_s
                    log.error("! %s: %s", error.why, error)
                else:
                    await self._do(self._drop_half_loaded)
                    await self._end(offer, "failed", error.why, str(error))
            except Exception:
                log.exception("! a bug")
                wait_s = self._pace.longest_wait_s
                if offer is not None and not unfinished:
                    await self._end(offer, "failed", "internal", "Lỗi phần mềm trên thiết bị")

    async def _put_off(self, error: Later, offer: Offer | None, failures: int) -> float | None:
        """Seconds until the next try; None: until there is another word."""
        log.info("- %s: %s", offer.bundle if offer is not None else "", error)
        if isinstance(error, NotOffered) or offer is None:
            self._held = offer
            self._answer(self._outcome(False, "not-offered", "Máy chủ chưa cho phép cài gói này"))
            return None
        if isinstance(error, Doubtful):
            self._tries += 1
            if self._tries >= MOST_TRIES:
                await self._end(offer, "failed", error.why, str(error))
                return None
        return max(error.retry_after_s * (1 + 0.5 * self._chance()), self._backoff_s(failures))

    async def _finish_what_was_begun(self) -> None:
        for shelf in self._shelves.values():
            trial = await self._do(shelf.trial)
            if trial is not None:
                await self._switching.settle(shelf, trial, self._end_trial)

    def _idle(self) -> bool:
        return self._offer is None or self._offer == self._held or self._end_of(self._offer) is not None

    async def _install(self, offer: Offer) -> None:
        shelf = self._shelves[offer.kind]
        if self._in_use(offer.kind) == offer.version:
            await self._end(offer, "installed")
            return
        if offer.kind is BundleKind.SOFTWARE and not self._runtime.is_switchable:
            raise Unfit("not-switchable", "Phần mềm trên thiết bị này được cài bằng cách khác")
        city_now = self._core.city_now()
        if city_now is None or self._core.token() is None:
            raise Later("no line")
        info = await self._do(lambda: self._trust.target_of(offer, city_now, self._agent, self._hardware))
        sha256 = info.hashes.get("sha256", "")
        mark = await self._do(lambda: shelf.mark_of(offer.version))
        if mark is None or mark.sha256 != sha256:
            file = await self._load(offer, info, sha256)
            if file is None:
                return
            await self._tell(offer, "downloaded", bytes_done=info.length)
            await self._tell(offer, "installing", bytes_done=info.length)
            await self._do(lambda: self._make(shelf, offer, file, sha256))
        else:
            await self._tell(offer, "installing", bytes_done=info.length)
        trial = Trial.of(offer, await self._do(shelf.current))
        await self._switching.begin(shelf, trial, self._end_trial, lambda: self._is_offered(trial))

    async def _load(self, offer: Offer, info: TargetFile, sha256: str) -> Path | None:
        """The checked file; None: the city has another word meanwhile."""
        file = self._folder / "downloads" / f"{sha256}.part"
        await self._do(lambda: self._make_room(file, info.length))
        tell_from = 0.0

        def progress(have: int) -> None:
            nonlocal tell_from
            if tell_from <= have < info.length:
                tell_from = have + TELL_EACH * info.length
                steps.append(have)

        steps: list[int] = []
        now = msgspec.structs.replace(offer, download_from_minute=None) if self._hurry else offer
        loading = asyncio.create_task(self._download.load(now, sha256, info.length, file, progress))
        changed = asyncio.create_task(self._changed.wait())
        try:
            while not loading.done():
                await asyncio.wait((loading, changed), timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
                while steps:
                    await self._tell(offer, "downloading", bytes_done=steps.pop(0))
                if changed.done():
                    if self._offer != offer:
                        return None
                    self._changed.clear()
                    changed = asyncio.create_task(self._changed.wait())
            for have in steps:
                await self._tell(offer, "downloading", bytes_done=have)
            loading.result()
        except Doubtful:  # what is there is not what was signed; begin anew
            await self._do(lambda: file.unlink(missing_ok=True))
            raise
        finally:
            for task in (loading, changed):
                task.cancel()
            await asyncio.gather(loading, changed, return_exceptions=True)
        try:
            await self._do(lambda: _verify(info, file))
        except LengthOrHashMismatchError:
            await self._do(lambda: file.unlink(missing_ok=True))
            raise Doubtful("bad-hash", "Tệp tải về khác với bản đã ký") from None
        return file

    # --- telling ---

    async def _end_trial(self, trial: Trial, step: InstallStep, code: str) -> None:
        self._versions[trial.kind] = trial.version if step == "installed" else trial.previous
        offer = Offer(trial.rollout, trial.bundle, trial.kind, trial.version, "", 0, attempt=trial.attempt)
        await self._end(offer, step, code)

    async def _end(self, offer: Offer, step: InstallStep, code: str = "", text: str = "") -> None:
        """Told for good, then remembered."""
        await self._tell(offer, step, code, text, until_kept=True)
        end = End(offer.rollout, offer.bundle, offer.attempt, step)
        self._ends = [*self._ends, end][-KEPT_ENDS:]
        self._hurry, self._tries = False, 0
        with suppress(Unfit, OSError):  # if it is forgotten it is told once more, which changes nothing
            await self._do(lambda: files.write(self._folder / "ends.json", msgspec.json.encode(self._ends)))
        self._answer(self._outcome(step == "installed", code, text))

    async def _tell(
        self,
        offer: Offer,
        step: InstallStep,
        code: str = "",
        text: str = "",
        *,
        bytes_done: int = 0,
        until_kept: bool = False,
    ) -> None:
        news = Installing(offer.rollout, offer.bundle, step, bytes_done, code[:64], text[:500])
        while True:
            try:
                await self._core.report(news)
            except NotKept:
                if until_kept:  # a full disk; it is told when there is room again
                    await asyncio.sleep(self._pace.again_s)
                    continue
            log.info("> %s %s %s %s", offer.bundle, step, code, text)
            return

    def _answer(self, outcome: Outcome) -> None:
        for told in self._waiting:
            if not told.done():
                told.set_result(outcome)

    def _outcome(self, succeeded: bool, code: str, text: str) -> Outcome:
        findings = (Finding("content", self.content()), Finding("configuration", self.configuration()))
        return Outcome(succeeded, code[:64], text[:500], findings)

    # --- small acts ---

    def _is_offered(self, trial: Trial) -> bool:
        """A ring may stop while a bundle is loaded, unpacked, or waits for a resident."""
        now = self._offer
        return now is not None and (now.rollout, now.bundle, now.attempt) == (
            trial.rollout,
            trial.bundle,
            trial.attempt,
        )

    def _end_of(self, offer: Offer) -> End | None:
        for end in self._ends:
            if (end.rollout, end.bundle, end.attempt) == (offer.rollout, offer.bundle, offer.attempt):
                return end
        return None

    def _in_use(self, kind: BundleKind) -> str:
        return self._runtime.version if kind is BundleKind.SOFTWARE else self._versions.get(kind, "")

    def _backoff_s(self, failures: int) -> float:
        """Full jitter: devices that were cut together do not come back together."""
        longest = min(self._pace.longest_wait_s, self._pace.first_wait_s * 2 ** min(failures, 10))
        return float(longest * self._chance())

    def _open(self) -> None:
        (self._folder / "downloads").mkdir(mode=0o700, parents=True, exist_ok=True)
        for kind, shelf in self._shelves.items():
            shelf.open()
            self._versions[kind] = shelf.current()
        try:
            self._ends = msgspec.json.decode((self._folder / "ends.json").read_bytes(), type=list[End])
        except (OSError, msgspec.DecodeError):
            self._ends = []

    def _make(self, shelf: Shelf, offer: Offer, file: Path, sha256: str) -> None:
        half = shelf.half(offer.version)
        unpack(file, offer.kind, half, self._keep_free_bytes)
        try:
            if offer.kind is BundleKind.SOFTWARE:
                self._runtime.make(half, offer.version)
            with files.disk_errors():
                shelf.keep(offer.version, sha256)
        except BaseException:
            files.remove_tree(half)
            raise
        file.unlink(missing_ok=True)

    def _make_room(self, file: Path, length: int) -> None:
        self._drop_half_loaded(but=file.name)
        have = file.stat().st_size if file.exists() else 0
        if files.free_bytes(self._folder) - (length - have) < self._keep_free_bytes:
            raise Unfit("disk-full", "Ổ đĩa của thiết bị không đủ chỗ cho gói này")

    def _drop_half_loaded(self, but: str = "") -> None:
        for half in (self._folder / "downloads").glob("*.part"):
            if half.name != but:
                half.unlink(missing_ok=True)

    async def _do(self, act: Callable[[], T]) -> T:
        """In the thread for waiting on the disk; a disk that refuses is ``Unfit``."""

        def safely() -> T:
            with files.disk_errors():
                return act()

        return await asyncio.get_running_loop().run_in_executor(self._thread, safely)


def _verify(info: TargetFile, file: Path) -> None:
    with file.open("rb") as opened:
        info.verify_length_and_hashes(opened)
