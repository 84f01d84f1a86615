"""A city that speaks to one device in memory, for the device's own tests, and a body without a machine.

It is the other party of the protocol, not a stand-in for ours: what the real city makes of a device is tested
against the real one.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from kiosk_client.agent import Agent, Ended, Options
from kiosk_client.city import Refused
from kiosk_client.disk import Disk, InlineDisk
from kiosk_client.folder import Folder, MemoryFolder
from kiosk_client.key import FileKeys
from kiosk_client.no_updates import NoUpdates
from kiosk_client.ports import BodyFacts, Core, Result, Standing
from kiosk_client.store import Store
from kiosk_client.wire import Cut, Wire
from room_manager.ids import SiteId
from signaling.wire.kiosk.bundles import Configuration
from signaling.wire.kiosk.city import (
    Carry,
    Challenge,
    CityMessage,
    DeviceWelcome,
    Go,
    Heard,
    NoGo,
    SentAway,
    Stored,
    Token,
)
from signaling.wire.kiosk.device import (
    Acknowledge,
    AnyDeviceMessage,
    Beat,
    Claim,
    DeviceHello,
    EvidenceHead,
    Report,
)
from signaling.wire.kiosk.rest import AskEnrolment, Enrolled, EnrolmentNews, ProveEnrolment
from signaling.wire.kiosk.words import (
    CommandId,
    DeviceId,
    DeviceSettings,
    EnrolmentId,
    EnrolmentState,
    Load,
    Order,
    Outcome,
    Place,
)
from signaling.wire.kiosk.words import (
    Disk as DiskFacts,
)

SERVER = "http://city.example"
CITY_EPOCH = 1_800_000_000.0
SETTINGS = DeviceSettings("Ki-ốt sảnh A", Place(SiteId("00001")))

_decoder = msgspec.json.Decoder(AnyDeviceMessage)


def decode(text: bytes | str) -> AnyDeviceMessage:
    """What a device said."""
    message: AnyDeviceMessage = _decoder.decode(text)
    return message


class ToySystem:
    """Clocks that follow the loop's; ``skew_s`` is how wrong the wall clock is."""

    def __init__(self, boot: str = "boot-0001", run: str = "run-1", skew_s: float = 0.0) -> None:
        self.boot = boot
        self.run = run
        self.skew_s = skew_s
        self.kept = False

    def mono(self) -> float:
        return asyncio.get_running_loop().time() + 5.0

    def wall(self) -> float:
        return CITY_EPOCH + asyncio.get_running_loop().time() + self.skew_s

    def clock_kept(self) -> bool:
        return self.kept


class ToyBody:
    """Counts what it is told to do."""

    def __init__(self) -> None:
        self.shown: list[Standing] = []
        self.settings: list[DeviceSettings] = []
        self.configurations: list[Configuration] = []
        self.done: list[CommandId] = []
        self.in_session = False
        self.result = Result(Outcome(succeeded=True))
        self.takes_s = 0.0
        self.core: Core | None = None

    async def start(self, core: Core) -> None:
        self.core = core

    async def close(self) -> None:
        pass

    def alive(self) -> bool:
        return True

    async def facts(self) -> BodyFacts:
        return BodyFacts(disk=DiskFacts(0.5, 2**30), load=Load(0.1, 0.2))

    def session_active(self) -> bool:
        return self.in_session

    def set_session(self, active: bool) -> None:
        self.in_session = active
        assert self.core is not None
        self.core.session_changed()

    async def carry_out(self, order: Order) -> Result:
        self.done.append(order.id)
        await asyncio.sleep(self.takes_s)
        return self.result

    def show(self, standing: Standing) -> None:
        self.shown.append(standing)

    def on_configuration(self, configuration: Configuration) -> None:
        self.configurations.append(configuration)

    def on_settings(self, settings: DeviceSettings) -> None:
        self.settings.append(settings)


