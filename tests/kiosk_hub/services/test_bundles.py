"""Bundles taken in: looked through and signed so that the framework's client believes them, or refused."""

import asyncio
import datetime as dt
import os
import stat
import struct
import zipfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from tuf.api import exceptions
from tuf.api.metadata import TargetFile
from tuf.ngclient import FetcherInterface, Updater

from kiosk_hub.fleet.ids import BundleId
from kiosk_hub.fleet.values import BundleKind
from kiosk_hub.services.bundles import BundleExists, Bundles
from kiosk_hub.services.signing import ROLES, KeysExist, NoKey, Repository
from kiosk_hub.store.tables import audit
from room_manager.errors import DiskFull, DomainError, Invalid
from room_manager.store.database import Database, open_database
from tests.helpers import bundles as files
from tests.helpers import databases
from tests.helpers.disks import fill, small_disk

CONTENT = BundleKind.CONTENT
MISSING_PICTURE = (
    b'{"format":1,"announcements":[{"id":"a","title":{"vi":"t"},"text":{"vi":"t"},"picture":"no.png"}]}'
)
NOW = 1_795_000_000.0
DAY_S = 86_400.0

databases.prepare()


class Disk(FetcherInterface):
    """What a device fetches, straight from the city's folder."""

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = Path(url.removeprefix("file://"))
        if not path.exists():
            raise exceptions.DownloadHTTPError("not there", 404)
        yield path.read_bytes()


def seen_by_a_device(repository: Repository, state: Path, target: str, now: float) -> TargetFile | None:
    """What a device with this state finds, whose clock says ``now``."""
    state.mkdir(exist_ok=True)
    updater = Updater(
        str(state),
        f"file://{repository.metadata}",
        str(state),
        f"file://{repository.targets}",
        Disk(),
        bootstrap=(repository.metadata / "1.root.json").read_bytes(),
    )
    updater._trusted_set.reference_time = dt.datetime.fromtimestamp(now, dt.UTC)
    return updater.get_targetinfo(target)


def run(
    folder: Path, story: Callable[[Bundles, Database], Awaitable[None]], keys: Path | None = None
) -> None:
    async def main() -> None:
        database = await open_database(databases.new(folder))
        try:
            repository = Repository(folder / "bundles", keys)
            here = Bundles(database, repository, lambda: NOW, keep_free_bytes=0)
            await here.start(renew=False)
            await story(here, database)
        finally:
            await database.close()

    asyncio.run(main())


def test_a_bundle_is_signed_and_a_device_believes_it(tmp_path: Path) -> None:
    async def story(here: Bundles, database: Database) -> None:
        file = files.written(tmp_path / "f", files.content())
        bundle = await here.add(file, CONTENT, "7", note="Tháng 11", account="an")

        assert bundle.signed
        assert here.repository.path_of(bundle).read_bytes() == file.read_bytes()
        found = seen_by_a_device(here.repository, tmp_path / "device", "content/7.zip", NOW)
        assert found is not None
        assert found.hashes == {"sha256": bundle.sha256}
        assert found.unrecognized_fields["custom"] == {"kind": "content", "version": "7", "needs": {}}
        assert await here.add(file, CONTENT, "7", account="binh") == bundle
        async with database.read() as connection:
            assert (await connection.execute(select(audit.c.action))).scalars().all() == ["add-bundle"]

    run(tmp_path, story)


def test_a_version_never_changes(tmp_path: Path) -> None:
    async def story(here: Bundles, database: Database) -> None:
        await here.add(files.written(tmp_path / "f", files.content("một")), CONTENT, "7", account="an")
        with pytest.raises(BundleExists):
            await here.add(files.written(tmp_path / "f", files.content("hai")), CONTENT, "7", account="an")
        assert len(list(here.repository.targets.rglob("*.zip"))) == 1

    run(tmp_path, story)


def test_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    async def story(here: Bundles, database: Database) -> None:
        for role in ROLES:
            assert stat.S_IMODE((here.repository.keys / f"{role}.pem").stat().st_mode) == 0o600
        with pytest.raises(KeysExist):
            here.repository.set_up(NOW)

    run(tmp_path, story)


