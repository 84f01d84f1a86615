"""What the agent's core asks of its machine and of whoever installs updates, and what it gives them.

The core is the same for a kiosk, a bridge point's PC and a simulated device: they differ in the ``Body``.
All methods are called on the agent's event loop.
"""

from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

from signaling.wire.kiosk.bundles import Configuration
from signaling.wire.kiosk.device import EvidenceKind
from signaling.wire.kiosk.words import (
    AnyNews,
    Camera,
    DeviceSettings,
    Disk,
    Load,
    LogLine,
    Offer,
    Order,
    Outcome,
    Painted,
    Printer,
)


class BodyFacts(Struct, frozen=True, kw_only=True):
    """The part of a beat that only the machine knows; meanings as in ``Facts``. The core adds the line, the
    clock, the outbox and the versions."""

    disk: Disk
    load: Load
    network_kind: Literal["wired", "wireless", "mobile", "unknown"] = "unknown"
    painted: Painted | None = None
    touch_ok: bool | None = None
    camera: Camera | None = None
    microphone_share: float | None = None
    printer: Printer | None = None
    out_of_service: bool = False
    restarts: int = 0


class Pairing(Struct, frozen=True):
    """What the screen shows while the device waits to be let in."""

    code: str  # six characters
    url: str  # for the QR
    words: tuple[str, ...]  # four; staff compare them with theirs
    expires_at: float  # seconds, UTC, on the city's clock


class Standing(Struct, frozen=True):
    """How the device stands with the city, for its own screen.

    ``enrolling``: ``pairing`` is shown; None when it is not asked yet or bound already. ``cut``: no line, it
    tries again by itself. ``sent-away``: the city does not let it in for now; ``code`` says why (``refused``,
    ``locked``, ``quarantined``, ``retired``, …).
    """

    state: Literal["starting", "enrolling", "connected", "cut", "sent-away"]
    code: str = ""
    pairing: Pairing | None = None


class Evidence(Struct, frozen=True):
    """The proof of a result. Kept on the disk by the core, uploaded before the outcome is told."""

    kind: EvidenceKind
    data: bytes  # at most MAX_EVIDENCE_BYTES


MAX_EVIDENCE_BYTES = 4 * 2**20


class Result(Struct, frozen=True):
    """How the body carried out an order. ``outcome.evidence`` is filled in by the core."""

    outcome: Outcome
    evidence: Evidence | None = None


class Core(Protocol):
    """What the agent gives its body and its updater."""

    @property
    def state(self) -> Path:
        """The device's own folder, mode 700. ``body/`` and ``updates/`` in it are theirs."""

    @property
    def server(self) -> str:
        """The city's address without a path: ``https://diemcau.hanoi.example``."""

    @property
    def certificate(self) -> Path | None:
        """A CA file to trust beside the system's, or None."""

    def token(self) -> str | None:
        """For ``Authorization: Bearer``; None while there is none that is valid."""

    def city_now(self) -> float | None:
        """Seconds, UTC, on the city's clock as held since it was last told in this boot; None: unknown."""

    async def configure(self) -> None:
        """Call after another configuration is in use, or none: it is read and in force when this returns."""

    def session_changed(self) -> None:
        """Call whenever ``Body.session_active`` has changed: an order may be waiting for it."""

    async def report(self, news: AnyNews) -> None:
        """Returns when it is on this device's disk; it reaches the city once.

        Raises:
            NotKept: the disk refuses (full, read-only); nothing was kept.
        """

    def note(self, line: LogLine) -> None:
        """A line for staff. Never waits; the oldest are dropped, counted, when there are too many."""

    def restart(self, why: str) -> None:
        """End this process in good order, with exit code 0; the service manager starts it again."""


class Body(Protocol):
    """The machine. An act it cannot do is an ``Outcome`` with a code, never an exception."""

    async def start(self, core: Core) -> None:
        """Called once, before anything else. What cannot start (no camera, no browser) is tried again by the
        body itself and shows in the facts."""

    async def close(self) -> None:
        """Ends every process and task of the body; takes 10 s at most."""

    def alive(self) -> bool:
        """May the watchdog be told that all is well? False for long: the machine's agent is started anew."""

    async def facts(self) -> BodyFacts:
        """What is known now. Takes 5 s at most: who must look longer tells the last look."""

    def session_active(self) -> bool:
        """Is a resident being served?"""

    async def carry_out(self, order: Order) -> Result:
        """Do it, once; cancelled after ``runs_at_most_s``.

        Never asked for: restart-agent, check-line, refresh-content, collect-logs; the core does these. For a
        reboot ``succeeded`` means that the machine is about to go down; the core tells the outcome after it
        has come up with another boot id. Out of service is kept by the body over restarts.
        """

    def show(self, standing: Standing) -> None:
        """The standing has changed. Never waits."""

    def on_configuration(self, configuration: Configuration) -> None:
        """From now on this is in force: told at start, and after each switch. Never waits."""

    def on_settings(self, settings: DeviceSettings) -> None:
        """The city told the device's name and place (at start: as last told). Never waits."""


class Updater(Protocol):
    """Installs what the city offers. Tells ``Installing`` by ``Core.report``."""

    async def start(self, core: Core) -> None: ...

    async def close(self) -> None: ...

    def offered(self, offer: Offer | None) -> None:
        """The newest word; None: nothing (more). Comes again with every line. Never waits."""

    def welcomed(self) -> None:
        """The city has let this agent in: new software that gets here is good."""

    def content(self) -> str:
        """Version of the content in use; empty: none."""

    def configuration(self) -> str:
        """Version of the configuration in use; empty: none."""

    async def refresh(self) -> Outcome:
        """Look for what is offered now, instead of when it suits (order refresh-content)."""
