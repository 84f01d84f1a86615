"""How every device is now: the last facts and the judgement of each, in memory.

A beat costs the same however many devices there are. Silence is noticed by one heap of deadlines and one
task; a
device that beats leaves its old deadline where it is, and is given a new one only when that comes up. What
a restart
must know goes to SQL in batches, a change of status within seconds.
"""

import asyncio
import heapq
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final, Protocol

from msgspec.structs import replace

from kiosk_hub.fleet.bulks import Look
from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.facts import Facts
from kiosk_hub.fleet.health import Health, hear, is_silent, judge, remember, silence_s
from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.values import DeviceState, Status
from kiosk_hub.fleet.verdict import Verdict
from kiosk_hub.ports import Feed, JudgementListener, Marks
from kiosk_hub.services.directory import Directory
from kiosk_hub.store import last_facts
from room_manager.errors import DomainError
from room_manager.store.database import Database

LOOK_EVERY_S: Final = 1.0
LOOKS_AT_ONCE: Final = 2_000  # the rest a second later; 10,000 silent devices are through in five
RETURN_GRACE_S: Final = 30.0  # after our own start, devices come back in a ramp
STANDSTILL_S: Final = (
    10.0  # so long between two looks: it was us who did not listen, or the clock that jumped
)
KEEP_EVERY_S: Final = 60.0
KEEP_LOOK_EVERY_S: Final = 5.0
KEEP_AT_ONCE: Final = 500
CLOSE_LIMIT_S: Final = 10.0

log = logging.getLogger(__name__)


class StatusListener(Protocol):
    """Is told when a device's status has become another. Called on the loop; must not wait."""

    def on_status(self, device: Device, before: Status | None, after: Verdict, now: float) -> None: ...


class Known:
    """One device, as it is now."""

    __slots__ = ("boot", "connected", "health", "kept_at", "kept_of", "scheduled", "verdict")

    def __init__(self, health: Health, verdict: Verdict) -> None:
        self.health = health
        self.verdict = verdict
        self.connected = False
        self.boot = ""
        self.scheduled = False  # it has one deadline in the heap, never two
        self.kept_of = health.heard_at  # the beat that was kept last
        self.kept_at = 0.0


