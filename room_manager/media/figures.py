"""What a media engine tells monitoring: numbers with a name and an explanation, and nothing about anybody."""

from typing import Literal

from msgspec import Struct


class Sample(Struct, frozen=True):
    """One number. ``labels`` tell it from others of the same name."""

    value: float
    labels: dict[str, str] = {}


class Family(Struct, frozen=True):
    """Numbers of one name. A counter only grows, and begins at 0 with its worker.

    ``name`` follows Prometheus: base units, and no ``_total``, which the exposition adds to counters.
    """

    name: str
    help: str
    kind: Literal["counter", "gauge"]
    samples: tuple[Sample, ...]
