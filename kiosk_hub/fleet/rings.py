"""Rings of a rollout: who gets a bundle first, who later. Membership is dealt out once and then kept."""

import hashlib
from collections.abc import Sequence
from math import ceil
from typing import Annotated, Final

from msgspec import Meta, Struct

from kiosk_hub.fleet.ids import DeviceId
from room_manager.errors import Invalid

MAX_RINGS: Final = 10
MAX_NAMED: Final = 2000

Share = Annotated[float, Meta(gt=0.0, le=1.0)]


class Ring(Struct, frozen=True):
    """One ring: the devices named, all of some districts, or a share of those no earlier ring took.

    Of the three exactly one is given; the last ring of a plan is always the rest, whatever it says.
    """

    name: Annotated[str, Meta(max_length=60)] = ""
    share: Share | None = None  # of the devices no earlier ring took
    districts: Annotated[tuple[str, ...], Meta(max_length=40)] = ()  # codes
    devices: Annotated[tuple[DeviceId, ...], Meta(max_length=MAX_NAMED)] = ()


class Candidate(Struct, frozen=True):
    """What dealing out needs to know of a device."""

    device: DeviceId
    district: str


def check_rings(rings: Sequence[Ring]) -> None:
    """Raise ``Invalid`` unless every ring but the last says whom it takes, in one way only."""
    if not 1 <= len(rings) <= MAX_RINGS:
        raise Invalid(f"rings: from 1 to {MAX_RINGS}")
    for place, ring in enumerate(rings[:-1], 1):
        ways = (ring.share is not None) + bool(ring.districts) + bool(ring.devices)
        if ways != 1:
            raise Invalid(f"rings: ring {place} takes a share, districts or devices; one of the three")
    last = rings[-1]
    if last.districts or last.devices or last.share not in (None, 1.0):
        raise Invalid("rings: the last ring takes the rest")


def order_of(salt: str, device: DeviceId) -> bytes:
    """A device's place in the draw. It depends on nothing but the two texts; with the rollout's id as salt
    another rollout begins with other devices, so that not always the same residents meet a fault first."""
    return hashlib.sha256(f"{salt}\n{device}".encode()).digest()


def deal(rings: Sequence[Ring], candidates: Sequence[Candidate], salt: str) -> dict[DeviceId, int]:
    """Each device's ring, counted from 0. Every candidate gets exactly one.

    A share is rounded up: a first ring of 1 % of 30 devices is one device, not none.
    """
    check_rings(rings)
    left = sorted(candidates, key=lambda candidate: order_of(salt, candidate.device))
    dealt: dict[DeviceId, int] = {}
    for place, ring in enumerate(rings[:-1]):
        if ring.share is not None:
            taken = {candidate.device for candidate in left[: ceil(ring.share * len(left) - 1e-9)]}
        elif ring.districts:
            taken = {candidate.device for candidate in left if candidate.district in ring.districts}
        else:
            taken = {candidate.device for candidate in left} & set(ring.devices)
        dealt.update(dict.fromkeys(taken, place))
        left = [candidate for candidate in left if candidate.device not in taken]
    dealt.update((candidate.device, len(rings) - 1) for candidate in left)
    return dealt
