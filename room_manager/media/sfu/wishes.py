"""Which layers publishers should send: those somebody watches, and for a little longer those somebody did.

A layer nobody watches costs the publisher's line and processor for nothing. What is wanted again is told at
once; what is wanted no more only after a while, since speakers take turns.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from room_manager.ids import ConnectionId, SiteId
from room_manager.media.sfu import choice
from room_manager.media.sfu.lane import Lane
from room_manager.media.sfu.member import Member
from room_manager.media.sfu.relay_wire import Need
from room_manager.media.sfu.track import Role

HOLD_S: Final = 2.0


class Place(NamedTuple):
    """One picture of one publisher."""

    connection: ConnectionId
    role: Role


def ideal(layers: Iterable[str], *, large: bool, limit: str) -> str | None:
    """The layer to show of those a publisher can send; None: even its smallest is too large."""
    fitting = [layer for layer in layers if choice.rank(layer) <= choice.rank(limit)]
    return (max if large else min)(fitting, key=choice.rank, default=None)


def watched(
    needs: Iterable[Need], lanes: Iterable[Lane], active: Callable[[SiteId], Member | None]
) -> dict[Place, set[str]]:
    """The layers somebody should see, and those somebody sees until that can be entered.

    Args:
        needs: What receivers want, here and with other workers.
        lanes: What is shown here.
        active: Who is a site's picture.
    """
    found: dict[Place, set[str]] = {}
    for need in needs:
        member = active(need.site)
        layers = member.layers(need.role) if member is not None else None
        if member is None or layers is None:
            continue
        for view in need.views:
            layer = ideal(layers, large=view.large, limit=view.layer)
            if layer is not None:
                found.setdefault(Place(member.connection, need.role), set()).add(layer)
    for lane in lanes:
        track = lane.track
        if lane.slots and track.role != "microphone" and track.owner is not None:
            found.setdefault(Place(track.owner.connection, track.role), set()).add(track.rid)
    return found


class Wishes:
    """What every publisher was told last, and when each of its layers was last wanted."""

    __slots__ = ("_told", "_wanted_at")

    def __init__(self) -> None:
        self._told: dict[Place, tuple[str, ...]] = {}
        self._wanted_at: dict[Place, dict[str, float]] = {}

    def begin(self, place: Place, layers: tuple[str, ...], now: float) -> None:
        """A publisher that sends all its layers, as all do until they are told otherwise."""
        self._told[place] = tuple(sorted(layers, key=choice.rank))
        self._wanted_at[place] = dict.fromkeys(layers, now)

    def end(self, place: Place) -> None:
        """It is gone."""
        self._told.pop(place, None)
        self._wanted_at.pop(place, None)

    def update(
        self, wanted: Mapping[Place, Iterable[str]], now: float
    ) -> list[tuple[Place, tuple[str, ...]]]:
        """Who is to be told what, now that these layers are wanted."""
        news = []
        for place, layers in wanted.items():
            if place in self._told:
                self._wanted_at[place].update((layer, now) for layer in layers)
        for place in [place for place, told in self._told.items() if told or place in wanted]:
            recent = [layer for layer, at in self._wanted_at[place].items() if now - at <= HOLD_S]
            layers = tuple(sorted(recent, key=choice.rank))
            if layers != self._told[place]:
                self._told[place] = layers
                news.append((place, layers))
        return news
