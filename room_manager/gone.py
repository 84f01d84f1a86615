"""Connections that have ended while the journal does not say so yet: kept until it does.

A drop that could not be stored would leave its site present, with the floor, for ever; nobody is left
who could ask again. So it is tried again, each time after a longer while. There are never more of these
than devices in the room: whatever stands for no device is forgotten.
"""

from typing import Final

from msgspec import Struct

from room_manager.ids import ConnectionId, SiteId
from room_manager.meeting.state import State

FIRST_RETRY_S: Final = 1.0
LONGEST_RETRY_S: Final = 8.0


class _Ended(Struct):
    """One connection's end, and when to try again to have it stored."""

    site: SiteId
    at: float
    wait_s: float = FIRST_RETRY_S


class Gone:
    """The ended connections of one room."""

    def __init__(self) -> None:
        self._waiting: dict[ConnectionId, _Ended] = {}

    def __contains__(self, connection: ConnectionId) -> bool:
        return connection in self._waiting

    def add(self, site: SiteId, connection: ConnectionId, now: float) -> None:
        """To be stored as soon as possible. Again is fine."""
        self._waiting.setdefault(connection, _Ended(site, now))

    def settle(self, told: State) -> None:
        """Forget those that stand for nothing any more: stored, replaced, or the meeting is over."""
        for connection, ended in list(self._waiting.items()):
            if told.ended or not stands(told, ended.site, connection):
                del self._waiting[connection]

    def next_at(self) -> float | None:
        """When :meth:`due` has something to give."""
        return min((ended.at for ended in self._waiting.values()), default=None)

    def due(self, now: float, most: int) -> list[tuple[SiteId, ConnectionId]]:
        """Those to be tried now, at most so many; each is due again after its next wait."""
        given: list[tuple[SiteId, ConnectionId]] = []
        for connection, ended in self._waiting.items():
            if ended.at <= now and len(given) < most:
                given.append((ended.site, connection))
                ended.at = now + ended.wait_s
                ended.wait_s = min(2 * ended.wait_s, LONGEST_RETRY_S)
        return given


def stands(state: State, site: SiteId, connection: ConnectionId) -> bool:
    """Does the connection stand for a device of the site?"""
    known = state.sites.get(site)
    return known is not None and connection in known.devices.values()
