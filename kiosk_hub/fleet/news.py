"""What a device reports of itself that must not be lost, and when it happened by its own lights."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from kiosk_hub.fleet.ids import BundleId, CommandId, RolloutId
from kiosk_hub.fleet.orders import InstallStep, Outcome
from room_manager.words import kebab

Signature = Annotated[str, Meta(min_length=86, max_length=86, pattern=r"^[A-Za-z0-9_-]*$")]
"""Ed25519, 64 bytes in base64url without padding."""


class DeviceTime(Struct, frozen=True):
    """When something happened, for a device that may have no clock.

    ``boot`` and ``counter`` order everything of one device whatever its clock says; ``wall`` is to be
    believed as
    far as ``clock`` of the beats says.
    """

    boot: Annotated[str, Meta(min_length=8, max_length=64)]
    counter: Annotated[int, Meta(ge=0, le=2**53)]
    uptime_s: Annotated[float, Meta(ge=0, le=1e10)]  # monotonic, since the boot
    wall: Annotated[float, Meta(ge=0, le=1e11)]  # seconds, UTC, as its clock had it


class News(Struct, frozen=True, tag_field="what", tag=kebab):
    """Base of what is reported."""


class Began(News, frozen=True):
    """The order is being carried out."""

    command: CommandId


class Done(News, frozen=True):
    """The order has ended, with this outcome. Told once and for all."""

    command: CommandId
    outcome: Outcome


class Installing(News, frozen=True):
    """How far an offered bundle is."""

    rollout: RolloutId
    bundle: BundleId
    step: InstallStep
    bytes_done: Annotated[int, Meta(ge=0)] = 0
    code: Annotated[str, Meta(max_length=64)] = ""
    text: Annotated[str, Meta(max_length=500)] = ""


class Sessions(News, frozen=True):
    """Counts of one hour. Nothing of who came or what for."""

    hour: Annotated[int, Meta(ge=0, le=10_000_000)]  # hours since 1970, UTC
    begun: Annotated[int, Meta(ge=0, le=100_000)] = 0
    finished: Annotated[int, Meta(ge=0, le=100_000)] = 0
    abandoned: Annotated[int, Meta(ge=0, le=100_000)] = 0
    scans: Annotated[int, Meta(ge=0, le=100_000)] = 0
    scans_failed: Annotated[int, Meta(ge=0, le=100_000)] = 0
    help_calls: Annotated[int, Meta(ge=0, le=100_000)] = 0


class LogLine(News, frozen=True):
    """Something staff should see in the device's log: a browser that died, a disk that failed. No personal
    data."""

    level: Literal["info", "warning", "error"]
    code: Annotated[str, Meta(max_length=64)]
    text: Annotated[str, Meta(max_length=500)] = ""


class KeyAnnounced(News, frozen=True):
    """The device has made its next key; ``proof`` is the new key's signature over
    ``proofs.rotation_text``."""

    public_key: Annotated[str, Meta(max_length=64)]
    proof: Signature


AnyNews = Began | Done | Installing | Sessions | LogLine | KeyAnnounced
