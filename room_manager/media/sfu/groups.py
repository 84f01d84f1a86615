"""Groups: slots that shall show the same, so that what they show is decided once for all of them."""

from typing import Final, NamedTuple

from room_manager.ids import SiteId
from room_manager.media.sfu.lane import Lane
from room_manager.media.sfu.negotiation import Format
from room_manager.media.sfu.slot import Limit, Slot
from room_manager.media.sfu.track import Track

PATIENCE_S: Final = 1.0
"""A slot that may enter another lane of its source without a keyframe waits so long for a place to do so."""

SETTLE_S: Final = 1.0
"""The old picture stays so long while a site that was asked to send again has not begun."""


class Key(NamedTuple):
    """What slots of one group have in common.

    ``aside``: they belong to the site the slot shows to all others, and are shown something else.
    ``watched`` is what wall slots of a group show; None for slots the scene decides on.
    """

    name: str
    format: Format
    limit: Limit
    measured: bool
    aside: bool
    watched: SiteId | None


class Group:
    """Slots, the lane they shall be in, and those of them that are not in it yet."""

    __slots__ = (
        "current",
        "decided",
        "key",
        "lane",
        "slots",
        "switching",
        "target",
        "targeted_at",
        "waiting",
        "waits_since",
    )

    def __init__(self, key: Key) -> None:
        self.key = key
        self.slots: dict[Slot, None] = {}
        self.waiting: dict[Slot, None] = {}
        self.lane: Lane | None = None
        self.current: Track | None = None  # what was last entered
        self.decided = False  # whether it was ever aimed
        self.target: SiteId | None = None  # whose picture it was last asked for, and since when
        self.targeted_at = 0.0
        self.waits_since: float | None = None
        self.switching = False  # the group waits as a whole, not a newcomer for what others see

    def aim(self, lane: Lane | None) -> None:
        """Every slot shall be in this lane as soon as it can be entered; None: in none, at once."""
        if self.lane is not None:
            del self.lane.groups[self]
        self.lane = lane
        self.decided = True
        self.waiting.clear()
        if lane is None:
            self.switching = False
            for slot in self.slots:
                slot.leave()
        else:
            lane.groups[self] = None
            self.waiting.update((slot, None) for slot in self.slots if slot.lane is not lane)
            self.switching = bool(self.waiting)
            lane.track.awaited = lane.track.awaited or self.switching

    def hold(self) -> None:
        """Every slot stays where it is until it is known where it shall be; newcomers wait for that."""
        if self.lane is not None:
            del self.lane.groups[self]
        self.lane = None
        self.decided = False
        self.waiting.clear()

    def settling(self, target: SiteId | None, now: float) -> bool:
        """Whether the group was told so lately to show this site that its picture may still be coming."""
        if self.target != target:
            self.target, self.targeted_at = target, now
        return now - self.targeted_at < SETTLE_S

    def take_in(self, slot: Slot) -> None:
        """The slot shall show what the group shows."""
        self.slots[slot] = None
        slot.group = self
        if self.lane is None:
            if self.decided:
                slot.leave()
        elif slot.lane is not self.lane:
            self.waiting[slot] = None
            self.lane.track.awaited = True

    def let_go(self, slot: Slot) -> None:
        """The slot shall show something else; it stays in its lane until that can be entered."""
        del self.slots[slot]
        self.waiting.pop(slot, None)
        slot.group = None

    def entered(self, slot: Slot) -> None:
        """The slot is in the lane now."""
        del self.waiting[slot]
        self.switching = False
        self.current = self.lane.track if self.lane is not None else None

    def needs_keyframe(self, now: float) -> bool:
        """Whether somebody waits who cannot enter anywhere else, or has waited long enough for that."""
        if not self.waiting or self.lane is None:
            self.waits_since = None
            return False
        if self.waits_since is None:
            self.waits_since = now
        late, lane = now - self.waits_since > PATIENCE_S, self.lane
        return any(_outside(slot.lane, lane, late=late) for slot in self.waiting)


def _outside(before: Lane | None, lane: Lane, *, late: bool) -> bool:
    """Whether a slot of another lane can enter this one with a keyframe only, or is late to find a place.

    Between lanes that differ in nothing but what is measured, the next frame will do.
    """
    if before is None or before.track is not lane.track:
        return True
    return late and before.temporal != lane.temporal
