"""How a device is let in: it waits with a code on its screen, staff bind it to a place, it collects its
credential.

Nothing comes into being before it is collected: an approval that nobody fetches expires and leaves nothing
behind. Codes are not kept here; who shows which one is in memory only.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from msgspec import Meta, Struct
from msgspec.structs import replace

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.errors import Replayed
from kiosk_hub.fleet.ids import DeviceId, EnrolmentId, Fingerprint
from kiosk_hub.fleet.places import Place
from kiosk_hub.fleet.values import DeviceKind, DeviceState, EnrolmentState
from room_manager.errors import DomainError, WrongState

WAITS_S: Final = 600.0
"""How long a code is shown and good."""
COLLECT_WITHIN_S: Final = 3_600.0
"""After it was bound; a device looks every few seconds, so this only bridges a broken line."""
KNOWN_AFTER_S: Final = 600.0
"""How long an enrolment that came to its end is still answered."""
MAX_WRONG_FINGERPRINTS: Final = 3


class WrongFingerprint(DomainError):
    """The fingerprint that staff saw is not this device's: the code belongs to another screen."""

    code: ClassVar[str] = "wrong-fingerprint"


class UnknownEnrolment(DomainError):
    """There is no such enrolment (any more)."""

    code: ClassVar[str] = "unknown-enrolment"


class Binding(Struct, frozen=True):
    """What staff say a device is, and where it stands."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    kind: DeviceKind
    place: Place


class Enrolment(Struct, frozen=True, kw_only=True):
    """One try of one key. Times are seconds, UTC, on the city's clock."""

    id: EnrolmentId
    state: EnrolmentState
    public_key: bytes
    fingerprint: Fingerprint
    kind: DeviceKind
    hardware: str
    agent: str
    address: str
    asked_at: float
    expires_at: float
    counter: int = -1  # of the last look
    wrong_fingerprints: int = 0
    binding: Binding | None = None
    bound_by: str = ""  # the account
    bound_at: float | None = None
    preauthorised: bool = False
    device: DeviceId | None = None  # once collected
    text: str = ""  # why refused


class Step(StrEnum):
    """What happens to an enrolment."""

    BIND = "bind"
    COLLECT = "collect"
    REFUSE = "refuse"
    EXPIRE = "expire"
    LOCK = "lock"


S = EnrolmentState
TRANSITIONS: Final[Mapping[S, Mapping[Step, S]]] = {
    S.WAITING: {Step.BIND: S.BOUND, Step.REFUSE: S.REFUSED, Step.EXPIRE: S.EXPIRED, Step.LOCK: S.LOCKED},
    S.BOUND: {Step.COLLECT: S.COLLECTED, Step.REFUSE: S.REFUSED, Step.EXPIRE: S.EXPIRED},
    S.COLLECTED: {},
    S.EXPIRED: {},
    S.REFUSED: {},
    S.LOCKED: {},
}
ENDED: Final = frozenset(state for state, steps in TRANSITIONS.items() if not steps)


def step(enrolment: Enrolment, what: Step, now: float) -> Enrolment:
    """The same after the step. Raises ``WrongState``."""
    state = TRANSITIONS[enrolment.state].get(what)
    if state is None:
        raise WrongState(f"an enrolment that is {enrolment.state} cannot be asked to {what}")
    if what is not Step.EXPIRE and now >= enrolment.expires_at:
        raise WrongState("this enrolment has expired; the device shows a new code")
    ended = state in ENDED
    return replace(enrolment, state=state, expires_at=now + KNOWN_AFTER_S if ended else enrolment.expires_at)


def bind(enrolment: Enrolment, binding: Binding, seen: Fingerprint, by: str, now: float) -> Enrolment:
    """Staff have compared the fingerprint and say where it stands.

    Raises ``WrongFingerprint`` (to be counted by :func:`mistaken`) or ``WrongState``.
    """
    bound = step(enrolment, Step.BIND, now)
    if seen != enrolment.fingerprint:
        raise WrongFingerprint("the fingerprint you compared is another device's; look at the screen again")
    return replace(bound, binding=binding, bound_by=by, bound_at=now, expires_at=now + COLLECT_WITHIN_S)


def mistaken(enrolment: Enrolment, now: float) -> Enrolment:
    """A wrong fingerprint was given for it; after some of them it is locked."""
    wrong = enrolment.wrong_fingerprints + 1
    counted = replace(enrolment, wrong_fingerprints=wrong)
    return step(counted, Step.LOCK, now) if wrong >= MAX_WRONG_FINGERPRINTS else counted


def refuse(enrolment: Enrolment, text: str, by: str, now: float) -> Enrolment:
    """Also an approval that is not collected yet is taken back so. Raises ``WrongState``."""
    return replace(step(enrolment, Step.REFUSE, now), text=text, bound_by=by)


def looked(enrolment: Enrolment, counter: int) -> Enrolment:
    """The device asks, proved by its key. Raises ``Replayed``: this look, or a later one, was seen before."""
    if counter <= enrolment.counter:
        raise Replayed("this look was taken before")
    return replace(enrolment, counter=counter)


def collect(enrolment: Enrolment, device: DeviceId, now: float) -> tuple[Enrolment, Device]:
    """The credential comes into being: the device's record. Raises ``WrongState``."""
    collected = step(enrolment, Step.COLLECT, now)
    binding = enrolment.binding
    if binding is None:
        raise WrongState("it is bound to no place")
    return replace(collected, device=device), Device(
        id=device,
        kind=binding.kind,
        name=binding.name,
        state=DeviceState.ACTIVE,
        place=binding.place,
        public_key=enrolment.public_key,
        fingerprint=enrolment.fingerprint,
        enrolled_at=now,
        hardware=enrolment.hardware,
    )


def as_of(enrolment: Enrolment, now: float) -> Enrolment | None:
    """What time has made of it: expired, or known no more (None)."""
    if now < enrolment.expires_at:
        return enrolment
    if enrolment.state in ENDED:
        return None
    expired = step(enrolment, Step.EXPIRE, now)
    return expired if now < enrolment.expires_at + KNOWN_AFTER_S else None
