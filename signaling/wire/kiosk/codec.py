"""Text of a device to a message, or a refusal with a stable code; and the city's messages as text."""

from typing import Final, get_args

import msgspec
from msgspec import Struct

from signaling.wire.codec import MAX_DEPTH, Refused, depth
from signaling.wire.kiosk.city import AnyCityMessage, CityMessage
from signaling.wire.kiosk.device import (
    DEVICE_VERSION,
    MAX_DEVICE_MESSAGE_BYTES,
    AnyDeviceMessage,
    DeviceMessage,
)


class _Head(Struct, frozen=True):
    """What is looked at first; wide types, so that only the shape can fail."""

    type: object = None
    v: object = None


_TYPES: Final = frozenset(cls.__struct_config__.tag for cls in get_args(AnyDeviceMessage))
_head: Final = msgspec.json.Decoder(_Head)
_device: Final = msgspec.json.Decoder(AnyDeviceMessage)
_city: Final = msgspec.json.Decoder(AnyCityMessage)
_encoder: Final = msgspec.json.Encoder()


def decode(data: str) -> AnyDeviceMessage:
    """One message of a device.

    Raises:
        Refused: It is none; nothing else is ever raised, whatever the text.
    """
    raw = data.encode("utf-8", "surrogatepass")
    if len(raw) > MAX_DEVICE_MESSAGE_BYTES:
        raise Refused("too-big", f"a message may have {MAX_DEVICE_MESSAGE_BYTES} bytes at most")
    try:
        message: AnyDeviceMessage = _device.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _why(raw) from None
    return message


def _why(raw: bytes) -> Refused:
    """What is wrong with a text that is no message; looked for only then, as almost all are good."""
    if depth(raw) > MAX_DEPTH:
        return Refused("too-deep", f"values may be nested {MAX_DEPTH} deep at most")
    try:
        head = _head.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Refused("bad-json", "the text is not a JSON object")
    if head.v != DEVICE_VERSION or isinstance(head.v, bool):
        return Refused("bad-version", f"this server speaks version {DEVICE_VERSION}")
    if not isinstance(head.type, str) or head.type not in _TYPES:
        return Refused("unknown-type", "no such type of message")
    try:
        _device.decode(raw)
    except msgspec.ValidationError as error:
        return Refused("bad-field", str(error).replace("`$.", "`"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    return Refused("bad-json", "the text is not a JSON object")


def encode(message: CityMessage | DeviceMessage) -> bytes:
    """The JSON text of a message."""
    return _encoder.encode(message)


def decode_city(data: str | bytes) -> AnyCityMessage:
    """One message of the city, for the device. Raises ``msgspec.DecodeError``."""
    message: AnyCityMessage = _city.decode(data)
    return message
