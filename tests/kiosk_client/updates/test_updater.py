"""Content comes from a real server to a device: fetched, checked, switched to, and back if it is bad."""

import asyncio
import hashlib
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from kiosk_hub.fleet.bundles import Bundle, Needs, target_of
from kiosk_hub.fleet.ids import BundleId, RolloutId
from kiosk_hub.fleet.rings import Ring
from kiosk_hub.fleet.rollouts import RolloutPlan, Transfer
from kiosk_hub.fleet.values import BundleKind
from kiosk_hub.services.signing import Repository
from signaling.wire.kiosk.words import Offer, Painted
from tests.helpers import bundles as files
from tests.helpers.databases import prepare
from tests.helpers.device import TestDevice
from tests.helpers.disks import fill, small_disk
from tests.helpers.fleet_server import Fleet, fleet
from tests.helpers.rollout_city import AN, BINH
from tests.helpers.servers import settings
from tests.helpers.updating import WELL, Device, SmallCore, offer_of, until

CONTENT = BundleKind.CONTENT
ANY_TIME = Transfer()

prepare()


class City:
    """The server, one device of it, and the bundles of the test."""

    def __init__(self, here: Fleet, one: TestDevice, device: Device, folder: Path) -> None:
        self.here = here
        self.one = one
        self.device = device
        self.folder = folder

    @property
    def repository(self) -> Repository:
        return self.here.hub.bundles.repository

    async def add(self, version: str, data: bytes | None = None, needs: Needs | None = None) -> Bundle:
        self.here.hub.bundles.keep_free_bytes = 0
        file = files.written(self.folder / "f", data or files.content(version), f"{version}.zip")
        return await self.here.hub.bundles.add(file, CONTENT, version, needs=needs, account="an")

    def sign_unseen(self, version: str, data: bytes) -> Bundle:
        """As a city would whose own look was deceived."""
        bundle = Bundle(
            id=BundleId(f"content-{version}"),
            kind=CONTENT,
            version=version,
            target=target_of(CONTENT, version),
            length_bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            added_by="an",
            added_at=0.0,
        )
        path = self.repository.path_of(bundle)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.here.hub.bundles._bundles[bundle.id] = bundle
        self.repository.publish((bundle,), time.time())
        return bundle

    async def roll_out(self, bundle: Bundle, transfer: Transfer = ANY_TIME) -> Offer:
        rollouts = self.here.hub.rollouts
        for book in rollouts.shelf.books():
            if book.rollout.state in ("running", "paused"):
                await rollouts.stop(book.rollout.id, "", AN)
        rollout = await rollouts.plan(RolloutPlan(bundle.id, (Ring(),), transfer=transfer), AN)
        await rollouts.submit(rollout.id, AN)
        await rollouts.approve(rollout.id, BINH)
        offer = rollouts.shelf.offer_for(self.one.id)
        assert offer is not None
        return offer

    async def installed(self, version: str) -> None:
        """Not told of; it is simply there."""
        offer = await self.roll_out(await self.add(version))
        async with self.device.running() as updater:
            updater.offered(offer)
            await self.device.until_told("installed", "failed")
            await self.device.until_settled()
        assert self.device.current() == version
        self.device.core.told.clear()

    async def comes_to(self, offer: Offer, *steps: str) -> str:
        """How the offer ends, with its code."""
        async with self.device.running() as updater:
            updater.offered(offer)
            news = await self.device.until_told(*(steps or ("installed", "failed", "returned")))
            await self.device.until_settled()
        return f"{news.step} {news.code}".strip()


def play(folder: Path, story: Callable[[City], Awaitable[None]], state: Path | None = None) -> None:
    async def run() -> None:
        async with fleet(settings(folder / "city")) as here:
            one = await here.enrolled()
            place = state or folder / "device"
            place.mkdir(exist_ok=True)
            device = Device(SmallCore(place, one.origin, await one.token()))
            await story(City(here, one, device, folder))

    asyncio.run(run())


def test_content_is_installed_and_told_step_by_step(tmp_path: Path) -> None:
    async def story(city: City) -> None:
        offer = await city.roll_out(
            await city.add("7", files.content("Bảy", {"files/a.bin": os.urandom(9000)}))
        )

        assert await city.comes_to(offer) == "installed"

        core, device = city.device.core, city.device
        assert core.steps() == ["downloading", "downloaded", "installing", "installed"]
        assert "Bảy" in (device.content / "current" / "announcements.json").read_text()
        assert device.updater.content() == "7"
        assert not list((core.state / "updates" / "downloads").iterdir())
        before = len(core.told)
        async with device.running() as updater:
            updater.offered(offer)  # told again with every line
            assert (await updater.refresh()).succeeded
        assert len(core.told) == before

    play(tmp_path, story)


