"""Devices that are expected: their key's fingerprint is known before they first ask."""

from msgspec import Struct

from kiosk_hub.fleet.enrolment import Binding
from kiosk_hub.fleet.ids import Fingerprint


class Expected(Struct, frozen=True):
    """Whoever proves this key is bound at once. Used up when it is collected."""

    fingerprint: Fingerprint
    binding: Binding
    added_by: str
    added_at: float  # seconds, UTC
