"""Who the device is to the city, as far as it has been told."""

from typing import Final

import msgspec
from msgspec import Struct

from kiosk_client.folder import Folder
from signaling.wire.kiosk.words import DeviceId, DeviceSettings

NAME: Final = "identity.json"


class Identity(Struct, frozen=True):
    """Kept since the city let the device in."""

    server: str
    device: DeviceId
    settings: DeviceSettings


def load(folder: Folder, server: str) -> Identity | None:
    """What is kept for this city; of another city, or damaged, it is nothing: the key finds it again."""
    data = folder.read(NAME)
    if data is None:
        return None
    try:
        found = msgspec.json.decode(data, type=Identity)
    except msgspec.DecodeError:
        return None
    return found if found.server == server else None


def keep(folder: Folder, identity: Identity) -> None:
    """Raises NotKept."""
    folder.write(NAME, msgspec.json.encode(identity))


def forget(folder: Folder) -> None:
    """Raises NotKept."""
    folder.remove(NAME)
