"""The sending half of a light peer: SSRCs, numbers and header extensions of what it plays."""

import secrets
import socket
from typing import Any, Final

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
from room_manager.media.sfu import private, rtcp
from room_manager.media.sfu.rtp import build, extension_block
from room_manager.media.sfu.srtp import MAX_TRAILER_BYTES, Keys

UNIX_TO_NTP_S: Final = 2_208_988_800
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

    def play(
        self, kind: Kind, layer: str, payload: bytes, timestamp: int, marker: bool, level: int | None
    ) -> bytes:
        """The next packet as a player hands it out."""
        return self.packet(kind, payload, timestamp, layer, marker, level, None)

    def ssrc_of(self, kind: Kind, layer: str) -> int | None:
        """Under which SSRC this is sent, once it has been."""
        stream = self._streams.get((kind, layer))
        return stream.ssrc if stream is not None else None

    def reports(self, player: LoopPlayer, unix_s: float) -> list[bytes]:
        """A sender report of each stream."""
        ntp = int((unix_s + UNIX_TO_NTP_S) * (1 << 32))
        return [
            rtcp.sender_report(stream.ssrc, ntp, player.timestamp(kind), stream.packets, stream.octets)
            for (kind, _), stream in self._streams.items()
        ]


def socket_to(address: tuple[str, int], host: str) -> socket.socket:
    """A UDP socket that sends there, from any port of this host."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind((host, 0))
    sock.connect(address)
    return sock


class Sealer:
    """Protects one packet at a time, in a buffer that is used again and again."""

    def __init__(self) -> None:
        self._buffer, self._view = private.new_buffer(2048)
        self._length = private.new_length()

    def rtp(self, packet: bytes, keys: Keys) -> memoryview:
        """The packet protected; empty if that cannot be."""
        return self._seal(private.protect_rtp, packet, keys)

    def rtcp(self, compound: bytes, keys: Keys) -> memoryview:
        """The control datagram protected; empty if that cannot be."""
        return self._seal(private.protect_rtcp, compound, keys)

    def _seal(self, function: Any, packet: bytes, keys: Keys) -> memoryview:
        size = len(packet)
        if size > len(self._view) - 2 * MAX_TRAILER_BYTES:
            return self._view[:0]
        self._view[:size] = packet
        self._length[0] = size
        refused = function(keys.sending, self._buffer, self._length)
        return self._view[: 0 if refused else self._length[0]]
