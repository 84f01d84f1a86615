"""The versions of one kind beside each other, a link to the one in use, and what is on trial.

A switch is: the new version lies complete and synced beside the old; ``trial`` says what is about to be done;
the link is renamed over; the new one is looked at; ``trial`` goes. Whenever the process (or the power) ends
in between, ``trial`` tells the next start what to do. The old version stays until the next one is good.
"""

from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from kiosk_client.updates import files
from signaling.wire.kiosk.words import BundleId, BundleKind, Offer, RolloutId

MARK = ".bundle.json"  # in each version's folder; no entry of an archive may begin with a dot


class Mark(Struct, frozen=True):
    """What a version's folder is."""

    version: str
    sha256: str


class Trial(Struct, frozen=True):
    """A switch that is not finished."""

    kind: BundleKind
    version: str
    previous: str  # empty: there was none
    rollout: RolloutId
    bundle: BundleId
    attempt: int
    gave_up: str = ""  # why it went back, until that is told
    starts: int = 0  # of the agent, for software

    @classmethod
    def of(cls, offer: Offer, previous: str) -> "Trial":
        return cls(offer.kind, offer.version, previous, offer.rollout, offer.bundle, offer.attempt)


Next = Literal["switch", "look", "tell-returned"]


def next_of(trial: Trial, current: str) -> Next:
    """What an unfinished switch needs, found at a start (or right after it was written)."""
    if trial.gave_up:
        return "tell-returned"
    return "look" if current == trial.version else "switch"


class Shelf:
    """One kind's folder. Everything here waits for the disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.versions = folder / "versions"

    def open(self) -> None:
        """What was half unpacked is gone."""
        self.versions.mkdir(mode=0o755, parents=True, exist_ok=True)
        for half in self.versions.glob(".*"):
            files.remove_tree(half)

    @property
    def path(self) -> Path:
        """The folder in use, whatever its version; it may not be there."""
        return self.folder / "current"

    def current(self) -> str:
        """The version in use; empty: none."""
        return Path(files.pointed(self.path)).name

    def last_good(self) -> str:
        """The one before; empty: none."""
        return Path(files.pointed(self.folder / "last-good")).name

    def place(self, version: str) -> Path:
        return self.versions / version

    def mark_of(self, version: str) -> Mark | None:
        """None: it is not there, or not complete."""
        try:
            return msgspec.json.decode((self.place(version) / MARK).read_bytes(), type=Mark)
        except (OSError, msgspec.DecodeError):
            return None

    def half(self, version: str) -> Path:
        """Where it is being made."""
        return self.versions / f".{version}.half"

    def keep(self, version: str, sha256: str) -> None:
        """What was made in ``half`` is a version now."""
        half, place = self.half(version), self.place(version)
        files.write(half / MARK, msgspec.json.encode(Mark(version, sha256)))
        if place.exists():
            files.remove_tree(place)
        half.replace(place)
        files.sync_folder(self.versions)

    # --- the switch ---

    def trial(self) -> Trial | None:
        try:
            return msgspec.json.decode((self.folder / "trial.json").read_bytes(), type=Trial)
        except (OSError, msgspec.DecodeError):
            return None

    def begin(self, trial: Trial) -> None:
        files.write(self.folder / "trial.json", msgspec.json.encode(trial))

    def abandon(self) -> None:
        """It was not begun after all."""
        (self.folder / "trial.json").unlink(missing_ok=True)

    def switch(self, version: str) -> None:
        files.point(self.path, f"versions/{version}")

    def switch_back(self, trial: Trial, why: str) -> None:
        """The last good one is in use again (none, if there was none); that it is so is yet to be told."""
        if trial.previous:
            self.switch(trial.previous)
        else:
            self.path.unlink(missing_ok=True)
            files.sync_folder(self.folder)
        self.begin(msgspec.structs.replace(trial, gave_up=why))

    def finish(self, trial: Trial) -> None:
        """It is good (or its return was told). What nobody needs any more goes."""
        if not trial.gave_up and trial.previous and trial.previous != trial.version:
            files.point(self.folder / "last-good", f"versions/{trial.previous}")
        (self.folder / "trial.json").unlink(missing_ok=True)
        files.sync_folder(self.folder)
        needed = {self.current(), self.last_good()}
        for place in self.versions.iterdir():
            if place.name not in needed:
                files.remove_tree(place)