class ToyWire(Wire):
    """One connection, both ends in memory."""

    def __init__(self, city: "ToyCity") -> None:
        self._city = city
        self._inbox: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.open = True

    def deliver(self, message: CityMessage) -> None:
        self._inbox.put_nowait(msgspec.json.encode(message))

    def break_(self) -> None:
        self.open = False
        self._inbox.put_nowait(None)

    async def send(self, text: bytes) -> None:
        await asyncio.sleep(self._city.trip_s / 2)
        if not self.open:
            raise Cut("broken")
        self._city.hear(self, decode(text))

    async def receive(self) -> bytes:
        text = await self._inbox.get()
        await asyncio.sleep(self._city.trip_s / 2)
        if text is None or not self.open:
            raise Cut("broken")
        return text

    async def ping(self) -> None:
        await asyncio.sleep(self._city.trip_s)

    async def close(self) -> None:
        self.break_()


class ToyCity:
    """Lets everybody in who asks, unless told otherwise."""

    def __init__(self) -> None:
        self.trip_s = 0.02
        self.reachable = True
        self.enrolment_states: list[EnrolmentState] = [EnrolmentState.WAITING, EnrolmentState.COLLECTED]
        self.away: SentAway | None = None
        self.heard: list[AnyDeviceMessage] = []
        self.hellos_at: list[float] = []
        self.dials_at: list[float] = []
        self.line: ToyWire | None = None
        self.answers_beats = True
        self.stores = True
        self.rotate = False
        self.no_go: dict[CommandId, str] = {}
        self.evidence: list[EvidenceHead] = []
        self.busy_for_evidence_s = 0.0
        self.evidence_at: list[float] = []
        self.asked = 0
        self.too_many_until = 0.0  # on the loop's clock
        self.refused_at: list[float] = []
        self.on_heard: Callable[[AnyDeviceMessage], None] = lambda message: None

    @property
    def now(self) -> float:
        return CITY_EPOCH + asyncio.get_running_loop().time()

    # --- the line ---

    def challenge(self) -> Challenge:
        return Challenge(time=self.now, nonce="nonce")

    async def dial(self) -> Wire:
        self.dials_at.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.trip_s)
        if not self.reachable:
            raise Cut("no route")
        wire = ToyWire(self)
        wire.deliver(self.challenge())
        return wire

    def hear(self, wire: ToyWire, message: AnyDeviceMessage) -> None:
        self.heard.append(message)
        match message:
            case DeviceHello():
                self.hellos_at.append(asyncio.get_running_loop().time())
                if self.away is not None:
                    wire.deliver(self.away)
                    return
                self.line = wire
                wire.deliver(
                    DeviceWelcome(
                        time=self.now,
                        token="token",
                        token_ends_at=self.now + 900,
                        settings=SETTINGS,
                        rotate_key=self.rotate,
                    )
                )
            case Beat(n=n) if self.answers_beats:
                wire.deliver(Heard(time=self.now, n=n))
            case Report(key=key) if self.stores:
                wire.deliver(Stored(time=self.now, keys=(key,)))
            case Claim(command=command):
                if command in self.no_go:
                    wire.deliver(NoGo(time=self.now, command=command, code=self.no_go[command], text=""))
                else:
                    wire.deliver(Go(time=self.now, command=command))
            case _:
                pass
        self.on_heard(message)

    def say(self, message: CityMessage) -> None:
        assert self.line is not None
        self.line.deliver(message)

    def order(self, order: Order) -> None:
        self.say(Carry(time=self.now, order=order))

    def renew_token(self) -> None:
        self.say(Token(time=self.now, token="next", token_ends_at=self.now + 900))

    def cut(self) -> None:
        assert self.line is not None
        self.line.break_()
        self.line = None

    def all(self, kind: type[Any]) -> list[Any]:
        return [message for message in self.heard if isinstance(message, kind)]

    def news(self, kind: type[Any]) -> list[Any]:
        return [message.news for message in self.all(Report) if isinstance(message.news, kind)]

    def acknowledged(self) -> list[CommandId]:
        return [message.command for message in self.all(Acknowledge)]

    # --- REST ---

    async def ask(self, asking: AskEnrolment) -> Enrolled:
        await asyncio.sleep(self.trip_s)
        if not self.reachable:
            raise Cut("no route")
        self._check_rate()
        self.asked += 1
        state = self.enrolment_states[0]
        return Enrolled(
            EnrolmentId("e1"), state, "ABC234", f"{SERVER}/fleet/enrol#ABC234", self.now + 600, 3.0, self.now
        )

    async def look(self, enrolment: EnrolmentId, proof: ProveEnrolment) -> EnrolmentNews:
        await asyncio.sleep(self.trip_s)
        if not self.reachable:
            raise Cut("no route")
        self._check_rate()
        state = self.enrolment_states[0]
        if len(self.enrolment_states) > 1:
            self.enrolment_states.pop(0)
        if state is EnrolmentState.COLLECTED:
            return EnrolmentNews(state, self.now, DeviceId("d1"), SETTINGS)
        return EnrolmentNews(state, self.now)

    def _check_rate(self) -> None:
        now = asyncio.get_running_loop().time()
        if now < self.too_many_until:
            self.refused_at.append(now)
            raise Refused(429, "too-many", "too many devices ask from this address; wait a moment", 2.0)

    async def put_evidence(self, head: EvidenceHead, data: bytes, token: str) -> None:
        await asyncio.sleep(self.trip_s)
        if not self.reachable:
            raise Cut("no route")
        self.evidence_at.append(asyncio.get_running_loop().time())
        if self.busy_for_evidence_s:
            raise Cut("answered 503", self.busy_for_evidence_s)
        self.evidence.append(head)

    async def download_s(self, path: str, token: str, most_bytes: int) -> tuple[int, float]:
        if not self.reachable:
            raise Refused(404, "not-found", path)
        return most_bytes, 1.0

    async def close(self) -> None:
        pass


