"""What we take of an offer, and the only answer of a connection's life (RFC 8829 in our dialect).

Which section is what goes by order: first audio sent is the microphone, first video sent the camera,
second the screen; received audio is audio-1…3, received video is main, content, tile-1…4. A client that
sends nothing and receives one sound gets the programme's; one that receives nothing but more pictures than
those is a wall, and gets wall-1…25.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from msgspec import Struct

from room_manager.media.engine import NoCommonCodec
from room_manager.media.sfu.packets import AV1, H264, OPUS, VP8, VP9
from room_manager.media.sfu.sdp import Codec, Offer, Section
from room_manager.media.sfu.track import Role

AUDIO_SLOTS: Final = ("audio-1", "audio-2", "audio-3")
VIDEO_SLOTS: Final = ("main", "content", "tile-1", "tile-2", "tile-3", "tile-4")
PROGRAMME: Final = "programme"
WALL: Final = "wall"
WALL_SLOTS: Final = tuple(f"{WALL}-{number}" for number in range(1, 26))
VIDEO_CODECS: Final = (VP8, H264, VP9, AV1)  # the one a room's first client has, in this order
VIDEO_ROLES: Final[tuple[Role, ...]] = ("camera", "screen")

MID: Final = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID: Final = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID: Final = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
SEND_TIME: Final = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
LEVEL: Final = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
ORIENTATION: Final = "urn:3gpp:video-orientation"
TRANSPORT_WIDE: Final = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

_SENT: Final = {
    "audio": (MID, SEND_TIME, LEVEL, TRANSPORT_WIDE),
    "video": (MID, RID, REPAIRED_RID, SEND_TIME, ORIENTATION, TRANSPORT_WIDE),
}
_RECEIVED: Final = {
    "audio": (MID, SEND_TIME, LEVEL, TRANSPORT_WIDE),
    "video": (MID, SEND_TIME, ORIENTATION, TRANSPORT_WIDE),
}
_OPUS_KEPT: Final = ("minptime", "useinbandfec", "usedtx", "stereo", "sprop-stereo", "maxaveragebitrate")
_VIDEO_FEEDBACK: Final = ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")


class Format(NamedTuple):
    """How a receiver wants a slot's packets: payload types, extension ids (None: not negotiated)."""

    codec: str
    clock_hz: int
    payload_type: int
    repair_type: int | None
    send_time: int | None
    level: int | None
    orientation: int | None
    transport_wide: int | None = None


class Sending(Struct, frozen=True):
    """A section the client sends in."""

    mid: str
    role: Role
    codec: str
    clock_hz: int
    payload_type: int
    repair_type: int | None
    layers: tuple[str, ...]
    streams: tuple[int, ...]
    repairs: dict[int, int]
    asks_keyframes: bool
    asks_again: bool
    told_bitrate: bool


class Receiving(Struct, frozen=True):
    """A section the client receives in."""

    mid: str
    slot: str
    format: Format
    ssrc: int
    repair_ssrc: int | None


class Plan(Struct):
    """What was agreed, and the lines that say so."""

    sending: list[Sending]
    receiving: list[Receiving]
    extensions: dict[str, int]
    video: str | None  # the codec the client was given
    answer: list[tuple[str, list[str]]]  # mid (empty: refused) and lines of each section


class Local(Struct, frozen=True):
    """Our end of a transport, as the answer tells it."""

    ufrag: str
    password: str
    fingerprint: str  # sha-256, as SDP writes it
    addresses: tuple[str, ...]
    port: int
    tcp: bool = False  # whether the same number takes TCP, too


def agree(offer: Offer, *, may_send: bool, video: str | None, ssrc: Callable[[], int]) -> Plan:
    """Match an offer with what we carry.

    Args:
        offer: What the client wants.
        may_send: False for one that only watches: its sections to send in are answered inactive.
        video: The room's video codec; None if this is the first client, whose best one it becomes.
        ssrc: A fresh SSRC at every call.
    """
    plan = Plan([], [], {}, video, [])
    audio, video_names = _slots(offer)
    audio_slots, video_slots, roles = iter(audio), iter(video_names), iter(VIDEO_ROLES)
    have_microphone = False
    for section in offer.sections:
        codec = _codec(section, plan) if section.kind != "application" else None
        if codec is None:
            plan.answer.append(("", [f"m={section.kind} 0 {section.protocol} {section.formats}"]))
        elif section.sends:
            role: Role | None = next(roles, None) if section.kind == "video" else None
            if section.kind == "audio" and not have_microphone:
                role, have_microphone = "microphone", True
            _take(plan, section, codec, role if may_send else None)
        elif section.receives:
            slot = next(audio_slots if section.kind == "audio" else video_slots, None)
            _give(plan, section, codec, slot, ssrc)
        else:
            _lines(plan, section, codec, None, "inactive", ())
    if not plan.sending and not plan.receiving:
        raise NoCommonCodec(
            "nothing in the offer can be carried: Opus, and VP8, H264, VP9 or AV1, are needed"
        )
    return plan


