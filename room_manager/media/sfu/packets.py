"""A source's packet with what its stream knows of it: the index without wrap, and where frames start."""

from typing import Final

from room_manager.media.sfu import av1, h264, vp8, vp9
from room_manager.media.sfu.rtp import Packet

OPUS: Final = "opus"
VP8: Final = "VP8"
H264: Final = "H264"
VP9: Final = "VP9"
AV1: Final = "AV1"


class SourcePacket(Packet):
    """A packet as its source numbered it.

    ``index`` is the sequence number without wrap; ``picture`` the picture id without wrap, if there is one.
    ``entry`` tells whether a receiver may begin here: the first packet of a keyframe, or any sound.
    ``starts`` tells whether a frame begins here; ``temporal`` is its temporal layer, and ``sync`` tells
    whether it depends on the base layer alone.
    """

    __slots__ = (
        "descriptor", "entry", "index", "level", "orientation", "picture", "starts", "sync", "temporal",
    )  # fmt: skip

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.index = 0
        self.picture: int | None = None
        self.descriptor: vp8.Descriptor | None = None
        self.entry = False
        self.starts = False
        self.temporal = 0
        self.sync = False
        self.level: bytes | None = None  # audio level element (RFC 6464)
        self.orientation: bytes | None = None  # video orientation element (3GPP TS 26.114)

    @property
    def is_padding(self) -> bool:
        """Whether there is nothing in it but padding: a probe for bandwidth."""
        return bool(self.start == self.end)

    def look_inside(self, codec: str) -> None:
        """Fill in what the payload tells; raise ``Malformed`` if it contradicts itself."""
        if self.is_padding:
            return
        if codec in (VP8, VP9):
            describe = vp8.describe if codec == VP8 else vp9.describe
            found = self.descriptor = describe(self.data, self.start, self.end)
            self.entry, self.starts = found.starts_keyframe, found.starts_frame
            self.temporal, self.sync = found.temporal, found.sync
        elif codec == H264:
            self.entry = h264.starts_keyframe(self.data, self.start, self.end)
        elif codec == AV1:
            self.entry = av1.starts_keyframe(self.data, self.start, self.end)
        else:
            self.entry = self.starts = True