def test_without_the_targets_key_a_bundle_waits_for_whoever_has_it(tmp_path: Path) -> None:
    async def story(here: Bundles, database: Database) -> None:
        away = tmp_path / "usb-targets.pem"
        (here.repository.keys / "targets.pem").rename(away)
        (here.repository.keys / "root.pem").rename(tmp_path / "usb-root.pem")
        bundle = await here.add(files.written(tmp_path / "f", files.content()), CONTENT, "7", account="an")
        assert not bundle.signed
        assert seen_by_a_device(here.repository, tmp_path / "device", "content/7.zip", NOW) is None
        with pytest.raises(NoKey):
            await here.sign("an")
        with pytest.raises(NoKey):
            here.repository.rotate("snapshot", NOW)

        away.rename(here.repository.keys / "targets.pem")
        (signed,) = await here.sign("an")

        assert signed.signed
        assert here.get(BundleId("content-7")).signed
        assert seen_by_a_device(here.repository, tmp_path / "device", "content/7.zip", NOW) is not None

    run(tmp_path, story)


def test_signatures_are_renewed_before_they_end(tmp_path: Path) -> None:
    async def story(here: Bundles, database: Database) -> None:
        await here.add(files.written(tmp_path / "f", files.content()), CONTENT, "7", account="an")
        repository, device = here.repository, tmp_path / "device"
        assert not repository.renew(NOW + 0.4 * DAY_S)
        with pytest.raises(exceptions.ExpiredMetadataError):
            seen_by_a_device(repository, device, "content/7.zip", NOW + 3 * DAY_S)
        assert repository.renew(NOW + 3 * DAY_S)
        assert seen_by_a_device(repository, device, "content/7.zip", NOW + 3 * DAY_S) is not None

    run(tmp_path, story)


def test_a_device_follows_new_keys_and_no_old_ones(tmp_path: Path) -> None:
    async def story(here: Bundles, database: Database) -> None:
        await here.add(files.written(tmp_path / "f", files.content()), CONTENT, "7", account="an")
        repository, device = here.repository, tmp_path / "device"
        for role in ROLES:
            repository.rotate(role, NOW)
            assert seen_by_a_device(repository, device, "content/7.zip", NOW) is not None

    run(tmp_path, story)


def test_a_device_believes_no_foreign_and_no_older_metadata(tmp_path: Path) -> None:
    async def story(here: Bundles, database: Database) -> None:
        repository, device = here.repository, tmp_path / "device"
        await here.add(files.written(tmp_path / "f", files.content("một")), CONTENT, "1", account="an")
        old = {path.name: path.read_bytes() for path in repository.metadata.iterdir()}
        await here.add(files.written(tmp_path / "f", files.content("hai")), CONTENT, "2", account="an")
        assert seen_by_a_device(repository, device, "content/2.zip", NOW) is not None
        new = {path.name: path.read_bytes() for path in repository.metadata.iterdir()}

        (repository.metadata / "timestamp.json").write_bytes(old["timestamp.json"])
        with pytest.raises(exceptions.BadVersionNumberError):  # an attacker plays back yesterday
            seen_by_a_device(repository, device, "content/2.zip", NOW)

        (repository.metadata / "timestamp.json").write_bytes(new["timestamp.json"])
        (repository.metadata / "2.snapshot.json").write_bytes(old["1.snapshot.json"])
        (repository.metadata / "3.snapshot.json").write_bytes(new["2.snapshot.json"])
        other = Repository(tmp_path / "other")
        other.set_up(NOW)
        (repository.metadata / "timestamp.json").write_bytes((other.metadata / "timestamp.json").read_bytes())
        with pytest.raises(exceptions.UnsignedMetadataError):  # signed by somebody else
            seen_by_a_device(repository, device, "content/2.zip", NOW)

    run(tmp_path, story)


def test_mixed_metadata_is_refused(tmp_path: Path) -> None:
    async def story(here: Bundles, database: Database) -> None:
        repository = here.repository
        await here.add(files.written(tmp_path / "f", files.content("một")), CONTENT, "1", account="an")
        await here.add(files.written(tmp_path / "f", files.content("hai")), CONTENT, "2", account="an")
        targets = repository.metadata
        (targets / "3.targets.json").write_bytes((targets / "2.targets.json").read_bytes())
        with pytest.raises(exceptions.BadVersionNumberError):
            seen_by_a_device(repository, tmp_path / "device", "content/1.zip", NOW)

    run(tmp_path, story)


def link_in_a_zip() -> bytes:
    file = files.content()
    at = file.rindex(b"PK\x01\x02")
    made_by_unix = file[: at + 5] + b"\x03" + file[at + 6 : at + 38] + struct.pack("<I", 0o120777 << 16)
    return made_by_unix + file[at + 42 :]


