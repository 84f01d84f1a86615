"""A made-up machine: its facts, its residents, and what it does when it is told. No I/O."""

import asyncio
import random
import struct
import zlib
from collections import Counter
from collections.abc import Callable
from typing import Final, Literal

from kiosk_client.errors import NotKept
from kiosk_client.ports import BodyFacts, Core, Evidence, Result, Standing
from signaling.wire.kiosk.bundles import Configuration
from signaling.wire.kiosk.words import (
    Camera,
    CommandId,
    DeviceSettings,
    Disk,
    Finding,
    Load,
    Order,
    Outcome,
    Painted,
    Printer,
    Reboot,
    ReturnToService,
    Sessions,
    SetScreen,
    TakeOutOfService,
    TakeScreenshot,
    TestCamera,
)

DISK_BYTES: Final = 32 * 10**9
HOUR_S: Final = 3_600.0
ACT_TAKES_S: Final = (0.05, 1.5)

Fault = Literal["frozen-camera", "frozen-page", "paper-out", "full-disk", "worse-experience"]


class SimulatedBody:
    """One machine's temper is drawn once; its facts then vary around it."""

    def __init__(
        self,
        lot: random.Random,
        now: Callable[[], float],
        effects: Counter[CommandId],
        on_effect: Callable[[CommandId], None],
        reboot: Callable[[], None],
    ) -> None:
        """``now``: the device's monotonic clock. ``effects`` outlives the body: how often each order was
        done."""
        self._lot = lot
        self._now = now
        self._effects = effects
        self._on_effect = on_effect
        self._reboot = reboot
        self._began = now()
        self._cpu = lot.uniform(0.05, 0.35)
        self._memory = lot.uniform(0.3, 0.65)
        self._warm_c = lot.uniform(42, 62)
        self._free = lot.uniform(0.35, 0.8)
        self._wear = lot.uniform(0.02, 0.4)
        self._sharp = lot.uniform(90, 260)
        self._bright = lot.uniform(0.35, 0.6)
        self._kind: Literal["wired", "wireless", "mobile"] = lot.choices(
            ("wired", "wireless", "mobile"), (6, 3, 1)
        )[0]
        self._core: Core | None = None
        self._in_session = False
        self._screen_on = True
        self.faults: dict[Fault, float] = {}
        self.out_of_service = False
        self.standing = Standing("starting")

    async def start(self, core: Core) -> None:
        self._core = core

    async def close(self) -> None:
        self._core = None

    def alive(self) -> bool:
        return True

    async def facts(self) -> BodyFacts:
        vary = self._lot.gauss
        now = self._now()
        frozen = self.faults.get("frozen-page")
        painted_s = now - frozen if frozen is not None else self._lot.uniform(0.0, 1.0)
        camera = Camera(
            "ok", True, max(1.0, vary(self._sharp, 6)), min(1.0, max(0.0, vary(self._bright, 0.02)))
        )
        if "frozen-camera" in self.faults:
            camera = Camera("frozen", False, camera.sharpness, camera.brightness)
        free = 0.0 if "full-disk" in self.faults else self._free
        return BodyFacts(
            disk=Disk(free, int(free * DISK_BYTES), "full-disk" not in self.faults, self._wear),
            load=Load(
                min(1.0, max(0.0, vary(self._cpu, 0.03))),
                min(1.0, max(0.0, vary(self._memory, 0.01))),
                vary(self._warm_c, 0.7),
                False,
                now,
            ),
            network_kind=self._kind,
            painted=Painted(
                painted_s, painted_s + 2.0, "session" if self._in_session else "attract", self._screen_on
            ),
            touch_ok=True,
            camera=camera,
            microphone_share=min(1.0, max(0.0, vary(0.03, 0.01))),
            printer=Printer("paper-out" if "paper-out" in self.faults else "ok"),
            out_of_service=self.out_of_service,
        )

    def session_active(self) -> bool:
        return self._in_session

    async def carry_out(self, order: Order) -> Result:
        self._effects[order.id] += 1
        self._on_effect(order.id)
        await asyncio.sleep(self._lot.uniform(*ACT_TAKES_S))
        match order.do:
            case Reboot():
                self._reboot()
            case TakeOutOfService():
                self.out_of_service = True
            case ReturnToService():
                self.out_of_service = False
            case SetScreen(on=on):
                self._screen_on = on
            case TakeScreenshot():
                if self._in_session:
                    return Result(Outcome(succeeded=False, code="in-session", text="Đang có người dùng"))
                return Result(Outcome(succeeded=True), Evidence("screenshot", picture(self._bright)))
            case TestCamera():
                camera = (await self.facts()).camera
                assert camera is not None
                good = camera.state == "ok"
                findings = (
                    Finding("sharpness", round(camera.sharpness or 0.0, 1)),
                    Finding("state", camera.state),
                )
                return Result(
                    Outcome(succeeded=good, code="" if good else "camera-frozen", findings=findings)
                )
            case _:
                pass
        return Result(Outcome(succeeded=True))

    def show(self, standing: Standing) -> None:
        self.standing = standing

    def on_configuration(self, configuration: Configuration) -> None:
        pass

    def on_settings(self, settings: DeviceSettings) -> None:
        pass

    # --- residents ---

    def begin_session(self) -> bool:
        """Somebody touches the screen; False: somebody is there, or it is out of service."""
        if self._core is None or self._in_session or self.out_of_service:
            return False
        self._in_session = True
        self._core.session_changed()
        return True

    async def end_session(self) -> None:
        """… and has finished, or has given up."""
        core = self._core
        self._in_session = False
        if core is None:
            return
        core.session_changed()
        gives_up = self._lot.random() < (0.55 if "worse-experience" in self.faults else 0.12)
        scans = self._lot.randint(0, 3)
        failed = sum(
            self._lot.random() < (0.4 if "worse-experience" in self.faults else 0.06) for _ in range(scans)
        )
        hour = int(max(0.0, core.city_now() or 0.0) // HOUR_S)
        if hour == 0:
            return  # no time is known; the count would be of no hour
        counts = Sessions(
            hour=hour,
            begun=1,
            finished=int(not gives_up),
            abandoned=int(gives_up),
            scans=scans,
            scans_failed=failed,
            help_calls=int(self._lot.random() < 0.05),
        )
        try:
            await core.report(counts)
        except NotKept:
            pass  # the disk is full: what is counted is lost, as on a real one


def picture(brightness: float, width: int = 64, height: int = 96) -> bytes:
    """A small grey PNG (W3C PNG, section 5): what a screenshot of nothing looks like."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" + bytes([int(brightness * 255)]) * width
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(row * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
