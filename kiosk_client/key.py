"""The device's own key: made here, never leaving. A TPM would be another ``KeyStore``."""

import base64
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk_client.errors import BadState, NotAvailable
from kiosk_client.folder import Folder

KEY: Final = "device.key"
NEXT: Final = "next.key"


def base64url(data: bytes) -> str:
    """Without padding, as all of the wire has it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class DeviceKey(Protocol):
    """One Ed25519 key."""

    @property
    def public(self) -> str:
        """32 bytes in base64url: 43 characters."""

    def sign(self, text: bytes) -> str:
        """64 bytes in base64url: 86 characters."""


class KeyStore(Protocol):
    """Where keys are made and kept. At most two: the one in use, and the next one during a rotation."""

    def current(self) -> DeviceKey:
        """The key in use; made now if there is none. Raises NotKept, BadState."""

    def following(self) -> DeviceKey | None:
        """The next key, if one was made."""

    def make_following(self) -> DeviceKey:
        """Make the next key; the one that is there, if it is."""

    def change_over(self) -> None:
        """The next key is now the key in use; the old one is gone."""


class FileKey:
    """A key whose secret this process holds."""

    def __init__(self, secret: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self.public = base64url(self._key.public_key().public_bytes_raw())

    def sign(self, text: bytes) -> str:
        return base64url(self._key.sign(text))


class FileKeys:
    """Keys in files that their owner alone may read."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def current(self) -> DeviceKey:
        return self._read(KEY) or self._make(KEY)

    def following(self) -> DeviceKey | None:
        return self._read(NEXT)

    def make_following(self) -> DeviceKey:
        return self._read(NEXT) or self._make(NEXT)

    def change_over(self) -> None:
        data = self._folder.read(NEXT)
        if data is not None:
            self._folder.write(KEY, data)  # a power cut here leaves both names to one key, which does no harm
            self._folder.remove(NEXT)

    def _read(self, name: str) -> DeviceKey | None:
        data = self._folder.read(name)
        if data is None:
            return None
        try:
            return FileKey(base64.urlsafe_b64decode(data.strip() + b"="))
        except ValueError:
            raise BadState(f"{name} does not hold a key") from None

    def _make(self, name: str) -> DeviceKey:
        secret = Ed25519PrivateKey.generate().private_bytes_raw()
        try:
            self._folder.create(name, base64url(secret).encode() + b"\n")
        except FileExistsError:  # another one was quicker, and its key is as good
            pass
        made = self._read(name)
        assert made is not None
        return made


class TpmKeys:
    """The seam for a key sealed in a TPM. No library for one that speaks Ed25519 is part of this product."""

    def __init__(self) -> None:
        raise NotAvailable("keys in a TPM are not supported yet; the key is kept in a file of mode 600")
