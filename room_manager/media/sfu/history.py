"""The last packets of one stream, in the clear, so that a lost one can be sent again."""

from typing import Final

from room_manager.media.sfu.packets import SourcePacket

KEPT_PACKETS: Final = 512


class History:
    """A ring by packet index. Holds references; nothing is copied."""

    __slots__ = ("_ring",)

    def __init__(self) -> None:
        self._ring: list[SourcePacket | None] = [None] * KEPT_PACKETS

    def keep(self, packet: SourcePacket) -> None:
        """Remember the packet, in place of the one KEPT_PACKETS before it."""
        self._ring[packet.index % KEPT_PACKETS] = packet

    def get(self, index: int) -> SourcePacket | None:
        """The packet of exactly this index, if it is still here."""
        packet = self._ring[index % KEPT_PACKETS]
        return packet if packet is not None and packet.index == index else None

    def clear(self) -> None:
        """Forget all of them."""
        self._ring = [None] * KEPT_PACKETS