def test_the_last_good_one_stays_and_older_ones_go(tmp_path: Path) -> None:
    async def story(city: City) -> None:
        for version in ("1", "2", "3"):
            await city.installed(version)
        device = city.device
        assert sorted(path.name for path in (device.content / "versions").iterdir()) == ["2", "3"]

        # Going back to what is still on the disk loads nothing.
        two = await city.roll_out(city.here.hub.bundles.get(BundleId("content-2")))
        assert await city.comes_to(two) == "installed"
        assert city.device.core.steps() == ["installing", "installed"]
        assert device.current() == "2"

    play(tmp_path, story)


def test_a_download_that_was_cut_goes_on_where_it_was(tmp_path: Path) -> None:
    async def story(city: City) -> None:
        data = files.content(more={"a.bin": os.urandom(200_000)})
        bundle = await city.add("7", data)
        offer = await city.roll_out(bundle, Transfer(cap_bytes_per_s=50_000))
        part = city.device.core.state / "updates" / "downloads" / f"{bundle.sha256}.part"
        async with city.device.running() as updater:
            updater.offered(offer)
            await until(lambda: not (not part.exists() or part.stat().st_size < 20_000))
        have = part.stat().st_size
        assert 20_000 <= have < len(data)
        city.device.core.told.clear()

        fast = await city.roll_out(bundle)
        assert await city.comes_to(fast) == "installed"
        assert city.device.core.told[0].bytes_done >= have

    play(tmp_path, story)


BAD_SCREEN = msgspec.structs.replace(WELL, painted=Painted(frame_age_s=None))


def test_what_kills_the_page_goes_back_by_itself(tmp_path: Path) -> None:
    async def story(city: City) -> None:
        await city.installed("1")
        machine = city.device.machine
        machine.before, machine.current, machine.after_switch = "1", city.device.current, BAD_SCREEN
        offer = await city.roll_out(await city.add("2"))

        assert await city.comes_to(offer) == "returned page-not-painted"

        assert city.device.current() == "1"
        assert city.device.updater.content() == "1"
        assert not (city.device.content / "trial.json").exists()
        async with city.device.running() as updater:
            updater.offered(offer)  # not tried again by itself …
            assert (await updater.refresh()).text == "Không có gói mới"
        machine.after_switch = None
        city.device.core.told.clear()
        again = msgspec.structs.replace(offer, attempt=2)  # … but on request
        assert await city.comes_to(again) == "installed"

    play(tmp_path, story)


def test_a_screen_that_was_dark_before_is_not_the_contents_fault(tmp_path: Path) -> None:
    async def story(city: City) -> None:
        city.device.machine.now = BAD_SCREEN
        assert await city.comes_to(await city.roll_out(await city.add("1"))) == "installed"

    play(tmp_path, story)


def test_nothing_is_switched_while_a_resident_is_there(tmp_path: Path) -> None:
    async def story(city: City) -> None:
        city.device.machine.in_session = True
        offer = await city.roll_out(await city.add("1"))
        async with city.device.running() as updater:
            updater.offered(offer)
            await city.device.until_told("installing")
            await until(lambda: bool((city.device.content / "versions" / "1").exists()))
            assert city.device.current() == ""
            city.device.machine.in_session = False
            await city.device.until_told("installed")

    play(tmp_path, story)


def test_what_is_taken_back_while_a_resident_is_there_is_not_installed(tmp_path: Path) -> None:
    async def story(city: City) -> None:
        city.device.machine.in_session = True
        first = await city.roll_out(await city.add("1"))
        async with city.device.running() as updater:
            updater.offered(first)
            await until(lambda: bool((city.device.content / "versions" / "1").exists()))
            updater.offered(None)  # the ring has stopped
            city.device.machine.in_session = False
            updater.offered(second := await city.roll_out(await city.add("2")))
            await city.device.until_told("installed")
            await city.device.until_settled()

        assert {news.rollout for news in city.device.core.told if news.step == "installed"} == {
            second.rollout
        }
        assert city.device.current() == "2"

    play(tmp_path, story)


def test_the_window_is_waited_for_unless_staff_ask(tmp_path: Path) -> None:
    async def story(city: City) -> None:
        core = city.device.core
        hour = int((city.here.door.clock() + 7 * 3600) % 86_400 // 3600)
        closed = Transfer((hour + 2) % 24 * 60, (hour + 3) % 24 * 60)
        offer = await city.roll_out(await city.add("1"), closed)
        async with city.device.running() as updater:
            updater.offered(offer)
            downloads = core.state / "updates" / "downloads"
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.0):
                    await city.device.until_told("downloaded")
            assert not any(path.stat().st_size for path in downloads.iterdir())
            async with asyncio.timeout(20):
                outcome = await updater.refresh()
            assert outcome.succeeded
            assert {finding.name: finding.value for finding in outcome.findings}["content"] == "1"

    play(tmp_path, story)


