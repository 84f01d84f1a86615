"""The exact bytes a device signs. Each begins with its purpose, so that no signature serves for another."""

from kiosk_hub.fleet.news import DeviceTime


def _text(purpose: str, *parts: str) -> bytes:
    """Lines; no part may hold a line break, so no two lists of parts give the same bytes."""
    if any("\n" in part for part in parts):
        raise ValueError("a line break in what is signed")
    return "\n".join((f"diemcau/{purpose}/1", *parts)).encode()


def enrolment_text(public_key: str, kind: str, hardware: str, salt: str) -> bytes:
    """What the new key signs when it asks to be let in."""
    return _text("enrolment", public_key, kind, hardware, salt)


def look_text(enrolment: str, counter: int) -> bytes:
    """What it signs when it asks how far that is."""
    return _text("look", enrolment, str(counter))


def hello_text(host: str, device: str, nonce: str, at: DeviceTime) -> bytes:
    """What opens a line. ``host`` is the server's name as the device dialled it (``Host`` of the request),
    so that a
    man in the middle cannot pass the challenge on."""
    return _text("hello", host, device, nonce, at.boot, str(at.counter))


def token_text(host: str, device: str, nonce: str) -> bytes:
    """What gives a token without a line."""
    return _text("token", host, device, nonce)


def rotation_text(device: str, old_key: str, new_key: str) -> bytes:
    """What the *new* key signs; the announcement itself comes over a line opened with the old one."""
    return _text("rotation", device, old_key, new_key)
