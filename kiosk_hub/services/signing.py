"""The signed metadata of bundles on the disk (The Update Framework, specification 1.0.34), and its keys.

Four roles, each with a key of its own: *root* says whose keys count, *targets* which bundles there are,
*snapshot* which metadata belongs together, *timestamp* that this is the newest. The first two need to be
nowhere near the server (see ``docs/rollouts.md``); the last two are online and short-lived. What is on the
disk is the truth: every change reads it, and a lock file lets one process at a time change it.

Everything here waits for the disk: call it in a thread.
"""

import datetime as dt
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final

import msgspec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec import Struct
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

from kiosk_hub.fleet.bundles import Bundle, Custom
from room_manager.errors import DomainError

ROLES: Final = ("root", "targets", "snapshot", "timestamp")
LASTS: Final = {
    "root": dt.timedelta(days=5 * 365),
    "targets": dt.timedelta(days=365),
    "snapshot": dt.timedelta(days=7),
    "timestamp": dt.timedelta(days=2),
}
"""How long a signature is good. A device refuses what is older: so nobody can keep it on old bundles for
longer than the timestamp lasts."""
WARN_BEFORE: Final = dt.timedelta(days=60)
"""Of an end that only a person with the key can put off."""

_pretty: Final = JSONSerializer(compact=False)


class NoKey(DomainError):
    """The key for this is not on this machine."""

    code: ClassVar[str] = "no-key"


class KeysExist(DomainError):
    """There are keys already; replacing them would lock every device out."""

    code: ClassVar[str] = "keys-exist"


class Role(Struct, frozen=True):
    """One role as it stands on the disk. Time in seconds, UTC."""

    name: str
    version: int
    expires_at: float
    key_here: bool


