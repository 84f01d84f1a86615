"""A lane: one source as all slots get it that show it in one format, with the same temporal layers.

Rewriting is done once per packet and lane. Slots come and go at entry points; each has shifts of its own to
the lane's numbers, so none needs a lane of its own because its numbers have run differently.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from room_manager.media.sfu.audience import Audience, Egress, Marks, Row, marks
from room_manager.media.sfu.negotiation import Format
from room_manager.media.sfu.numbering import Numbering, Numbers
from room_manager.media.sfu.packets import OPUS, SourcePacket
from room_manager.media.sfu.render import rendered
from room_manager.media.sfu.rtp import HEADER_BYTES
from room_manager.media.sfu.slot import Slot
from room_manager.media.sfu.track import Track

if TYPE_CHECKING:
    from room_manager.media.sfu.groups import Group
    from room_manager.media.sfu.line.line import Line

Receivers = tuple[Audience, list[tuple["Line", Audience]]]
"""Who gets a packet at once, and those whose pictures wait for their turn, each alone."""


class Lane:
    """One numbering of one source, and who gets it.

    ``temporal`` is the highest temporal layer carried (None: all); ``measured`` tells whether packets
    carry the transport-wide sequence number.
    """

    __slots__ = ("_cut_now", "_entered", "_video", "format", "groups", "measured", "numbering",
                 "octets", "packets", "slots", "temporal", "track")  # fmt: skip

    def __init__(self, track: Track, form: Format, temporal: int | None, *, measured: bool) -> None:
        self.track = track
        self.format = form
        self.temporal = temporal
        self.measured = measured
        self.numbering = Numbering()
        self.slots: dict[Slot, None] = {}  # in the order they came
        self.groups: dict[Group, None] = {}  # those that shall be here
        self.packets = 0
        self.octets = 0
        self._cut_now: Receivers | None = None  # of all slots; None: to be made anew
        self._entered = 0  # our index of the last entry
        self._video = form.codec != OPUS

    def take_in(self, slot: Slot) -> None:
        """The slot gets what is fed from now on."""
        self.slots[slot] = None
        self._entered = max(self._entered, slot.first)
        self._cut_now = None

    def let_go(self, slot: Slot) -> None:
        """The slot gets nothing any more."""
        del self.slots[slot]
        self._cut_now = None

    def open_to(self, slot: Slot, packet: SourcePacket) -> bool:
        """Whether the slot may enter with this packet."""
        before = slot.lane
        if before is None or before.track is not self.track:
            return packet.entry
        # From another lane of the same source: where nothing is missing and a frame begins.
        if not packet.starts or packet.index != before.numbering.newest + 1 or self._leaves_out(packet):
            return False
        if packet.entry or before.temporal is None:
            return True
        if self.temporal is not None and self.temporal <= before.temporal:
            return True
        # More temporal layers: the next one may be entered where it depends on the base alone.
        return packet.sync and packet.temporal == before.temporal + 1

    def admit(self, slots: list[Slot], packet: SourcePacket, now: float, free: Callable[[], Numbers]) -> None:
        """These slots get the lane from this packet on, each with the numbers that follow its last.

        If the lane begins with it, its numbers become those of the most slots; ``free`` gives some to
        begin with if nobody has any.
        """
        wanted = [slot.upcoming(self, packet, now) for slot in slots]
        if not self.numbering.segments:
            common = Counter(numbers for numbers in wanted if numbers is not None).most_common(1)
            self.numbering.begin(packet, common[0][0] if common else free())
        segment = self.numbering.segment(packet)
        if segment is None:
            return  # later than anything we remember; the next keyframe will do
        given, last = segment.numbers(packet, now), self.numbering.last
        if packet.picture is None:  # nothing is renumbered, and nothing need be shifted
            given = given._replace(picture=last.picture)
        if packet.descriptor is None or packet.descriptor.tl0 is None:
            given = given._replace(layer=last.layer)
        for slot, numbers in zip(slots, wanted, strict=True):
            slot.enter(self, given, numbers)

    def feed(self, packet: SourcePacket, now: float, egress: Egress) -> int:
        """Pass one packet on; returns to how many receivers it went."""
        numbering = self.numbering
        if not numbering.segments:
            return 0
        if self._leaves_out(packet):
            numbering.leave_out(packet)
            return 0
        segment = numbering.place(packet, now)
        if segment is None:
            return 0
        rows, paced = self._receivers(packet.index + segment.shift)
        if not rows and not paced:
            return 0
        plain, marked = rendered(packet, segment, self.format, now, measured=self.measured)
        self.packets += 1
        self.octets += packet.end - packet.start
        if rows:
            egress.fan(plain, rows, marked, more=self._video and not packet.marker)
        for line, alone in paced:
            if self._video:
                line.wait(plain, alone, marked, now)
            else:
                line.passed(len(plain))
        return len(rows) + len(paced) * self._video

    def again(self, index: int, now: float) -> tuple[bytearray, Marks] | None:
        """The packet that was given this index, with the numbers it had, and its marks; None: gone.

        What was left out after its number had been kept for it is an empty packet: nobody need wait for it.
        """
        origin = self.numbering.origin(index)
        packet = self.track.history.get(origin[1]) if origin is not None else None
        if origin is None or packet is None:
            return None
        plain, marked = rendered(packet, origin[0], self.format, now, measured=self.measured)
        if self._leaves_out(packet):
            start = HEADER_BYTES + (4 + 4 * int.from_bytes(plain[14:16], "big") if plain[0] & 0x10 else 0)
            emptied = bytearray(plain[:start])
            emptied[1] &= 0x7F  # it ends no frame
            return emptied, marks(0, 0, marked.number_at)
        return bytearray(plain), marked

    def reseated(self) -> None:
        """How our slots are sent to has changed."""
        self._cut_now = None

    def _cut(self, slots: Iterable[Slot]) -> Receivers:
        """Those who get packets at once, and one by one those whose pictures wait."""
        rows: list[Row] = []
        paced: list[tuple[Line, Audience]] = []
        for slot in slots:
            row = slot.row(measured=self.measured)
            if slot.paced is not None:
                paced.append((slot.paced, Audience((row,))))
            if slot.paced is None or not self._video:
                rows.append(row)
        return Audience(rows), paced

    def _leaves_out(self, packet: SourcePacket) -> bool:
        return packet.start == packet.end or (self.temporal is not None and packet.temporal > self.temporal)

    def _receivers(self, index: int) -> Receivers:
        """Who gets the packet of this index: a late one is not for those who entered after it."""
        if index < self._entered:
            return self._cut(slot for slot in self.slots if slot.first <= index)
        if self._cut_now is None:
            self._cut_now = self._cut(self.slots)
        return self._cut_now
