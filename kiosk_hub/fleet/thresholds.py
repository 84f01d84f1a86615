"""Where a measured fact begins to be a reason, and where it stops being one: a table with units.

``enter`` and ``leave`` differ, and a symptom needs several beats in a row to hold and to go, so that one odd
beat or a
value at the edge never makes a row flicker. Alerts add their own m-of-n on top.
"""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from kiosk_hub.fleet.facts import Facts
from kiosk_hub.fleet.values import DeviceKind, Status

KIOSK: Final = frozenset({DeviceKind.KIOSK})
BRIDGE_POINT: Final = frozenset({DeviceKind.BRIDGE_POINT})
BOTH: Final = KIOSK | BRIDGE_POINT


class Threshold(Struct, frozen=True, kw_only=True):
    """One line of the table. ``metric`` carries its unit in its name."""

    code: str  # of the symptom
    metric: str
    enter: float
    leave: float
    above: bool  # bad when above; else when below
    status: Status
    kinds: frozenset[DeviceKind] = BOTH
    beats: int = 2  # so many in a row beyond ``enter``, or ``leave``
    lasts_s: float = 0.0  # and for so long, before it is a reason

    def is_bad(self, value: float) -> bool:
        return value >= self.enter if self.above else value <= self.enter

    def is_good(self, value: float) -> bool:
        return value < self.leave if self.above else value > self.leave


METRICS: Final[Mapping[str, Callable[[Facts], float | None]]] = {
    "cpu_share": lambda f: f.load.cpu_share if f.load is not None else None,
    "memory_share": lambda f: f.load.memory_share if f.load is not None else None,
    "temperature_c": lambda f: f.load.temperature_c if f.load is not None else None,
    "disk_free_share": lambda f: f.disk.free_share if f.disk is not None else None,
    "disk_wear_share": lambda f: f.disk.wear_share if f.disk is not None else None,
    "rtt_ms": lambda f: f.network.rtt_ms,
    "loss_share": lambda f: f.network.loss_share,
    "camera_sharpness": lambda f: f.camera.sharpness if f.camera is not None else None,
    "camera_brightness": lambda f: f.camera.brightness if f.camera is not None else None,
    "microphone_share": lambda f: f.microphone_share,
    "paint_age_s": lambda f: f.painted.frame_age_s if f.painted is not None else None,
    "outbox_depth": lambda f: float(f.outbox_depth),
}
"""What is measured, kept as history and drawn in charts. None: not known then, which is not zero."""

_F, _D = Status.FAULTY, Status.DEGRADED


def _above(
    code: str, metric: str, enter: float, leave: float, status: Status, beats: int = 2,
    kinds: frozenset[DeviceKind] = BOTH,
) -> Threshold:  # fmt: skip
    return Threshold(
        code=code,
        metric=metric,
        enter=enter,
        leave=leave,
        above=True,
        status=status,
        beats=beats,
        kinds=kinds,
    )


def _below(
    code: str, metric: str, enter: float, leave: float, status: Status, beats: int = 2,
    kinds: frozenset[DeviceKind] = BOTH,
) -> Threshold:  # fmt: skip
    return Threshold(
        code=code, metric=metric, enter=enter, leave=leave, above=False, status=status, beats=beats,
        kinds=kinds,
    )  # fmt: skip


THRESHOLDS: Final = (
    _above("screen-not-painting", "paint_age_s", 120, 30, _F),
    _below("disk-full", "disk_free_share", 0.02, 0.04, _F),
    _below("disk-nearly-full", "disk_free_share", 0.10, 0.12, _D),
    # Flash that has used up 80 % of its rated writes is to be replaced at the next visit.
    _above("disk-worn", "disk_wear_share", 0.80, 0.79, _D),
    _above("overheated", "temperature_c", 95, 88, _F),
    _above("hot", "temperature_c", 80, 75, _D),
    _above("memory-short", "memory_share", 0.92, 0.85, _D),
    # Every machine is busy while it starts, and a device may beat each few seconds.
    Threshold(
        code="cpu-busy",
        metric="cpu_share",
        enter=0.95,
        leave=0.80,
        above=True,
        status=_D,
        beats=5,
        lasts_s=100.0,
    ),
    _above("line-slow", "rtt_ms", 1500, 800, _D, beats=3, kinds=KIOSK),
    # A meeting needs a better line than a page does: one-way delay of 150 to 400 ms is the range that
    # ITU-T G.114 calls acceptable for talking with each other.
    _above("line-slow", "rtt_ms", 500, 350, _D, beats=3, kinds=BRIDGE_POINT),
    # The share is of ten minutes: after an outage it stays high for as long, though the line is good again.
    Threshold(
        code="line-lossy",
        metric="loss_share",
        enter=0.20,
        leave=0.10,
        above=True,
        status=_D,
        lasts_s=600.0,
    ),
    _below("camera-blurred", "camera_sharpness", 20, 30, _D, beats=4),
    _below("camera-dark", "camera_brightness", 0.04, 0.08, _D, beats=4),
    _below("microphone-silent", "microphone_share", 0.0, 0.0, _D, beats=20),
    _above("outbox-filling", "outbox_depth", 200, 50, _D),
)
"""The shipped thresholds. Units: shares of one, degrees Celsius, milliseconds, seconds; sharpness is the
variance of the Laplacian, grey levels squared."""


def thresholds_for(kind: DeviceKind) -> tuple[Threshold, ...]:
    """Those that count for a device of this kind."""
    return tuple(one for one in THRESHOLDS if kind in one.kinds)
