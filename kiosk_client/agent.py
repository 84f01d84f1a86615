"""The agent: puts the parts together, keeps the line, beats, and ends in good order."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from kiosk_client import configuration, watchdog
from kiosk_client import identity as identities
from kiosk_client.backoff import Backoff, sent_away_s
from kiosk_client.beats import Beats
from kiosk_client.city import City
from kiosk_client.clock import CityClock
from kiosk_client.configuration import BadConfiguration
from kiosk_client.counter import Counter
from kiosk_client.courier import Courier
from kiosk_client.disk import Disk
from kiosk_client.effects import Effects
from kiosk_client.enrol import Enroller
from kiosk_client.errors import NotKept
from kiosk_client.evidence import EvidenceFiles
from kiosk_client.folder import Folder
from kiosk_client.identity import Identity
from kiosk_client.key import KeyStore
from kiosk_client.ledger import Ledger
from kiosk_client.line import Line, Said
from kiosk_client.orders import Look
from kiosk_client.outbox import Outbox
from kiosk_client.ports import Body, Standing, Updater
from kiosk_client.pulse import BEAT_EVERY_S, Pulse
from kiosk_client.rotation import Rotation
from kiosk_client.store import Store
from kiosk_client.system import System
from kiosk_client.wire import Cut, Dial, host_of
from kiosk_client.worker import Worker
from signaling.wire.kiosk.bundles import USUAL
from signaling.wire.kiosk.city import (
    Carry,
    DeviceWelcome,
    Go,
    NoGo,
    Offered,
    Rejected,
    SentAway,
    Settings,
    Stored,
    TakeBack,
)
from signaling.wire.kiosk.device import Acknowledge
from signaling.wire.kiosk.words import (
    AnyNews,
    DeviceKind,
    DeviceSettings,
    KeyAnnounced,
    LogLine,
    Versions,
)

AGENT: Final = f"diemcau/{version('diemcau')}"
NOTES: Final = 200
DISK_AGAIN_S: Final = 300.0
FRESH_ENROLMENT: Final = frozenset({"unknown-device", "not-collected"})

Ended = Literal["stop", "restart"]

log = logging.getLogger(__name__)


class Options(Struct, frozen=True, kw_only=True):
    """What differs from device to device."""

    server: str
    kind: DeviceKind = DeviceKind.KIOSK
    hardware: str = ""
    certificate: Path | None = None
    agent: str = AGENT


class Agent:
    """One device. Its life is :meth:`run`; it is the ``Core`` of its body and its updater."""

    def __init__(
        self,
        options: Options,
        *,
        folder: Folder,
        keys: KeyStore,
        disk: Disk,
        system: System,
        body: Body,
        updater: Updater,
        dial: Dial,
        city: City,
        logs: Callable[[int], bytes],
        words: Callable[[str], tuple[str, ...]],
        chance: Callable[[], float],
        store: Store | None = None,
    ) -> None:
        """``words``: of a public key, for people. ``chance``: even in [0, 1). ``store``: of who keeps one in
        memory over several agents' lives."""
        self._words = words
        self._options = options
        self._folder = folder
        self._disk = disk
        self._system = system
        self._body = body
        self._updater = updater
        self._city = city
        self._chance = chance
        self._own_store = store is None
        self._store = store or Store.or_refusing(folder.database)
        self._outbox = Outbox(self._store)
        self._ledger = Ledger(self._store, self._outbox)
        self._files = EvidenceFiles(folder)
        self._counter = Counter(folder, system.wall)
        self._rotation = Rotation(keys, folder)
        self._clock = CityClock()
        self._beats = Beats()
        self._line = Line(
            dial=dial,
            host=host_of(options.server),
            agent=options.agent,
            counter=self._counter,
            clock=self._clock,
            system=system,
            beats=self._beats,
        )
        self._courier = Courier(
            outbox=self._outbox, disk=disk, line=self._line, city=city, files=self._files, chance=chance
        )
        effects = Effects(body=body, updater=updater, line=self, logs=logs, restart=self.restart)
        self._worker = Worker(
            ledger=self._ledger,
            disk=disk,
            files=self._files,
            boot=system.boot,
            run=system.run,
            look=self._look,
            time=self._line.time,
            say=self._line.say,
            effect=effects.carry_out,
            told=self._courier.wake,
        )
        self._identity = identities.load(folder, options.server)
        self._is_configured = False
        self._standing = Standing("starting")
        self._ending: asyncio.Future[Ended] | None = None
        self._notes: deque[LogLine] = deque(maxlen=NOTES)
        self._keeping_notes: asyncio.Task[None] | None = None
        self._pulse = Pulse(
            line=self._line,
            beats=self._beats,
            clock=self._clock,
            system=system,
            body=body,
            versions=self._versions,
            outbox=self._outbox,
            is_durable=lambda: not self._store.failed and self._counter.durable,
            every_s=self._beat_every_s,
            note=self.note,
            chance=chance,
        )

    # --- Core: what the body and the updater may ask ---

    @property
    def state(self) -> Path:
        return self._folder.path

    @property
    def server(self) -> str:
        return self._options.server

    @property
    def certificate(self) -> Path | None:
        return self._options.certificate

    @property
    def standing(self) -> Standing:
        return self._standing

    @property
    def settings(self) -> DeviceSettings | None:
        return self._identity.settings if self._identity is not None else None

    @property
    def depth(self) -> int:
        """Reports that wait."""
        return self._outbox.depth

    def token(self) -> str | None:
        return self._line.token()

    def city_now(self) -> float | None:
        return self._clock.now(self._system.mono())

    async def configure(self) -> None:
        try:
            found = await self._disk.do(lambda: configuration.in_use(self.state))
        except BadConfiguration as error:
            self.note(LogLine("error", error.code, str(error)))
            self._is_configured, found = False, USUAL
        else:
            self._is_configured = True
        self._body.on_configuration(found)

    def session_changed(self) -> None:
        self._worker.wake()

    async def report(self, news: AnyNews) -> None:
        at, city_now = self._line.time(), self.city_now()
        await self._disk.do(lambda: self._outbox.put(news, at, city_now))
        self._courier.wake()

    def note(self, line: LogLine) -> None:
        self._notes.append(msgspec.structs.replace(line, code=line.code[:64], text=line.text[:500]))
        if self._keeping_notes is None:
            self._keeping_notes = asyncio.create_task(self._keep_notes(), name="notes")

    def restart(self, why: str) -> None:
        log.info("x restart: %s", why)
        self._end("restart")

    def stop(self) -> None:
        """End; the service manager may or may not start it again."""
        self._end("stop")

    # --- life ---

    async def run(self) -> Ended:
        """Until stopped, or to be started again."""
        self._ending = asyncio.get_running_loop().create_future()
        tasks: list[asyncio.Task[None]] = []
        try:
            await self._body.start(self)
            await self.configure()
            await self._updater.start(self)
            await self._begin()
            works = [self._keep_line(), self._pulse.run(), self._worker.run()]
            if self._store.refuses:
                works.append(self._try_the_disk_again())
            if watchdog.interval_s() is not None:
                works.append(self._pulse.feed_watchdog())
            tasks += [asyncio.create_task(work) for work in works]
            watchdog.notify(watchdog.READY)
            waits: list[asyncio.Future[Any]] = [*tasks, self._ending]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()  # none of them ends by itself: a bug
            return self._ending.result()
        finally:
            watchdog.notify(watchdog.STOPPING)
            await self._close(tasks)

    async def _begin(self) -> None:
        if self._store.put_aside:
            self.note(LogLine("error", "store-damaged", "Tệp dữ liệu của thiết bị hỏng; đã tạo tệp mới"))
        needed = frozenset(
            one.evidence for one in await self._disk.do(lambda: self._outbox.pending(10_000)) if one.evidence
        )
        try:
            await self._disk.do(lambda: self._files.clear_out(needed))
        except NotKept as error:
            log.error("! old evidence: %s", error)
        if self._identity is not None:
            self._body.on_settings(self._identity.settings)

    async def _close(self, tasks: list[asyncio.Task[None]]) -> None:
        if self._keeping_notes is not None:
            tasks.append(self._keeping_notes)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._courier.close()
        await self._updater.close()
        await self._body.close()
        await self._city.close()
        if self._own_store:
            await self._disk.do(self._store.close)
        self._disk.close()

    async def _try_the_disk_again(self) -> None:
        """Without a store no order can be taken: a new process looks whether there is one now."""
        while True:
            await asyncio.sleep(DISK_AGAIN_S)
            self.restart("the store could not be opened")

    def _end(self, how: Ended) -> None:
        if self._ending is not None and not self._ending.done():
            self._ending.set_result(how)

    # --- the line ---

    async def _keep_line(self) -> None:
        backoff = Backoff()
        while True:
            if self._identity is None:
                await self._enrol()
            assert self._identity is not None
            began = self._system.mono()
            try:
                away = await self._line.attend(self._identity.device, self._rotation.signer, self)
            except Cut as cut:
                log.warning("x line: %s", cut)
                self._show(Standing("cut"))
                backoff.held(self._system.mono() - began)
                wait_s = backoff.wait_s(self._chance(), cut.retry_after_s)
            else:
                backoff.held(self._system.mono() - began)
                wait_s = await self._sent_away(away, backoff)
            finally:
                self._courier.cut()
                self._worker.cut()
            await asyncio.sleep(wait_s)

    async def _sent_away(self, away: SentAway, backoff: Backoff) -> float:
        """Seconds until the next try."""
        log.warning("x sent away: %s", away.code)
        if away.code == "bad-signature" and self._rotation.refused():
            return backoff.wait_s(self._chance())
        if away.code in FRESH_ENROLMENT:
            self._identity = None
            try:
                await self._disk.do(lambda: identities.forget(self._folder))
            except NotKept as error:
                log.error("! %s", error)
            return backoff.wait_s(self._chance())
        if away.retry_after_ms is not None:
            self._show(Standing("cut", away.code))
            return backoff.wait_s(self._chance(), away.retry_after_ms / 1000)
        self._show(Standing("sent-away", away.code))
        return sent_away_s(None, self._chance())

    async def _enrol(self) -> None:
        enroller = Enroller(
            city=self._city,
            key=self._rotation.current,
            counter=self._counter,
            clock=self._clock,
            system=self._system,
            kind=self._options.kind,
            hardware=self._options.hardware,
            agent=self._options.agent,
            show=self._show,
            chance=self._chance,
            words=self._words,
        )
        news = await enroller.enrol()
        assert news.device is not None
        assert news.settings is not None
        self._counter.at_least(news.counter)
        await self._know(Identity(self._options.server, news.device, news.settings))

    async def _know(self, identity: Identity) -> None:
        if identity == self._identity:
            return
        told = self._identity is None or self._identity.settings != identity.settings
        self._identity = identity
        if told:
            self._body.on_settings(identity.settings)
        try:
            await self._disk.do(lambda: identities.keep(self._folder, identity))
        except NotKept as error:  # the key finds it again
            log.error("! %s", error)

    def _show(self, standing: Standing) -> None:
        if standing != self._standing:
            self._standing = standing
            log.info("= %s %s", standing.state, standing.code)
            self._body.show(standing)

    # --- what the city says ---

    async def on_welcome(self, welcome: DeviceWelcome) -> None:
        assert self._identity is not None
        log.info("< welcome, device %s", self._identity.device)
        try:
            if self._rotation.welcomed():
                log.info("= the next key is the key")
            await self._know(msgspec.structs.replace(self._identity, settings=welcome.settings))
            if welcome.rotate_key:
                announced = self._rotation.announce(self._identity.device)
                if announced is not None:
                    await self.report(announced)
            at, city_now = self._line.time(), self.city_now()
            await self._disk.do(lambda: self._outbox.tell_dropped(at, city_now))
        except NotKept as error:
            log.error("! %s", error)
        self._show(Standing("connected"))
        self._updater.welcomed()
        self._pulse.beat_now()
        self._courier.wake()
        self._worker.wake()

    async def on_said(self, message: Said) -> None:
        match message:
            case Carry():
                if await self._worker.carry(message):
                    await self._line.say(Acknowledge(command=message.order.id))
            case TakeBack():
                await self._worker.take_back(message)
            case Go() | NoGo():
                self._worker.answered(message)
            case Offered():
                self._updater.offered(message.offer)
            case Settings():
                if self._identity is not None:
                    await self._know(msgspec.structs.replace(self._identity, settings=message.settings))
            case Rejected(key=key):
                log.error("! the city rejects %s: %s %s", key or "a message", message.code, message.text)
                if key is not None:
                    await self._courier.stored((key,))
            case Stored():
                for news in await self._courier.stored(message.keys):
                    if isinstance(news, KeyAnnounced) and self._rotation.stored(news):
                        await self._line.hang_up()  # and come back with the next key

    # --- small things ---

    async def round_trip_s(self) -> float:
        return await self._line.round_trip_s()

    async def download(self, path: str, most_bytes: int) -> tuple[int, float]:
        token = self._line.token()
        if token is None:
            raise Cut("no token")
        return await self._city.download_s(path, token, most_bytes)

    def _look(self) -> Look:
        return Look(self.city_now(), self._body.session_active(), self._line.welcomed)

    def _versions(self) -> Versions:
        in_force = self._updater.configuration() if self._is_configured else ""
        return Versions(self._options.agent, self._updater.content()[:64], in_force[:64])

    def _beat_every_s(self) -> float:
        return self._identity.settings.beat_every_s if self._identity is not None else BEAT_EVERY_S

    async def _keep_notes(self) -> None:
        try:
            while self._notes:
                line = self._notes.popleft()
                try:
                    await self.report(line)
                except NotKept as error:
                    log.error("! note %s: %s", line.code, error)
        finally:
            self._keeping_notes = None
