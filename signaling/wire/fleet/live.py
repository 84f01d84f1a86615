"""The live feed of the fleet's pages: ``/fleet/ws``. The page is let in by its log-in cookie and its Origin.

The page takes rows by REST and keeps them fresh from here; of two rows of one id the higher version holds,
so the
order in which both arrive does not matter. Everything is told at most once a second, coalesced: a slow page
gets the
newest of each thing, never a queue of old ones.
"""

from typing import Final, Literal

from msgspec import Struct

from room_manager.words import kebab
from signaling.wire.fleet.devices import DeviceRow


class FleetMessage(Struct, frozen=True, kw_only=True, tag_field="type", tag=kebab):
    """Base of everything the feed says. ``time``: seconds, UTC, when it was said."""

    v: Literal[1] = 1
    time: float


class FleetHello(FleetMessage, frozen=True):
    """The first word: rows as of ``version`` are to be asked for by REST, what changes after it follows."""

    version: int
    total: int


class RowsChanged(FleetMessage, frozen=True):
    """At most 500 rows; more come a moment later."""

    rows: tuple[DeviceRow, ...]
    gone: tuple[str, ...] = ()  # out of this person's sight


class SomethingChanged(FleetMessage, frozen=True):
    """Things that changed and are shown by REST: a page that shows one of them asks again. At most one a
    second."""

    incidents: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()  # devices whose commands changed
    rollouts: tuple[str, ...] = ()
    enrolments: bool = False
    audit: bool = False


class FleetPulse(FleetMessage, frozen=True):
    """Each five seconds, so that a page knows how old what it shows is."""

    version: int


class FleetGone(FleetMessage, frozen=True):
    """The feed ends: ``logged-out``, ``shutting-down``, ``lagging``, ``not-allowed``."""

    code: str
    retry_after_ms: int | None = None


AnyFleetMessage = FleetHello | RowsChanged | SomethingChanged | FleetPulse | FleetGone

TYPES: Final[tuple[type[Struct], ...]] = (FleetHello, RowsChanged, SomethingChanged, FleetPulse, FleetGone)
