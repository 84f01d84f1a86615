"""Noticing that two machines hold one key.

A device proves its key with every hello, and says two things that a copy cannot keep in step with the
original: a counter that it keeps on its disk and raises before each hello, and the kernel's boot id, which
no boot ever has again. So, of two machines with one key and one past, whoever comes second says a counter
that was said already, or comes back with a boot that another boot has followed. (A hello that is merely
recorded and played again does not come here: its nonce is spent.) A third sign is seen by the edge: a line
of an earlier boot that still answers after a later boot has opened its own.

What cannot be told apart: a disk image that was put back onto its own machine looks like a copy, and so
does a disk that has silently lost its last writes. Both are quarantined; staff who know what happened
release them, and the next hello is the new beginning. A copy that is never switched on beside, or after,
its original is not noticed.
"""

from typing import Final, Literal

from msgspec.structs import replace

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.news import DeviceTime

BOOTS_KEPT: Final = 16

Sign = Literal["counter-went-back", "boot-returned", "both-alive"]
"""How it was noticed."""


def sign_of_a_clone(device: Device, at: DeviceTime) -> Sign | None:
    """Does this hello, proved by the device's own key, fit what was heard of the device before?"""
    if at.counter <= device.counter:
        return "counter-went-back"
    if at.boot != device.boot and at.boot in device.past_boots:
        return "boot-returned"
    return None


def heard(device: Device, at: DeviceTime) -> Device:
    """The record after this hello."""
    past = device.past_boots
    if device.boot and at.boot != device.boot:
        past = (*past, device.boot)[-BOOTS_KEPT:]
    return replace(device, boot=at.boot, counter=at.counter, past_boots=past)


def begin_anew(device: Device) -> Device:
    """Whatever its next hello says is the beginning."""
    return replace(device, boot="", counter=0, past_boots=())