class Registry:
    """Listens to the device edge, judges, and tells. All of it on the loop; only keeping waits."""

    def __init__(
        self,
        database: Database,
        directory: Directory,
        feed: Feed,
        clock: Callable[[], float],
        beat_every_s: float = 30.0,
    ) -> None:
        self.beat_every_s = beat_every_s
        self.marks: Marks | None = None
        """Who knows what alerting marks a row with; set by whoever puts the parts together."""
        self.beats = 0
        """Heard since the start."""
        self._database = database
        self._directory = directory
        self._feed = feed
        self._clock = clock
        self._known: dict[DeviceId, Known] = {}
        self._deadlines: list[tuple[float, DeviceId]] = []
        self._listening_since = 0.0
        self._looked_at = 0.0
        self._changed: dict[DeviceId, None] = {}  # not kept yet, and worth keeping soon
        self._judged: list[JudgementListener] = []
        self._on_status: list[StatusListener] = []
        self._tasks: list[asyncio.Task[None]] = []

    def listen(self, listener: JudgementListener) -> None:
        self._judged.append(listener)

    def listen_status(self, listener: StatusListener) -> None:
        self._on_status.append(listener)

    # --- opening and closing ---

    async def start(self) -> None:
        """Remember what was kept, and begin to look. Call it after those who listen are known."""
        await self.load()
        self._tasks = [
            asyncio.create_task(self._look_for_ever(), name="look after devices"),
            asyncio.create_task(self._keep_for_ever(), name="keep the last facts"),
        ]

    async def load(self) -> None:
        now = self._clock()
        self._listening_since = now + RETURN_GRACE_S
        self._looked_at = now
        kept = await last_facts.load(self._database)
        for device in self._directory:
            self._add(device, _not_ahead(kept.get(device.id, Health()), now), now)
        self._directory.listen(self._on_directory)

    async def close(self) -> None:
        """Stop looking, and keep what is not kept yet."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._tasks = []
        try:
            async with asyncio.timeout(CLOSE_LIMIT_S):
                while await self.keep(everything=True):
                    pass
        except (DomainError, TimeoutError) as error:
            log.error("! the last facts of devices are not all kept: %s", error)

    # --- reading ---

    def known(self, device: DeviceId) -> Known | None:
        return self._known.get(device)

    def verdict(self, device: DeviceId) -> Verdict | None:
        """None: there is no such device."""
        known = self._known.get(device)
        return None if known is None else known.verdict

    def look_at(self, device: DeviceId) -> Look | None:
        """What a bulk chooses by; None: there is no such device."""
        known = self._known.get(device)
        if known is None:
            return None
        facts = known.health.facts
        return Look(
            status=known.verdict.status,
            agent=facts.versions.agent if facts is not None else "",
            content=facts.versions.content if facts is not None else "",
            in_session=facts is not None and facts.in_session,
            connected=known.connected,
        )

    def all(self) -> Iterable[tuple[Device, Known]]:
        """Every device with what is known of it."""
        for device in self._directory.all():
            known = self._known.get(device.id)
            if known is not None:
                yield device, known

    # --- hearing (Listener) ---

    def on_connected(self, device: DeviceId, boot: str, now: float) -> None:
        known = self._known.get(device)
        if known is not None:
            known.connected, known.boot = True, boot
            self._feed.row_changed(device)

    def on_gone(self, device: DeviceId, now: float) -> None:
        known = self._known.get(device)
        if known is not None:
            known.connected = False
            self._feed.row_changed(device)

    def on_beat(self, device: DeviceId, facts: Facts, now: float) -> None:
        record, known = self._directory.find(device), self._known.get(device)
        if record is None or known is None:
            return
        self.beats += 1
        known.health = hear(known.health, record, facts, now)
        self._judge(record, known, now)
        self._feed.row_changed(device)
        self._schedule(record, known, now)

    # --- time passing ---

    def look(self) -> None:
        """Judge those whose deadline has come."""
        now = self._clock()
        if not 0 <= now - self._looked_at < STANDSTILL_S:
            log.warning("- no look at devices for %.0f s; silence counts from now", now - self._looked_at)
            self._listening_since = now
            self._deadlines = [(now, device) for _, device in self._deadlines]
            for one in self._known.values():
                one.health = _not_ahead(one.health, now)
                one.kept_at = min(one.kept_at, now)  # or nothing is kept until the clock has caught up
        self._looked_at = now
        for _ in range(LOOKS_AT_ONCE):
            if not self._deadlines or self._deadlines[0][0] > now:
                return
            _, device = heapq.heappop(self._deadlines)
            record, known = self._directory.find(device), self._known.get(device)
            if known is not None:
                known.scheduled = False
            if record is None or known is None or not _may_fall_silent(record, known):
                continue
            try:
                if is_silent(known.health, now, self.beat_every_s, self._listening_since):
                    self._judge(record, known, now)
            finally:
                self._schedule(record, known, now)  # whatever fails, its silence is looked at again

    def judge_now(self, device: DeviceId) -> None:
        """Once more, for whoever has changed what the judgement rests on."""
        record, known = self._directory.find(device), self._known.get(device)
        if record is not None and known is not None:
            self._judge(record, known, self._clock())
            self._feed.row_changed(device)

    def _add(self, device: Device, health: Health, now: float) -> None:
        known = self._known[device.id] = Known(health, self._verdict(health, device, now))
        self._judge(device, known, now)
        self._schedule(device, known, now)

    def _on_directory(self, before: Device | None, after: Device | None) -> None:
        now = self._clock()
        if after is None:
            if before is not None:
                self._known.pop(before.id, None)
            return
        known = self._known.get(after.id)
        if known is None:
            self._add(after, Health(), now)
        else:
            self._judge(after, known, now)
            self._schedule(after, known, now)
        self._feed.row_changed(after.id)

    def _judge(self, device: Device, known: Known, now: float) -> None:
        before, shown = known.health.status, known.verdict
        after = self._verdict(known.health, device, now)
        known.verdict = after
        known.health = remember(known.health, after)
        if before is not after.status:
            self._changed[device.id] = None
            for status_listener in self._on_status:
                try:
                    status_listener.on_status(device, before, after, now)
                except Exception:
                    log.exception("! device %s: a status could not be taken in", device.id)
        if shown.symptoms != after.symptoms or before is not after.status:
            self._feed.row_changed(device.id)
        for listener in self._judged:
            try:
                listener.on_judged(device, after, now)
            except Exception:
                log.exception("! device %s: a judgement could not be taken in", device.id)

    def _verdict(self, health: Health, device: Device, now: float) -> Verdict:
        return judge(
            health, device, now, beat_every_s=self.beat_every_s, listening_since=self._listening_since
        )

    def _schedule(self, device: Device, known: Known, now: float) -> None:
        """When to look next, if nothing is heard before."""
        if known.scheduled or not _may_fall_silent(device, known):
            return
        known.scheduled = True
        heard_at = known.health.heard_at or 0.0
        since = max(min(heard_at, now), self._listening_since)
        due = since + silence_s(self.beat_every_s)
        heapq.heappush(self._deadlines, (due if due > now else now + self.beat_every_s, device.id))

    async def _look_for_ever(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                self.look()
            except Exception:
                log.exception("! looking after devices failed; next time again")

    # --- keeping ---

    async def keep(self, everything: bool = False) -> int:
        """Write what is due, in one transaction; how many there were. Raises what writing raises."""
        now = self._clock()
        due: list[tuple[DeviceId, Known, Health]] = []
        for device, known in self._known.items():
            if len(due) >= KEEP_AT_ONCE:
                break
            heard_at = known.health.heard_at
            waits = heard_at is not None and heard_at > known.kept_at
            if device in self._changed or (waits and (everything or now - known.kept_at >= KEEP_EVERY_S)):
                due.append((device, known, known.health))
        await last_facts.put_all(self._database, [(device, health) for device, _, health in due], now)
        for device, known, health in due:
            known.kept_at, known.kept_of = now, health.heard_at
            if known.health.status is health.status:
                self._changed.pop(device, None)
        return len(due)

    async def _keep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(KEEP_LOOK_EVERY_S)
            try:
                while await self.keep() == KEEP_AT_ONCE:
                    pass
            except DomainError as error:
                log.error("! the last facts of devices cannot be kept now: %s", error)
            except Exception:
                log.exception("! keeping the last facts failed; next time again")


def _may_fall_silent(device: Device, known: Known) -> bool:
    return known.health.heard_at is not None and device.state in (DeviceState.ACTIVE, DeviceState.BOUND)


def _not_ahead(health: Health, now: float) -> Health:
    """The clock was set back: what was heard in its future was heard just now, and may fall silent again."""
    if health.heard_at is None or health.heard_at <= now:
        return health
    return replace(health, heard_at=now)
