"""Seating: which slots are in which lane, and which shall be.

What the scene puts in a slot is known by the slot's name; an aim is told once and changes the places of
those who would see or hear themselves, not of everybody. Knows tracks and lanes, neither scenes nor members.
"""

from collections.abc import Callable
from typing import NamedTuple

from room_manager.ids import SiteId
from room_manager.media.sfu.groups import Group, Key
from room_manager.media.sfu.lane import Lane
from room_manager.media.sfu.negotiation import WALL, Format
from room_manager.media.sfu.numbering import Numbers
from room_manager.media.sfu.packets import SourcePacket
from room_manager.media.sfu.slot import Slot
from room_manager.media.sfu.track import Track


class LaneKey(NamedTuple):
    """What makes two lanes different."""

    track: Track
    format: Format
    temporal: int | None
    measured: bool


class Aim(NamedTuple):
    """What slots of one name show: to everybody, and to the site that everybody else is shown."""

    normal: SiteId | None = None
    aside: SiteId | None = None


class Seating:
    """The slots of one room. ``random32`` gives numbers to begin with."""

    def __init__(self, random32: Callable[[], int]) -> None:
        self._random32 = random32
        self._aims: dict[str, Aim] = {}
        self._slots: dict[SiteId, dict[Slot, None]] = {}  # of each site's receivers
        self.groups: dict[Key, Group] = {}
        self.lanes: dict[LaneKey, Lane] = {}

    def target(self, group: Group) -> SiteId | None:
        """The site the group's slots show."""
        key = group.key
        if key.watched is not None:
            return key.watched
        aim = self._aims.get(key.name, Aim())
        return aim.aside if key.aside else aim.normal

    def shown(self, name: str) -> SiteId | None:
        """The site that slots of this name show to everybody else."""
        return self._aims.get(name, Aim()).normal

    def aim(self, name: str, aim: Aim) -> bool:
        """Slots of this name show this from now on. False: as before."""
        before = self._aims.get(name, Aim())
        if before == aim:
            return False
        self._aims[name] = aim
        for site in {before.normal, aim.normal}:
            for slot in self._slots.get(site, ()) if site is not None else ():
                if slot.name == name:
                    self.place(slot)
        return True

    def seat(self, slot: Slot) -> None:
        """A newcomer's slot."""
        if slot.site is not None:
            self._slots.setdefault(slot.site, {})[slot] = None
        self.place(slot)

    def unseat(self, slot: Slot) -> None:
        """Its receiver is gone."""
        if slot.site is not None and slot.site in self._slots:
            self._slots[slot.site].pop(slot, None)
            if not self._slots[slot.site]:
                del self._slots[slot.site]
        self._part(slot)
        self._leave(slot)

    def watch(self, slot: Slot, site: SiteId | None) -> None:
        """The wall slot shows this site, and at once no other."""
        if slot.watched != site:
            slot.watched = site
            self._leave(slot)
            self.place(slot)

    def place(self, slot: Slot) -> None:
        """Put the slot with those who shall show the same; what that is may have changed for it."""
        key = self._key(slot)
        if slot.group is not None and slot.group.key == key:
            return
        self._part(slot)
        group = self.groups.get(key)
        if group is None:
            group = self.groups[key] = Group(key)
        lane = slot.lane
        group.take_in(slot)
        self._discard(lane)

    def follow(self, group: Group, track: Track | None) -> None:
        """The group shall show this track; None: nothing."""
        lane = None
        if track is not None:
            form, limit, measured = group.key.format, group.key.limit, group.key.measured
            key = LaneKey(track, form, limit.temporal, measured)
            lane = self.lanes.get(key)
            if lane is None:
                lane = self.lanes[key] = Lane(track, form, limit.temporal, measured=measured)
                track.lanes.append(lane)
        if lane is group.lane and group.decided:
            return
        left = [group.lane] if lane is not None else [group.lane, *{s.lane: None for s in group.slots}]
        group.aim(lane)
        for other in left:
            self._discard(other)

    def hold(self, group: Group) -> None:
        """The group's slots stay where they are for now."""
        lane = group.lane
        group.hold()
        self._discard(lane)

    def enter(self, track: Track, packet: SourcePacket, now: float) -> None:
        """Let in whoever waits for this packet of the track."""
        waiting = False
        for lane in tuple(track.lanes):
            asking = [slot for group in lane.groups for slot in group.waiting]
            if asking and (packet.entry or packet.starts):
                entering = [slot for slot in asking if lane.open_to(slot, packet)]
                if entering:
                    left = {slot.lane: None for slot in entering}
                    lane.admit(entering, packet, now, lambda: self._free(now))
                    for slot in entering:
                        if slot.lane is lane and slot.group is not None:
                            slot.group.entered(slot)
                    for other in left:
                        self._discard(other)
                waiting = waiting or any(slot.lane is not lane for slot in asking)
            else:
                waiting = waiting or bool(asking)
        track.awaited = waiting

    def _key(self, slot: Slot) -> Key:
        form, limit, measured, own = slot.format, slot.limit, slot.measured, slot.site
        if slot.on_wall:
            return Key(WALL, form, limit, measured, False, slot.watched if slot.watched != own else None)
        return Key(slot.name, form, limit, measured, own is not None and own == self.shown(slot.name), None)

    def _part(self, slot: Slot) -> None:
        group = slot.group
        if group is None:
            return
        group.let_go(slot)
        if not group.slots:
            del self.groups[group.key]
            lane = group.lane
            if lane is not None:
                del lane.groups[group]
                self._discard(lane)

    def _leave(self, slot: Slot) -> None:
        lane = slot.lane
        slot.leave()
        self._discard(lane)

    def _discard(self, lane: Lane | None) -> None:
        """End the lane if nobody is in it, or shall be."""
        if lane is None or lane.slots or lane.groups:
            return
        key = LaneKey(lane.track, lane.format, lane.temporal, lane.measured)
        if self.lanes.get(key) is lane:
            del self.lanes[key]
            lane.track.lanes.remove(lane)
            if not lane.track.lanes:
                lane.track.unwatched()

    def _free(self, now: float) -> Numbers:
        random = self._random32
        # Starting low leaves room before the first wrap.
        return Numbers(random() & 0x7FFF, random(), random() & 0x3FFF, 0, now)
