"""Names of the fleet's things, one type each."""

from typing import NewType

DeviceId = NewType("DeviceId", str)
"""One device, for its whole life. Made by the server, short text, safe in a URL path."""

EnrolmentId = NewType("EnrolmentId", str)
"""One try of a device to be let in."""

CommandId = NewType("CommandId", str)
"""One command to one device; also its idempotency key on the device."""

BulkId = NewType("BulkId", str)
"""One act of a person that made a command for each of several devices."""

IncidentId = NewType("IncidentId", str)
"""One thing that went wrong, at one device or at a place."""

EvidenceId = NewType("EvidenceId", str)
"""One file a device sent as the proof of a result: a screenshot, a log."""

RolloutId = NewType("RolloutId", str)
"""One plan by which a bundle comes to devices, ring after ring."""

BundleId = NewType("BundleId", str)
"""One signed bundle: content, configuration or software of one version."""

Fingerprint = NewType("Fingerprint", str)
"""SHA-256 of a raw Ed25519 public key, 64 small hexadecimal digits."""