def _slots(offer: Offer) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names for what the client receives, sound and pictures, in order."""
    media = [section for section in offer.sections if section.kind != "application"]
    if any(section.sends for section in media):
        return AUDIO_SLOTS, VIDEO_SLOTS
    sounds = sum(section.kind == "audio" and section.receives for section in media)
    pictures = sum(section.kind == "video" and section.receives for section in media)
    if not sounds and pictures > len(VIDEO_SLOTS):
        return (), WALL_SLOTS
    return (PROGRAMME,) if sounds == 1 else AUDIO_SLOTS, VIDEO_SLOTS


def _codec(section: Section, plan: Plan) -> Codec | None:
    """The codec for this section, or None if it lists none of ours."""
    wanted: tuple[str, ...]
    if section.kind == "audio":
        wanted = (OPUS,)
    elif plan.video is not None:
        wanted = (plan.video,)
    else:
        wanted = VIDEO_CODECS
    for name in wanted:
        fitting = [c for c in section.codecs.values() if c.name.lower() == name.lower() and c.clock_hz]
        if name == H264:
            # RFC 6184, section 6.2: mode 0 allows no fragments, so only mode 1 carries real pictures.
            fitting = [c for c in fitting if "packetization-mode=1" in c.parameters]
        elif name == VP9:  # 8 bits a colour; who has other profiles offers them as well
            fitting = [
                c for c in fitting if "profile-id=" not in c.parameters or "profile-id=0" in c.parameters
            ]
        if fitting:
            if section.kind == "video":
                plan.video = name
            return fitting[0]
    return None


def _take(plan: Plan, section: Section, codec: Codec, role: Role | None) -> None:
    if role is None:
        _lines(plan, section, codec, None, "inactive", ())
        return
    repair = _repair_type(section, codec)
    plan.sending.append(
        Sending(
            mid=section.mid,
            role=role,
            codec=_name(codec),
            clock_hz=codec.clock_hz,
            payload_type=codec.payload_type,
            repair_type=repair,
            layers=section.layers,
            streams=tuple(section.streams),
            repairs=dict(section.repairs),
            asks_keyframes="nack pli" in codec.feedback,
            asks_again="nack" in codec.feedback,
            told_bitrate="transport-cc" not in codec.feedback and "goog-remb" in codec.feedback,
        )
    )
    lines = _lines(plan, section, codec, repair, "recvonly", _SENT[section.kind])
    if section.layers:
        lines += [f"a=rid:{layer} recv" for layer in section.layers]
        lines.append("a=simulcast:recv " + ";".join(section.layers))


def _give(plan: Plan, section: Section, codec: Codec, slot: str | None, ssrc: Callable[[], int]) -> None:
    if slot is None:
        _lines(plan, section, codec, None, "inactive", ())
        return
    repair = _repair_type(section, codec) if section.kind == "video" else None
    ours, repairs = ssrc(), ssrc() if repair is not None else None
    ids = {uri: section.extensions.get(uri) for uri in _RECEIVED[section.kind]}
    form = Format(
        _name(codec),
        codec.clock_hz,
        codec.payload_type,
        repair,
        _one_byte(ids.get(SEND_TIME)),
        _one_byte(ids.get(LEVEL)),
        _one_byte(ids.get(ORIENTATION)),
        _one_byte(ids.get(TRANSPORT_WIDE)) if "transport-cc" in codec.feedback else None,
    )
    plan.receiving.append(Receiving(section.mid, slot, form, ours, repairs))
    lines = _lines(plan, section, codec, repair, "sendonly", _RECEIVED[section.kind])
    # A stream of its own per slot: browsers synchronise what shares one, and these are strangers.
    lines.append(f"a=msid:{slot} {slot}")
    if repairs is not None:
        lines.append(f"a=ssrc-group:FID {ours} {repairs}")
    for number in (ours, repairs):
        if number is not None:
            lines += [f"a=ssrc:{number} cname:{slot}", f"a=ssrc:{number} msid:{slot} {slot}"]


def _lines(
    plan: Plan, section: Section, codec: Codec, repair: int | None, direction: str, kept: tuple[str, ...]
) -> list[str]:
    """The section's lines, appended to the plan; the caller may add to them."""
    number = codec.payload_type
    name = _name(codec) + f"/{codec.clock_hz}" + (f"/{codec.channels}" if codec.channels > 1 else "")
    formats = f"{number}" if repair is None else f"{number} {repair}"
    lines = [
        f"m={section.kind} @PORT@ {section.protocol} {formats}",
        "c=IN @ADDRESS@",
        f"a=mid:{section.mid}",
        f"a={direction}",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        f"a=rtpmap:{number} {name}",
    ]
    parameters = _parameters(codec)
    if parameters:
        lines.append(f"a=fmtp:{number} {parameters}")
    if section.kind == "video":
        lines += [
            f"a=rtcp-fb:{number} {kind}"
            for kind in _VIDEO_FEEDBACK
            if kind in codec.feedback
            # What we send is sent again as RTX or not at all; whoever has none asks for a keyframe.
            and (kind != "nack" or repair is not None or direction != "sendonly")
        ]
    elif "transport-cc" in codec.feedback:
        lines.append(f"a=rtcp-fb:{number} transport-cc")
    if repair is not None:
        lines += [f"a=rtpmap:{repair} rtx/{codec.clock_hz}", f"a=fmtp:{repair} apt={number}"]
    for uri in kept:
        identity = section.extensions.get(uri)
        if identity is not None:
            plan.extensions[uri] = identity
            lines.append(f"a=extmap:{identity} {uri}")
    plan.answer.append((section.mid, lines))
    return lines


