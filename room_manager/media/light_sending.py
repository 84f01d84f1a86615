"""The sending half of a light peer: SSRCs, numbers and header extensions of what it plays."""

import secrets
from typing import Final

from room_manager.media.light_sdp import (
    LEVEL_ID,
    MID_ID,
    OPUS_TYPE,
    RID_ID,
    TRANSPORT_WIDE_ID,
    VP8_TYPE,
    Kind,
    Sections,
    mids,
)
from room_manager.media.loops import LoopPlayer
from room_manager.media.sfu import rtcp
from room_manager.media.sfu.rtp import build, extension_block

MID_PACKETS: Final = 30  # first packets of a stream that carry mid and rid, as browsers do


class Stream:
    """One SSRC."""

    __slots__ = ("octets", "packets", "seq", "ssrc")

    def __init__(self) -> None:
        self.ssrc = secrets.randbits(31) + 2
        self.seq = secrets.randbits(15)
        self.packets = self.octets = 0


class Voice:
    """All streams of one peer."""

    def __init__(self, sections: Sections) -> None:
        self._mids = mids(sections)
        self._streams: dict[tuple[Kind, str], Stream] = {}
        self._transport_seq = 0

    def packet(
        self,
        kind: Kind,
        payload: bytes,
        timestamp: int,
        layer: str,
        marker: bool,
        level: int | None,
        seq: int | None,
    ) -> bytes:
        """The next packet of a stream. ``seq`` instead of the next number becomes the newest."""
        stream = self._streams.get((kind, layer))
        if stream is None:
            stream = self._streams[kind, layer] = Stream()
        stream.seq = (stream.seq + 1 if seq is None else seq) & 0xFFFF
        self._transport_seq = (self._transport_seq + 1) & 0xFFFF
        elements = [(TRANSPORT_WIDE_ID, self._transport_seq.to_bytes(2, "big"))]
        if stream.packets < MID_PACKETS:
            elements.append((MID_ID, self._mids[kind].encode()))
            if layer:
                elements.append((RID_ID, layer.encode()))
        if level is not None:
            elements.append((LEVEL_ID, bytes([level & 0x7F | (0x80 if level < 100 else 0)])))
        stream.packets += 1
        stream.octets += len(payload)
        return build(
            OPUS_TYPE if kind == "microphone" else VP8_TYPE,
            stream.seq,
            timestamp,
            stream.ssrc,
            payload,
            marker=marker,
            extensions=extension_block(elements),
        )

    def ssrc_of(self, kind: Kind, layer: str) -> int | None:
        """Under which SSRC this is sent, once it has been."""
        stream = self._streams.get((kind, layer))
        return stream.ssrc if stream is not None else None

    def reports(self, player: LoopPlayer, ntp: int) -> list[bytes]:
        """A sender report of each stream."""
        return [
            rtcp.sender_report(stream.ssrc, ntp, player.timestamp(kind), stream.packets, stream.octets)
            for (kind, _), stream in self._streams.items()
        ]
