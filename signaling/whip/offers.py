"""What WHIP and WHEP ask of an offer beyond what the engine asks, and what of its answer. Pure.

The engine reads the description for good; this looks only at what these two protocols restrict: one stream,
one direction, and no partly successful answer (RFC 9725, section 4.4).
"""

from typing import Final

from msgspec import Struct

from signaling.whip.refusals import NotAcceptable, Unprocessable

DIRECTIONS: Final = ("sendrecv", "sendonly", "recvonly", "inactive")
CODECS: Final = {"audio": ("opus",), "video": ("vp8", "h264", "vp9", "av1")}
"""Which of these a room carries is the engine's to say; without one of them nothing can be."""


class Section(Struct):
    """One m-line, as far as it matters here. ``port`` 0 in an answer: refused (RFC 3264, section 6)."""

    kind: str
    port: str
    direction: str
    codecs: set[str]


class Kinds(Struct, frozen=True):
    """What an offer has a section for."""

    audio: bool
    video: bool


def published(offer: str) -> Kinds:
    """What the encoder sends. Raises ``Unprocessable`` or ``NotAcceptable``."""
    sections = _one_stream(offer)
    if any(section.direction not in ("sendonly", "sendrecv") for section in sections):
        raise Unprocessable("an encoder only sends: its sections are sendonly")
    return _kinds(sections)


def watched(offer: str) -> str:
    """The player's offer as the engine takes it: what it may send is left out.

    A player may say ``sendrecv`` (draft-ietf-wish-whep, section 4.2); the engine would take that for sending.
    Raises ``Unprocessable`` or ``NotAcceptable``.
    """
    sections = _one_stream(offer)
    if any(section.direction not in ("recvonly", "sendrecv") for section in sections):
        raise Unprocessable("a player only receives: its sections are recvonly")
    lines = [line for line in _lines(offer) if line != "a=sendrecv"]
    told: list[str] = []
    for line in lines:
        told.append(line)
        if line.startswith("m="):
            told.append("a=recvonly")
    return "\r\n".join(told) + "\r\n"


def check_whole(answer: str) -> None:
    """Raise ``NotAcceptable`` if the engine has refused a section (RFC 9725, section 4.4.3)."""
    for section in _sections(answer):
        if section.port == "0" or section.direction == "inactive":
            raise NotAcceptable(
                f"the {section.kind} cannot be carried in this meeting: another codec is used"
            )


def _one_stream(offer: str) -> list[Section]:
    """At most one audio and one video (RFC 9725, section 4.4.2), each in a codec we know."""
    sections = _sections(offer)
    kinds = [section.kind for section in sections]
    if not sections:
        raise Unprocessable("the session description has no media")
    if set(kinds) - set(CODECS):
        raise Unprocessable("only audio and video can be carried")
    if len(set(kinds)) != len(kinds):
        raise Unprocessable("one audio and one video at most")
    for section in sections:
        if not section.codecs.intersection(CODECS[section.kind]):
            wanted = " or ".join(name.upper() for name in CODECS[section.kind])
            raise NotAcceptable(f"the {section.kind} needs {wanted}")
    return sections


def _kinds(sections: list[Section]) -> Kinds:
    kinds = {section.kind for section in sections}
    return Kinds("audio" in kinds, "video" in kinds)


def _sections(description: str) -> list[Section]:
    session = "sendrecv"
    found: list[Section] = []
    for line in _lines(description):
        if line.startswith("m="):
            kind, port, *_ = [*line[2:].split(" "), ""]
            found.append(Section(kind, port, session, set()))
        elif line[2:] in DIRECTIONS and line.startswith("a="):
            if found:
                found[-1].direction = line[2:]
            else:
                session = line[2:]
        elif line.startswith("a=rtpmap:") and found:
            found[-1].codecs.add(line.partition(" ")[2].partition("/")[0].lower())
    return found


def _lines(description: str) -> list[str]:
    return description.replace("\r\n", "\n").rstrip("\n").split("\n")
