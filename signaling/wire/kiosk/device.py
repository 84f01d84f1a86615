"""What a device says on its WebSocket, ``/kiosk/ws``.

The server speaks first: a challenge. The device answers with a signed hello, and is welcomed or sent away.
Then it
beats; what must not be lost it *reports*, each report under a key of its own, again and again until it is
told
``stored``. A beat is dropped when the line is cut: yesterday's health helps nobody.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from kiosk_hub.fleet.facts import Facts
from kiosk_hub.fleet.ids import CommandId, DeviceId, EvidenceId
from kiosk_hub.fleet.news import AnyNews, DeviceTime, Signature
from room_manager.words import kebab

DEVICE_VERSION: Final = 1
MAX_DEVICE_MESSAGE_BYTES: Final = 16_384

Key = Annotated[str, Meta(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]*$")]


class DeviceMessage(Struct, frozen=True, kw_only=True, tag_field="type", tag=kebab):
    """Base of everything a device says."""

    v: Literal[1] = 1


class DeviceHello(DeviceMessage, frozen=True, tag="hello"):
    """Within 10 s of the challenge. ``signature`` is over :func:`signaling.wire.kiosk.proofs.hello_text`."""

    device: DeviceId
    nonce: Annotated[str, Meta(max_length=64)]
    at: DeviceTime  # its counter grows with every hello, over boots too
    agent: Annotated[str, Meta(max_length=64)]
    signature: Signature


class Beat(DeviceMessage, frozen=True):
    """How it is, now. Answered by ``heard``. ``n`` counts the beats of this connection."""

    n: Annotated[int, Meta(ge=0, le=2**53)]
    at: DeviceTime
    facts: Facts


class Claim(DeviceMessage, frozen=True):
    """The device is about to carry out this order. Answered by ``go`` or ``no-go``: the right of whoever
    asked for
    it is looked at once more."""

    command: CommandId


class Acknowledge(DeviceMessage, frozen=True):
    """The order is kept on the device's disk; it need not be sent again on this line."""

    command: CommandId


class Report(DeviceMessage, frozen=True):
    """Something that must not be lost. Kept on the device until ``stored`` names its key; told again after
    that, it
    is answered and nothing more happens."""

    key: Key
    at: DeviceTime
    news: AnyNews


MAX_REPORTS_IN_FLIGHT: Final = 32
"""Reports told and not yet ``stored``; what is more waits in the device's outbox."""

AnyDeviceMessage = DeviceHello | Beat | Claim | Acknowledge | Report

EvidenceKind = Literal["screenshot", "log"]


class EvidenceHead(Struct, frozen=True):
    """What goes before the bytes of a piece of evidence, as query parameters of
    ``PUT /api/kiosk/evidence/{id}``; the id is the device's own, so that a repeated upload is one."""

    id: EvidenceId
    command: CommandId
    kind: EvidenceKind
    sha256: Annotated[str, Meta(min_length=64, max_length=64)]
