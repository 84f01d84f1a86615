"""What the rules make of a device's facts: one status, and every reason for it."""

from msgspec import Struct

from kiosk_hub.fleet.reasons import Reason
from kiosk_hub.fleet.values import Status


class Symptom(Struct, frozen=True):
    """One thing that is wrong now. ``reason.code`` is stable: ``camera-frozen``, ``disk-nearly-full``."""

    status: Status  # what it alone would make of the device
    reason: Reason


class Verdict(Struct, frozen=True):
    """How a device is. ``symptoms``: the worst first; empty when all is well.

    Where something stands above the facts (closed, maintenance, out of service, quarantined, new) it is the
    only
    symptom, and ``beneath`` are those the facts would give: shown on the device's page, no cause for alarm.
    """

    status: Status
    since: float  # seconds, UTC
    symptoms: tuple[Symptom, ...] = ()
    beneath: tuple[Symptom, ...] = ()
