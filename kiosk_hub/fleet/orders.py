"""What a device is told to do, and what it says of it.

An order is what the device sees of a command: nothing of who asked. It is delivered as often as needed and
has
its effect once: its id is the key under which the device remembers what came of it.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from kiosk_hub.fleet.ids import BundleId, CommandId, EvidenceId, RolloutId
from kiosk_hub.fleet.places import Place
from kiosk_hub.fleet.values import BundleKind


class Act(Struct, frozen=True, tag_field="act"):
    """What is to be done; the tag is its name everywhere."""


class RestartPage(Act, frozen=True, tag="restart-page"):
    """The browser is started anew."""


class RestartAgent(Act, frozen=True, tag="restart-agent"):
    """The agent ends; its service manager starts it again."""


class Reboot(Act, frozen=True, tag="reboot"):
    """The machine restarts. Dangerous: two persons."""


class SetScreen(Act, frozen=True, tag="set-screen"):
    """The screen is on, or off."""

    on: bool


class SetVolume(Act, frozen=True, tag="set-volume"):
    """The loudspeaker's volume, of full."""

    share: Annotated[float, Meta(ge=0.0, le=1.0)]


class RefreshContent(Act, frozen=True, tag="refresh-content"):
    """Look for new content now."""


class CollectLogs(Act, frozen=True, tag="collect-logs"):
    """The agent's own log of the last hours comes as evidence; the device has struck out what is personal."""

    hours: Annotated[int, Meta(ge=1, le=72)] = 6


class TakeScreenshot(Act, frozen=True, tag="take-screenshot"):
    """What the screen shows comes as evidence, marked regions painted over on the device."""


class TestCamera(Act, frozen=True, tag="test-camera"):
    """Opens the camera, looks at it for some seconds, tells numbers. No picture leaves the device."""


class TestPrinter(Act, frozen=True, tag="test-printer"):
    """Prints a short test slip."""


class CheckLine(Act, frozen=True, tag="check-line"):
    """Measures the way to the city: round trips, loss, throughput of a bounded transfer."""


class TakeOutOfService(Act, frozen=True, tag="take-out-of-service"):
    """Residents read ``message`` and nothing else. Dangerous in bulk: two persons from ten devices on."""

    message: Annotated[str, Meta(min_length=1, max_length=300)]


class ReturnToService(Act, frozen=True, tag="return-to-service"):
    """The usual page is back."""


AnyAct = (
    RestartPage
    | RestartAgent
    | Reboot
    | SetScreen
    | SetVolume
    | RefreshContent
    | CollectLogs
    | TakeScreenshot
    | TestCamera
    | TestPrinter
    | CheckLine
    | TakeOutOfService
    | ReturnToService
)


class Order(Struct, frozen=True):
    """One command as its device sees it. Times are seconds, UTC, on the city's clock."""

    id: CommandId
    do: AnyAct
    expires_at: float  # not begun by then: it never is
    waits_for_session: bool = True  # begin when no resident is being served …
    force_at: float | None = None  # … but then begin in any case; None: rather expire
    runs_at_most_s: Annotated[float, Meta(gt=0, le=3600)] = 120.0


class Finding(Struct, frozen=True):
    """One number or word of a result, by a stable name: ``rtt_ms``, ``sharpness``, ``state``."""

    name: Annotated[str, Meta(max_length=64)]
    value: float | int | bool | Annotated[str, Meta(max_length=200)]


class Outcome(Struct, frozen=True):
    """How an order ended on the device."""

    succeeded: bool
    code: Annotated[str, Meta(max_length=64)] = (
        ""  # why not: a stable code, e.g. ``in-session``, ``no-camera``
    )
    text: Annotated[str, Meta(max_length=500)] = ""
    findings: Annotated[tuple[Finding, ...], Meta(max_length=40)] = ()
    evidence: EvidenceId | None = None  # uploaded before the outcome is told


class Offer(Struct, frozen=True):
    """A bundle this device is to install."""

    rollout: RolloutId
    bundle: BundleId
    kind: BundleKind
    version: Annotated[str, Meta(max_length=64)]
    target: Annotated[str, Meta(max_length=200)]  # its path among the signed targets
    length_bytes: Annotated[int, Meta(ge=0)]
    download_from_minute: int | None = None  # window of the day, Hà Nội's time; None: at any time
    download_to_minute: int | None = None
    cap_bytes_per_s: int | None = None
    attempt: int = 1  # grows when staff have it tried once more; what ended is not begun again before


InstallStep = Literal["offered", "downloading", "downloaded", "installing", "installed", "failed", "returned"]
"""How far a device is with an offer; ``returned``: it went back to the last good one by itself."""


class DeviceSettings(Struct, frozen=True):
    """What the city tells a device about itself; told again whenever it changes, and with every welcome."""

    name: str
    place: Place
    beat_every_s: Annotated[float, Meta(ge=1, le=3600)] = 30.0
    version: int = 0  # counts changes
