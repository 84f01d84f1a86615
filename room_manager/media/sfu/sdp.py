"""Reading an offer (RFC 8866, 8843, 8853, 8839, 8122): bounded, and only what we carry.

Says what the client wrote; what we make of it is :mod:`room_manager.media.sfu.negotiation`.
"""

import re
from typing import Final, Literal

from msgspec import Struct, field

from room_manager.media.engine import MAX_MEDIA_SECTIONS, MAX_SDP_BYTES, BadOffer

MAX_LINES: Final = 4096
MAX_FORMATS: Final = 128
MAX_EXTENSIONS: Final = 32
MAX_EXTENSION_LINES: Final = 1024
MAX_CANDIDATES: Final = 256  # none is read; a browser on many networks names some dozens
MAX_LAYERS: Final = 4
MAX_STREAMS: Final = 16
MEDIA_PROTOCOL: Final = "UDP/TLS/RTP/SAVPF"
DATA_PROTOCOLS: Final = ("UDP/DTLS/SCTP", "TCP/DTLS/SCTP")
DIGEST_BYTES: Final = {"sha-256": 32, "sha-384": 48, "sha-512": 64}

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]

# What another parser might take for the end of a line must not reach the answer through ours.
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`{|}~]{1,16}\Z")
_ICE: Final = re.compile(r"[A-Za-z0-9+/\-_=]{4,256}\Z")
_LAYER: Final = re.compile(r"[A-Za-z0-9]{1,16}\Z")


class Codec(Struct):
    """One payload type of one section."""

    payload_type: int
    name: str = ""
    clock_hz: int = 0
    channels: int = 1
    parameters: str = ""
    feedback: set[str] = field(default_factory=set)


class Section(Struct):
    """One m-line with what stands under it."""

    kind: str
    protocol: str
    formats: str
    mid: str = ""
    direction: Direction = "sendrecv"
    codecs: dict[int, Codec] = field(default_factory=dict)
    extensions: dict[str, int] = field(default_factory=dict)  # URI → id
    layers: tuple[str, ...] = ()  # rids sent, in the order of the simulcast line
    streams: list[int] = field(default_factory=list)  # SSRCs the client names
    repairs: dict[int, int] = field(default_factory=dict)  # repair SSRC → media SSRC
    rtcp_mux: bool = False
    ufrag: str = ""
    password: str = ""
    digest: str = ""
    fingerprint: bytes = b""
    setup: str = ""

    @property
    def sends(self) -> bool:
        """Whether the client may send here."""
        return self.direction in ("sendonly", "sendrecv")

    @property
    def receives(self) -> bool:
        """Whether the client only receives here."""
        return self.direction == "recvonly"


class Offer(Struct):
    """A client's session description."""

    sections: list[Section]
    bundle: tuple[str, ...]
    ufrag: str
    digest: str
    fingerprint: bytes


def parse(text: str) -> Offer:
    """Take an offer apart; raise ``BadOffer`` with a sentence for whoever wrote the client."""
    if len(text) > MAX_SDP_BYTES or len(text.encode("utf-8", "replace")) > MAX_SDP_BYTES:
        raise BadOffer("the session description is larger than 64 KiB")
    text = text.replace("\r\n", "\n")
    if _CONTROL.search(text):
        raise BadOffer("the session description has control characters")
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        raise BadOffer("the session description has too many lines")
    if text.count("\na=candidate:") > MAX_CANDIDATES:
        raise BadOffer(f"more than {MAX_CANDIDATES} candidates")
    if text.count("\na=extmap:") > MAX_EXTENSION_LINES:
        raise BadOffer(f"more than {MAX_EXTENSION_LINES} header extensions")
    if not lines[0].startswith("v=0"):
        raise BadOffer("not a session description")
    session = Section(kind="", protocol="", formats="")
    bundle: tuple[str, ...] = ()
    sections: list[Section] = []
    here = session
    for line in lines:
        if line.startswith("m="):
            if len(sections) == MAX_MEDIA_SECTIONS:
                raise BadOffer(f"more than {MAX_MEDIA_SECTIONS} media sections")
            here = _media_line(line[2:])
            sections.append(here)
        elif line.startswith("a=group:BUNDLE") and here is session:
            bundle = tuple(line.split()[1:])
        elif line.startswith("a="):
            name, _, value = line[2:].partition(":")
            try:
                _attribute(here, name, value)
            except (ValueError, IndexError) as error:
                raise BadOffer(f"the line a={name[:32]} is malformed") from error
    if not sections:
        raise BadOffer("the session description has no media")
    return _checked(session, sections, bundle)


def _media_line(value: str) -> Section:
    parts = value.split(" ")
    if len(parts) < 4 or len(parts) > 3 + MAX_FORMATS:
        raise BadOffer("an m-line is malformed")
    kind, _, protocol, *formats = parts
    if kind in ("audio", "video"):
        # Anything less than this profile is media in the clear, or keys that others have seen.
        if protocol != MEDIA_PROTOCOL:
            raise BadOffer(f"media must use {MEDIA_PROTOCOL}")
        section = Section(kind=kind, protocol=protocol, formats=" ".join(formats))
        for form in formats:
            if not (form.isascii() and form.isdigit() and int(form) < 128):
                raise BadOffer("a payload type is not a number below 128")
            section.codecs[int(form)] = Codec(int(form))
        return section
    if protocol in DATA_PROTOCOLS and all(form.isascii() and form.isprintable() for form in formats):
        return Section(kind="application", protocol=protocol, formats=" ".join(formats)[:64])
    raise BadOffer("only audio and video can be carried")


def _attribute(section: Section, name: str, value: str) -> None:
    match name:
        case "mid":
            if not _TOKEN.match(value):
                raise ValueError("mid")
            section.mid = value
        case "sendrecv" | "sendonly" | "recvonly" | "inactive":
            section.direction = name
        case "rtcp-mux":
            section.rtcp_mux = True
        case "ice-ufrag":
            if not _ICE.match(value):
                raise ValueError("ufrag")
            section.ufrag = value
        case "ice-pwd":
            section.password = value
        case "setup":
            section.setup = value
        case "fingerprint":
            digest, _, hexes = value.partition(" ")
            section.digest = digest.lower()
            section.fingerprint = bytes.fromhex(hexes.replace(":", ""))
        case "rtpmap" | "fmtp" | "rtcp-fb":
            _codec_attribute(section, name, value)
        case "extmap":
            identity, uri = value.split(" ")[:2]
            number = int(identity.partition("/")[0])
            if not 1 <= number <= 255 or len(section.extensions) >= MAX_EXTENSIONS:
                raise ValueError("extmap")
            section.extensions[uri] = number
        case "simulcast":
            _simulcast(section, value)
        case "ssrc":
            ssrc = _ssrc(value.split(" ")[0])
            if ssrc not in section.streams and len(section.streams) < MAX_STREAMS:
                section.streams.append(ssrc)
        case "ssrc-group":
            semantics, *members = value.split(" ")
            if semantics == "FID" and len(members) == 2 and len(section.repairs) < MAX_STREAMS:
                section.repairs[_ssrc(members[1])] = _ssrc(members[0])
        case _:
            pass  # RFC 8866, section 5.13: unknown attributes are ignored


def _codec_attribute(section: Section, name: str, value: str) -> None:
    form, _, rest = value.partition(" ")
    if form == "*":
        for codec in section.codecs.values():
            codec.feedback.add(rest)
        return
    found = section.codecs.get(int(form))
    if found is None:
        return
    if name == "rtpmap":
        parts = rest.split("/")
        found.name, found.clock_hz = parts[0], int(parts[1])
        found.channels = int(parts[2]) if len(parts) > 2 else 1
    elif name == "fmtp":
        found.parameters = rest[:512]
    elif len(found.feedback) < 32:
        found.feedback.add(rest)


def _simulcast(section: Section, value: str) -> None:
    """``send q;h;f`` (RFC 8853): alternatives and paused marks are taken as their first layer."""
    words = value.split(" ")
    for direction, streams in zip(words[::2], words[1::2], strict=False):
        if direction == "send":
            layers = [stream.split(",")[0].lstrip("~") for stream in streams.split(";")]
            if len(layers) > MAX_LAYERS or not all(_LAYER.match(layer) for layer in layers):
                raise ValueError("simulcast")
            section.layers = tuple(layers)


def _ssrc(text: str) -> int:
    value = int(text)
    if not 0 <= value < 1 << 32:
        raise ValueError("ssrc")
    return value


def _checked(session: Section, sections: list[Section], bundle: tuple[str, ...]) -> Offer:
    """The offer as a whole: one transport, one fingerprint, one id per extension."""
    mids = [section.mid for section in sections]
    if not all(mids) or len(set(mids)) != len(mids):
        raise BadOffer("every media section needs a mid of its own")
    if set(mids) != set(bundle):
        raise BadOffer("all media sections must be in one bundle")
    uris: dict[int, str] = {}
    for section in sections:
        section.ufrag = section.ufrag or session.ufrag
        section.fingerprint = section.fingerprint or session.fingerprint
        section.digest = section.digest or session.digest
        section.setup = section.setup or session.setup
        if section.kind != "application" and not section.rtcp_mux:
            raise BadOffer("RTP and RTCP must share a port (rtcp-mux)")
        for uri, number in section.extensions.items():
            if uris.setdefault(number, uri) != uri:
                raise BadOffer("one header extension id stands for two extensions")
    first = sections[0]
    if not first.ufrag:
        raise BadOffer("the ICE user fragment is missing")
    if any(s.ufrag != first.ufrag or s.fingerprint != first.fingerprint for s in sections):
        raise BadOffer("all media sections must share one transport")
    if len(first.fingerprint) != DIGEST_BYTES.get(first.digest, -1):
        raise BadOffer("a sha-256, sha-384 or sha-512 fingerprint is needed")
    if first.setup not in ("actpass", "active"):
        raise BadOffer("the client must take the active DTLS role")
    return Offer(sections, bundle, first.ufrag, first.digest, first.fingerprint)
