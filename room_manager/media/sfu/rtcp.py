"""RTCP (RFC 3550, 4585, 5104) and transport-wide feedback: reading what a peer may send, writing what we say.

Every reader is bounded by the datagram; a count that leads outside raises :class:`Malformed`.
"""

import struct
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from room_manager.media.sfu.rtp import Malformed

SENDER_REPORT: Final = 200
RECEIVER_REPORT: Final = 201
DESCRIPTION: Final = 202
GOODBYE: Final = 203
TRANSPORT_FEEDBACK: Final = 205
PAYLOAD_FEEDBACK: Final = 206
NACK_FORMAT: Final = 1
TRANSPORT_WIDE_FORMAT: Final = 15
PLI_FORMAT: Final = 1
FIR_FORMAT: Final = 4
APPLICATION_FORMAT: Final = 15
MAX_PACKETS: Final = 64  # of one compound datagram
MAX_NACKED: Final = 256  # sequence numbers taken from one NACK

_HEADER: Final = struct.Struct("!BBH")
_FEEDBACK: Final = struct.Struct("!BBHLL")
_SENDER: Final = struct.Struct("!LQLLL")
_BLOCK: Final = struct.Struct("!LLLLLL")
_PAIR: Final = struct.Struct("!HH")
_WORD: Final = struct.Struct("!L")


class Block(Struct, frozen=True):
    """What one receiver says of one stream (RFC 3550, section 6.4.1)."""

    ssrc: int
    fraction_lost: int  # of 256
    lost: int  # since the beginning, 24 bits, may be negative
    highest: int  # extended sequence number
    jitter: int  # in the stream's clock ticks
    last_report: int  # middle 32 bits of the NTP time of the last sender report heard; 0: none
    delay: int  # since then, in 1/65536 s


class Report(Struct, frozen=True):
    """A sender report (``ntp`` not None) or a receiver report."""

    ssrc: int
    blocks: tuple[Block, ...]
    ntp: int | None = None  # 64 bits
    timestamp: int = 0
    packets: int = 0
    octets: int = 0


class Nack(Struct, frozen=True):
    """Packets that did not arrive (RFC 4585, section 6.2.1)."""

    ssrc: int
    seqs: tuple[int, ...]


class KeyframeRequest(Struct, frozen=True):
    """A picture loss indication or a full intra request for one stream."""

    ssrc: int


class Bitrate(Struct, frozen=True):
    """What the receiver believes the line carries (REMB)."""

    bps: int


class TransportWide(Struct, frozen=True):
    """Transport-wide arrival feedback, undecoded: ``body`` starts at the base sequence number."""

    body: bytes


class Goodbye(Struct, frozen=True):
    """These streams are over."""

    ssrcs: tuple[int, ...]


Item = Report | Nack | KeyframeRequest | Bitrate | TransportWide | Goodbye


def parse(datagram: bytes) -> list[Item]:
    """What a compound or reduced-size (RFC 5506) datagram says; unknown packets are passed over."""
    items: list[Item] = []
    at, size = 0, len(datagram)
    for _ in range(MAX_PACKETS):
        if at == size:
            return items
        if at + 4 > size:
            raise Malformed("RTCP header cut off")
        first, kind, words = _HEADER.unpack_from(datagram, at)
        if first >> 6 != 2:
            raise Malformed("not RTCP version 2")
        end = at + 4 * (words + 1)
        if end > size:
            raise Malformed("RTCP packet longer than its datagram")
        _read(items, datagram, at, end, first & 0x1F, kind)
        at = end
    return items


def _read(items: list[Item], data: bytes, at: int, end: int, count: int, kind: int) -> None:
    """Append what one packet says; ``count`` is its report count or feedback format."""
    body = at + 4
    if kind == SENDER_REPORT:
        if end - body < _SENDER.size:
            raise Malformed("sender report cut off")
        ssrc, ntp, timestamp, packets, octets = _SENDER.unpack_from(data, body)
        blocks = _blocks(data, body + _SENDER.size, end, count)
        items.append(Report(ssrc, blocks, ntp, timestamp, packets, octets))
    elif kind == RECEIVER_REPORT:
        if end - body < 4:
            raise Malformed("receiver report cut off")
        items.append(Report(_WORD.unpack_from(data, body)[0], _blocks(data, body + 4, end, count)))
    elif kind == GOODBYE:
        if end - body < 4 * count:
            raise Malformed("goodbye cut off")
        items.append(Goodbye(struct.unpack_from(f"!{count}L", data, body)))
    elif kind in (TRANSPORT_FEEDBACK, PAYLOAD_FEEDBACK):
        if end - body < 8:
            raise Malformed("feedback cut off")
        media = _WORD.unpack_from(data, body + 4)[0]
        item = _feedback(kind, count, media, data[body + 8 : end])
        if item is not None:
            items.append(item)


def _blocks(data: bytes, at: int, end: int, count: int) -> tuple[Block, ...]:
    if at + _BLOCK.size * count > end:
        raise Malformed("report blocks cut off")
    blocks = []
    for i in range(count):
        ssrc, losses, highest, jitter, last, delay = _BLOCK.unpack_from(data, at + _BLOCK.size * i)
        lost = losses & 0xFFFFFF
        if lost & 0x800000:
            lost -= 1 << 24
        blocks.append(Block(ssrc, losses >> 24, lost, highest, jitter, last, delay))
    return tuple(blocks)


