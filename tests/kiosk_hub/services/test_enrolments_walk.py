"""Devices and staff in any order against the service of enrolments and a real database, with restarts in
between."""

import asyncio
import hashlib
import tempfile
from pathlib import Path
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kiosk_hub.fleet.enrolment import Binding
from kiosk_hub.fleet.ids import EnrolmentId, Fingerprint
from kiosk_hub.fleet.permissions import Grant, Staff
from kiosk_hub.fleet.places import Place
from kiosk_hub.fleet.preauthorisation import Row
from kiosk_hub.fleet.values import DeviceKind, EnrolmentState, FleetRole
from kiosk_hub.services.directory import Directory
from kiosk_hub.services.enrolments import Asking, Enrolments
from kiosk_hub.store.tables import audit
from room_manager.errors import DomainError
from room_manager.ids import SiteId
from room_manager.store.database import Database, open_database
from tests.helpers.databases import new, prepare
from tests.helpers.fleet import Clock, open_directory

KEYS: Final = tuple(bytes([n]) * 32 for n in range(4))
STAFF: Final = (
    Staff("an", "An", Grant(FleetRole.ADMINISTRATOR)),
    Staff("binh", "Bình", Grant(FleetRole.TECHNICIAN, frozenset({"001"}))),
    Staff("chi", "Chi", Grant(FleetRole.TECHNICIAN, frozenset({"002"}))),
)
prepare()


def print_of(key: bytes) -> Fingerprint:
    return Fingerprint(hashlib.sha256(key).hexdigest())


class EnrolmentsWalk(RuleBasedStateMachine):
    """A refusal is fine; anything else is a found bug."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.looks = 0
        self.shown: dict[bytes, tuple[EnrolmentId, str]] = {}
        self.told: dict[bytes, str] = {}
        self.approved: set[bytes] = set()
        self.database: Database
        self.directory: Directory
        self.service: Enrolments

    @initialize()
    def begin(self) -> None:
        self.url = new(Path(self.folder.name))
        self.loop.run_until_complete(self._open())

    async def _open(self) -> None:
        self.database = await open_database(self.url)
        self.directory = await open_directory(self.database, self.clock)
        self.service = Enrolments(self.directory, self.clock, self.clock)
        await self.service.start()

    async def _close(self) -> None:
        await self.service.close()
        await self.database.close()

    def teardown(self) -> None:
        if hasattr(self, "service"):
            self.loop.run_until_complete(self._close())
        self.loop.close()
        self.folder.cleanup()

    @rule()
    def restart(self) -> None:
        self.loop.run_until_complete(self._close())
        self.loop.run_until_complete(self._open())

    @rule(wait_s=st.sampled_from([1.0, 120.0, 700.0, 4_000.0]))
    def wait(self, wait_s: float) -> None:
        self.clock.now += wait_s
        self.loop.run_until_complete(self.service.forget_ended())

    @rule(key=st.sampled_from(KEYS))
    def ask(self, key: bytes) -> None:
        asking = Asking(key, print_of(key), DeviceKind.KIOSK, "box", "1", "192.0.2.1")
        try:
            found, code = self.loop.run_until_complete(self.service.ask(asking))
        except DomainError:
            return
        assert bool(code) == (found.state is EnrolmentState.WAITING)
        if found.state is EnrolmentState.BOUND:
            self.approved.add(key)
        self.shown[key] = (found.id, code)

    @rule(key=st.sampled_from(KEYS))
    def look(self, key: bytes) -> None:
        if key not in self.shown:
            return
        self.looks += 1
        try:
            seen, device = self.loop.run_until_complete(self.service.look(self.shown[key][0], self.looks))
        except DomainError:
            return
        assert (device is not None) == (seen.state is EnrolmentState.COLLECTED)
        if device is not None:
            assert key in self.approved, "let in without anybody's word"
            assert self.told.setdefault(key, device.id) == device.id, "one key became two devices"

    @rule(
        key=st.sampled_from(KEYS),
        other=st.sampled_from(KEYS),
        staff=st.sampled_from(STAFF),
        unit=st.sampled_from(["00001", "00003", "99999"]),
    )
    def bind(self, key: bytes, other: bytes, staff: Staff, unit: str) -> None:
        if key not in self.shown:
            return
        id, code = self.shown[key]
        binding = Binding("Ki-ốt", DeviceKind.KIOSK, Place(SiteId(unit)))
        try:
            self.loop.run_until_complete(self.service.bind(staff, id, code, print_of(other), binding))
        except DomainError:
            return
        assert key == other
        assert staff.grant.covers(self.directory.geography.district_of(SiteId(unit)))
        self.approved.add(key)

    @rule(key=st.sampled_from(KEYS), staff=st.sampled_from(STAFF))
    def refuse(self, key: bytes, staff: Staff) -> None:
        if key not in self.shown:
            return
        try:
            self.loop.run_until_complete(self.service.refuse(staff, self.shown[key][0], "lạ"))
        except DomainError:
            return

    @rule(key=st.sampled_from(KEYS))
    def expect(self, key: bytes) -> None:
        row = Row(2, print_of(key), Binding("Ki-ốt", DeviceKind.KIOSK, Place(SiteId("00001"))))
        if not self.service.faults_of([row]):
            self.loop.run_until_complete(self.service.expect(STAFF[0], [row]))

    @rule(staff=st.sampled_from(STAFF), guess=st.sampled_from(["AAAAAA", "CCCCCC", "x"]))
    def guess(self, staff: Staff, guess: str) -> None:
        try:
            self.loop.run_until_complete(self.service.find(staff, guess))
        except DomainError:
            return
        assert guess in {code for _, code in self.shown.values()}

    @invariant()
    def every_code_is_of_one_that_waits(self) -> None:
        if not hasattr(self, "service"):
            return
        service = self.service
        assert {id: code for code, id in service._shown.items()} == service._code
        waiting = {id for id, one in service._all.items() if one.state is EnrolmentState.WAITING}
        assert set(service._code) == waiting

    @invariant()
    def every_device_has_its_entry(self) -> None:
        if not hasattr(self, "service"):
            return

        async def count() -> int:
            async with self.database.read() as connection:
                rows = await connection.execute(audit.select().where(audit.c.action == "collect-credential"))
                return len(rows.all())

        assert len(self.directory) == self.loop.run_until_complete(count())


EnrolmentsWalk.TestCase.settings = settings(max_examples=12, stateful_step_count=30, deadline=None)
TestEnrolmentsWalk = EnrolmentsWalk.TestCase


def test_an_expected_device_that_asks_twice_at_once_is_bound_once(tmp_path: Path) -> None:
    async def story() -> None:
        database = await open_database(new(tmp_path))
        try:
            directory = await open_directory(database, Clock())
            service = Enrolments(directory, directory.clock, directory.clock)
            binding = Binding("Ki-ốt 1", DeviceKind.KIOSK, Place(SiteId("00001")))
            await service.expect(STAFF[0], [Row(1, print_of(KEYS[0]), binding)])
            asking = Asking(KEYS[0], print_of(KEYS[0]), DeviceKind.KIOSK, "box", "1", "192.0.2.1")

            first, second = await asyncio.gather(service.ask(asking), service.ask(asking))

            assert first == second
            assert len(service.waiting()) == 1
        finally:
            await database.close()

    asyncio.run(story())
