"""Sending again what a receiver has lost: with the numbers it had, wherever the slot was then."""

from collections.abc import Callable, Iterable

from room_manager.media.sfu.audience import Audience, Egress, Row, inscribe, marks
from room_manager.media.sfu.render import repair
from room_manager.media.sfu.rtp import SEQ_MASK
from room_manager.media.sfu.slot import Slot


def send_again(
    slot: Slot, seqs: Iterable[int], now: float, egress: Egress, may: Callable[[int], bool]
) -> int:
    """Send lost packets of a slot again; returns how many were still here and allowed.

    ``may`` is asked for each with its size in bytes; from the first refusal on none is sent.
    On the repair stream (RFC 4588), or not at all: under its own number a packet would have to be the same
    byte for byte (RFC 7714, section 8.1: it has the same IV), and the time it is sent, among others, is not.
    """
    if slot.repair_ssrc is None or slot.format.repair_type is None:
        return 0
    rows = slot.repairs
    if rows is None or rows[0].log is not slot.log:
        # Kept: a new one for each packet would have all that waits sent before it.
        rows = slot.repairs = Audience((Row(slot.sink, slot.repair_ssrc, log=slot.log),))
    sent = 0
    for seq in seqs:
        origin = slot.origin(seq)
        found = origin[0].lane.again(origin[1], now) if origin is not None else None
        if origin is None or found is None:
            continue
        packet, marked = found
        if not may(len(packet)):
            break
        inscribe(packet, Row(slot.sink, slot.ssrc, origin[0].shifts), marked)
        slot.repair_seq = slot.repair_seq + 1 & SEQ_MASK
        plain = repair(packet, slot.format.repair_type, slot.repair_seq)
        egress.fan(plain, rows, marks(0, 0, marked.number_at))
        sent += 1
    return sent