class Repository:
    """The folder ``metadata`` with what is signed, ``targets`` with the bundles, ``keys``."""

    def __init__(self, folder: Path, keys: Path | None = None) -> None:
        self.folder = folder
        self.metadata = folder / "metadata"
        self.targets = folder / "targets"
        self.keys = keys if keys is not None else folder / "keys"

    # --- keys ---

    def is_set_up(self) -> bool:
        return (self.metadata / "1.root.json").exists()

    def set_up(self, now: float) -> None:
        """Make the keys that are not there yet and sign the first, empty, metadata. The root comes last:
        before it is there no device can have trusted anything, and an interrupted set-up may begin again.

        Raises ``KeysExist``.
        """
        with self._locked():
            if self.is_set_up():
                raise KeysExist("there are keys already; replacing them would lock every device out")
            self.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.metadata.mkdir(mode=0o700, parents=True, exist_ok=True)
            root = Root(consistent_snapshot=True)
            for role in ROLES:
                if not self.has_key(role):
                    self._make_key(role)
                root.add_key(self._signer(role).public_key, role)
            self._put("targets", Metadata(Targets()), now, first=True)
            self._put("snapshot", Metadata(Snapshot()), now, first=True)  # of targets, version 1
            self._put("timestamp", Metadata(Timestamp()), now, first=True)  # of snapshot, version 1
            self._put("root", Metadata(root), now, first=True)

    def rotate(self, role: str, now: float) -> None:
        """A new key for the role; what the old one signed counts no more. Raises ``NoKey`` without the root
        key. Devices follow from root to root: the new one is signed by the old root key as well.
        """
        with self._locked():
            metadata = self._get("root")
            old_root = self._signer("root")
            old = metadata.signed.roles[role].keyids[0]
            (self.keys / f"{role}.pem").unlink(missing_ok=True)
            self._make_key(role)
            metadata.signed.revoke_key(old, role)
            metadata.signed.add_key(self._signer(role).public_key, role)
            self._put("root", metadata, now, also=old_root)
            if role == "targets":
                self._put("targets", self._get("targets"), now)
            if role != "root":
                self._follow(now)

    def has_key(self, role: str) -> bool:
        return (self.keys / f"{role}.pem").exists()

    def roles(self) -> tuple[Role, ...]:
        """How all four stand."""
        found = []
        for role in ROLES:
            signed = self._get(role).signed
            found.append(Role(role, signed.version, signed.expires.timestamp(), self.has_key(role)))
        return tuple(found)

    # --- bundles ---

    def path_of(self, bundle: Bundle) -> Path:
        """Where its file lies; the hash in its name is what devices ask for (consistent snapshots)."""
        folder, _, name = bundle.target.rpartition("/")
        return self.targets / folder / f"{bundle.sha256}.{name}"

    def publish(self, bundles: tuple[Bundle, ...], now: float) -> None:
        """Sign these, too. Their files are in place. What is signed already changes nothing.

        Raises ``NoKey`` if the targets, snapshot or timestamp key is not here.
        """
        with self._locked():
            metadata = self._get("targets")
            signed: Targets = metadata.signed
            before = dict(signed.targets)
            for bundle in bundles:
                custom = msgspec.to_builtins(Custom(bundle.kind, bundle.version, bundle.needs))
                signed.targets[bundle.target] = TargetFile(
                    bundle.length_bytes, {"sha256": bundle.sha256}, bundle.target, {"custom": custom}
                )
            if signed.targets != before:
                self._put("targets", metadata, now)
            elif self._is_followed():
                return
            self._follow(now)  # also after a crash between the two

    def forget(self, target: str, now: float) -> None:
        """It is signed no more: no device installs it from now on. Raises ``NoKey``."""
        with self._locked():
            metadata = self._get("targets")
            signed: Targets = metadata.signed
            if signed.targets.pop(target, None) is None:
                return
            self._put("targets", metadata, now)
            self._follow(now)

    def knows(self, target: str) -> bool:
        """Is it signed?"""
        return target in self._get("targets").signed.targets

    def renew(self, now: float) -> bool:
        """Put off the ends of what this machine has keys for, once half their time is over. True: it did."""
        with self._locked():
            renewed = False
            for role in ("targets", "snapshot"):
                if self.has_key(role) and self._half_over(role, now):
                    self._put(role, self._get(role), now)
                    renewed = True
            if renewed or self._half_over("timestamp", now):
                self._follow(now)
                return True
            return False

    def _is_followed(self) -> bool:
        snapshot, timestamp = self._get("snapshot").signed, self._get("timestamp").signed
        newest: int = self._get("targets").signed.version
        named: int = snapshot.meta["targets.json"].version
        return named == newest and bool(timestamp.snapshot_meta.version == snapshot.version)

    def _half_over(self, role: str, now: float) -> bool:
        left = self._get(role).signed.expires - _time(now)
        return bool(left < LASTS[role] / 2)

    def _follow(self, now: float) -> None:
        """Snapshot and timestamp say what is newest."""
        snapshot = self._get("snapshot")
        snapshot.signed.meta["targets.json"] = MetaFile(version=self._get("targets").signed.version)
        self._put("snapshot", snapshot, now)
        timestamp = self._get("timestamp")
        timestamp.signed.snapshot_meta = MetaFile(version=snapshot.signed.version)
        self._put("timestamp", timestamp, now)

    # --- files ---

    def _get(self, role: str) -> Metadata[Any]:
        """The newest of a role."""
        if role == "timestamp":
            return Metadata.from_file(str(self.metadata / "timestamp.json"))
        versions = [int(path.name.split(".")[0]) for path in self.metadata.glob(f"*.{role}.json")]
        return Metadata.from_file(str(self.metadata / f"{max(versions)}.{role}.json"))

    def _put(
        self,
        role: str,
        metadata: Metadata[Any],
        now: float,
        also: CryptoSigner | None = None,
        first: bool = False,
    ) -> None:
        signed = metadata.signed
        if not first:
            signed.version += 1
        signed.expires = (_time(now) + LASTS[role]).replace(microsecond=0)
        metadata.signatures.clear()
        metadata.sign(self._signer(role))
        if also is not None:
            metadata.sign(also, append=True)
        name = "timestamp.json" if role == "timestamp" else f"{signed.version}.{role}.json"
        _write(self.metadata / name, metadata.to_bytes(_pretty))

    def _make_key(self, role: str) -> None:
        _write_new(self.keys / f"{role}.pem", CryptoSigner.generate_ed25519().private_bytes, 0o600)
        _sync(self.keys)

    def _signer(self, role: str) -> CryptoSigner:
        try:
            pem = (self.keys / f"{role}.pem").read_bytes()
        except FileNotFoundError:
            raise NoKey(f"the key of the role {role} is not on this machine") from None
        return CryptoSigner(load_pem_private_key(pem, None))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / ".lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _time(now: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(now, dt.UTC)


def _write_new(path: Path, data: bytes, mode: int) -> None:
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(number, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, and on the disk."""
    half = path.with_name(f"{path.name}.half")
    with half.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
