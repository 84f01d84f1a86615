"""What is known of a line at one moment, however it was learnt."""

from typing import Final, Literal

from msgspec import Struct

Pressed = Literal["bandwidth", "loss", "delay", "silent"]
"""A line that is given too much, and how it shows."""

OVERHEAD_BYTES: Final = 28
"""IPv4 and UDP around each packet. A third of a small sound packet, so it must not be left out."""


class Reading(Struct, frozen=True):
    """One look at a line. Rates count headers."""

    bps: float | None = None  # what it is thought to carry; None: nobody knows
    pressed: Pressed | None = None
    capacity_bps: float | None = None  # how fast packets sent together came apart; None: none were
    queue_ms: float = 0.0
    loss: float = 0.0  # lately, 0…1
    rtt_ms: float = 0.0
