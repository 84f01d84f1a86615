"""Pictures and logs that wait to be uploaded, as files of the device's folder."""

import secrets
from typing import Final

from kiosk_client.errors import NotKept
from kiosk_client.folder import Folder
from kiosk_client.ports import MAX_EVIDENCE_BYTES, Evidence
from signaling.wire.kiosk.device import EvidenceKind
from signaling.wire.kiosk.words import EvidenceId

MOST_FILES: Final = 20
PREFIX: Final = "evidence-"
KINDS: Final[dict[str, EvidenceKind]] = {"screenshot": "screenshot", "log": "log"}


class EvidenceFiles:
    """Named by their id and kind; nothing else is kept with them."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def keep(self, evidence: Evidence) -> tuple[EvidenceId, str]:
        """Its id, and the name of its file, which is durable. Raises NotKept."""
        if len(evidence.data) > MAX_EVIDENCE_BYTES:
            raise NotKept(f"{len(evidence.data)} bytes of evidence are too many")
        if len(self._folder.names(PREFIX)) >= MOST_FILES:
            raise NotKept(f"{MOST_FILES} pieces of evidence wait already")
        id_ = EvidenceId(secrets.token_hex(16))
        name = f"{PREFIX}{id_}.{evidence.kind}"
        self._folder.write(name, evidence.data)
        return id_, name

    def read(self, name: str) -> tuple[EvidenceKind, bytes]:
        """Raises KeyError: there is none; OSError."""
        data = self._folder.read(name)
        if data is None:
            raise KeyError(name)
        return KINDS[name.rpartition(".")[2]], data

    def remove(self, name: str) -> None:
        """Raises NotKept."""
        self._folder.remove(name)

    def clear_out(self, needed: frozenset[str]) -> None:
        """What no report names: its process died between the file and the word."""
        for name in self._folder.names(PREFIX):
            if name not in needed:
                self._folder.remove(name)
