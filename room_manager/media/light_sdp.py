"""What a light peer offers, and what it reads in an answer."""

from typing import Final, Literal

from msgspec import Struct

from room_manager.media.sfu import negotiation as n

Kind = Literal["microphone", "camera", "screen"]

OPUS_TYPE: Final = 111
VP8_TYPE: Final = 96
REPAIR_TYPE: Final = 97
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
    number, name = (OPUS_TYPE, "opus/48000/2") if audio else (VP8_TYPE, "VP8/90000")
    repair = sections.repair and not audio
    lines = [
        f"m={'audio' if audio else 'video'} 9 UDP/TLS/RTP/SAVPF {number}"
        + (f" {REPAIR_TYPE}" if repair else ""),
        "c=IN IP4 0.0.0.0",
        f"a=mid:{mid}",
        f"a={direction}",
        "a=rtcp-mux",
        f"a=rtpmap:{number} {name}",
        f"a=extmap:{MID_ID} {n.MID}",
        f"a=extmap:{SEND_TIME_ID} {n.SEND_TIME}",
        f"a=extmap:{TRANSPORT_WIDE_ID} {n.TRANSPORT_WIDE}",
        f"a=rtcp-fb:{number} transport-cc",
    ]
    if audio:
        lines += [f"a=extmap:{LEVEL_ID} {n.LEVEL}", f"a=fmtp:{number} minptime=10;useinbandfec=1"]
    else:
        lines += [f"a=rtcp-fb:{number} nack", f"a=rtcp-fb:{number} nack pli"]
        lines += [f"a=extmap:{RID_ID} {n.RID}", f"a=extmap:{REPAIRED_ID} {n.REPAIRED_RID}"]
    if repair:
        lines += [f"a=rtpmap:{REPAIR_TYPE} rtx/90000", f"a=fmtp:{REPAIR_TYPE} apt={number}"]
    if kind == "camera" and direction == "sendonly" and sections.layers:
        lines += [f"a=rid:{layer} send" for layer in sections.layers]
        lines.append("a=simulcast:send " + ";".join(sections.layers))
    return lines
