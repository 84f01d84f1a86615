"""Devices that are let in: their hellos, their keys, and who is kept out."""

import logging
from collections.abc import Callable, Sequence

from msgspec import Struct

from kiosk_hub.fleet import clones, lifecycle
from kiosk_hub.fleet.clones import Sign
from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.errors import ClonedKey
from kiosk_hub.fleet.ids import DeviceId, Fingerprint
from kiosk_hub.fleet.lifecycle import CLONED, Step
from kiosk_hub.fleet.news import DeviceTime, LogLine
from kiosk_hub.fleet.permissions import Action, Staff, check
from kiosk_hub.fleet.values import DeviceState
from kiosk_hub.ports import Diary, Switchboard
from kiosk_hub.services.batches import Batches
from kiosk_hub.services.directory import Directory
from kiosk_hub.store import audit
from room_manager.errors import DomainError

ACTION_OF = {Step.QUARANTINE: Action.QUARANTINE, Step.RELEASE: Action.QUARANTINE, Step.RETIRE: Action.RETIRE}

log = logging.getLogger(__name__)


class Proved(Struct, frozen=True):
    """A hello whose signature is good: by ``key``, one of the device's own."""

    device: DeviceId
    at: DeviceTime
    key: bytes
    fingerprint: Fingerprint


class Identities:
    """Says who is let in, and remembers on disk before it says so. ``diary`` may come later."""

    def __init__(self, directory: Directory, switchboard: Switchboard, clock: Callable[[], float]) -> None:
        self._directory = directory
        self._switchboard = switchboard
        self._clock = clock
        self._hellos: Batches[Proved, Device] = Batches("hellos", self._let_in)
        self.diary: Diary | None = None

    def start(self) -> None:
        self._hellos.start()

    async def close(self) -> None:
        await self._hellos.close()

    # --- hellos ---

    async def let_in(self, hello: Proved) -> Device:
        """The record, with this hello's counter on the disk.

        Raises ``Quarantined``, ``Retired``, ``BadSignature``, ``UnknownDevice``, ``ClonedKey`` (and the
        device is quarantined), or what the store raises.
        """
        try:
            return await self._hellos.put(hello)
        except _LooksCloned as found:
            await self.cloned(hello.device, found.sign)
            raise ClonedKey(
                "this key is in use on two machines, or its disk was put back; staff decide"
            ) from None

    async def _let_in(self, hellos: Sequence[Proved]) -> Sequence[Device | Exception]:
        results: list[Device | Exception] = []
        async with self._directory.change() as change:
            latest: dict[DeviceId, Device] = {}
            for hello in hellos:
                try:
                    before = latest.get(hello.device) or change.get(hello.device)
                    after = self._judge(before, hello)
                except DomainError as refusal:
                    results.append(refusal)
                    continue
                if after.public_key != before.public_key:
                    values = {"before": before.fingerprint, "after": after.fingerprint}
                    await change.note(audit.Entry("replace-key", device=after.id, values={**values}))
                latest[after.id] = after
                results.append(after)
            await change.put_all(list(latest.values()))
        return results

    def _judge(self, device: Device, hello: Proved) -> Device:
        lifecycle.check_let_in(device)
        sign = clones.sign_of_a_clone(device, hello.at)
        if sign is not None:
            raise _LooksCloned(sign)
        return lifecycle.opened_line(device, hello.at, hello.key, hello.fingerprint)

    async def cloned(self, id: DeviceId, sign: Sign) -> None:
        """Two machines have this device's key: neither is let in until staff have looked."""
        async with self._directory.change() as change:
            device = change.get(id)
            if device.state is not DeviceState.ACTIVE:
                return
            await change.put(lifecycle.take(device, Step.QUARANTINE, CLONED))
            await change.note(
                audit.Entry(
                    "quarantine", device=id, result=CLONED, values={"sign": sign, "boot": device.boot}
                )
            )
        log.warning("! device %s quarantined: %s", id, sign)
        if self.diary is not None:
            self.diary.note(id, LogLine("error", CLONED, sign), self._clock())
        self._switchboard.hang_up(id, "quarantined", "this device is quarantined until staff release it")

    # --- what staff decide ---

    async def take(self, staff: Staff, id: DeviceId, step: Step, reason: str = "") -> Device:
        """Raises ``UnknownDevice``, ``NotAllowed``, ``WrongState``, ``Invalid``."""
        async with self._directory.change() as change:
            device = change.get(id)
            check(staff, ACTION_OF[step], self._directory.district_of(device))
            after = lifecycle.take(device, step, reason)
            await change.put(after)
            await change.note(
                audit.Entry(step.value, staff.account, id, staff.address, values={"reason": reason.strip()})
            )
        if after.state is DeviceState.QUARANTINED:
            self._switchboard.hang_up(id, "quarantined", "this device is quarantined until staff release it")
        elif after.state is DeviceState.RETIRED:
            self._switchboard.hang_up(id, "retired", "this device is retired")
        return after

    async def ask_rotation(self, staff: Staff, id: DeviceId) -> Device:
        """It makes a new key when it is welcomed next; if it is connected, that is at once.

        Raises ``UnknownDevice``, ``NotAllowed``, ``WrongState``.
        """
        async with self._directory.change() as change:
            device = change.get(id)
            check(staff, Action.QUARANTINE, self._directory.district_of(device))
            after = lifecycle.ask_rotation(device)
            await change.put(after)
            await change.note(audit.Entry("rotate-key", staff.account, id, staff.address))
        self._switchboard.hang_up(id, "come-back", "come back for what has changed")
        return after


class _LooksCloned(DomainError):
    code = CLONED

    def __init__(self, sign: Sign) -> None:
        super().__init__(sign)
        self.sign = sign
