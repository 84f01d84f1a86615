"""Changing the device's key without a moment in which it has none that the city knows.

The next key is made and kept, announced over a line that the old one opened, and signs hellos only once the
city has stored the announcement. The first hello of it that is welcomed makes it the key.
"""

from typing import Final

from kiosk_client.folder import Folder
from kiosk_client.key import DeviceKey, KeyStore
from signaling.wire.kiosk import proofs
from signaling.wire.kiosk.words import DeviceId, KeyAnnounced

ANNOUNCED: Final = "next.announced"


class Rotation:
    """Which key signs now. Methods that write raise NotKept."""

    def __init__(self, keys: KeyStore, folder: Folder) -> None:
        self._keys = keys
        self._folder = folder
        self._current = keys.current()
        self._following = keys.following()
        self._announced = folder.read(ANNOUNCED) is not None
        self._fell_back = False
        self._signed_with = self._current
        self._told = False

    @property
    def current(self) -> DeviceKey:
        return self._current

    def signer(self) -> DeviceKey:
        """For the next hello."""
        following = self._following if self._announced and not self._fell_back else None
        self._signed_with = following or self._current
        return self._signed_with

    def announce(self, device: DeviceId) -> KeyAnnounced | None:
        """The city asks for another key; None: it was told already, and has not said that it is stored."""
        if self._told:
            return None
        if self._following is None:
            self._following = self._keys.make_following()
        self._told = True
        text = proofs.rotation_text(device, self._current.public, self._following.public)
        return KeyAnnounced(self._following.public, self._following.sign(text))

    def stored(self, news: KeyAnnounced) -> bool:
        """The city has the announcement. True: open a line with the next key now."""
        if self._following is None or news.public_key != self._following.public:
            return False
        self._folder.write(ANNOUNCED, b"")
        self._announced = True
        self._fell_back = False
        return True

    def welcomed(self) -> bool:
        """The hello was good. True: its key has become the device's key."""
        if self._signed_with is self._current or self._following is None:
            return False
        self._keys.change_over()
        self._folder.remove(ANNOUNCED)
        self._current = self._following
        self._following = None
        self._announced = self._told = False
        return True

    def refused(self) -> bool:
        """``bad-signature``. True: there is another key to try."""
        if self._signed_with is not self._current:
            self._fell_back = True
            return True
        return False
