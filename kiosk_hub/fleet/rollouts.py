"""A rollout: a plan by which one bundle comes to devices ring after ring, and how far it is. Values only."""

from enum import StrEnum
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from kiosk_hub.fleet.experience import ExperienceGate
from kiosk_hub.fleet.ids import BundleId, DeviceId, RolloutId
from kiosk_hub.fleet.reasons import Reason
from kiosk_hub.fleet.rings import Ring
from kiosk_hub.fleet.values import BundleKind, DeviceKind

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Minute = Annotated[int, Meta(ge=0, le=1440)]


class RolloutState(StrEnum):
    """What people, or its own gate, have decided about a rollout."""

    DRAFT = "draft"
    AWAITING_APPROVAL = "awaiting-approval"  # of a second administrator
    RUNNING = "running"
    PAUSED = "paused"  # nothing new is offered; may go on
    STOPPED = "stopped"  # for good: another try is another rollout, with another approval
    FINISHED = "finished"  # every ring has had it; late joiners still get it


class Gate(Struct, frozen=True):
    """From when on the next ring may start, and from when on the rollout stops by itself."""

    advance_share: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.9  # of the ring has it installed
    soak_s: Annotated[float, Meta(ge=0, le=30 * 86_400)] = 3600.0  # and has had for so long
    failed_share: Share = 0.1  # of the ring's ended installs; more stops
    failed_least: Annotated[int, Meta(ge=1, le=10_000)] = 2  # fewer failures (of a ring larger) never do
    experience: ExperienceGate | None = ExperienceGate()  # None: not looked at (nobody is served there)


class Transfer(Struct, frozen=True):
    """When and how fast devices fetch it. Minutes of the day in Hà Nội's time; from > to: over midnight."""

    from_minute: Minute | None = None
    to_minute: Minute | None = None
    cap_bytes_per_s: Annotated[int, Meta(ge=1024, le=1_000_000_000)] | None = None  # each device
    at_once: Annotated[int, Meta(ge=1, le=1000)] = 50  # downloads in the whole city


class RolloutPlan(Struct, frozen=True):
    """What people decide beforehand, and a second person approves."""

    bundle: BundleId
    rings: Annotated[tuple[Ring, ...], Meta(min_length=1, max_length=10)]
    title: Annotated[str, Meta(max_length=100)] = ""
    note: Annotated[str, Meta(max_length=500)] = ""
    kinds: Annotated[tuple[DeviceKind, ...], Meta(min_length=1, max_length=2)] = (DeviceKind.KIOSK,)
    gate: Gate = Gate()
    transfer: Transfer = Transfer()


class RingProgress(Struct, frozen=True):
    """How far a ring is. Times in seconds, UTC."""

    started_at: float | None = None
    reached_at: float | None = None  # since when its share has it; the soak is counted from there


class Rollout(Struct, frozen=True, kw_only=True):
    """One rollout. Who is in which ring is kept beside it, device by device."""

    id: RolloutId
    plan: RolloutPlan
    kind: BundleKind
    version: str  # of the bundle
    state: RolloutState
    planners: tuple[str, ...]  # accounts that had a hand in the plan; none of them approves it
    planned_at: float
    rings: tuple[RingProgress, ...]
    approved_by: str = ""
    approved_at: float | None = None
    reason: Reason | None = None  # why it was stopped or paused
    stopped_by: str = ""  # an account; empty: itself
    ended_at: float | None = None
    returns: RolloutId | None = None  # it undoes that one
    changes: int = 0  # grows with every change


MemberStep = Literal[
    "waiting",
    "offered",
    "downloading",
    "downloaded",
    "installing",
    "installed",
    "failed",
    "returned",
    "left-out",
]
"""Where a device is: those of ``InstallStep`` it tells itself; ``waiting``: its ring has not started;
``left-out``: it cannot run this bundle, or has left the fleet."""

STEPS: Final[tuple[MemberStep, ...]] = (
    "waiting",
    "offered",
    "downloading",
    "downloaded",
    "installing",
    "installed",
    "failed",
    "returned",
    "left-out",
)
ENDED: Final[frozenset[MemberStep]] = frozenset({"installed", "failed", "returned", "left-out"})
UNDER_WAY: Final[tuple[MemberStep, ...]] = ("waiting", "offered", "downloading", "downloaded", "installing")


class Member(Struct, frozen=True):
    """One device in one rollout. Times in seconds, UTC, on the city's clock."""

    device: DeviceId
    ring: int
    step: MemberStep = "waiting"
    at: float = 0.0  # when this step was heard of
    bytes_done: int = 0
    code: str = ""  # why failed, returned or left out
    text: str = ""
    installed_at: float | None = None  # first heard of; the time after is counted from there
    attempt: int = 1
