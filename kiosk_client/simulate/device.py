"""One simulated device: an agent with everything but a machine, and what may befall it."""

import asyncio
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Final, TypeVar

from kiosk_client.agent import Agent, Ended, Options
from kiosk_client.city import City
from kiosk_client.folder import MemoryFolder
from kiosk_client.key import KEY, FileKeys, base64url
from kiosk_client.simulate.body import SimulatedBody
from kiosk_client.simulate.link import Link
from kiosk_client.simulate.places import Seat
from kiosk_client.simulate.updater import SimulatedUpdater
from kiosk_client.store import Store
from kiosk_client.wire import Dial
from signaling.wire.kiosk.words import CommandId

T = TypeVar("T")

BOOT_TAKES_S: Final = 3.0
CLOSE_LIMIT_S: Final = 5.0
HARDWARE: Final = "mô phỏng · SIM-1"


class SimulatedSystem:
    """Clocks of its own; ``skew_s`` is how wrong the wall clock is."""

    def __init__(self, skew_s: float) -> None:
        self.boot = str(uuid.uuid4())
        self.run = uuid.uuid4().hex
        self.skew_s = skew_s
        self._began = time.monotonic()

    def mono(self) -> float:
        return time.monotonic() - self._began + BOOT_TAKES_S

    def wall(self) -> float:
        return time.time() + self.skew_s

    def clock_kept(self) -> bool:
        return False


class SimulatedDisk:
    """At once, or as slowly as a worn-out card."""

    def __init__(self) -> None:
        self.takes_s = 0.0

    async def do(self, act: Callable[[], T]) -> T:
        if self.takes_s > 0:
            await asyncio.sleep(self.takes_s)
        return act()

    def close(self) -> None:
        pass


class SimulatedDevice:
    """Everything that outlives a power cut is here; what does not, in the agent."""

    def __init__(
        self,
        seat: Seat,
        *,
        server: str,
        secret: bytes,
        city: City,
        dial: Dial,
        seed: int,
        on_effect: Callable[["SimulatedDevice", CommandId], None],
        words: Callable[[str], tuple[str, ...]],
    ) -> None:
        self.seat = seat
        self.effects: Counter[CommandId] = Counter()
        self.folder = MemoryFolder(f"kiosk-{seat.number}")
        self.folder.create(KEY, base64url(secret).encode())
        self.public_key = FileKeys(self.folder).current().public
        self.store = Store(self.folder.database)
        self.disk = SimulatedDisk()
        self.link = Link(dial)
        self.skew_s = 0.0
        self._server = server
        self._secret = secret
        self._city = city
        self._dial = dial
        self._seed = seed
        self._lot = random.Random(f"{seed} {seat.number}")  # noqa: S311 - no secret
        self._on_effect = on_effect
        self._words = words
        self.updater = SimulatedUpdater(self._lot)
        self.system = SimulatedSystem(0.0)
        self.body = SimulatedBody(
            self._lot,
            lambda: self.system.mono(),
            self.effects,
            lambda command: self._on_effect(self, command),
            self._reboot,
        )
        self.agent = self._new_agent()
        self._task: asyncio.Task[None] | None = None
        self._rebooting: asyncio.Task[None] | None = None
        self._twin: SimulatedDevice | None = None

    @property
    def is_connected(self) -> bool:
        """It is on, its link is up, and the city has welcomed it."""
        return self._task is not None and self.link.up and self.agent.standing.state == "connected"

    def start(self) -> None:
        """The power is there."""
        self._task = asyncio.create_task(self._live(), name=f"kiosk {self.seat.number}")

    async def close(self) -> None:
        """In good order."""
        if self._twin is not None:
            await self._twin.close()
        self.link.restore()
        if self._rebooting is not None:
            self._rebooting.cancel()
        await self._switch_off()
        self.store.close()

    # --- what befalls it ---

    async def cut_power(self) -> None:
        """Gone, without closing anything."""
        self.link.cut()
        await self._switch_off()

    def restore_power(self) -> None:
        """Back, with another boot; what was on the disk is still there."""
        if self._task is None:
            self.link.restore()
            self._switch_on()
            self.start()

    def jump_clock(self, by_s: float) -> None:
        self.skew_s += by_s
        self.system.skew_s = self.skew_s

    def fill_disk(self, full: bool) -> None:
        """SQLite itself then refuses to grow its file."""
        self.store.read(f"PRAGMA max_page_count = {1 if full else 2**30}")

    def clone(self) -> None:
        """Another machine starts with a copy of this one's disk."""
        if self._twin is not None:
            return
        twin = SimulatedDevice(
            self.seat,
            server=self._server,
            secret=self._secret,
            city=self._city,
            dial=self._dial,
            seed=self._seed + 1,
            on_effect=self._on_effect,
            words=self._words,
        )
        twin.folder.files.update(self.folder.files)
        twin._switch_on()
        twin.start()
        self._twin = twin

    async def end_clone(self) -> None:
        twin, self._twin = self._twin, None
        if twin is not None:
            await twin.close()

    # --- inside ---

    def _switch_on(self) -> None:
        self.system = SimulatedSystem(self.skew_s)
        self.agent = self._new_agent()

    async def _switch_off(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait((task,), timeout=CLOSE_LIMIT_S)

    def _new_agent(self) -> Agent:
        return Agent(
            Options(server=self._server, hardware=HARDWARE),
            folder=self.folder,
            keys=FileKeys(self.folder),
            disk=self.disk,
            system=self.system,
            body=self.body,
            updater=self.updater,
            dial=self.link.dial,
            city=self._city,
            logs=lambda hours: b"nothing happened\n",
            words=self._words,
            chance=self._lot.random,
            store=self.store,
        )

    async def _live(self) -> None:
        """Agent after agent, as the service manager does it."""
        while True:
            ended: Ended = await self.agent.run()
            if ended == "stop":
                return
            await asyncio.sleep(1.0)
            self.system.run = uuid.uuid4().hex
            self.agent = self._new_agent()

    def _reboot(self) -> None:
        self._rebooting = asyncio.create_task(self._go_down_and_come_up(), name="reboot")

    async def _go_down_and_come_up(self) -> None:
        await asyncio.sleep(1.0)
        await self._switch_off()
        await asyncio.sleep(BOOT_TAKES_S)
        self._switch_on()
        self.start()
