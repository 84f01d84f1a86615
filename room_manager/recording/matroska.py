"""Matroska and WebM (RFC 9559) as bytes: what stands at the head, one cluster, and what is added at the end.

Pure. The file grows cluster by cluster, each whole and of known size, so it can be played at every moment
up to its last whole cluster. A head has gaps (``Void``) of fixed size, into which :func:`finished` puts the
duration and the way to the cues once they are known: finishing needs no second copy of the file.
"""

import struct
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from room_manager.recording import h264
from room_manager.recording.frames import TRACKS, Codec, Track

EBML: Final = 0x1A45DFA3
SEGMENT: Final = 0x18538067
SEEK_HEAD: Final = 0x114D9B74
INFO: Final = 0x1549A966
TRACKS_ID: Final = 0x1654AE6B
CLUSTER: Final = 0x1F43B675
CUES: Final = 0x1C53BB6B
TIMESTAMP: Final = 0xE7
SIMPLE_BLOCK: Final = 0xA3
_VOID: Final = 0xEC
_DURATION: Final = 0x4489

NUMBER: Final[dict[Track, int]] = {track: number for number, track in enumerate(TRACKS, 1)}
UNKNOWN_SIZE: Final = b"\x01" + b"\xff" * 7  # section 11.2 of RFC 8794: all ones
SEEK_BYTES: Final = 96
DURATION_BYTES: Final = 11
CLUSTER_HEAD_BYTES: Final = 12
MAX_CLUSTER_MS: Final = 30_000  # a block's time is 16 bits, relative to its cluster
APP: Final = "Diem Cau"


class Block(Struct, frozen=True):
    """One frame in its place."""

    at_ms: int
    track: Track
    key: bool
    data: bytes


class Head(Struct, frozen=True):
    """The bytes a file begins with, and where in them the gaps are."""

    data: bytes
    segment_at: int  # positions in cues and seek head count from here
    seek_at: int
    duration_at: int


class Cue(Struct, frozen=True):
    """A moment to jump to: a cluster that begins with a keyframe."""

    at_ms: int
    position: int  # of the cluster, from ``segment_at``


def element(identity: int, payload: bytes) -> bytes:
    """One EBML element: id, size in eight bytes or one, payload (RFC 8794)."""
    size = len(payload)
    width = bytes([0x80 | size]) if size < 0x7F else _wide(size)
    return _identity(identity) + width + payload


