"""The configuration in use: what the city rolled out, or what is usual."""

import logging
from pathlib import Path
from typing import Final

import msgspec

from kiosk_client.errors import AgentError
from signaling.wire.kiosk.bundles import MANIFEST, USUAL, Configuration
from signaling.wire.kiosk.words import BundleKind

MAX_BYTES: Final = 1 << 20

log = logging.getLogger(__name__)


class BadConfiguration(AgentError):
    """There is one, and it cannot be read, or says what this agent does not know."""

    code = "bad-configuration"


def in_use(state: Path) -> Configuration:
    """Waits for the disk. ``state``: the device's folder.

    Raises:
        BadConfiguration: see there; such one never comes through a switch, but software may go back.
    """
    kind = BundleKind.CONFIGURATION
    current = state / "updates" / kind / "current"
    try:
        if not current.is_symlink():
            return USUAL
        with (current / MANIFEST[kind]).open("rb") as file:
            return msgspec.json.decode(file.read(MAX_BYTES), type=Configuration)
    except OSError as error:
        raise BadConfiguration(f"{MANIFEST[kind]}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"{MANIFEST[kind]}: {error}") from None
