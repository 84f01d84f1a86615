"""How a frame's packets share datagrams that the kernel cuts: equally large, only the last may be shorter."""

from typing import Final

from room_manager.media.sfu.trays import SEGMENTS

MAX_WHOLE_BYTES: Final = 65_000
MAX_PADDING_BYTES: Final = 8
PADDED: Final = 0x20  # the P bit of the first byte


def runs(sizes: list[int]) -> list[int]:
    """How many packets each datagram takes."""
    counts: list[int] = []
    open_to = 0  # the size the run under way still takes; 0: it is closed
    total = 0
    for size in sizes:
        if open_to and size <= open_to and counts[-1] < SEGMENTS and total + size <= MAX_WHOLE_BYTES:
            counts[-1] += 1
            total += size
            if size < open_to:
                open_to = 0
        else:
            counts.append(1)
            open_to = total = size
    return counts


def evened(plains: list[bytes]) -> list[bytes]:
    """The same packets, those a few bytes shorter padded (RFC 3550, section 5.1) if all are equal then.

    Browsers split a frame into sizes that differ by a byte, the larger ones last: two datagrams instead of
    one for every receiver. What we render carries no padding yet.
    """
    largest = max(map(len, plains))
    short = [largest - len(plain) for plain in plains[:-1]]
    if not any(short) or max(short) > MAX_PADDING_BYTES:
        return plains
    return [
        *(
            padded(plain, missing) if missing else plain
            for plain, missing in zip(plains, short, strict=False)
        ),
        plains[-1],
    ]


def padded(plain: bytes, count: int) -> bytes:
    """The packet with so many bytes of padding, the last of which tells how many."""
    return b"".join((bytes((plain[0] | PADDED,)), plain[1:], bytes(count - 1), bytes((count,))))
