"""What the rules make of a device's facts: one status, and every reason for it."""

from msgspec import Struct

from kiosk_hub.fleet.reasons import Reason
from kiosk_hub.fleet.values import Status


class Symptom(Struct, frozen=True):
    """One thing that is wrong now. ``reason.code`` is stable: ``camera-frozen``, ``disk-nearly-full``."""

    status: Status  # what it alone would make of the device
    reason: Reason


class Verdict(Struct, frozen=True):
    """How a device is. ``symptoms``: the worst first; empty when all is well."""

    status: Status
    since: float  # seconds, UTC
    symptoms: tuple[Symptom, ...] = ()
