"""Text of a client to a message, or a refusal with a stable code. Never anything else.

The decoder is the first thing that touches unauthenticated bytes, so it looks at size and depth before
it parses, and at the type before the fields.
"""

import re
from typing import ClassVar, Final, Literal, get_args

import msgspec
from msgspec import Struct

from room_manager.errors import DomainError
from signaling.wire.client import MAX_MESSAGE_BYTES, MAX_OFFER_BYTES, VERSION, AnyClientMessage, ClientMessage
from signaling.wire.server import ServerMessage

MAX_DEPTH: Final = 8
_WITH_SDP: Final = ("offer", "restart-ice")  # only these may be longer than other messages
MAX_RID: Final = 2**53 - 1
"""The largest whole number that JavaScript counts exactly."""

RefusalCode = Literal[
    "bad-json", "unknown-type", "bad-field", "too-big", "too-deep", "bad-version", "invalid-utf8"
]


class Refused(DomainError):
    """The text is no message. ``reason`` is the code of the problem told; ``rid`` if it could be read."""

    code: ClassVar[str] = "bad-message"

    def __init__(self, reason: RefusalCode, text: str, rid: int | None = None) -> None:
        super().__init__(text)
        self.reason = reason
        self.rid = rid


class _Head(Struct, frozen=True):
    """What is looked at first; wide types, so that only the shape can fail."""

    type: object = None
    v: object = None
    rid: object = None


def _tag(cls: type[ClientMessage]) -> str:
    tag = cls.__struct_config__.tag
    if not isinstance(tag, str):
        raise TypeError(f"{cls} has no tag")
    return tag


CLIENT_TYPES: Final[dict[str, type[ClientMessage]]] = {_tag(cls): cls for cls in get_args(AnyClientMessage)}

_head: Final = msgspec.json.Decoder(_Head)
_decoders: Final = {tag: msgspec.json.Decoder(cls) for tag, cls in CLIENT_TYPES.items()}
_encoder: Final = msgspec.json.Encoder()
_PATH: Final = re.compile(r" - at `\$\.?([^`]*)`")


def decode(data: bytes | str) -> ClientMessage:
    """One message of a client.

    Raises:
        Refused: It is none; nothing else is ever raised, whatever the bytes.
    """
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if len(raw) > MAX_OFFER_BYTES:
        raise Refused("too-big", f"a message may have {MAX_OFFER_BYTES} bytes at most")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("invalid-utf8", "the text is not UTF-8") from None
    if depth(raw) > MAX_DEPTH:
        raise Refused("too-deep", f"values may be nested {MAX_DEPTH} deep at most")
    try:
        head = _head.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        raise Refused("bad-json", "the text is not a JSON object") from None

    rid = _rid(head.rid)
    if head.v != VERSION or isinstance(head.v, bool):
        raise Refused("bad-version", f"this server speaks version {VERSION}", rid)
    decoder = _decoders.get(head.type) if isinstance(head.type, str) else None
    if decoder is None:
        raise Refused("unknown-type", "no such type of message", rid)
    if len(raw) > MAX_MESSAGE_BYTES and head.type not in _WITH_SDP:
        raise Refused("too-big", f"this message may have {MAX_MESSAGE_BYTES} bytes at most", rid)
    if rid is None:
        raise Refused("bad-field", "rid: a whole number from 0 to 2^53-1 is needed")
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise Refused("bad-field", _readable(error), rid) from None
    except (msgspec.DecodeError, RecursionError):
        raise Refused("bad-json", "the text is not a JSON object", rid) from None


def encode(message: ServerMessage | ClientMessage) -> bytes:
    """The JSON text of a message."""
    return _encoder.encode(message)


def depth(raw: bytes) -> int:
    """How deep arrays and objects are nested at most; brackets inside strings do not count.

    A text that is not JSON gets some number: the parser says so afterwards.
    """
    if raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH:
        return 0
    deepest = now = 0
    # An open string runs to the end, so that no quote is ever looked at twice.
    for mark in re.finditer(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', raw, re.DOTALL):
        first = raw[mark.start()]
        if first in b"[{":
            now += 1
            deepest = max(deepest, now)
        elif first in b"]}":
            now -= 1
    return deepest


def _rid(value: object) -> int | None:
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_RID
    return value if good and isinstance(value, int) else None


def _readable(error: msgspec.ValidationError) -> str:
    """``Expected `str`, got `int` - at `$.site``` → ``site: Expected `str`, got `int```.

    The texts of msgspec name types and paths, never the value, so nothing of ours is told.
    """
    text = str(error)
    path = _PATH.search(text)
    return f"{path[1]}: {_PATH.sub('', text)}" if path and path[1] else text
