"""A bundle: content, configuration or software of one version, and which devices can run it."""

import re
from typing import Annotated, Final

from msgspec import Meta, Struct

from kiosk_hub.fleet.ids import BundleId
from kiosk_hub.fleet.values import BundleKind
from room_manager.errors import Invalid

_VERSION: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}")
_NUMBERS: Final = re.compile(r"\d{1,9}")

MANIFEST: Final[dict[BundleKind, str]] = {
    BundleKind.CONTENT: "announcements.json",
    BundleKind.CONFIGURATION: "configuration.json",
}
"""The file that a bundle of this kind must hold. A software bundle holds wheels instead."""


class Needs(Struct, frozen=True, omit_defaults=True):
    """What a device must be to run it. Nothing asked for: any device is fit."""

    agent_from: Annotated[str, Meta(max_length=64)] = ""  # this version or a later one
    agent_below: Annotated[str, Meta(max_length=64)] = ""  # an earlier one than this
    hardware: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=100)], ...], Meta(max_length=20)
    ] = ()
    """Any of these is contained in what the device calls itself, capitals or not."""


class Bundle(Struct, frozen=True, kw_only=True):
    """One bundle. ``target``: its path among the signed targets."""

    id: BundleId
    kind: BundleKind
    version: str
    target: str
    length_bytes: int
    sha256: str
    needs: Needs = Needs()
    note: str = ""
    added_by: str
    added_at: float  # seconds, UTC
    signed: bool = True  # False: waits for whoever has the targets key


class Custom(Struct, frozen=True):
    """What the signed metadata says of a target beside length and hash. Signed, so a device that is offered
    "content 7" can tell that nobody put "software 3" under that name."""

    kind: BundleKind
    version: Annotated[str, Meta(max_length=64)]
    needs: Needs = Needs()


def check_version(version: str) -> None:
    """Raise ``Invalid`` unless it can be a file's name and a word on the screen."""
    if not _VERSION.fullmatch(version) or ".." in version:
        raise Invalid("version: letters, digits and . + _ -, beginning with a letter or digit, 64 at most")


def target_of(kind: BundleKind, version: str) -> str:
    """Its path among the targets."""
    return f"{kind}/{version}.zip"


def numbers_of(version: str) -> tuple[int, ...]:
    """For comparing: ``0.2.10`` is later than ``0.2.9``. Letters do not count; trailing zeros neither."""
    found = [int(number) for number in _NUMBERS.findall(version.split("+")[0])]
    while found and found[-1] == 0:
        found.pop()
    return tuple(found)


def misfit(needs: Needs, agent: str, hardware: str) -> str | None:
    """Why this device cannot run it: ``wrong-agent`` or ``wrong-hardware``; None: it can.

    A device that has not said what it runs is not refused for it: it looks itself before it installs.
    """
    if agent:
        version = numbers_of(agent)
        if needs.agent_from and version < numbers_of(needs.agent_from):
            return "wrong-agent"
        if needs.agent_below and version >= numbers_of(needs.agent_below):
            return "wrong-agent"
    if needs.hardware and hardware:
        mine = hardware.lower()
        if not any(wanted.lower() in mine for wanted in needs.hardware):
            return "wrong-hardware"
    return None
