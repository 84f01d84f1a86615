"""Writing packets as receivers get them: our header, their extension ids, the lane's numbers."""

from typing import Final

from room_manager.media.sfu import vp8
from room_manager.media.sfu.audience import Marks, marks
from room_manager.media.sfu.negotiation import Format
from room_manager.media.sfu.numbering import Segment
from room_manager.media.sfu.packets import SourcePacket
from room_manager.media.sfu.rtp import HEADER, HEADER_BYTES, SEQ_MASK, TS_MASK, extension_block

NTP_SHORT: Final = 1 << 18  # abs-send-time counts 1/2^18 s in 24 bits
NO_NUMBER: Final = b"\0\0"
_NUMBER_AT: Final = HEADER_BYTES + 4 + 1  # the first element's value


def rendered(
    packet: SourcePacket, segment: Segment, form: Format, now: float, *, measured: bool
) -> tuple[bytes, Marks]:
    """The packet with a lane's numbers, and where the rows' own go; its SSRC is left to the egress."""
    elements: list[tuple[int, bytes]] = []
    number_at = 0
    if measured and form.transport_wide is not None:
        elements.append((form.transport_wide, NO_NUMBER))
        number_at = _NUMBER_AT
    if form.send_time is not None:
        elements.append((form.send_time, (int(now * NTP_SHORT) & 0xFFFFFF).to_bytes(3, "big")))
    if form.level is not None and packet.level is not None:
        elements.append((form.level, packet.level))
    if form.orientation is not None and packet.orientation is not None:
        elements.append((form.orientation, packet.orientation))
    block = extension_block(elements)
    found = packet.descriptor
    payload: bytes | bytearray
    picture_at = layer_at = 0
    if found is not None and found.picture_id is not None and packet.picture is not None:
        start = HEADER_BYTES + len(block)
        layer = (found.tl0 or 0) + segment.layer_shift
        picture_at = start + found.picture_id_at
        if found.tl0 is not None:
            layer_at = start + found.tl0_at + (found.picture_id_bits == 7)  # which becomes wider
        payload = vp8.renumbered(
            packet.data, packet.start, packet.end, found, packet.picture + segment.picture_shift, layer
        )
    else:
        payload = packet.data[packet.start : packet.end]
    head = HEADER.pack(
        0x90 if block else 0x80,
        packet.marker | form.payload_type,
        packet.index + segment.shift & SEQ_MASK,
        packet.timestamp + segment.timestamp_shift & TS_MASK,
        0,
    )
    return b"".join((head, block, payload)), marks(picture_at, layer_at, number_at)


def repair(plain: bytes | bytearray, payload_type: int, seq: int) -> bytes:
    """The packet as a retransmission (RFC 4588, section 4): the original number leads the payload."""
    first, second, original, timestamp, ssrc = HEADER.unpack_from(plain)
    start = HEADER_BYTES
    if first & 0x10:
        start += 4 + 4 * int.from_bytes(plain[14:16], "big")
    head = HEADER.pack(first, second & 0x80 | payload_type, seq, timestamp, ssrc)
    return b"".join((head, plain[HEADER_BYTES:start], original.to_bytes(2, "big"), plain[start:]))
