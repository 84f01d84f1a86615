"""Which of a publisher's streams a slot should show."""

from collections.abc import Collection
from typing import Final

from room_manager.media.sfu.negotiation import AUDIO_SLOTS, PROGRAMME
from room_manager.media.sfu.slot import Limit
from room_manager.media.sfu.track import Role, Track

LAYER_RANK: Final = {"q": 0, "h": 1, "f": 2}


def role(name: str) -> Role:
    """What a slot of this name shows of its site."""
    if name == "content":
        return "screen"
    return "microphone" if name in AUDIO_SLOTS or name == PROGRAMME else "camera"


def rank(layer: str) -> int:
    """Larger layers have higher ranks; what has no layers is below all."""
    return LAYER_RANK.get(layer, -1)


def best(
    tracks: Collection[Track],
    *,
    largest: bool,
    limit: Limit,
    current: Track | None,
    wanted: Track | None,
    now: float,
) -> Track | None:
    """The stream to show.

    Args:
        tracks: What the site sends for this kind of slot.
        largest: Whether the slot is a large one.
        limit: The most it may show.
        current: What it shows now.
        wanted: What it waits for.
        now: The time.
    """
    if limit.layer is None:
        return None
    if len(tracks) == 1:
        (only,) = tracks
        return only if rank(only.rid) <= rank(limit.layer) else None
    fitting = [track for track in tracks if rank(track.rid) <= rank(limit.layer)]
    alive = [track for track in fitting if track.alive(now)]
    if not alive:
        return next((track for track in (current, wanted) if track in fitting), None)
    found = (max if largest else min)(alive, key=lambda track: rank(track.rid))
    if current in alive and not found.steady(now):
        return current
    return found
