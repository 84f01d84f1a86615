"""What a light peer offers, and what it reads in an answer."""

from typing import Final, Literal

from msgspec import Struct

from room_manager.media.sfu import negotiation as n

Kind = Literal["microphone", "camera", "screen"]
VideoCodec = Literal["VP8", "H264"]

OPUS_TYPE: Final = 111
VP8_TYPE: Final = 96
REPAIR_TYPE: Final = 97
H264_TYPE: Final = 102
H264_REPAIR_TYPE: Final = 103
H264_FORM: Final = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
LAYERS: Final = ("q", "h", "f")
MID_ID, RID_ID, LEVEL_ID, SEND_TIME_ID, TRANSPORT_WIDE_ID, REPAIRED_ID = 1, 2, 3, 4, 5, 6
ROLES: Final[tuple[Kind, ...]] = ("microphone", "camera", "screen")


class Sections(Struct, frozen=True):
    """What the client offers. The default is what a site's page offers."""

    microphone: bool = True
    camera: bool = True
    screen: bool = True
    audio_slots: int = 3
    video_slots: int = 6
    layers: tuple[str, ...] = LAYERS
    repair: bool = True
    video_codecs: tuple[VideoCodec, ...] = ("VP8",)  # the best first


class Remote:
    """What a light peer needs to know of an answer."""

    def __init__(self, answer: str) -> None:
        self.ufrag = self.password = ""
        self.fingerprint = b""
        self.address: tuple[str, int] = ("", 0)
        self.streams: dict[str, tuple[int, int | None]] = {}  # mid → SSRC and repair SSRC
        mid = ""
        for line in answer.splitlines():
            name, _, value = line.removeprefix("a=").partition(":")
            if name == "mid":
                mid = value
            elif name == "ice-ufrag":
                self.ufrag = value
            elif name == "ice-pwd":
                self.password = value
            elif name == "fingerprint":
                self.fingerprint = bytes.fromhex(value.split(" ")[1].replace(":", ""))
            elif name == "candidate" and not self.address[0]:
                parts = value.split(" ")
                self.address = (parts[4], int(parts[5]))
            elif name == "ssrc-group":
                _, media, repair = value.split(" ")
                self.streams[mid] = (int(media), int(repair))
            elif name == "ssrc":
                self.streams.setdefault(mid, (int(value.split(" ")[0]), None))


def mids(sections: Sections) -> dict[Kind, str]:
    """The sections we send in; they come first."""
    wanted: list[Kind] = [role for role in ROLES if getattr(sections, role)]
    return {role: str(number) for number, role in enumerate(wanted)}


def offer_text(sections: Sections, ufrag: str, password: str, fingerprint: str, session: int) -> str:
    """The session description of a client with these sections."""
    kinds: list[tuple[Kind, str]] = [(role, "sendonly") for role in mids(sections)]
    kinds += [("microphone", "recvonly")] * sections.audio_slots
    kinds += [("camera", "recvonly")] * sections.video_slots
    lines = [
        "v=0",
        f"o=- {session >> 4} 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE " + " ".join(str(i) for i in range(len(kinds))),
        f"a=ice-ufrag:{ufrag}",
        f"a=ice-pwd:{password}",
        f"a=fingerprint:sha-256 {fingerprint}",
        "a=setup:actpass",
    ]
    for number, (kind, direction) in enumerate(kinds):
        lines += _section(sections, kind, str(number), direction)
    return "\r\n".join(lines) + "\r\n"


def _section(sections: Sections, kind: Kind, mid: str, direction: str) -> list[str]:
    audio = kind == "microphone"
    codecs = [_TYPES[name] for name in sections.video_codecs] if not audio else [_OPUS]
    numbers = [
        number
        for _, media, repair in codecs
        for number in (media, repair)
        if number is not None and (number == media or sections.repair)
    ]
    lines = [
        f"m={'audio' if audio else 'video'} 9 UDP/TLS/RTP/SAVPF {' '.join(map(str, numbers))}",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{mid}",
        f"a={direction}",
        "a=rtcp-mux",
        f"a=extmap:{MID_ID} {n.MID}",
        f"a=extmap:{SEND_TIME_ID} {n.SEND_TIME}",
        f"a=extmap:{TRANSPORT_WIDE_ID} {n.TRANSPORT_WIDE}",
    ]
    if audio:
        lines += [f"a=extmap:{LEVEL_ID} {n.LEVEL}"]
    else:
        lines += [f"a=extmap:{RID_ID} {n.RID}", f"a=extmap:{REPAIRED_ID} {n.REPAIRED_RID}"]
    for name, media, repair in codecs:
        lines += [f"a=rtpmap:{media} {name}", f"a=rtcp-fb:{media} transport-cc"]
        if audio:
            lines.append(f"a=fmtp:{media} minptime=10;useinbandfec=1")
            continue
        lines += [f"a=rtcp-fb:{media} nack", f"a=rtcp-fb:{media} nack pli"]
        if media == H264_TYPE:
            lines.append(f"a=fmtp:{media} {H264_FORM}")
        if sections.repair:
            lines += [f"a=rtpmap:{repair} rtx/90000", f"a=fmtp:{repair} apt={media}"]
    if kind == "camera" and direction == "sendonly" and sections.layers:
        lines += [f"a=rid:{layer} send" for layer in sections.layers]
        lines.append("a=simulcast:send " + ";".join(sections.layers))
    return lines


_TYPES: Final[dict[VideoCodec, tuple[str, int, int | None]]] = {
    "VP8": ("VP8/90000", VP8_TYPE, REPAIR_TYPE),
    "H264": ("H264/90000", H264_TYPE, H264_REPAIR_TYPE),
}
_OPUS: Final[tuple[str, int, int | None]] = ("opus/48000/2", OPUS_TYPE, None)