def number(identity: int, value: int) -> bytes:
    return element(identity, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def text(identity: int, value: str) -> bytes:
    return element(identity, value.encode())


def void(size: int) -> bytes:
    """A gap of so many bytes in all, at least 9."""
    return _identity(_VOID) + _wide(size - 9) + bytes(size - 9)


def head(codec: Codec, sizes: dict[Track, tuple[int, int]], configurations: dict[Track, bytes]) -> Head:
    """Everything before the first cluster.

    Args:
        codec: Of both pictures.
        sizes: Width and height in pixels of ``main`` and ``content``.
        configurations: For H.264, what its decoder needs to begin.
    """
    kind = "webm" if codec == "vp8" else "matroska"
    ebml = element(
        EBML,
        number(0x4286, 1)
        + number(0x42F7, 1)
        + number(0x42F2, 4)
        + number(0x42F3, 8)
        + text(0x4282, kind)
        + number(0x4287, 4)
        + number(0x4285, 2),
    )
    opening = ebml + _identity(SEGMENT) + UNKNOWN_SIZE
    info = number(0x2AD7B1, 1_000_000) + text(0x4D80, APP) + text(0x5741, APP)
    described = element(INFO, info + void(DURATION_BYTES))
    pictures = b"".join(
        _picture(track, codec, sizes[track], configurations.get(track)) for track in ("main", "content")
    )
    data = opening + void(SEEK_BYTES) + described + element(TRACKS_ID, pictures + _sound())
    seek_at = len(opening)
    return Head(
        data=data,
        segment_at=seek_at,
        seek_at=seek_at,
        duration_at=seek_at + SEEK_BYTES + len(described) - DURATION_BYTES,
    )


def cluster(blocks: Sequence[Block]) -> bytes:
    """Blocks in the order of their times. They span less than :data:`MAX_CLUSTER_MS`."""
    ordered = sorted(blocks, key=lambda block: block.at_ms)
    base = ordered[0].at_ms
    body = [number(TIMESTAMP, base)]
    for block in ordered:
        flags = 0x80 if block.key else 0
        where = bytes([0x80 | NUMBER[block.track]]) + struct.pack(">hB", block.at_ms - base, flags)
        body.append(element(SIMPLE_BLOCK, where + block.data))
    joined = b"".join(body)
    return _identity(CLUSTER) + _wide(len(joined)) + joined


def at_keyframes(blocks: Sequence[Block]) -> list[list[Block]]:
    """The same blocks, cut so that a keyframe of the main picture is the first of it in its cluster, and that
    no cluster is too long: between two gatherings the whole machine may have stood still.
    """
    ordered = sorted(blocks, key=lambda block: block.at_ms)
    parts: list[list[Block]] = [[]]
    main = False
    for block in ordered:
        if block.track == "main":
            if block.key and main:
                parts.append([])
            main = True
        if parts[-1] and block.at_ms - parts[-1][0].at_ms >= MAX_CLUSTER_MS:
            parts.append([])
        parts[-1].append(block)
    return [part for part in parts if part]


def cues(points: Sequence[Cue]) -> bytes:
    """The table of moments to jump to; it stands behind the last cluster."""
    return element(
        CUES,
        b"".join(
            element(
                0xBB,
                number(0xB3, point.at_ms)
                + element(0xB7, number(0xF7, NUMBER["main"]) + number(0xF1, point.position)),
            )
            for point in points
        ),
    )


def finished(start: Head, end: int, duration_ms: int, cues_position: int | None) -> list[tuple[int, bytes]]:
    """What is written over the gaps: (place in the file, bytes).

    ``end`` is where the file ends, cues included; ``cues_position`` counts from the segment, None: no cues.
    """
    info = start.seek_at + SEEK_BYTES - start.segment_at
    seeks = _seek(INFO, info)
    if cues_position is not None:
        seeks += _seek(CUES, cues_position)
    seek_head = element(SEEK_HEAD, seeks)
    duration = element(_DURATION, struct.pack(">d", float(duration_ms)))
    return [
        (start.segment_at - len(UNKNOWN_SIZE), _wide(end - start.segment_at)),
        (start.seek_at, seek_head + void(SEEK_BYTES - len(seek_head))),
        (start.duration_at, duration),
    ]


def read_head(data: bytes) -> Head | None:
    """The head that ``data`` begins with, whatever was in its gaps; None: it was never finished."""
    try:
        at = _after(data, 0, EBML)
        segment_at = at + 4 + len(UNKNOWN_SIZE)
        if data[at : at + 4] != _identity(SEGMENT):
            return None
        info_at = segment_at + SEEK_BYTES
        tracks_at = _after(data, info_at, INFO)
        end = _after(data, tracks_at, TRACKS_ID)
    except (IndexError, ValueError):
        return None
    if end > len(data):
        return None
    return Head(data[:end], segment_at, segment_at, tracks_at - DURATION_BYTES)


def cluster_length(start: bytes) -> int | None:
    """All bytes of the cluster that begins so; None: none does."""
    if len(start) < CLUSTER_HEAD_BYTES or start[:4] != _identity(CLUSTER) or start[4] != 1:
        return None
    return CLUSTER_HEAD_BYTES + int.from_bytes(start[5:12], "big")


def read_cluster(data: bytes) -> list[Block]:
    """The blocks of a whole cluster of ours, without their data. Raises ``ValueError`` for another's."""
    tracks = {number: track for track, number in NUMBER.items()}
    blocks: list[Block] = []
    base, at = 0, CLUSTER_HEAD_BYTES
    try:
        while at < len(data):
            identity = data[at]
            body, end = _body(data, at + 1)
            if identity == TIMESTAMP:
                base = int.from_bytes(data[body:end], "big")
            elif identity == SIMPLE_BLOCK:
                relative, flags = struct.unpack_from(">hB", data, body + 1)
                track = tracks[data[body] & 0x7F]
                blocks.append(Block(base + relative, track, bool(flags & 0x80), b""))
            at = end
    except (IndexError, KeyError, struct.error) as error:
        raise ValueError("not a cluster of ours") from error
    return blocks


def _after(data: bytes, at: int, identity: int) -> int:
    """Where this element, which must begin at ``at``, ends."""
    name = _identity(identity)
    if data[at : at + len(name)] != name:
        raise ValueError("another element")
    return _body(data, at + len(name))[1]


def _body(data: bytes, at: int) -> tuple[int, int]:
    """Where the payload begins and ends whose size, in one byte or eight, stands at ``at``."""
    if data[at] & 0x80:
        return at + 1, at + 1 + (data[at] & 0x7F)
    if data[at] != 1:
        raise ValueError("a size that we do not write")
    return at + 8, at + 8 + int.from_bytes(data[at + 1 : at + 8], "big")


def _wide(size: int) -> bytes:
    """A size in eight bytes."""
    return (1 << 56 | size).to_bytes(8, "big")


def _identity(identity: int) -> bytes:
    return identity.to_bytes((identity.bit_length() + 7) // 8, "big")


def _seek(identity: int, position: int) -> bytes:
    return element(0x4DBB, element(0x53AB, _identity(identity)) + number(0x53AC, position))


def _track(track: Track, kind: int, codec: str, rest: bytes) -> bytes:
    names: dict[Track, str] = {"main": "Hình chính", "content": "Trình chiếu", "sound": "Âm thanh"}
    return element(
        0xAE,
        number(0xD7, NUMBER[track])
        + number(0x73C5, NUMBER[track])
        + number(0x83, kind)
        + number(0x9C, 0)
        + number(0x88, int(track != "content"))  # a player begins with the main picture
        + text(0x22B59C, "vie")
        + text(0x536E, names[track])
        + text(0x86, codec)
        + rest,
    )


def _picture(track: Track, codec: Codec, size: tuple[int, int], configuration: bytes | None) -> bytes:
    pixels = element(0xE0, number(0xB0, size[0]) + number(0xBA, size[1]))
    if codec == "vp8":
        return _track(track, 1, "V_VP8", pixels)
    private = element(0x63A2, configuration or h264.configuration(None))
    return _track(track, 1, "V_MPEG4/ISO/AVC", private + pixels)


def _sound() -> bytes:
    """Opus in Matroska: the identification header of RFC 7845, section 5.1, with nothing to skip."""
    opus_head = b"OpusHead" + struct.pack("<BBHIhB", 1, 2, 0, 48_000, 0, 0)
    sampled = element(0xE1, element(0xB5, struct.pack(">d", 48_000.0)) + number(0x9F, 2))
    rest = element(0x63A2, opus_head) + number(0x56AA, 0) + number(0x56BB, 80_000_000) + sampled
    return _track("sound", 2, "A_OPUS", rest)
