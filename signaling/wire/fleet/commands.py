"""Commands as the pages see them."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from kiosk_hub.fleet.acts import Beside, Danger
from kiosk_hub.fleet.bulks import Fate, Pace, Selection
from kiosk_hub.fleet.commands import CommandState
from kiosk_hub.fleet.orders import AnyAct, Outcome
from kiosk_hub.fleet.reasons import Reason

Why = Annotated[str, Meta(min_length=3, max_length=300)]
RequestKey = Annotated[str, Meta(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]*$")]
Ahead = Annotated[float, Meta(ge=0, le=1e11)]
WaitS = Annotated[float, Meta(ge=0, le=1e7)]


class AskPlan(Struct, frozen=True):
    """How an act is to be done; what is None is as the table of acts says."""

    ttl_s: WaitS | None = None  # so long it may wait for the device, and for the end of a session
    waits_for_session: bool | None = None  # false: a session is ended by force, at once
    force_after_s: WaitS | None = None  # a session is ended by force after so long
    not_before: Ahead | None = None  # seconds, UTC


class AskCommand(Struct, frozen=True):
    """For one device. Asked again under the same key it is the same command."""

    do: AnyAct
    why: Why
    request_key: RequestKey
    plan: AskPlan = AskPlan()


class AskDecision(Struct, frozen=True):
    """For approving (no reason needed), refusing and cancelling."""

    why: Annotated[str, Meta(max_length=300)] = ""


class EvidenceRef(Struct, frozen=True):
    """A file that may be looked at: ``GET /api/fleet/evidence/{id}``. Each look is in the audit."""

    id: str
    kind: str  # "screenshot", "log"
    length_bytes: int
    taken_at: float


class CommandRow(Struct, frozen=True):
    """One command. Times are seconds, UTC; None: has not happened."""

    id: str
    device: str
    device_name: str
    do: AnyAct
    state: CommandState
    by: str
    by_name: str
    why: str
    created_at: float
    starts_at: float
    expires_at: float
    waits_for_session: bool
    force_at: float | None
    second: bool  # two persons
    approved_by: str
    approved_at: float | None
    sent_at: float | None
    delivered_at: float | None
    claimed_at: float | None
    began_at: float | None
    ended_at: float | None
    ended_by: str
    reason: Reason | None  # why it did not succeed
    outcome: Outcome | None
    late: Outcome | None  # told after the end
    bulk: str | None
    may: tuple[str, ...]  # of "cancel", "approve", "refuse": what this person may do with it now
    evidence: tuple[EvidenceRef, ...] = ()  # only where one command is asked for, or those of one device


class CommandsAnswer(Struct, frozen=True):
    """The newest first. ``before``: ask for the next page with it; None: there is none."""

    commands: tuple[CommandRow, ...]
    before: str | None


class ActInfo(Struct, frozen=True):
    """One line of the table of acts."""

    act: str
    beside: Beside
    danger: Danger
    ttl_s: float
    runs_at_most_s: float
    evidence: str | None


class ActsAnswer(Struct, frozen=True):
    """What can be done, and when two persons are needed for it."""

    acts: tuple[ActInfo, ...]
    bulk_is_many: int  # devices, from which on ``in-bulk`` needs two
    forced_soon_s: float  # to end a session earlier than this needs two
    least_ttl_s: float
    most_ttl_s: float


class AskDryRun(Struct, frozen=True):
    """Which devices, what, how. ``pace``: None: as suits the act."""

    selection: Selection
    do: AnyAct
    plan: AskPlan = AskPlan()
    pace: Pace | None = None


class AskBulk(Struct, frozen=True):
    """Do what that dry run showed. Asked again under the same key it is the same bulk."""

    token: Annotated[str, Meta(min_length=8, max_length=64)]
    why: Why
    request_key: RequestKey


class ForeseenRow(Struct, frozen=True):
    """What would happen at one device, and when (seconds from the start)."""

    device: str
    fate: Fate
    offset_s: float
    code: str  # why it is refused


class DryRunAnswer(Struct, frozen=True):
    """What would happen. Nothing has. Rows in the order of their turns, the refused ones last."""

    token: str
    ends_at: float
    second: bool  # two persons
    pace: Pace
    lasts_s: float
    counts: dict[str, int]  # by fate
    rows: tuple[ForeseenRow, ...]
    reasons: tuple[Reason, ...]  # of the codes in the rows


class BulkRow(Struct, frozen=True):
    """One bulk and how far it is. Its commands: ``GET /api/fleet/commands?bulk=``."""

    id: str
    do: AnyAct
    by: str
    by_name: str
    why: str
    created_at: float
    second: bool
    pace: Pace
    lasts_s: float
    many: int
    refused: int
    counts: dict[str, int]  # by state of the command
    districts: tuple[str, ...]
    may: tuple[str, ...]  # "cancel", "approve", "refuse"


class BulksAnswer(Struct, frozen=True):
    bulks: tuple[BulkRow, ...]


TYPES: Final[tuple[type[Struct], ...]] = (
    AskDryRun,
    AskBulk,
    DryRunAnswer,
    BulkRow,
    BulksAnswer,
    AskPlan,
    AskCommand,
    AskDecision,
    EvidenceRef,
    CommandRow,
    CommandsAnswer,
    ActInfo,
    ActsAnswer,
)
ENUMS: Final = (CommandState, Beside, Danger, Fate)
