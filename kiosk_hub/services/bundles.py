"""Bundles: taken in, looked through, signed, kept in a folder; their signatures renewed in time."""

import asyncio
import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Final

from msgspec.structs import replace

from kiosk_hub.fleet.bundles import Bundle, Needs, check_version, target_of
from kiosk_hub.fleet.ids import BundleId
from kiosk_hub.fleet.values import BundleKind
from kiosk_hub.services import bundle_files
from kiosk_hub.services.signing import Repository, Role
from kiosk_hub.store import audit
from kiosk_hub.store import bundles as store
from room_manager.errors import DiskFull, DomainError
from room_manager.store.database import Database

MAX_BUNDLE_BYTES: Final = 200 << 20
KEEP_FREE_BYTES: Final = 1 << 30
RENEW_EVERY_S: Final = 900.0

log = logging.getLogger(__name__)


class UnknownBundle(DomainError):
    """There is no such bundle."""

    code: ClassVar[str] = "unknown-bundle"


class BundleExists(DomainError):
    """This version is there already with other contents; a version never changes."""

    code: ClassVar[str] = "bundle-exists"


class Bundles:
    """Who has what to install. Reading never waits."""

    def __init__(
        self,
        database: Database,
        repository: Repository,
        clock: Callable[[], float],
        max_bytes: int = MAX_BUNDLE_BYTES,
        keep_free_bytes: int = KEEP_FREE_BYTES,
    ) -> None:
        self._database = database
        self.repository = repository
        self._clock = clock
        self.max_bytes = max_bytes
        self.keep_free_bytes = keep_free_bytes
        self._bundles: dict[BundleId, Bundle] = {}
        self._roles: tuple[Role, ...] = ()
        self.uploading: set[str] = set()  # names of files that are being received
        self._adding = asyncio.Lock()
        self._renewing: asyncio.Task[None] | None = None

    async def start(self, *, renew: bool = True) -> None:
        """Make the keys if there are none; ``renew``: keep the signatures fresh from now on."""
        if not await asyncio.to_thread(self.repository.is_set_up):
            await asyncio.to_thread(self.repository.set_up, self._clock())
            log.info("- keys for bundles were made in %s; take root.pem elsewhere", self.repository.keys)
        await self.reload()
        if renew:
            await asyncio.to_thread(bundle_files.clear_half_done, self.repository.folder)
            self._renewing = asyncio.create_task(self._renew(), name="renew signatures of bundles")

    async def close(self) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
            with suppress(asyncio.CancelledError):
                await self._renewing

    async def reload(self) -> None:
        """The command line may have changed them."""
        self._bundles = {bundle.id: bundle for bundle in await store.load(self._database)}
        self._roles = await asyncio.to_thread(self.repository.roles)

    def __iter__(self) -> Iterator[Bundle]:
        return iter(list(self._bundles.values()))

    def get(self, bundle: BundleId) -> Bundle:
        """Raises ``UnknownBundle``."""
        found = self._bundles.get(bundle)
        if found is None:
            raise UnknownBundle("there is no such bundle")
        return found

    def find(self, bundle: BundleId) -> Bundle | None:
        return self._bundles.get(bundle)

    def roles(self) -> tuple[Role, ...]:
        """How the keys and signatures stand, as of the last change or renewal."""
        return self._roles

    def check_space(self, more_bytes: int) -> None:
        """Raise ``DiskFull`` if so much more would take what meetings need."""
        self.repository.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if shutil.disk_usage(self.repository.folder).free - more_bytes < self.keep_free_bytes:
            raise DiskFull("the server's disk has no room for this bundle; remove something first")

    async def add(
        self,
        file: Path,
        kind: BundleKind,
        version: str,
        *,
        needs: Needs | None = None,
        note: str = "",
        account: str,
        address: str = "",
    ) -> Bundle:
        """Look through a file, keep a copy, sign it, and only then know it. The same again changes nothing.

        Raises ``Invalid`` (version), ``TooBig``, ``BadBundle`` with its code, ``BundleExists``, ``DiskFull``.
        """
        check_version(version)
        async with self._adding:
            size = (await asyncio.to_thread(file.stat)).st_size
            if size > self.max_bytes:
                raise bundle_files.TooBig(f"a bundle has {self.max_bytes >> 20} MiB at most")
            self.check_space(size)
            sha256 = await asyncio.to_thread(_sha256, file)
            bundle = Bundle(
                id=BundleId(f"{kind}-{version}"),
                kind=kind,
                version=version,
                target=target_of(kind, version),
                length_bytes=size,
                sha256=sha256,
                needs=needs or Needs(),
                note=note,
                added_by=account,
                added_at=self._clock(),
                signed=await asyncio.to_thread(self.repository.has_key, "targets"),
            )
            known = self._bundles.get(bundle.id)
            if known is not None:
                if known.sha256 == sha256 and known.needs == bundle.needs:
                    return known
                raise BundleExists(
                    "this version is there already with other contents; choose another version"
                )
            await asyncio.to_thread(bundle_files.examine, file, kind)
            await asyncio.to_thread(_keep, file, self.repository.path_of(bundle), sha256)
            if bundle.signed:
                await asyncio.to_thread(self.repository.publish, (bundle,), bundle.added_at)
            await self._put(bundle, "add-bundle", account, address)
            log.info("= bundle %s: %d bytes, sha256 %s", bundle.id, size, sha256)
            return bundle

    async def sign(self, account: str) -> list[Bundle]:
        """Sign what waits for it. Raises ``NoKey`` where the targets key is not here."""
        async with self._adding:
            await self.reload()
            waiting = [bundle for bundle in self._bundles.values() if not bundle.signed]
            if waiting:
                await asyncio.to_thread(self.repository.publish, tuple(waiting), self._clock())
            signed = [replace(bundle, signed=True) for bundle in waiting]
            for bundle in signed:
                await self._put(bundle, "sign-bundle", account, "")
            return signed

    async def remove(self, bundle: BundleId, account: str, address: str = "") -> None:
        """It is signed no more, and its file is gone. Whether a rollout needs it is its caller's question.

        Raises ``UnknownBundle``, ``NoKey``.
        """
        async with self._adding:
            gone = self.get(bundle)
            await asyncio.to_thread(self.repository.forget, gone.target, self._clock())
            async with self._database.write() as connection:
                await store.forget(connection, bundle)
                entry = audit.Entry("remove-bundle", account, None, address, values={"bundle": bundle})
                await audit.append(connection, entry, self._clock())
            del self._bundles[bundle]
            await asyncio.to_thread(self.repository.path_of(gone).unlink, missing_ok=True)

    async def _put(self, bundle: Bundle, action: str, account: str, address: str) -> None:
        values: dict[str, str | int | float | bool | None] = {
            "bundle": bundle.id,
            "sha256": bundle.sha256,
            "signed": bundle.signed,
        }
        async with self._database.write() as connection:
            await store.put(connection, bundle)
            entry = audit.Entry(action, account, None, address, values=values)
            await audit.append(connection, entry, self._clock())
        others = {id_: one for id_, one in self._bundles.items() if id_ != bundle.id}
        self._bundles = {bundle.id: bundle, **others}
        self._roles = await asyncio.to_thread(self.repository.roles)

    async def _renew(self) -> None:
        while True:
            try:
                if await asyncio.to_thread(self.repository.renew, self._clock()):
                    log.info("= signatures of bundles renewed")
                await self.reload()
            except Exception:
                log.exception("! signatures of bundles could not be renewed; next time again")
            await asyncio.sleep(RENEW_EVERY_S)


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _keep(file: Path, place: Path, sha256: str) -> None:
    """Copied, checked, synced; whole or not at all. Raises ``DiskFull``."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    half = place.with_name(f"{place.name}.half")
    try:
        with file.open("rb") as source, half.open("wb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
            copy.flush()
            os.fsync(copy.fileno())
        if _sha256(half) != sha256:
            raise OSError("the file changed while it was copied")
        half.replace(place)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise DiskFull(f"the bundle could not be kept: {error.strerror or error}") from error
    number = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
