"""What a room counts."""

from msgspec import Struct


class RoomStats(Struct, frozen=True):
    """Counters of one room since it was opened; forwarded counts packet × receiver."""

    connections: int
    audio_forwarded: int
    audio_dropped: int  # packets the scene forbids
    video_forwarded: int
    keyframe_requests: int
    repaired: int  # packets sent again to receivers
    lanes: int
    misplaced: dict[str, int]  # packets of publishers that belong nowhere, by what is wrong with them
    measured: int  # receivers whose line is measured
    steps: dict[str, int]  # receivers at each step of the ladder
    step_reasons: dict[str, int]  # those below full, by what led them there
