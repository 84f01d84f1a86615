"""H.264 out of its RTP packets (RFC 6184), and what Matroska wants to know of it.

Pure. Packetization mode 1: single NAL units, aggregates (STAP-A) and fragments (FU-A).
"""

from typing import Final

from room_manager.media.sfu.h264 import starts_keyframe
from room_manager.media.sfu.rtp import Packet
from room_manager.recording.frames import Frame

START: Final = b"\x00\x00\x00\x01"
IDR: Final = 5
SPS: Final = 7
PPS: Final = 8
STAP_A: Final = 24
FU_A: Final = 28
_TYPE: Final = 0x1F

NOMINAL_SPS: Final = bytes.fromhex("6742c01fda014016e840000003004000000f23c60ca8")
NOMINAL_PPS: Final = bytes.fromhex("68ce0fc8")
"""Constrained baseline, 1280×720: for a track that is described before its first picture. Every keyframe
brings its own parameter sets, and those count."""


class H264Frames:
    """Puts pictures together from packets in order: one per timestamp, ended by the marker."""

    __slots__ = ("_broken", "_fragment", "_timestamp", "_units", "_whole")

    def __init__(self) -> None:
        self._units: list[bytes] = []
        self._timestamp: int | None = None
        self._fragment: bytearray | None = None
        self._whole = True  # nothing of the picture under way is missing
        self._broken = True

    @property
    def wants_keyframe(self) -> bool:
        """Nothing can be recorded until one comes."""
        return self._broken

    def take(self, packet: Packet, lost: bool) -> Frame | None:
        """The picture that this packet completes, if it does and if it can be decoded."""
        if packet.start == packet.end:
            return None
        if lost:
            self._broken = True
            self._begin(packet, whole=starts_keyframe(packet.data, packet.start, packet.end))
        elif packet.timestamp != self._timestamp:
            self._broken |= bool(self._units) or self._fragment is not None  # the last one never ended
            self._begin(packet, whole=True)
        self._add(packet.data, packet.start, packet.end)
        if not packet.marker:
            return None
        units, whole = self._units, self._whole and self._fragment is None
        self._timestamp = None
        self._units, self._fragment = [], None
        key = any(unit[0] & _TYPE == IDR for unit in units)
        if not whole or not units:
            self._broken = True
        elif key:
            self._broken = False
        if self._broken:
            return None
        return Frame(packet.timestamp, b"".join(START + unit for unit in units), key)

    def _begin(self, packet: Packet, *, whole: bool) -> None:
        self._timestamp, self._whole = packet.timestamp, whole
        self._units, self._fragment = [], None

    def _add(self, data: bytes, start: int, end: int) -> None:
        kind = data[start] & _TYPE
        if 1 <= kind <= 23:
            self._units.append(data[start:end])
        elif kind == STAP_A:  # section 5.7.1: sizes of two bytes before each unit
            at = start + 1
            while at + 2 < end:
                size = int.from_bytes(data[at : at + 2], "big")
                unit = data[at + 2 : min(end, at + 2 + size)]
                if len(unit) == size > 0:
                    self._units.append(unit)
                else:
                    self._whole = False
                at += 2 + size
        elif kind == FU_A and end - start > 2:  # section 5.8
            head = data[start + 1]
            if head & 0x80:
                self._fragment = bytearray([data[start] & 0xE0 | head & _TYPE])
            if self._fragment is None:
                self._whole = False
                return
            self._fragment += data[start + 2 : end]
            if head & 0x40:
                self._units.append(bytes(self._fragment))
                self._fragment = None
        else:
            self._whole = False  # mode 1 knows no other


def units_of(picture: bytes) -> list[bytes]:
    """The NAL units of an Annex B picture as :class:`H264Frames` makes it."""
    return [unit for unit in picture.split(START) if unit]


def length_prefixed(picture: bytes) -> bytes:
    """The same picture as Matroska keeps it: each unit behind its length in four bytes."""
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units_of(picture))


def configuration(picture: bytes | None) -> bytes:
    """``AVCDecoderConfigurationRecord`` (ISO/IEC 14496-15, 5.3.3.1) of a keyframe, or a nominal one."""
    units = units_of(picture) if picture is not None else []
    sps = next((unit for unit in units if unit[0] & _TYPE == SPS and len(unit) > 3), NOMINAL_SPS)
    pps = next((unit for unit in units if unit[0] & _TYPE == PPS), NOMINAL_PPS)
    return (
        bytes([1, sps[1], sps[2], sps[3], 0xFF, 0xE1])
        + len(sps).to_bytes(2, "big")
        + sps
        + bytes([1])
        + len(pps).to_bytes(2, "big")
        + pps
    )
