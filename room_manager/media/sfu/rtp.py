"""RTP packets as bytes (RFC 3550) with their header extensions (RFC 8285).

Owns where things lie in a packet. Knows neither keys nor streams nor who sent it.
"""

import struct
from collections.abc import Iterable
from typing import Final

HEADER: Final = struct.Struct("!BBHLL")
HEADER_BYTES: Final = 12
MAX_PACKET_BYTES: Final = 1500
SEQ_MASK: Final = 0xFFFF
TS_MASK: Final = 0xFFFFFFFF
ONE_BYTE_PROFILE: Final = 0xBEDE
TWO_BYTE_PROFILE: Final = 0x1000

_WORD_PAIR: Final = struct.Struct("!HH")


class Malformed(ValueError):
    """The bytes are not what they claim to be."""


class Packet:
    """One RTP packet in the clear. ``start`` and ``end`` bound the payload, padding left out."""

    __slots__ = ("data", "end", "extensions", "marker", "payload_type", "seq", "ssrc", "start", "timestamp")

    def __init__(self, data: bytes) -> None:
        """Take a packet apart; raise :class:`Malformed` if a length in it leads outside."""
        size = len(data)
        if size < HEADER_BYTES:
            raise Malformed("shorter than an RTP header")
        first, second, self.seq, self.timestamp, self.ssrc = HEADER.unpack_from(data)
        if first >> 6 != 2:
            raise Malformed("not RTP version 2")
        start = HEADER_BYTES + 4 * (first & 0x0F)
        self.extensions: dict[int, bytes] = {}
        if first & 0x10:
            if start + 4 > size:
                raise Malformed("extension header cut off")
            profile, words = _WORD_PAIR.unpack_from(data, start)
            begin, start = start + 4, start + 4 + 4 * words
            if start > size:
                raise Malformed("extension longer than the packet")
            self.extensions = _elements(data, begin, start, profile)
        end = size
        if first & 0x20:
            # A count of zero or one that reaches into the header has crashed other forwarding units.
            padding = data[-1]
            if padding == 0 or padding > size - start:
                raise Malformed("padding count leads outside the payload")
            end -= padding
        if start > end:
            raise Malformed("contributing sources cut off")
        self.data = data
        self.marker = second & 0x80
        self.payload_type = second & 0x7F
        self.start = start
        self.end = end


def _elements(data: bytes, at: int, end: int, profile: int) -> dict[int, bytes]:
    """Header extension elements by id; one-byte and two-byte forms (RFC 8285, sections 4.2 and 4.3)."""
    found: dict[int, bytes] = {}
    if profile == ONE_BYTE_PROFILE:
        while at < end:
            head = data[at]
            at += 1
            if head == 0:
                continue
            if head >> 4 == 15:  # section 4.2: stop at id 15
                break
            size = (head & 0x0F) + 1
            if at + size > end:
                raise Malformed("extension element cut off")
            found[head >> 4] = data[at : at + size]
            at += size
    elif profile & 0xFFF0 == TWO_BYTE_PROFILE:
        while at < end:
            identity = data[at]
            at += 1
            if identity == 0:
                continue
            if at >= end or at + 1 + data[at] > end:
                raise Malformed("extension element cut off")
            found[identity] = data[at + 1 : at + 1 + data[at]]
            at += 1 + data[at]
    return found


def extension_block(elements: Iterable[tuple[int, bytes]]) -> bytes:
    """A one-byte-form extension block; empty if there is no element.

    Ids are 1…14 and values 1…16 bytes, as RFC 8285 (section 4.2) allows in that form.
    """
    body = b"".join(bytes([identity << 4 | len(value) - 1]) + value for identity, value in elements)
    if not body:
        return b""
    body += b"\0" * (-len(body) % 4)
    return _WORD_PAIR.pack(ONE_BYTE_PROFILE, len(body) // 4) + body


def build(
    payload_type: int,
    seq: int,
    timestamp: int,
    ssrc: int,
    payload: bytes,
    *,
    marker: bool = False,
    extensions: bytes = b"",
) -> bytes:
    """One packet, ready to be protected. ``extensions`` comes from :func:`extension_block`."""
    first = 0x90 if extensions else 0x80
    second = payload_type | (0x80 if marker else 0)
    return HEADER.pack(first, second, seq & SEQ_MASK, timestamp & TS_MASK, ssrc) + extensions + payload


def unwrap(value: int, near: int, bits: int) -> int:
    """The integer congruent to ``value`` modulo 2^bits that is nearest to ``near``.

    Counters of 7, 8, 15 or 16 bits become numbers that compare and subtract as one expects.
    """
    size = 1 << bits
    half = size >> 1
    return near + ((value - near + half) % size) - half


def looks_like_rtcp(datagram: bytes | memoryview) -> bool:
    """Whether a packet sharing the RTP port is RTCP: types 192…223 (RFC 5761, section 4)."""
    return len(datagram) > 1 and 192 <= datagram[1] <= 223
