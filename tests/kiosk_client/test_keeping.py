"""What is kept on the disk: key, counter, store; over power cuts, torn writes, full and damaged disks."""

import asyncio
import contextlib
import sqlite3
import stat
import subprocess
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk_client import identity
from kiosk_client.counter import BLOCK, Counter
from kiosk_client.errors import BadState, NotAvailable, NotKept
from kiosk_client.evidence import MOST_FILES, EvidenceFiles
from kiosk_client.folder import SLOT_BYTES, DiskFolder, MemoryFolder
from kiosk_client.identity import Identity
from kiosk_client.key import FileKeys, TpmKeys
from kiosk_client.ledger import Ledger
from kiosk_client.outbox import Outbox
from kiosk_client.ports import Evidence
from kiosk_client.store import Store
from signaling.wire.kiosk.device import Beat, DeviceHello
from signaling.wire.kiosk.fingerprint import raw_key
from signaling.wire.kiosk.words import CommandId, DeviceId, DeviceTime, LogLine, Order, RestartPage
from tests.helpers.disks import fill, small_disk
from tests.helpers.loop import run_virtual
from tests.helpers.toy_city import CITY_EPOCH, SETTINGS, ToyCity, toy_device

AT = DeviceTime("boot-0001", 1, 1.0, 1.0)


def wall() -> float:
    return CITY_EPOCH


class FullFolder(MemoryFolder):
    """A disk that takes nothing, not even in place."""

    full = False

    def overwrite(self, name: str, slot: int, data: bytes) -> None:
        if self.full:
            raise NotKept("read-only")
        super().overwrite(name, slot, data)


