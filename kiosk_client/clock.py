"""What the time is in the city, and how far the device's own clock may be believed. Pure.

Two clocks of the device: ``mono`` runs evenly since the boot and means nothing else; ``wall`` claims to be
UTC and may be a year off. Every word of the city carries its time; from an exchange with a known round trip
the offset between the city's clock and ``mono`` follows, as NTP computes it (RFC 5905, section 8: the answer
was written in the middle of the round trip, give or take half of it).
"""

from typing import Final

from msgspec import Struct

from signaling.wire.kiosk.words import ClockTrust

FRESH_S: Final = 3_600.0
"""An exchange this old says no longer that the clock is kept *now*."""

DRIFT: Final = 100e-6
"""A cheap quartz; 8.6 s a day."""

TOLERANCE_S: Final = 2.0
"""How far a wall clock may be off and still be called right."""

KEEP_S: Final = 900.0
"""A better exchange than a new one is preferred for so long."""

JUMP_S: Final = 2.0

LATEST: Final = 1e11
"""As the wire has it: what claims to be later is no time, and no calendar could show it."""


class Sample(Struct, frozen=True):
    """The city's clock is ``mono + offset_s``, give or take ``error_s``, at the moment ``mono``."""

    offset_s: float
    error_s: float
    mono: float

    def error_at(self, mono: float) -> float:
        return self.error_s + (mono - self.mono) * DRIFT


def sample(city: float, sent_mono: float, heard_mono: float) -> Sample:
    """From one exchange."""
    trip_s = max(0.0, heard_mono - sent_mono)
    middle = sent_mono + trip_s / 2
    return Sample(offset_s=city - middle, error_s=trip_s / 2, mono=heard_mono)


def better(old: Sample | None, new: Sample) -> Sample:
    """The one to go on with."""
    if old is None or new.mono - old.mono > KEEP_S or new.error_s <= old.error_at(new.mono):
        return new
    # An old sample that the new one contradicts was of a city whose clock has been set since.
    if abs(new.offset_s - old.offset_s) > new.error_s + old.error_at(new.mono) + DRIFT:
        return new
    return old


def trust(
    held: Sample | None, heard_mono: float, mono: float, wall: float, kernel_synced: bool
) -> ClockTrust:
    """Of the wall clock.

    Args:
        held: The sample in use, of this boot; None if there is none.
        heard_mono: When the city was last heard.
        mono: Now.
        wall: Now.
        kernel_synced: The kernel says that something (NTP) keeps its clock.
    """
    if held is None:
        return ClockTrust.SYNCED if kernel_synced else ClockTrust.UNSET
    off_s = abs(wall - (mono + held.offset_s))
    if off_s > TOLERANCE_S + held.error_at(mono):
        return ClockTrust.UNSET
    if kernel_synced or mono - heard_mono <= FRESH_S:
        return ClockTrust.SYNCED
    return ClockTrust.HELD


def jump_s(before: tuple[float, float], mono: float, wall: float) -> float | None:
    """By how much the wall clock was set since ``before`` (mono, wall), positive: forward; None: it was not.

    A clock that is slewed moves by half a second in a quarter of an hour; that is no jump.
    """
    moved_s = (wall - before[1]) - (mono - before[0])
    return moved_s if abs(moved_s) > JUMP_S else None


class CityClock:
    """The city's time, held over the line's cuts."""

    def __init__(self) -> None:
        self.held: Sample | None = None
        self.heard_mono = 0.0

    def hear(self, city: float, sent_mono: float, heard_mono: float) -> None:
        """An exchange that began at ``sent_mono`` was answered."""
        if not 0.0 < city < LATEST:
            return
        self.held = better(self.held, sample(city, sent_mono, heard_mono))
        self.heard_mono = heard_mono

    def now(self, mono: float) -> float | None:
        return None if self.held is None else mono + self.held.offset_s
