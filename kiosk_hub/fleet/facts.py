"""What a device says of itself, every beat: separate facts, each with its unit, none of them a verdict.

A fact that a device cannot know is None: no printer, no thermometer, no touchscreen. A verdict is made of
facts by
:mod:`kiosk_hub.fleet.health`, on the city's side, where thresholds and opening hours are known.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from kiosk_hub.fleet.values import ClockTrust

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Seconds = Annotated[float, Meta(ge=0.0, le=1e9)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Word = Annotated[str, Meta(max_length=64)]


class Painted(Struct, frozen=True):
    """What the screen shows, as the browser itself tells."""

    frame_age_s: Seconds | None = None  # since the page last painted; None: no browser answers
    changed_age_s: Seconds | None = None  # since the picture's hash last changed
    page: Word = ""  # which page, by our own name of it; never an address, never what a resident wrote
    on: bool | None = None  # is the screen on?


class Camera(Struct, frozen=True):
    """One camera, looked through for an instant. No picture is kept."""

    state: Literal["ok", "none", "busy", "frozen", "dark", "failed"] = "ok"
    moving: bool | None = None  # do frames differ by more than the sensor's noise?
    sharpness: float | None = None  # variance of the Laplacian, grey levels squared
    brightness: Share | None = None


class Printer(Struct, frozen=True):
    """The slip printer."""

    state: Literal["ok", "paper-low", "paper-out", "cover-open", "offline", "failed"] = "ok"


class Disk(Struct, frozen=True):
    """The disk the device writes to."""

    free_share: Share
    free_bytes: Count
    writable: bool = True  # a file system that went read-only still plays while every change is lost
    wear_share: Share | None = None  # of its life used up (eMMC life registers, NVMe percentage used)
    errors: Count = 0  # the file system's own counter


class Load(Struct, frozen=True):
    """The machine itself."""

    cpu_share: Share
    memory_share: Share  # used
    temperature_c: Annotated[float, Meta(ge=-60, le=200)] | None = None
    undervoltage: bool | None = None  # seen since the start
    uptime_s: Seconds = 0.0


class Network(Struct, frozen=True):
    """The line to the city, from the device's own exchanges with it."""

    rtt_ms: Annotated[float, Meta(ge=0, le=600_000)] | None = None  # of the last beats, median
    loss_share: Share | None = None  # beats of the last ten minutes that no answer came to
    kind: Literal["wired", "wireless", "mobile", "unknown"] = "unknown"


class Versions(Struct, frozen=True):
    """What runs there."""

    agent: Word
    content: Word = ""  # empty: none yet
    configuration: Word = ""


class Facts(Struct, frozen=True):
    """All of one beat."""

    versions: Versions
    disk: Disk | None = None  # None: a browser's page cannot know
    load: Load | None = None
    network: Network = Network()
    clock: ClockTrust = ClockTrust.UNSET
    painted: Painted | None = None  # None: nothing is shown there by us
    touch_ok: bool | None = None  # the last self-test; None: no touchscreen, or never tested
    camera: Camera | None = None
    microphone_share: Share | None = None  # level of the last second, of full scale
    printer: Printer | None = None
    in_session: bool = False  # a resident is being served; nothing more is told of it
    outbox_depth: Count = 0  # reports that wait to be delivered
    out_of_service: bool = False  # it shows the message that it is
    restarts: Count = 0  # of the browser, since the agent started
