"""Carries what is in the outbox to the city: a few at a time, evidence before the word that names it."""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from kiosk_client.backoff import Backoff
from kiosk_client.city import City, Refused
from kiosk_client.disk import Disk
from kiosk_client.errors import NotKept
from kiosk_client.evidence import EvidenceFiles
from kiosk_client.line import Line
from kiosk_client.outbox import Outbox, Waiting
from kiosk_client.wire import Cut
from signaling.wire.kiosk.device import EvidenceHead, Report
from signaling.wire.kiosk.words import AnyNews, Done

AT_ONCE: Final = 16
AGAIN_AFTER_S: Final = 10.0
ANSWER_WITHIN_S: Final = 60.0
LEAST_JITTER: Final = 0.75

log = logging.getLogger(__name__)


class Courier:
    """One task while there is something to carry, none otherwise."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        disk: Disk,
        line: Line,
        city: City,
        files: EvidenceFiles,
        chance: Callable[[], float],
    ) -> None:
        self._outbox = outbox
        self._disk = disk
        self._line = line
        self._city = city
        self._files = files
        self._chance = chance
        self._on_way: dict[str, tuple[Waiting, float]] = {}
        self._not_before: dict[int, float] = {}  # by seq, on the loop's clock: a city that is busy is let be
        self._backoff = Backoff()
        self._uploading: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._again = False
        self._timer: asyncio.TimerHandle | None = None

    def wake(self) -> None:
        """There may be something to carry. Never waits."""
        self._again = True
        if self._task is None and self._line.welcomed:
            self._task = asyncio.create_task(self._carry(), name="courier")
            self._task.add_done_callback(self._ended)

    def cut(self) -> None:
        """The connection is gone: what was on its way is told again on the next one."""
        self._on_way.clear()

    def _tell_again(self) -> None:
        """What was told long ago and not answered: the city could not keep it, and says nothing to that."""
        now = asyncio.get_running_loop().time()
        for key, (one, told_at) in list(self._on_way.items()):
            if now - told_at > ANSWER_WITHIN_S:
                del self._on_way[key]
                log.warning("- report %d was not answered", one.seq)

    async def stored(self, keys: tuple[str, ...]) -> list[AnyNews]:
        """The city has these; what they said. Raises NotKept: they stay, and are told again."""
        names = await self._disk.do(lambda: self._outbox.forget(keys))
        known = [self._on_way.pop(key)[0].news for key in keys if key in self._on_way]
        for name in names:
            await self._disk.do(lambda name=name: self._files.remove(name))  # type: ignore[misc]
        self.wake()
        return known

    async def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        tasks = [*self._uploading, *([self._task] if self._task is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and task.exception() is not None:
            log.error("! courier: a bug", exc_info=task.exception())
            self._later()
        elif self._again and not task.cancelled():
            self.wake()

    def _later(self, after_s: float = AGAIN_AFTER_S) -> None:
        loop = asyncio.get_running_loop()
        at = loop.time() + after_s * (LEAST_JITTER + 0.5 * self._chance())
        if self._timer is not None:
            if self._timer.when() <= at:
                return
            self._timer.cancel()
        self._timer = loop.call_at(at, self._timer_rings)

    def _timer_rings(self) -> None:
        self._timer = None
        self.wake()

    async def _carry(self) -> None:
        while self._line.welcomed:
            self._again = False
            self._tell_again()
            room = AT_ONCE - len(self._on_way)
            if self._on_way:
                self._later(ANSWER_WITHIN_S)
            if room <= 0:
                return  # ``stored`` wakes us
            now = asyncio.get_running_loop().time()
            self._not_before = {seq: at for seq, at in self._not_before.items() if at > now}
            besides = frozenset((*(one.seq for one, _ in self._on_way.values()), *self._not_before))
            try:
                batch = await self._disk.do(lambda: self._outbox.pending(room, besides))  # noqa: B023
                seals = [one.seq for one in batch if one.merged]
                if seals:
                    await self._disk.do(lambda: self._outbox.seal(seals))  # noqa: B023
                    batch = await self._disk.do(lambda: self._outbox.pending(room, besides))  # noqa: B023
            except NotKept as error:
                log.error("! outbox: %s", error)
                self._later()
                return
            if not batch:
                if self._not_before:
                    self._later((min(self._not_before.values()) - now) / LEAST_JITTER)
                return
            for one in batch:
                if one.merged:
                    continue  # came between sealing and reading; it is sealed in the next round
                self._on_way[one.key] = (one, asyncio.get_running_loop().time())
                if one.evidence is not None and isinstance(one.news, Done):
                    task = asyncio.create_task(self._upload_and_tell(one, one.news), name="evidence")
                    self._uploading.add(task)
                    task.add_done_callback(self._uploading.discard)
                else:
                    await self._tell(one, one.news)

    async def _tell(self, one: Waiting, news: AnyNews) -> None:
        if not await self._line.say(Report(key=one.key, at=one.at, news=news)):
            self._on_way.pop(one.key, None)

    async def _upload_and_tell(self, one: Waiting, done: Done) -> None:
        """The word that names the evidence follows it; without evidence that cannot be had it goes alone."""
        assert one.evidence is not None
        try:
            kind, data = await self._disk.do(lambda: self._files.read(one.evidence or ""))
            token = self._line.token()
            if done.outcome.evidence is None or token is None:
                raise Cut("no token")
            digest = hashlib.sha256(data).hexdigest()
            head = EvidenceHead(done.outcome.evidence, done.command, kind, digest)
            await self._city.put_evidence(head, data, token)
            self._backoff.eased()
        except KeyError:
            done = _without_evidence(done, "evidence-lost")
        except Refused as refused:
            if not refused.for_good:
                self._give_up(one, refused.retry_after_s or 0.0)
                return
            log.warning("! evidence of %s refused: %s", done.command, refused.said)
            done = _without_evidence(done, refused.said)
        except (Cut, OSError) as error:
            log.warning("! evidence of %s: %s", done.command, error)
            self._give_up(one, error.retry_after_s if isinstance(error, Cut) else 0.0)
            return
        if one.key in self._on_way:
            await self._tell(one, done)

    def _give_up(self, one: Waiting, at_least_s: float) -> None:
        """For now; ``at_least_s`` is what the city asked for."""
        self._on_way.pop(one.key, None)
        wait_s = max(AGAIN_AFTER_S, self._backoff.wait_s(self._chance(), at_least_s))
        self._not_before[one.seq] = asyncio.get_running_loop().time() + wait_s
        self._later(wait_s / LEAST_JITTER)


def _without_evidence(done: Done, code: str) -> Done:
    outcome = replace(done.outcome, evidence=None, succeeded=False, code=code[:64])
    return replace(done, outcome=outcome)