def test_an_offer_that_is_taken_back_is_dropped(tmp_path: Path) -> None:
    async def story(city: City) -> None:
        bundle = await city.add("7", files.content(more={"a.bin": os.urandom(200_000)}))
        offer = await city.roll_out(bundle, Transfer(cap_bytes_per_s=20_000))
        downloads = city.device.core.state / "updates" / "downloads"
        async with city.device.running() as updater:
            updater.offered(offer)
            await city.device.until_told("downloading")
            await until(lambda: bool(any(path.stat().st_size for path in downloads.iterdir())))
            updater.offered(None)
            await until(lambda: not (list(downloads.iterdir())))
        assert city.device.core.last().step == "downloading"

    play(tmp_path, story)


# --- what is bad is refused, told, and the last good one goes on ---


def test_a_bundle_that_is_not_what_was_signed_is_refused(tmp_path: Path) -> None:
    async def story(city: City) -> None:
        await city.installed("1")
        bundle = await city.add("2", files.content(more={"a.bin": os.urandom(5000)}))
        path = city.repository.path_of(bundle)
        whole = path.read_bytes()
        offer = await city.roll_out(bundle)
        path.write_bytes(whole[:-100] + bytes(100))
        assert await city.comes_to(offer) == "failed bad-hash"
        city.device.core.told.clear()
        path.write_bytes(whole + b"more")
        assert await city.comes_to(msgspec.structs.replace(offer, attempt=2)) == "failed bad-hash"
        assert city.device.current() == "1"
        assert city.device.updater.content() == "1"
        assert not list((city.device.core.state / "updates" / "downloads").iterdir())

    play(tmp_path, story)


def test_a_truncated_bundle_is_waited_for_and_not_installed(tmp_path: Path) -> None:
    async def story(city: City) -> None:
        await city.installed("1")
        bundle = await city.add("2", files.content(more={"a.bin": os.urandom(5000)}))
        path = city.repository.path_of(bundle)
        whole = path.read_bytes()
        offer = await city.roll_out(bundle)
        path.write_bytes(whole[:-100])
        async with city.device.running() as updater:
            updater.offered(offer)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.0):
                    await city.device.until_told("downloaded", "installed", "failed")
            assert city.device.current() == "1"
            path.write_bytes(whole)  # the city has mended it
            await city.device.until_told("installed")

    play(tmp_path, story)


def test_foreign_old_and_mixed_signatures_are_refused(tmp_path: Path) -> None:
    async def story(city: City) -> None:
        await city.installed("1")
        metadata = city.repository.metadata
        old = (metadata / "timestamp.json").read_bytes()
        offer = await city.roll_out(await city.add("2"))
        new = (metadata / "timestamp.json").read_bytes()
        other = Repository(tmp_path / "other")
        other.set_up(city.here.door.clock())
        attempt = 1

        async def refused(code: str, kept: str = "1") -> None:
            nonlocal attempt
            attempt += 1
            city.device.core.told.clear()
            assert await city.comes_to(msgspec.structs.replace(offer, attempt=attempt)) == f"failed {code}"
            assert city.device.current() == kept

        (metadata / "timestamp.json").write_bytes((other.metadata / "timestamp.json").read_bytes())
        await refused("bad-signature")
        (metadata / "timestamp.json").write_bytes(old)
        await refused("unknown-target")  # yesterday's list: the new bundle is not in it
        (metadata / "timestamp.json").write_bytes(new)
        snapshot = sorted(metadata.glob("*.snapshot.json"))[-1]
        whole = snapshot.read_bytes()
        snapshot.write_bytes((metadata / "1.snapshot.json").read_bytes())
        await refused("bad-metadata")
        snapshot.write_bytes(whole)
        city.device.core.now = city.here.door.clock() + 10 * 86_400
        await refused("expired-metadata")
        city.device.core.now = None
        city.device.core.told.clear()
        assert await city.comes_to(msgspec.structs.replace(offer, attempt=99)) == "installed"
        (metadata / "timestamp.json").write_bytes(old)
        offer = msgspec.structs.replace(offer, version="3", bundle=BundleId("content-3"))
        await refused("bad-metadata", kept="2")  # a rollback, now that the newer list is known

    play(tmp_path, story)


def test_a_machine_whose_own_clock_is_wrong_judges_by_the_citys(tmp_path: Path) -> None:
    async def story(city: City) -> None:
        offer = await city.roll_out(await city.add("1"))
        city.device.core.now = city.here.door.clock() + 3 * 86_400
        assert await city.comes_to(offer) == "failed expired-metadata"

    play(tmp_path, story)


