"""What becomes of an enrolled device: active, quarantined, retired; and its keys."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec.structs import replace

from kiosk_hub.fleet import clones
from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.errors import BadSignature, Quarantined, Retired
from kiosk_hub.fleet.ids import Fingerprint
from kiosk_hub.fleet.news import DeviceTime
from kiosk_hub.fleet.values import DeviceState
from room_manager.errors import Invalid, WrongState

MAX_REASON_CHARS: Final = 300
CLONED: Final = "cloned-key"
"""As ``Device.state_reason``, when it was the rule that quarantined it."""


class Step(StrEnum):
    """What staff decide about a device."""

    QUARANTINE = "quarantine"
    RELEASE = "release"
    RETIRE = "retire"


TRANSITIONS: Final[Mapping[DeviceState, Mapping[Step, DeviceState]]] = {
    DeviceState.BOUND: {},
    DeviceState.ACTIVE: {Step.QUARANTINE: DeviceState.QUARANTINED, Step.RETIRE: DeviceState.RETIRED},
    DeviceState.QUARANTINED: {Step.RELEASE: DeviceState.ACTIVE, Step.RETIRE: DeviceState.RETIRED},
    DeviceState.RETIRED: {},
}


def take(device: Device, step: Step, reason: str) -> Device:
    """The record after the step. A release begins a new count: what made it look like a clone is forgotten.

    Raises ``WrongState``, or ``Invalid`` (no reason, or too long a one).
    """
    state = TRANSITIONS[device.state].get(step)
    if state is None:
        raise WrongState(f"a device that is {device.state} cannot be asked to {step}")
    if len(reason) > MAX_REASON_CHARS:
        raise Invalid(f"reason: at most {MAX_REASON_CHARS} characters")
    if step is not Step.RELEASE and not reason.strip():
        raise Invalid("reason: say why")
    if step is Step.RELEASE:
        return replace(clones.begin_anew(device), state=state, state_reason="")
    return replace(device, state=state, state_reason=reason.strip(), next_key=None, rotation_asked=False)


def check_let_in(device: Device) -> None:
    """Raises ``Quarantined`` or ``Retired``."""
    if device.state is DeviceState.QUARANTINED:
        raise Quarantined("this device is quarantined until staff release it")
    if device.state is DeviceState.RETIRED:
        raise Retired("this device is retired; to return, it is enrolled with a new key")


def opened_line(device: Device, at: DeviceTime, key: bytes, fingerprint: Fingerprint) -> Device:
    """The record after a hello that fits and was signed by ``key``: the first one signed by the announced
    key makes that the only one.

    Raises ``BadSignature``: meanwhile it is neither of its keys.
    """
    device = clones.heard(device, at)
    if key == device.public_key:
        return device
    if key != device.next_key:
        raise BadSignature("signed by a key that this device has no more")
    return replace(device, public_key=key, fingerprint=fingerprint, next_key=None, rotation_asked=False)


def ask_rotation(device: Device) -> Device:
    """It is told to make a new key. Raises ``WrongState``."""
    if device.state is not DeviceState.ACTIVE:
        raise WrongState(f"a device that is {device.state} makes no new key")
    return replace(device, rotation_asked=True)


def announce_key(device: Device, key: bytes) -> Device:
    """From now on either key opens a line. A second announcement replaces the first. Raises
    ``WrongState``."""
    if device.state is not DeviceState.ACTIVE:
        raise WrongState(f"a device that is {device.state} makes no new key")
    if key == device.public_key:
        raise WrongState("this is the key it has")
    return replace(device, next_key=key)
