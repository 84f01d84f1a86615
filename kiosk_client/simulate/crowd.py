"""Many simulated devices in one process: how they come, who uses them, what befalls them, what is told."""

import asyncio
import heapq
import logging
import math
import random
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec import Struct

from kiosk_client.simulate.device import SimulatedDevice
from kiosk_client.simulate.script import Fault, Step
from signaling.wire.kiosk.words import CommandId

ALL_IN_WITHIN_S: Final = 120.0
"""After the last was started, and a second more for each twenty; the script begins then in any case."""
LOOK_EVERY_S: Final = 0.25
SESSION_LASTS_S: Final = (40.0, 240.0)
HANOI_S: Final = 7 * 3_600.0
BUSY: Final = (0, 0, 0, 0, 0, 1, 3, 6, 10, 12, 11, 8, 4, 6, 10, 12, 11, 9, 6, 5, 4, 2, 1, 0)
"""Sessions of one kiosk in each hour of the day, Hà Nội's time."""

log = logging.getLogger(__name__)

Tell = Callable[[dict[str, Any]], object]


class Plan(Struct, frozen=True, kw_only=True):
    """What is to happen."""

    faults: tuple[Fault, ...] = ()
    steps: tuple[Step, ...] = ()
    per_s: float = 50.0  # devices that start
    busy: float = 1.0  # how many residents, of the usual
    seed: int = 0


class Crowd:
    """Its task is :meth:`run`."""

    def __init__(self, makers: Sequence[Callable[[], SimulatedDevice]], plan: Plan, tell: Tell) -> None:
        """``makers``: one for each device, in the order of their numbers; making one takes milliseconds."""
        self._makers = makers
        self._devices: list[SimulatedDevice] = []
        self._plan = plan
        self._tell = tell
        self._lot = random.Random(f"crowd {plan.seed}")  # noqa: S311 - no secret
        self._flapping: dict[int, asyncio.Task[None]] = {}
        self._acts: set[asyncio.Task[None]] = set()

    def effect(self, device: SimulatedDevice, command: CommandId) -> None:
        """An order has had its effect."""
        self._tell({"what": "effect", "kiosk": device.seat.number, "command": command, "at": time.time()})

    async def run(self) -> None:
        """Until cancelled; then all devices are ended in good order."""
        tasks = [asyncio.create_task(self._residents()), asyncio.create_task(self._report())]
        try:
            await self._come()
            await self._play()
            await asyncio.gather(*tasks)
        finally:
            for task in [*tasks, *self._flapping.values(), *self._acts]:
                task.cancel()
            await asyncio.gather(*tasks, *self._flapping.values(), *self._acts, return_exceptions=True)
            await asyncio.gather(*(device.close() for device in self._devices))

    def connected(self) -> int:
        return sum(device.is_connected for device in self._devices)

    async def _come(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for place, make in enumerate(self._makers):
            await asyncio.sleep(max(0.0, began + place / self._plan.per_s - loop.time()))
            device = make()
            self._devices.append(device)
            device.start()
        self._tell({"what": "started", "kiosks": len(self._devices), "at": time.time()})
        limit = loop.time() + ALL_IN_WITHIN_S + len(self._devices) / 20
        while self.connected() < len(self._devices) and loop.time() < limit:  # noqa: ASYNC110 - of many agents
            await asyncio.sleep(LOOK_EVERY_S)
        self._tell({"what": "all-in", "connected": self.connected(), "at": time.time()})

    # --- what befalls them ---

    async def _play(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for step in self._plan.steps:
            await asyncio.sleep(max(0.0, began + step.at_s - loop.time()))
            fault = self._plan.faults[step.number]
            self._tell(
                {
                    "what": "fault",
                    "kind": fault.kind,
                    "number": step.number,
                    "begins": step.begins,
                    "kiosks": list(step.devices),
                    "at": time.time(),
                }
            )
            for number in step.devices:
                await self._befall(self._devices[number], fault, step.begins)

    async def _befall(self, device: SimulatedDevice, fault: Fault, begins: bool) -> None:
        match fault.kind:
            case "power-cut":
                if begins:
                    self._act(device.cut_power())
                else:
                    device.restore_power()
            case "line-cut":
                if begins:
                    device.link.cut()
                else:
                    device.link.restore()
            case "flapping-line":
                self._flap(device, (fault.period_s, fault.by_s or fault.period_s) if begins else None)
            case "clock-jump":
                device.jump_clock(fault.by_s if begins else -fault.by_s)
            case "slow-disk":
                device.disk.takes_s = fault.by_s if begins else 0.0
            case "full-disk":
                device.fill_disk(begins)
                self._set(device, "full-disk", begins)
            case "cloned-key":
                if begins:
                    device.clone()
                else:
                    await device.end_clone()
            case "bad-install":
                device.updater.fails = begins
            case "frozen-camera" | "frozen-page" | "paper-out" | "worse-experience":
                self._set(device, fault.kind, begins)

    def _set(self, device: SimulatedDevice, kind: Any, begins: bool) -> None:
        if begins:
            device.body.faults[kind] = device.system.mono()
        else:
            device.body.faults.pop(kind, None)

    def _flap(self, device: SimulatedDevice, cut_and_back_s: tuple[float, float] | None) -> None:
        task = self._flapping.pop(device.seat.number, None)
        if task is not None:
            task.cancel()
            device.link.restore()
        if cut_and_back_s is not None:
            flapping = self._keep_flapping(device, *cut_and_back_s)
            self._flapping[device.seat.number] = asyncio.create_task(flapping)

    async def _keep_flapping(self, device: SimulatedDevice, cut_s: float, back_s: float) -> None:
        while True:
            device.link.cut()
            await asyncio.sleep(cut_s * self._lot.uniform(0.8, 1.2))
            device.link.restore()
            await asyncio.sleep(back_s * self._lot.uniform(0.8, 1.2))

    def _act(self, act: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(act)
        self._acts.add(task)
        task.add_done_callback(self._acts.discard)

    # --- residents ---

    async def _residents(self) -> None:
        """One loop for all: who comes, and who goes."""
        going: list[tuple[float, int]] = []
        loop = asyncio.get_running_loop()
        owed = 0.0
        last = loop.time()
        while True:
            await asyncio.sleep(1.0)
            now = loop.time()
            hour = int((time.time() + HANOI_S) // 3_600 % 24)
            owed += (now - last) * BUSY[hour] * self._plan.busy * len(self._devices) / 3_600
            last = now
            for _ in range(math.floor(owed) if self._devices else 0):
                owed -= 1.0
                device = self._lot.choice(self._devices)
                if device.body.begin_session():
                    heapq.heappush(going, (now + self._lot.uniform(*SESSION_LASTS_S), device.seat.number))
            while going and going[0][0] <= now:
                await self._devices[heapq.heappop(going)[1]].body.end_session()

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(10.0)
            self._tell({"what": "crowd", "connected": self.connected(), "at": time.time()})