def test_a_key_is_made_once_and_its_owner_alone_may_read_it(tmp_path: Path) -> None:
    folder = DiskFolder(tmp_path / "state")
    key = FileKeys(folder).current()

    again = FileKeys(folder).current()

    assert again.public == key.public
    assert stat.S_IMODE((tmp_path / "state" / "device.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    raw = raw_key(key.public)
    assert raw is not None
    assert len(key.sign(b"text")) == 86
    Ed25519PublicKey.from_public_bytes(raw)


def test_a_file_that_holds_no_key_is_not_replaced_by_a_new_one(tmp_path: Path) -> None:
    folder = DiskFolder(tmp_path)
    folder.write("device.key", b"rubbish")

    with pytest.raises(BadState, match="does not hold a key"):
        FileKeys(folder).current()

    assert folder.read("device.key") == b"rubbish"


def test_a_tpm_is_honest_about_not_being_there() -> None:
    with pytest.raises(NotAvailable):
        TpmKeys()


def test_two_agents_do_not_run_on_one_folder(tmp_path: Path) -> None:
    first, second = DiskFolder(tmp_path), DiskFolder(tmp_path)
    first.lock()

    with pytest.raises(BadState, match="another agent"):
        second.lock()

    first.unlock()
    second.lock()
    second.unlock()


def test_an_identity_belongs_to_one_city_and_a_damaged_one_to_none() -> None:
    folder = MemoryFolder("x")
    kept = Identity("https://one.example", DeviceId("d1"), SETTINGS)
    identity.keep(folder, kept)

    assert identity.load(folder, "https://one.example") == kept
    assert identity.load(folder, "https://two.example") is None
    folder.write(identity.NAME, b'{"server": "https://one.ex')
    assert identity.load(folder, "https://one.example") is None


def test_numbers_grow_over_every_start() -> None:
    folder = MemoryFolder("x")
    last = 0
    for _ in range(5):
        counter = Counter(folder, wall)
        for _ in range(3):
            number = counter.next()
            assert number > last
            last = number


def test_numbers_grow_over_a_torn_write() -> None:
    folder = MemoryFolder("x")
    for _ in range(4):
        last = Counter(folder, wall).next()
        data = folder.files["counter"]
        newest = max((0, 1), key=lambda slot: data[slot * SLOT_BYTES : (slot + 1) * SLOT_BYTES])
        torn = bytearray(data)
        torn[newest * SLOT_BYTES + 2] ^= 0xFF

        folder.files["counter"] = bytes(torn)
        # The block of the torn slot was never used: a reservation is whole before its first number is.
        after = Counter(folder, wall).next()
        folder.files["counter"] = data

        assert after > 0
        assert last > 0


def test_numbers_grow_over_one_start_on_a_disk_that_takes_nothing() -> None:
    folder = FullFolder("x")
    first = Counter(folder, wall).next()

    folder.full = True
    counter = Counter(folder, wall)
    second = counter.next()
    assert not counter.durable

    folder.full = False
    third = Counter(folder, wall).next()
    assert first < second < third


def test_numbers_grow_over_many_starts_on_a_disk_that_takes_nothing() -> None:
    folder = FullFolder("x")
    last = Counter(folder, wall).next()

    folder.full = True
    for start in range(50):
        counter = Counter(folder, lambda: CITY_EPOCH + 15.0 * start)  # noqa: B023
        for _ in range(20):
            number = counter.next()
            assert number > last
            last = number

    folder.full = False
    assert Counter(folder, wall).next() > last


def test_a_counter_goes_on_above_what_the_city_has_heard() -> None:
    folder = MemoryFolder("x")
    counter = Counter(folder, wall)
    counter.at_least(7 * BLOCK + 5)

    assert counter.next() == 7 * BLOCK + 6
    assert Counter(folder, wall).next() > 7 * BLOCK + 6

    counter.at_least(2**53)  # a city that lies must not make the device mute for good
    assert counter.next() < 8 * BLOCK


def test_a_damaged_store_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "agent.db"
    path.write_bytes(b"this is no database at all, whatever its name says" * 100)

    store = Store(str(path))

    assert store.put_aside
    Outbox(store).put(LogLine("info", "x"), AT, None)
    store.close()
    assert list(tmp_path.glob("agent.db.damaged-*"))


def test_a_store_with_one_damaged_page_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "agent.db"
    store = Store(str(path))
    outbox = Outbox(store)
    for _ in range(50):
        outbox.put(LogLine("info", "x", "y" * 300), AT, None)
    store.close()
    data = bytearray(path.read_bytes())
    data[4096:4296] = b"Z" * 200
    path.write_bytes(data)

    store = Store(str(path))

    assert store.put_aside
    outbox = Outbox(store)
    outbox.put(LogLine("info", "after"), AT, None)
    assert outbox.depth == 1
    store.close()


def test_what_newer_software_kept_waits_for_it_and_holds_up_nobody() -> None:
    store = Store(":memory:")
    outbox = Outbox(store)
    with store.write() as connection:
        for number in range(20):
            connection.execute(
                "INSERT INTO outbox (key, rank, at, news) VALUES (?, 0, ?, ?)",
                (f"newer-{number}", msgspec.json.encode(AT), b'{"type":"tomorrow"}'),
            )
        for id_, state in (("c1", "waiting"), ("c2", "begun")):
            connection.execute(
                "INSERT INTO orders (id, state, ends_at, body, boot, run) VALUES (?, ?, 1, ?, 'b', 'r')",
                (id_, state, b'{"id":"c1","do":{"type":"tomorrow"},"expires_at":1}'),
            )
    outbox.put(LogLine("info", "today"), AT, None)

    (told,) = outbox.pending(16)
    ledger = Ledger(store, outbox)

    assert isinstance(told.news, LogLine)
    assert not ledger.waiting()
    assert not ledger.begun
    ledger.take_back(CommandId("c1"), 2.0)
    assert store.read("SELECT count(*) FROM outbox") == [(21,)]
    store.close()


def test_a_store_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "agent.db"
    with sqlite3.connect(path) as later:
        later.execute("PRAGMA user_version = 99")
    later.close()

    with pytest.raises(BadState, match="another version"):
        Store(str(path))


def test_a_full_disk_refuses_loses_nothing_and_needs_no_restart(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        folder = DiskFolder(disk / "state")
        FileKeys(folder).current()
        counter = Counter(folder, wall)
        store = Store(folder.database)
        outbox = Outbox(store)
        outbox.put(LogLine("info", "before"), AT, None)
        ballast = fill(disk)

        kept = 1
        while not store.failed:
            with contextlib.suppress(NotKept):
                outbox.put(LogLine("info", "within", "x" * 400), AT, None)
                kept += 1
            assert kept < 450
        with pytest.raises(NotKept):
            folder.write("identity.json", bytes(9_000))
        assert folder.read("identity.json") is None
        counter.at_least(10 * BLOCK)
        assert counter.next() > 10 * BLOCK
        assert counter.durable  # in place, also on a full disk

        ballast.unlink()
        outbox.put(LogLine("info", "after"), AT, None)
        assert not store.failed
        codes = [one.news.code for one in outbox.pending(10_000) if isinstance(one.news, LogLine)]
        assert codes[0] == "before"
        assert codes[-1] == "after"
        assert len(codes) == kept + 1 == outbox.depth
        store.close()


def test_an_agent_on_a_read_only_disk_says_so_and_takes_no_orders(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        state = disk / "state"
        before = ToyCity()
        run_virtual(_beats_once(before, DiskFolder(state)))
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)

        city = ToyCity()
        run_virtual(_beats_once(city, DiskFolder(state), order=True))

        assert [beat.facts.disk.writable for beat in before.all(Beat)] == [True]
        assert not any(beat.facts.disk.writable for beat in city.all(Beat))
        assert city.asked == 0  # it knows who it is
        assert city.acknowledged() == []
        hellos = [*before.all(DeviceHello), *city.all(DeviceHello)]
        assert hellos[0].at.counter < hellos[1].at.counter
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)


async def _beats_once(city: ToyCity, folder: DiskFolder, order: bool = False) -> None:
    store = Store.or_refusing(folder.database)
    async with toy_device(city, folder=folder, store=store):
        async with asyncio.timeout(1_000):
            while not city.all(Beat):  # noqa: ASYNC110 - of another one's list
                await asyncio.sleep(0.05)
        if order:
            city.order(Order(CommandId("c1"), RestartPage(), CITY_EPOCH + 3_600))
            await asyncio.sleep(60)


def test_evidence_is_bounded_and_what_no_report_names_is_cleared_out() -> None:
    folder = MemoryFolder("x")
    files = EvidenceFiles(folder)
    _, needed = files.keep(Evidence("screenshot", b"picture"))
    for _ in range(MOST_FILES - 1):
        files.keep(Evidence("log", b"lines"))

    with pytest.raises(NotKept):
        files.keep(Evidence("log", b"one more"))
    files.clear_out(frozenset({needed}))

    assert folder.names("evidence-") == [needed]
    assert files.read(needed) == ("screenshot", b"picture")