def test_unsafe_archives_are_refused_even_if_signed(tmp_path: Path) -> None:
    async def story(city: City) -> None:
        await city.installed("1")
        bad = {
            "slip": (files.content(more={"../../../evil": b"x"}), "unsafe-archive"),
            "bomb": (files.content(more={"zeros": bytes(60 << 20)}), "archive-too-big"),
            "nothing": (files.zipped({"a": b"x"}), "bad-bundle"),
            "nozip": (b"not a zip at all", "bad-bundle"),
        }
        for version, (data, code) in bad.items():
            offer = await city.roll_out(city.sign_unseen(version, data))
            city.device.core.told.clear()
            assert await city.comes_to(offer) == f"failed {code}"
            assert city.device.current() == "1"
        assert not list(tmp_path.rglob("evil"))  # noqa: ASYNC240
        assert [path.name for path in (city.device.content / "versions").iterdir()] == ["1"]

    play(tmp_path, story)


def test_a_bundle_for_other_machines_is_refused(tmp_path: Path) -> None:
    async def story(city: City) -> None:
        offer = await city.roll_out(await city.add("1", needs=Needs(hardware=("K9",))))
        assert await city.comes_to(offer) == "failed wrong-hardware"

    play(tmp_path, story)


def test_a_target_that_is_signed_as_something_else_is_refused(tmp_path: Path) -> None:
    async def story(city: City) -> None:
        await city.add("1")
        offer = await city.roll_out(await city.add("2"))
        lie = msgspec.structs.replace(offer, kind=BundleKind.SOFTWARE)
        assert await city.comes_to(lie) == "failed not-switchable"
        unknown = msgspec.structs.replace(offer, version="77", attempt=2)
        city.device.core.told.clear()
        assert await city.comes_to(unknown) == "failed unknown-target"

    play(tmp_path, story)


def test_a_full_disk_is_told_and_the_old_content_goes_on(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small") as disk:

        async def story(city: City) -> None:
            await city.installed("1")
            offer = await city.roll_out(
                await city.add("2", files.content(more={"a.bin": os.urandom(300_000)}))
            )
            ballast = fill(disk, 200_000)
            assert await city.comes_to(offer) == "failed disk-full"
            ballast.unlink()
            ballast = fill(disk, 450_000)  # room for the file, not for what is in it
            city.device.core.told.clear()
            assert await city.comes_to(msgspec.structs.replace(offer, attempt=2)) == "failed disk-full"
            assert city.device.current() == "1"
            ballast.unlink()
            city.device.core.told.clear()
            assert await city.comes_to(msgspec.structs.replace(offer, attempt=3)) == "installed"

        play(tmp_path, story, state=disk)


def test_an_end_that_cannot_be_kept_is_told_when_there_is_room(tmp_path: Path) -> None:
    async def story(city: City) -> None:
        offer = await city.roll_out(await city.add("1"))
        city.device.core.refusing = True
        async with city.device.running() as updater:
            updater.offered(offer)
            await until(lambda: city.device.current() == "1")
            city.device.core.refusing = False
            await city.device.until_told("installed")

    play(tmp_path, story)


def test_a_switch_that_was_interrupted_is_brought_to_its_end(tmp_path: Path) -> None:
    """The three moments at which the power may go: before the link is moved, after it, after going back."""

    async def story(city: City) -> None:
        await city.installed("1")
        await city.installed("2")
        content, core = city.device.content, city.device.core
        trial = {
            "kind": "content",
            "version": "1",
            "previous": "2",
            "rollout": "r9",
            "bundle": "content-1",
            "attempt": 1,
        }

        (content / "trial.json").write_bytes(msgspec.json.encode(trial))
        async with city.device.running():
            assert (await city.device.until_told("installed")).rollout == RolloutId("r9")
            await city.device.until_settled()
        assert city.device.current() == "1"

        core.told.clear()
        (content / "trial.json").write_bytes(
            msgspec.json.encode({**trial, "version": "2", "previous": "1", "gave_up": "page-not-painted"})
        )
        async with city.device.running():
            assert (await city.device.until_told("returned")).code == "page-not-painted"
            await city.device.until_settled()
        assert city.device.current() == "1"
        assert not (content / "trial.json").exists()

    play(tmp_path, story)


def test_a_bug_in_telling_of_a_bug_ends_no_updates(tmp_path: Path) -> None:
    async def life() -> None:
        core = SmallCore(tmp_path, "http://127.0.0.1:9", "token")
        core.broken = 2
        device = Device(core)
        async with device.running() as updater:
            updater.offered(offer_of("r1", "2", 10, BundleKind.SOFTWARE))

            told = await device.until_told("failed")

        assert core.broken == 0
        assert told.code == "not-switchable"

    asyncio.run(life())
