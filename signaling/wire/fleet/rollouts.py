"""Bundles and rollouts as the pages see them. Times are seconds, UTC; None: has not happened."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from kiosk_hub.fleet.bundles import Needs
from kiosk_hub.fleet.experience import Effect
from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.reasons import Reason
from kiosk_hub.fleet.rollouts import MemberStep, RolloutPlan, RolloutState
from kiosk_hub.fleet.values import BundleKind


class BundleRow(Struct, frozen=True):
    """One bundle. ``signed`` false: it waits for whoever has the targets key."""

    id: str
    kind: BundleKind
    version: str
    length_bytes: int
    sha256: str
    needs: Needs
    note: str
    added_by: str
    added_at: float
    signed: bool
    installed: int  # devices that run it, as they told with their last beat
    may: tuple[str, ...] = ()  # "plan", "remove", "return" (was approved once)


class SigningRole(Struct, frozen=True):
    """One of the four roles that sign. ``key_here``: its key lies on the server."""

    name: str
    version: int
    expires_at: float
    key_here: bool


class BundlesAnswer(Struct, frozen=True):
    """The newest first."""

    bundles: tuple[BundleRow, ...]
    roles: tuple[SigningRole, ...]
    max_bytes: int


class StepCounts(Struct, frozen=True):
    """How many devices of a ring are at each step."""

    waiting: int = 0
    offered: int = 0
    downloading: int = 0
    downloaded: int = 0
    installing: int = 0
    installed: int = 0
    failed: int = 0
    returned: int = 0
    left_out: int = 0


class RingRow(Struct, frozen=True):
    """One ring, and how far it is."""

    name: str
    size: int
    counts: StepCounts
    started_at: float | None
    reached_at: float | None  # since when enough of it has the bundle
    soak_ends_at: float | None  # when the next one starts if nothing happens


class RolloutRow(Struct, frozen=True):
    """One rollout on the list."""

    id: str
    title: str
    bundle: str
    kind: BundleKind
    version: str
    state: RolloutState
    reason: Reason | None  # why it was stopped
    planners: tuple[str, ...]
    planned_at: float
    approved_by: str
    approved_at: float | None
    stopped_by: str  # empty: by itself
    ended_at: float | None
    returns: str | None  # it undoes that one
    rings: tuple[RingRow, ...]
    changes: int
    may: tuple[str, ...] = ()


class RolloutList(Struct, frozen=True):
    """The newest first."""

    rollouts: tuple[RolloutRow, ...]


class CodeCount(Struct, frozen=True):
    """So many devices failed for this reason."""

    code: str
    count: int


class ExperienceCounts(Struct, frozen=True):
    """Residents' sessions of some devices over some time."""

    begun: int
    abandoned: int
    scans: int
    scans_failed: int
    help_calls: int


class Experience(Struct, frozen=True):
    """How residents fare on the updated devices, beforehand and since, and on those not yet updated."""

    before: ExperienceCounts
    after: ExperienceCounts
    others: ExperienceCounts
    effects: tuple[Effect, ...]  # empty: nothing was installed yet, or it is not looked at


class RolloutDetail(Struct, frozen=True):
    """One rollout with its plan and its figures."""

    row: RolloutRow
    plan: RolloutPlan
    experience: Experience
    codes: tuple[CodeCount, ...]  # of those that failed or went back, the most frequent first


class MemberRow(Struct, frozen=True):
    """One device in it."""

    device: str
    name: str
    unit: str
    ring: int
    step: MemberStep
    at: float
    bytes_done: int
    code: str
    text: str
    attempt: int


class MembersPage(Struct, frozen=True):
    """Those that need eyes first: failed, went back, under way, waiting, done."""

    total: int
    members: tuple[MemberRow, ...]


class RingsPreview(Struct, frozen=True):
    """How many devices each ring of a plan would have, and how many cannot run the bundle."""

    rings: tuple[int, ...]
    left_out: int


class AskStop(Struct, frozen=True):
    """Why it is stopped."""

    why: Annotated[str, Meta(max_length=300)] = ""


class AskRing(Struct, frozen=True):
    """Which ring is started without waiting; counted from 0."""

    ring: Annotated[int, Meta(ge=0, le=9)]


class AskRetry(Struct, frozen=True):
    """Which devices try again; none named: all that failed."""

    devices: Annotated[tuple[DeviceId, ...], Meta(max_length=2000)] = ()


class Retried(Struct, frozen=True):
    devices: int


class AskReturn(Struct, frozen=True):
    """Which bundle they go back to; None: the last one of its kind that went to the end."""

    bundle: Annotated[str, Meta(max_length=100)] | None = None


TYPES: Final[tuple[type[Struct], ...]] = (
    BundlesAnswer,
    RolloutList,
    RolloutDetail,
    MembersPage,
    RingsPreview,
    RolloutPlan,
    AskStop,
    AskRing,
    AskRetry,
    Retried,
    AskReturn,
)
