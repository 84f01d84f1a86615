"""What the demo tells the process of simulated sites, once, on its standard input (links are secrets)."""

from msgspec import Struct


class Place(Struct, frozen=True):
    """One simulated site and the link it enters by."""

    site: str
    link: str  # the token alone


class Job(Struct, frozen=True):
    """Where to join, and as whom."""

    url: str  # http(s)://host:port
    certificate: str | None  # PEM file to trust, when https
    places: tuple[Place, ...]
    seed: int
    lively: bool = True  # raise hands, leave, come back
