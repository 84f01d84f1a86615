"""Devices that want to be let in, those expected, and what is decided about a device's identity."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from kiosk_hub.fleet.places import Place
from kiosk_hub.fleet.values import DeviceKind, DeviceState, EnrolmentState

Name = Annotated[str, Meta(min_length=1, max_length=100)]
Code = Annotated[str, Meta(min_length=1, max_length=20)]
Hex64 = Annotated[str, Meta(min_length=64, max_length=64, pattern="^[0-9a-f]*$")]


class EnrolmentRow(Struct, frozen=True, omit_defaults=True):
    """One device on its way in. Its code is not told: whoever binds it has read it from its screen."""

    id: str
    state: EnrolmentState
    kind: DeviceKind
    hardware: str
    agent: str
    words: tuple[str, ...]  # the fingerprint's four, to be compared with those on the screen
    fingerprint: str
    address: str
    asked_at: float
    expires_at: float
    name: str = ""  # once it is bound
    unit: str = ""
    by: str = ""  # the account that decided
    preauthorised: bool = False
    device: str | None = None  # once it has collected its credential


class EnrolmentsAnswer(Struct, frozen=True):
    """The newest first."""

    time: float
    enrolments: tuple[EnrolmentRow, ...]


class AskFindCode(Struct, frozen=True):
    """Which device shows this? Wrong ones are counted: after five within ten minutes an account waits."""

    code: Code


class AskBind(Struct, frozen=True):
    """``fingerprint`` is that of the row whose words were compared with the screen's."""

    code: Code
    fingerprint: Hex64
    name: Name
    kind: DeviceKind
    place: Place


class AskRefuse(Struct, frozen=True):
    """The device shows the reason."""

    why: Annotated[str, Meta(max_length=300)] = ""


class ExpectedRow(Struct, frozen=True):
    """A device that is bound as soon as it asks."""

    fingerprint: str
    words: tuple[str, ...]
    name: str
    kind: DeviceKind
    place: Place
    added_by: str
    added_at: float


class ExpectedAnswer(Struct, frozen=True):
    expected: tuple[ExpectedRow, ...]


class AskExpect(Struct, frozen=True):
    """A list as CSV with a heading: ``fingerprint``, ``name``, ``unit`` are needed; ``kind``, ``building``,
    ``floor``, ``note``, ``contact_name``, ``contact_phone``, ``contact_email`` may be there. All or none."""

    csv: Annotated[str, Meta(min_length=1, max_length=60_000)]


class ListFault(Struct, frozen=True):
    line: int
    code: str
    text: str


class ExpectAnswer(Struct, frozen=True):
    """``added`` 0 and the faults, or all of them and none."""

    added: int
    faults: tuple[ListFault, ...] = ()


class IdentityAnswer(Struct, frozen=True):
    """A device's identity after what was decided."""

    device: str
    state: DeviceState
    reason: str
    words: tuple[str, ...]
    rotation_asked: bool
    next_words: tuple[str, ...] = ()  # of a key that it has announced and not used yet


TYPES: Final[tuple[type[Struct], ...]] = (
    EnrolmentRow,
    EnrolmentsAnswer,
    AskFindCode,
    AskBind,
    AskRefuse,
    ExpectedRow,
    ExpectedAnswer,
    AskExpect,
    ListFault,
    ExpectAnswer,
    IdentityAnswer,
)
