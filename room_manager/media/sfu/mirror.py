"""A mirror: a site's connection that is with another worker, as this worker's room sees it.

Its packets come over a link as that worker took them, and feed tracks as if it had sent them here. It
receives nothing and is told nothing; what it is asked goes back over the link.
"""

from typing import Final

from room_manager.ids import ConnectionId, SiteId
from room_manager.media.sfu.audience import Sink
from room_manager.media.sfu.member import Member
from room_manager.media.sfu.negotiation import Plan
from room_manager.media.sfu.packets import SourcePacket
from room_manager.media.sfu.relay_wire import CLOCK_HZ, Passed, Stream
from room_manager.media.sfu.track import Track

MAX_TRACKS: Final = 8


class Nowhere(Sink):
    """Where nothing is sent."""


class Mirror(Member):
    """What another worker passes on of one connection."""

    def __init__(self, connection: ConnectionId, site: SiteId, worker: int) -> None:
        super().__init__(connection, site, Plan([], [], {}, None, []), Nowhere())
        self.up = True
        self.worker = worker
        self.heard_at = 0.0

    def passed(self, stream: Stream, item: Passed, now: float) -> tuple[Track, SourcePacket] | None:
        """The track a packet belongs to and the packet as it numbers it; None: of no use.

        Raises ``Malformed``.
        """
        packet = SourcePacket(item.data)
        track = self.tracks.get((stream.role, stream.rid))
        if track is None or track.ssrc != packet.ssrc or track.codec != stream.codec:
            if track is None and len(self.tracks) >= MAX_TRACKS:
                return None
            track = Track(stream.role, stream.rid, packet.ssrc, stream.codec, CLOCK_HZ[stream.role])
            track.owner = self
            self.learned = True
            self.tracks[stream.role, stream.rid] = track
        self.heard_at = now
        if not track.take(packet, now):
            return None
        track.gaps.clear()  # what is missing is asked for where it was lost
        packet.level, packet.orientation = item.level, item.orientation
        return track, packet