def test_bad_files_are_refused_with_a_code_and_leave_nothing(tmp_path: Path) -> None:
    whole = files.content(more={"assets/a.bin": os.urandom(5000)})
    damaged = bytearray(
        files.zipped({"announcements.json": b'{"format":1,"announcements":[]}'}, zipfile.ZIP_STORED)
    )
    damaged[45] ^= 0xFF
    bad = {
        "truncated": (whole[:-2000], "bad-bundle"),
        "damaged": (bytes(damaged), "bad-bundle"),
        "no zip": (b"#!/bin/sh\nrm -rf /\n", "bad-bundle"),
        "empty": (b"", "bad-bundle"),
        "slip": (files.content(more={"../../evil": b"x"}), "unsafe-archive"),
        "link": (link_in_a_zip(), "unsafe-archive"),
        "bomb": (files.content(more={"zeros": bytes(60 << 20)}), "archive-too-big"),
        "no manifest": (files.zipped({"a": b"x"}), "bad-bundle"),
        "bad manifest": (files.zipped({"announcements.json": b"[1]"}), "bad-bundle"),
        "missing picture": (
            files.zipped(
                {"announcements.json": b'{"announcements":[{"id":"a","title":"t","image":"no.png"}]}'}
            ),
            "bad-bundle",
        ),
    }

    async def story(here: Bundles, database: Database) -> None:
        for name, (data, code) in bad.items():
            with pytest.raises(DomainError) as refused:
                await here.add(files.written(tmp_path / "f", data), CONTENT, "1", account="an")
            assert refused.value.code == code, name
        good = files.written(tmp_path / "f", files.content())
        with pytest.raises(DomainError, match="wheels"):
            await here.add(good, BundleKind.SOFTWARE, "1", account="an")
        for said in ({"session_idle_secs": 90}, {"session_idle_s": 5}, {"format": 2}, {"language": "fr"}):
            config = files.written(tmp_path / "f", files.configuration(**said))
            with pytest.raises(DomainError, match=r"configuration\.json"):
                await here.add(config, BundleKind.CONFIGURATION, "1", account="an")
        with pytest.raises(Invalid):
            await here.add(good, CONTENT, "../1", account="an")
        here.max_bytes = 100
        with pytest.raises(DomainError) as refused:
            await here.add(good, CONTENT, "1", account="an")
        assert refused.value.code == "too-big"
        assert list(here) == []
        assert not [path for path in here.repository.targets.rglob("*") if path.is_file()]

    run(tmp_path, story)


def test_a_full_disk_refuses_the_bundle_and_keeps_the_others(tmp_path: Path) -> None:
    async def story(here: Bundles, database: Database) -> None:
        first = await here.add(
            files.written(tmp_path / "f", files.content("một")), CONTENT, "1", account="an"
        )
        big = files.written(tmp_path / "f", files.content(more={"a.bin": os.urandom(300_000)}), "big.zip")
        ballast = fill(here.repository.folder, 100_000)
        with pytest.raises(DiskFull):
            await here.add(big, CONTENT, "2", account="an")
        assert [bundle.id for bundle in here] == [first.id]
        assert not list(here.repository.targets.rglob("*.half"))
        ballast.unlink()
        assert (await here.add(big, CONTENT, "2", account="an")).signed

    with small_disk(tmp_path / "small") as disk:

        async def main() -> None:
            database = await open_database(databases.new(tmp_path))
            try:
                here = Bundles(database, Repository(disk), lambda: NOW, keep_free_bytes=0)
                await here.start(renew=False)
                await story(here, database)
            finally:
                await database.close()

        asyncio.run(main())


def test_a_crash_between_two_roles_is_mended_by_the_next_try(tmp_path: Path) -> None:
    async def story(here: Bundles, database: Database) -> None:
        repository = here.repository
        before = (repository.metadata / "timestamp.json").read_bytes()
        bundle = await here.add(files.written(tmp_path / "f", files.content()), CONTENT, "1", account="an")
        for name in ("timestamp.json", "2.snapshot.json"):
            (repository.metadata / name).unlink()
        (repository.metadata / "timestamp.json").write_bytes(before)
        assert seen_by_a_device(repository, tmp_path / "d1", bundle.target, NOW) is None

        repository.publish((bundle,), NOW)

        assert seen_by_a_device(repository, tmp_path / "d1", bundle.target, NOW) is not None

    run(tmp_path, story)
