"""What a receiver reads in the engine's answer, and in repeats. Pure."""

from room_manager.media.sfu.rtp import Packet
from room_manager.recording.control import Joined
from room_manager.recording.frames import Codec


def codec_of(answer: Joined) -> Codec:
    """Which codec the engine chose for pictures; one for all (the room's)."""
    video = False
    for line in answer.sdp.splitlines():
        if line.startswith("m="):
            video = line.startswith("m=video") and not line.startswith("m=video 0 ")
        elif video and line.startswith("a=rtpmap:") and "rtx" not in line.lower():
            return "h264" if "h264" in line.lower() else "vp8"
    return "vp8"


def original(packet: Packet, ssrc: int) -> bool:
    """Make a repeat what it repeats (RFC 4588, section 4); False: there is nothing in it."""
    if packet.ssrc == ssrc:
        return True
    if packet.end - packet.start < 2:
        return False
    packet.seq = int.from_bytes(packet.data[packet.start : packet.start + 2], "big")
    packet.start += 2
    return True
