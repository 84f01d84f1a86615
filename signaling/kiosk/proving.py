"""Whether a signature is a device's own."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.errors import BadSignature
from room_manager.errors import Invalid
from signaling.wire.kiosk.fingerprint import raw_key, raw_signature


def key_in(text: str) -> bytes:
    """The raw key of a message. Raises ``Invalid``."""
    raw = raw_key(text)
    if raw is None:
        raise Invalid("public_key: 32 bytes in base64url without padding")
    return raw


def is_signed_by(key: bytes, signature: str, text: bytes) -> bool:
    raw = raw_signature(signature)
    if raw is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(raw, text)
    except (InvalidSignature, ValueError):
        return False
    return True


def check_signed_by(key: bytes, signature: str, text: bytes) -> None:
    """Raises ``BadSignature``."""
    if not is_signed_by(key, signature, text):
        raise BadSignature("this signature is not the key's over what was to be signed")


def key_that_signed(device: Device, signature: str, text: bytes) -> bytes:
    """Which of the device's keys it was: the one it has, or the next that it has announced. Raises
    ``BadSignature``."""
    for key in (device.public_key, device.next_key):
        if key is not None and is_signed_by(key, signature, text):
            return key
    raise BadSignature("this signature is not this device's over this challenge")
