"""VP8 out of its RTP packets (RFC 7741): the descriptors come off, what lies between them is the frame.

Pure. A frame is let through if a decoder that has had all frames before can decode it: after a loss nothing
is, until the next keyframe.
"""

from room_manager.media.sfu.rtp import Malformed, Packet
from room_manager.media.sfu.vp8 import PICTURE_ID_MASK, describe
from room_manager.recording.frames import Frame


def payload_at(data: bytes, start: int, end: int) -> int:
    """Where the descriptor ends (RFC 7741, section 4.2). Raises :class:`Malformed` if it never does."""
    at = start + 1
    if start < end and data[start] & 0x80:
        if at >= end:
            raise Malformed("VP8 descriptor cut off")
        extended = data[at]
        at += 1
        if extended & 0x80:  # I: a picture id, of 7 or 15 bits
            if at >= end:
                raise Malformed("VP8 picture id cut off")
            at += 2 if data[at] & 0x80 else 1
        if extended & 0x40:  # L: a layer index
            at += 1
        if extended & 0x30:  # T or K: temporal layer and key index share an octet
            at += 1
    if at > end:
        raise Malformed("VP8 descriptor cut off")
    return at


def size_of(frame: bytes) -> tuple[int, int] | None:
    """Width and height in pixels that a keyframe tells (RFC 6386, section 9.1); None: it is none."""
    if len(frame) < 10 or frame[0] & 1 or frame[3:6] != b"\x9d\x01\x2a":
        return None
    return int.from_bytes(frame[6:8], "little") & 0x3FFF, int.from_bytes(frame[8:10], "little") & 0x3FFF


class Vp8Frames:
    """Puts frames together from packets in order."""

    __slots__ = ("_broken", "_parts", "_picture", "_timestamp")

    def __init__(self) -> None:
        self._parts: list[bytes] | None = None  # of the frame under way; None: its beginning is missing
        self._timestamp = 0
        self._picture: int | None = None  # id of the last frame that was whole
        self._broken = True

    @property
    def wants_keyframe(self) -> bool:
        """Nothing can be recorded until one comes."""
        return self._broken

    def take(self, packet: Packet, lost: bool) -> Frame | None:
        """The frame that this packet completes, if it does and if it can be decoded."""
        data, start, end = packet.data, packet.start, packet.end
        if start == end:
            return None  # padding alone
        try:
            found = describe(data, start, end)
            at = payload_at(data, start, end)
        except Malformed:
            self._break()
            return None
        if lost:
            self._gap(found.starts_frame, found.picture_id)
        if found.starts_frame:
            if self._parts:
                self._broken = True  # the last frame never ended
            self._parts, self._timestamp = [], packet.timestamp
        if self._parts is None:
            return None
        self._parts.append(data[at:end])
        if not packet.marker:
            return None
        whole, self._parts = b"".join(self._parts), None
        self._picture = found.picture_id
        key = bool(whole) and not whole[0] & 1
        if key:
            self._broken = False
        return None if self._broken or not whole else Frame(self._timestamp, whole, key)

    def _gap(self, starts_frame: bool, picture: int | None) -> None:
        """Something is missing; unless the picture ids say that no frame is, only a keyframe helps."""
        follows = self._picture is not None and picture == (self._picture + 1) & PICTURE_ID_MASK
        if self._parts is not None or not (starts_frame and follows):
            self._break()

    def _break(self) -> None:
        self._parts, self._broken = None, True