def _feedback(kind: int, form: int, media: int, body: bytes) -> Item | None:
    if kind == TRANSPORT_FEEDBACK:
        if form == NACK_FORMAT:
            return Nack(media, _nacked(body))
        if form == TRANSPORT_WIDE_FORMAT:
            return TransportWide(body)
    elif form == PLI_FORMAT:
        return KeyframeRequest(media)
    elif form == FIR_FORMAT and len(body) >= 8:
        return KeyframeRequest(_WORD.unpack_from(body)[0])
    elif form == APPLICATION_FORMAT and len(body) >= 8 and body[:4] == b"REMB":
        mantissa = (body[5] & 0x03) << 16 | body[6] << 8 | body[7]
        return Bitrate(mantissa << (body[5] >> 2))
    return None


def _nacked(body: bytes) -> tuple[int, ...]:
    seqs: list[int] = []
    for at in range(0, len(body) - 3, 4):
        first, mask = _PAIR.unpack_from(body, at)
        seqs.append(first)
        seqs += [(first + 1 + bit) & 0xFFFF for bit in range(16) if mask >> bit & 1]
        if len(seqs) >= MAX_NACKED:
            break
    return tuple(seqs[:MAX_NACKED])


def sender_report(ssrc: int, ntp: int, timestamp: int, packets: int, octets: int) -> bytes:
    """What we have sent of one stream, and how its clock stands to the wall's."""
    return _HEADER.pack(0x80, SENDER_REPORT, 6) + _SENDER.pack(
        ssrc, ntp & 0xFFFFFFFFFFFFFFFF, timestamp & 0xFFFFFFFF, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF
    )


def receiver_report(ssrc: int, blocks: Sequence[Block]) -> bytes:
    """What we have received, at most 31 streams."""
    blocks = blocks[:31]
    return _HEADER.pack(0x80 | len(blocks), RECEIVER_REPORT, 1 + 6 * len(blocks)) + b"".join(
        [
            _WORD.pack(ssrc),
            *(
                _BLOCK.pack(
                    b.ssrc,
                    b.fraction_lost << 24 | b.lost & 0xFFFFFF,
                    b.highest & 0xFFFFFFFF,
                    b.jitter & 0xFFFFFFFF,
                    b.last_report,
                    b.delay & 0xFFFFFFFF,
                )
                for b in blocks
            ),
        ]
    )


def description(ssrc: int, cname: bytes) -> bytes:
    """The canonical name of a stream, which every compound packet carries (RFC 3550, section 6.1)."""
    chunk = _WORD.pack(ssrc) + bytes([1, len(cname)]) + cname + b"\0"
    chunk += b"\0" * (-len(chunk) % 4)
    return _HEADER.pack(0x81, DESCRIPTION, len(chunk) // 4) + chunk


def nack(sender: int, media: int, seqs: Iterable[int]) -> bytes:
    """Ask for packets again; ``seqs`` in ascending order, modulo wrap."""
    pairs: list[list[int]] = []
    for seq in seqs:
        distance = (seq - pairs[-1][0] - 1) & 0xFFFF if pairs else 0xFFFF
        if distance < 16:
            pairs[-1][1] |= 1 << distance
        else:
            pairs.append([seq & 0xFFFF, 0])
    body = b"".join(_PAIR.pack(first, mask) for first, mask in pairs)
    return _feedback_header(NACK_FORMAT, TRANSPORT_FEEDBACK, len(body), sender, media) + body


def pli(sender: int, media: int) -> bytes:
    """Ask for a keyframe."""
    return _feedback_header(PLI_FORMAT, PAYLOAD_FEEDBACK, 0, sender, media)


def remb(sender: int, bps: int, ssrcs: Sequence[int]) -> bytes:
    """Tell the sender how much the line carries (draft-alvestrand-rmcat-remb-03)."""
    exponent = max(0, bps.bit_length() - 18)
    body = b"REMB" + bytes([len(ssrcs)]) + ((exponent << 18) | (bps >> exponent)).to_bytes(3, "big")
    body += b"".join(_WORD.pack(ssrc) for ssrc in ssrcs)
    return _feedback_header(APPLICATION_FORMAT, PAYLOAD_FEEDBACK, len(body), sender, 0) + body


def transport_wide(sender: int, media: int, body: bytes) -> bytes:
    """Transport-wide arrival feedback around a body from :mod:`room_manager.media.sfu.twcc`."""
    return _feedback_header(TRANSPORT_WIDE_FORMAT, TRANSPORT_FEEDBACK, len(body), sender, media) + body


def goodbye(ssrc: int) -> bytes:
    """One stream is over."""
    return _HEADER.pack(0x81, GOODBYE, 1) + _WORD.pack(ssrc)


def _feedback_header(form: int, kind: int, body_bytes: int, sender: int, media: int) -> bytes:
    return _FEEDBACK.pack(0x80 | form, kind, 2 + body_bytes // 4, sender, media)
