"""Why a device is not let in. Each code is said to the device and read by staff in its log."""

from typing import ClassVar

from room_manager.errors import DomainError


class BadSignature(DomainError):
    """Not signed by the key that it should be."""

    code: ClassVar[str] = "bad-signature"


class Replayed(DomainError):
    """It was said before: a nonce that is spent, a counter that did not grow."""

    code: ClassVar[str] = "replayed"


class Quarantined(DomainError):
    """Staff (or the rule about cloned keys) keep this device out until it is released."""

    code: ClassVar[str] = "quarantined"


class Retired(DomainError):
    """This device is retired for good; a new key may be enrolled."""

    code: ClassVar[str] = "retired"


class ClonedKey(DomainError):
    """Somebody else has this device's key as well. The device is quarantined now."""

    code: ClassVar[str] = "cloned-key"
