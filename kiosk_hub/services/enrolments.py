"""Devices on their way in. Who waits, and which code each shows, is in memory only: what nobody has vouched
for costs no disk, and a server that starts anew finds none waiting; the devices ask again and show new
codes."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from kiosk_hub.fleet import codes, enrolment, lifecycle
from kiosk_hub.fleet.codes import UnknownCode, WrongCodes
from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.enrolment import Binding, Enrolment, Step, UnknownEnrolment, WrongFingerprint
from kiosk_hub.fleet.ids import DeviceId, EnrolmentId, Fingerprint
from kiosk_hub.fleet.permissions import Action, Staff, check
from kiosk_hub.fleet.preauthorisation import Expected, Fault, Row
from kiosk_hub.fleet.values import DeviceKind, EnrolmentState
from kiosk_hub.ports import Feed
from kiosk_hub.services.directory import Directory
from kiosk_hub.store import audit
from kiosk_hub.store import enrolments as store
from room_manager.errors import Busy, UnknownSite

MAX_WAITING: Final = 2_000
SWEEP_EVERY_S: Final = 20.0

log = logging.getLogger(__name__)


class Asking(Struct, frozen=True):
    """A device that asks to be let in; that it has the key is proved already."""

    public_key: bytes
    fingerprint: Fingerprint
    kind: DeviceKind
    hardware: str
    agent: str
    address: str


class Enrolments:
    """Owns the enrolments, the codes and the list of the expected."""

    def __init__(
        self, directory: Directory, clock: Callable[[], float], monotonic: Callable[[], float]
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._monotonic = monotonic
        self._all: dict[EnrolmentId, Enrolment] = {}
        self._by_key: dict[Fingerprint, EnrolmentId] = {}
        self._shown: dict[str, EnrolmentId] = {}  # by code
        self._code: dict[EnrolmentId, str] = {}
        self._expected: dict[Fingerprint, Expected] = {}
        self._deciding = asyncio.Lock()
        """Held from looking at an enrolment to having stored what became of it."""
        self._wrong = WrongCodes()
        self._sweeping: asyncio.Task[None] | None = None
        self.feed: Feed | None = None

    async def start(self) -> None:
        for kept in await store.load(self._directory.database):
            self._remember(kept)
        self._expected = {one.fingerprint: one for one in await store.load_expected(self._directory.database)}
        self._sweeping = asyncio.create_task(self._sweep(), name="expired enrolments")

    async def close(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._sweeping

    # --- what a device asks ---

    async def ask(self, asking: Asking) -> tuple[Enrolment, str]:
        """Its enrolment and the code to show, empty if it needs none. The same key asking again goes on
        with its own; one that is enrolled already finds itself; one that is expected is bound at once.

        Raises ``Quarantined``, ``Retired``, ``Busy``.
        """
        now = self._clock()
        device = self._directory.by_key(asking.fingerprint)
        if device is not None:
            lifecycle.check_let_in(device)
            return self._found_itself(asking, device, now), ""
        before = self._current(self._by_key.get(asking.fingerprint))
        if before is not None and before.state in (EnrolmentState.WAITING, EnrolmentState.BOUND):
            return before, self._code.get(before.id, "")
        if self._waiting() >= MAX_WAITING:
            raise Busy("too many devices wait to be let in; try again in some minutes")
        fresh = self._new(asking, now)
        if asking.fingerprint in self._expected:
            async with self._deciding:  # asked twice at once, it is bound once
                before = self._current(self._by_key.get(asking.fingerprint))
                if before is not None and before.state is EnrolmentState.BOUND:
                    return before, ""
                expected = self._expected.get(asking.fingerprint)
                if expected is not None:
                    return await self._bind_expected(fresh, expected), ""
        code = self._new_code()
        self._remember(fresh)
        self._shown[code] = fresh.id
        self._code[fresh.id] = code
        self._changed()
        return fresh, code

    def known(self, id: EnrolmentId) -> Enrolment:
        """Raises ``UnknownEnrolment``."""
        found = self._current(id)
        if found is None:
            raise UnknownEnrolment("there is no such enrolment; the device asks anew")
        return found

    async def look(self, id: EnrolmentId, counter: int) -> tuple[Enrolment, Device | None]:
        """The device asks how far it is, its key proved; one that is bound collects its credential by this.

        Raises ``UnknownEnrolment``, ``Replayed``, ``Quarantined``, ``Retired``, and what the store raises.
        """
        looked = enrolment.looked(self.known(id), counter)
        self._all[id] = looked
        if looked.state is EnrolmentState.BOUND:
            async with self._deciding:
                looked = self.known(id)
                if looked.state is EnrolmentState.BOUND:
                    looked = await self._collect(looked)
        if looked.device is None:
            return looked, None
        device = self._directory.get(looked.device)
        lifecycle.check_let_in(device)
        return looked, device

    # --- what staff ask ---

    def waiting(self) -> list[Enrolment]:
        """All that are not at an end, and those that ended lately; the newest first."""
        current = (self._current(id) for id in list(self._all))
        return sorted((one for one in current if one is not None), key=lambda one: -one.asked_at)

    async def find(self, staff: Staff, typed: str) -> Enrolment:
        """Who shows this code. A wrong one is counted and kept in the audit.

        Raises ``Invalid`` (no code at all), ``TooManyWrongCodes``, ``UnknownCode``.
        """
        self._wrong.check(staff.account, self._monotonic())
        code = codes.normalised(typed)
        found = self._current(self._shown.get(code))
        if found is not None and found.state is EnrolmentState.WAITING:
            return found
        locked = self._wrong.wrong(staff.account, self._monotonic())
        if codes.EVERYBODY in locked:
            self._withdraw_codes()
        await self._note(
            staff, "look-up-code", UnknownCode.code, {"locked": " ".join(rule.name for rule in locked)}
        )
        self._wrong.check(staff.account, self._monotonic())
        raise UnknownCode("no device shows this code now; codes are good for ten minutes")

    async def bind(
        self, staff: Staff, id: EnrolmentId, typed: str, seen: Fingerprint, binding: Binding
    ) -> Enrolment:
        """The device may collect its credential.

        Raises as :meth:`find`, and ``WrongFingerprint``, ``WrongState``, ``UnknownSite``, ``NotAllowed``.
        """
        self._check_place(staff, binding)
        async with self._deciding:
            found = await self.find(staff, typed)
            if found.id != id:
                raise WrongFingerprint("this code belongs to another device than the one you looked at")
            now = self._clock()
            try:
                bound = enrolment.bind(found, binding, seen, staff.account, now)
            except WrongFingerprint:
                self._remember(enrolment.mistaken(found, now))
                await self._note(staff, "bind-device", WrongFingerprint.code, {"enrolment": id})
                self._changed()
                raise
            await self._keep(bound, self._bound_entry(bound, staff))
            return bound

    async def refuse(self, staff: Staff, id: EnrolmentId, text: str) -> Enrolment:
        """It is not let in. Raises ``UnknownEnrolment``, ``WrongState``, ``NotAllowed``."""
        async with self._deciding:
            found = self.known(id)
            if found.binding is not None:
                check(staff, Action.ENROL, self._directory.geography.district_of(found.binding.place.unit))
            refused = enrolment.refuse(found, text, staff.account, self._clock())
            values = {"fingerprint": refused.fingerprint, "hardware": refused.hardware, "text": text}
            entry = audit.Entry("refuse-device", staff.account, address=staff.address, values={**values})
            await self._keep(refused, entry)
            return refused

    # --- the expected ---

    def expected(self) -> Iterable[Expected]:
        return self._expected.values()

    def faults_of(self, rows: Sequence[Row]) -> list[Fault]:
        """What is wrong with lines that read well."""
        faults = []
        for row in rows:
            if self._directory.geography.unit(row.binding.place.unit) is None:
                faults.append(Fault(row.line, UnknownSite.code, "this unit is not on the roster"))
            if self._directory.by_key(row.fingerprint) is not None:
                faults.append(Fault(row.line, "enrolled", "a device with this key is enrolled already"))
        return faults

    async def expect(self, staff: Staff, rows: Sequence[Row]) -> None:
        """All of them, or none. Raises ``UnknownSite``, ``NotAllowed``."""
        for row in rows:
            self._check_place(staff, row.binding, Action.PREAUTHORISE)
        now = self._clock()
        many = [Expected(row.fingerprint, row.binding, staff.account, now) for row in rows]
        async with self._directory.database.write() as connection:
            await store.expect(connection, many)
            for one in many:
                place = one.binding.place
                values = {"fingerprint": one.fingerprint, "name": one.binding.name, "unit": place.unit}
                entry = audit.Entry("expect-device", staff.account, address=staff.address, values={**values})
                await audit.append(connection, entry, now)
        self._expected.update((one.fingerprint, one) for one in many)
        self._changed()

    async def expect_no_more(self, staff: Staff, fingerprint: Fingerprint) -> None:
        """Raises ``UnknownEnrolment``."""
        if fingerprint not in self._expected:
            raise UnknownEnrolment("no device with this fingerprint is expected")
        async with self._directory.database.write() as connection:
            await store.expect_no_more(connection, fingerprint)
            values = {"fingerprint": fingerprint}
            entry = audit.Entry(
                "expect-device-no-more", staff.account, address=staff.address, values={**values}
            )
            await audit.append(connection, entry, self._clock())
        self._expected.pop(fingerprint, None)
        self._changed()

    # --- inside ---

    def _check_place(self, staff: Staff, binding: Binding, action: Action = Action.ENROL) -> None:
        if self._directory.geography.unit(binding.place.unit) is None:
            raise UnknownSite("this unit is not on the roster")
        check(staff, action, self._directory.geography.district_of(binding.place.unit))

    def _new(self, asking: Asking, now: float) -> Enrolment:
        return Enrolment(
            id=EnrolmentId(secrets.token_urlsafe(12)),
            state=EnrolmentState.WAITING,
            public_key=asking.public_key,
            fingerprint=asking.fingerprint,
            kind=asking.kind,
            hardware=asking.hardware,
            agent=asking.agent,
            address=asking.address,
            asked_at=now,
            expires_at=now + enrolment.WAITS_S,
        )

    def _found_itself(self, asking: Asking, device: Device, now: float) -> Enrolment:
        before = self._current(self._by_key.get(asking.fingerprint))
        if before is not None and before.state is EnrolmentState.COLLECTED:
            return before
        fresh = self._new(asking, now)
        found = replace(fresh, state=EnrolmentState.COLLECTED, device=device.id)
        self._remember(found)
        return found

    async def _bind_expected(self, fresh: Enrolment, expected: Expected) -> Enrolment:
        now = self._clock()
        bound = enrolment.bind(fresh, expected.binding, fresh.fingerprint, expected.added_by, now)
        bound = replace(bound, preauthorised=True)
        await self._keep(bound, self._bound_entry(bound, None))
        return bound

    async def _collect(self, bound: Enrolment) -> Enrolment:
        now = self._clock()
        collected, device = enrolment.collect(bound, self._new_device_id(), now)
        async with self._directory.change() as change:
            await change.put(device)
            await store.put(change.connection, collected)
            await store.expect_no_more(change.connection, device.fingerprint)
            values = {"name": device.name, "unit": device.place.unit, "fingerprint": device.fingerprint}
            await change.note(
                audit.Entry("collect-credential", device=device.id, address=bound.address, values={**values})
            )
        self._expected.pop(device.fingerprint, None)
        self._remember(collected)
        log.info("= device %s enrolled", device.id)
        self._changed()
        return collected

    async def _keep(self, changed: Enrolment, entry: audit.Entry) -> None:
        async with self._directory.database.write() as connection:
            await store.put(connection, changed)
            await audit.append(connection, entry, self._clock())
        self._remember(changed)
        self._changed()

    def _bound_entry(self, bound: Enrolment, staff: Staff | None) -> audit.Entry:
        assert bound.binding is not None
        return audit.Entry(
            "bind-device",
            bound.bound_by,
            address=staff.address if staff is not None else bound.address,
            values={
                "enrolment": bound.id,
                "name": bound.binding.name,
                "unit": bound.binding.place.unit,
                "fingerprint": bound.fingerprint,
                "preauthorised": bound.preauthorised,
            },
        )

    async def _note(self, staff: Staff, action: str, result: str, values: dict[str, str]) -> None:
        entry = audit.Entry(action, staff.account, address=staff.address, result=result, values={**values})
        async with self._directory.database.write() as connection:
            await audit.append(connection, entry, self._clock())
        if self.feed is not None:
            self.feed.audit_changed()

    def _remember(self, one: Enrolment) -> None:
        newer = self._all.get(one.id)
        if newer is not None and newer.counter > one.counter:
            one = replace(one, counter=newer.counter)  # it has looked while we wrote
        self._all[one.id] = one
        self._by_key[one.fingerprint] = one.id
        if one.state is not EnrolmentState.WAITING:
            code = self._code.pop(one.id, None)
            if code is not None:
                del self._shown[code]

    def _current(self, id: EnrolmentId | None) -> Enrolment | None:
        """As time has made it."""
        found = self._all.get(id) if id is not None else None
        return enrolment.as_of(found, self._clock()) if found is not None else None

    def _waiting(self) -> int:
        return len(self._code)

    def _withdraw_codes(self) -> None:
        now = self._clock()
        for id in list(self._code):
            one = self._current(id)
            if one is not None and one.state is EnrolmentState.WAITING:
                self._remember(enrolment.step(one, Step.LOCK, now))
        self._changed()

    def _new_code(self) -> str:
        while True:
            code = "".join(secrets.choice(codes.ALPHABET) for _ in range(codes.LENGTH))
            if code not in self._shown:
                return code

    def _new_device_id(self) -> DeviceId:
        while True:
            id = DeviceId("".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(10)))
            if self._directory.find(id) is None:
                return id

    def _changed(self) -> None:
        if self.feed is not None:
            self.feed.enrolments_changed()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            try:
                await self.forget_ended()
            except Exception:
                log.exception("! forgetting old enrolments failed; next time again")

    async def forget_ended(self) -> None:
        """Those whose time has come are expired; those that ended long ago are known no more."""
        gone = False
        for id, one in list(self._all.items()):
            now_is = self._current(id)
            if now_is is one:
                continue
            if now_is is not None:
                self._remember(now_is)
                gone = True
                continue
            del self._all[id]
            code = self._code.pop(id, None)
            if code is not None:
                del self._shown[code]
            if self._by_key.get(one.fingerprint) == id:
                del self._by_key[one.fingerprint]
            gone = gone or one.state is not EnrolmentState.WAITING
        if gone:
            async with self._directory.database.write() as connection:
                await store.forget_expired(connection, self._clock() - enrolment.KNOWN_AFTER_S)
            self._changed()