class ToyDevice:
    """An agent on a toy machine; it may lose power and come back."""

    def __init__(
        self,
        city: ToyCity,
        *,
        folder: Folder | None = None,
        system: ToySystem | None = None,
        body: ToyBody | None = None,
        disk: Disk | None = None,
        store: Store | None = None,
        chance: Callable[[], float] = lambda: 0.5,
    ) -> None:
        self.city = city
        self.folder = folder or MemoryFolder("toy")
        self.system = system or ToySystem()
        self.body = body or ToyBody()
        self.store = store or Store(self.folder.database)
        self._disk = disk or InlineDisk()
        self._chance = chance
        self.agent = self._agent()
        self.task: asyncio.Task[Ended] | None = None

    def _agent(self) -> Agent:
        return Agent(
            Options(server=SERVER, hardware="toy"),
            folder=self.folder,
            keys=FileKeys(self.folder),
            disk=self._disk,
            system=self.system,
            body=self.body,
            updater=NoUpdates(),
            dial=self.city.dial,
            city=self.city,
            logs=lambda hours: b"log\n",
            words=lambda key: ("một", "hai", "ba", "bốn"),
            chance=self._chance,
            store=self.store,
        )

    def start(self) -> None:
        self.task = asyncio.create_task(self.agent.run())

    async def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.task

    async def come_back(self, *, boot: str | None = None, run: str) -> None:
        """The process is gone at once, and another one starts on what is on the disk."""
        await self.stop()
        self.system = ToySystem(boot or self.system.boot, run, self.system.skew_s)
        self.agent = self._agent()
        self.start()


@asynccontextmanager
async def toy_device(city: ToyCity, **options: Any) -> AsyncIterator[ToyDevice]:
    """A device that has been started; ended afterwards."""
    device = ToyDevice(city, **options)
    device.start()
    try:
        yield device
    finally:
        await device.stop()
        device.store.close()