def _name(codec: Codec) -> str:
    return next(name for name in (OPUS, *VIDEO_CODECS) if name.lower() == codec.name.lower())


def _parameters(codec: Codec) -> str:
    """Format parameters we keep: those of pictures whole, of Opus the ones that ask for robustness."""
    if _name(codec) in (H264, VP9, AV1):
        return codec.parameters
    if _name(codec) == OPUS:
        given = (part.strip() for part in codec.parameters.split(";"))
        return ";".join(part for part in given if part.partition("=")[0] in _OPUS_KEPT)
    return ""


def _repair_type(section: Section, codec: Codec) -> int | None:
    """The retransmission payload type for this codec (RFC 4588, section 8.6)."""
    wanted = f"apt={codec.payload_type}"
    for other in section.codecs.values():
        if other.name.lower() == "rtx" and other.parameters.split(";")[0].strip() == wanted:
            return other.payload_type
    return None


def _one_byte(identity: int | None) -> int | None:
    """Only ids 1…14 fit the one-byte form we write (RFC 8285, section 4.2)."""
    return identity if identity is not None and identity <= 14 else None


def answer_text(plan: Plan, local: Local, session: int) -> str:
    """The answer, word for word."""
    family = "IP6" if ":" in local.addresses[0] else "IP4"
    address = f"{family} {local.addresses[0]}"
    lines = [
        "v=0",
        f"o=- {session} 1 IN {address}",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        "a=group:BUNDLE " + " ".join(mid for mid, _ in plan.answer if mid),
        "a=msid-semantic: WMS *",
    ]
    first = True
    for mid, section in plan.answer:
        if not mid:
            lines += [*section, f"c=IN {address}"]
            continue
        lines += [line.replace("@PORT@", str(local.port)).replace("@ADDRESS@", address) for line in section]
        lines += [
            f"a=ice-ufrag:{local.ufrag}",
            f"a=ice-pwd:{local.password}",
            f"a=fingerprint:sha-256 {local.fingerprint}",
            "a=setup:passive",
        ]
        if first:
            first = False
            for number, host in enumerate(local.addresses, 1):
                lines.append(f"a=candidate:{number} 1 udp {2130706431 - number} {host} {local.port} typ host")
            for number, host in enumerate(local.addresses if local.tcp else (), 1 + len(local.addresses)):
                # RFC 6544, section 4.2: less preferred than any UDP, so that only who has none comes so.
                priority = 90 << 24 | (4 << 13 | 8191 - number) << 8 | 255
                where = f"{priority} {host} {local.port} typ host tcptype passive"
                lines.append(f"a=candidate:{number} 1 tcp {where}")
            lines.append("a=end-of-candidates")
    return "\r\n".join(lines) + "\r\n"
