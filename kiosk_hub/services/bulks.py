"""One act for many devices: looked at first, then done to exactly those that were shown.

A dry run is kept in memory for a quarter of an hour under a token; the act names the token. A bulk and all
its commands are one transaction: there are all of them, or none.
"""

import asyncio
import secrets
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from typing import ClassVar, Final, Protocol

from msgspec import Struct

from kiosk_hub.fleet import bulks as rules
from kiosk_hub.fleet import commands as command_rules
from kiosk_hub.fleet.acts import name_of, needs_second
from kiosk_hub.fleet.bulks import Bulk, Fate, Look, Pace, Selection
from kiosk_hub.fleet.commands import OPEN, Command, CommandState, Plan
from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.ids import BulkId, CommandId, DeviceId
from kiosk_hub.fleet.orders import AnyAct
from kiosk_hub.fleet.permissions import Action, Staff, check
from kiosk_hub.services.command_audit import deed_entry
from kiosk_hub.services.commands import Commands, KeyReused, new_id
from kiosk_hub.services.directory import Directory
from kiosk_hub.store import audit
from kiosk_hub.store import bulks as store
from kiosk_hub.store import commands as command_store
from room_manager.errors import DomainError, Invalid, Limit, Stale, WrongState
from room_manager.store.database import Database

SHOWN_FOR_S: Final = 900.0
MOST_SHOWN: Final = 50
YIELD_EACH: Final = 250
MOST_LISTED: Final = 200


class UnknownBulk(DomainError):
    """There is no such bulk (in this person's sight)."""

    code: ClassVar[str] = "unknown-bulk"


class Looks(Protocol):
    """How a device is now; None: nothing is known of it."""

    def __call__(self, device: DeviceId) -> Look | None: ...


class Foreseen(Struct, frozen=True):
    """What would happen at one device, when (seconds from the start), and why not."""

    device: DeviceId
    fate: Fate
    offset_s: float = 0.0
    code: str = ""
    text: str = ""


class DryRun(Struct, frozen=True):
    """What would happen, and the token that lets it happen."""

    token: str
    ends_at: float  # seconds, UTC: so long the token is good
    account: str
    do: AnyAct
    plan: Plan
    selection: Selection
    pace: Pace
    second: bool
    foreseen: tuple[Foreseen, ...]

    @property
    def willing(self) -> tuple[DeviceId, ...]:
        return tuple(one.device for one in self.foreseen if one.fate is not Fate.REFUSED)


class Progress(Struct, frozen=True):
    """How far a bulk is, in numbers."""

    bulk: Bulk
    counts: dict[CommandState, int]


class Bulks:
    """Bulks and their dry runs."""

    def __init__(
        self,
        database: Database,
        directory: Directory,
        commands: Commands,
        looks: Looks,
        clock: Callable[[], float],
    ) -> None:
        self._database = database
        self._directory = directory
        self._commands = commands
        self._looks = looks
        self._clock = clock
        self._shown: OrderedDict[str, DryRun] = OrderedDict()

    # --- asking ---

    async def dry_run(
        self, staff: Staff, selection: Selection, do: AnyAct, plan: Plan, pace: Pace | None
    ) -> DryRun:
        """What would happen, device by device. Nothing does.

        Raises ``NotAllowed`` (never in bulk for this role), ``Invalid``, ``Limit`` (too many devices).
        """
        check(staff, Action.COMMAND)
        rules.check_selection(selection)
        now = self._clock()
        # A plan that no device would take is refused as one.
        command_rules.ask(
            id=CommandId("dry"),
            device=DeviceId("dry"),
            do=do,
            plan=plan,
            second=False,
            by=staff.account,
            by_name="",
            why="",
            now=now,
        )
        found = await self._select(staff, selection)
        if len(found) > rules.MAX_DEVICES:
            raise Limit(f"{len(found)} devices; at most {rules.MAX_DEVICES} in one bulk")
        willing: list[Device] = []
        refused: list[Foreseen] = []
        fates: dict[DeviceId, Fate] = {}
        for number, device in enumerate(found):
            if number % YIELD_EACH == 0:
                await asyncio.sleep(0)
            try:
                self._commands.check_target(staff, device.id, do, plan)
            except DomainError as error:
                refused.append(Foreseen(device.id, Fate.REFUSED, 0.0, error.code, str(error)))
                continue
            willing.append(device)
            fates[device.id] = rules.fate_of(do, plan, self._looks(device.id))
        pace = pace if pace is not None else rules.default_pace(do)
        placed = rules.spread(willing, do, pace)
        run = DryRun(
            token=secrets.token_urlsafe(18),
            ends_at=now + SHOWN_FOR_S,
            account=staff.account,
            do=do,
            plan=plan,
            selection=selection,
            pace=pace,
            second=self._second(staff, do, plan, len(willing)),
            foreseen=(*(Foreseen(id, fates[id], offset) for id, offset in placed), *refused),
        )
        self._shown[run.token] = run
        while len(self._shown) > MOST_SHOWN:
            self._shown.popitem(last=False)
        return run

    async def act(self, staff: Staff, token: str, why: str, request_key: str) -> Bulk:
        """Do what the dry run showed. Asked again under the same key it is the same bulk.

        Raises ``Stale`` (its time is over, or too much has changed), ``Invalid`` (nothing to do),
        ``NotAllowed``, ``QueueFull``, ``KeyReused``.
        """
        check(staff, Action.COMMAND)
        key = f"{staff.account}:{request_key}"
        async with self._database.write() as connection:
            now = self._clock()
            before = await store.by_request(connection, key)
            if before is not None:
                shown = self._shown.get(token)
                if shown is not None and (shown.do, shown.selection) != (before.do, before.selection):
                    raise KeyReused("this key was used for another bulk")
                return before
            run = self._run_of(staff, token, now)
            devices = [device for id in run.willing if (device := self._still(staff, id, run)) is not None]
            if rules.has_changed_much(run.willing, [device.id for device in devices]):
                raise Stale("too much has changed since you looked; look again")
            if not devices:
                raise Invalid("selection: no device is left to do this at")
            second = self._second(staff, run.do, run.plan, len(devices))
            if second:
                for device in devices:
                    check(staff, Action.COMMAND_DANGEROUS, self._directory.district_of(device))
            bulk, commands = self._make(staff, run, devices, second, why, now)
            await store.add(connection, bulk, key)
            await command_store.add(connection, commands)
            entries = [
                audit.Entry(
                    action="ask-bulk",
                    account=staff.account,
                    address=staff.address,
                    values={
                        "bulk": bulk.id,
                        "act": name_of(run.do),
                        "devices": bulk.many,
                        "refused": len(bulk.refused),
                        "why": why,
                        "second": second,
                    },
                ),
                *(deed_entry("ask-command", command, staff) for command in commands),
            ]
            await audit.append_all(connection, entries, now)
        self._shown.pop(token, None)
        self._commands.take_up(commands)
        return bulk

    def _run_of(self, staff: Staff, token: str, now: float) -> DryRun:
        run = self._shown.get(token)
        if run is None or run.account != staff.account or run.ends_at <= now:
            raise Stale("this dry run is over; look again")
        return run

    def _still(self, staff: Staff, id: DeviceId, run: DryRun) -> Device | None:
        """The device, if it is still one of those meant, and may be told this."""
        device = self._directory.find(id)
        if device is None:
            return None
        district = self._directory.district_of(device)
        named = bool(run.selection.devices)
        if not named and not rules.matches(run.selection, device, district, self._looks(id)):
            return None
        try:
            self._commands.check_target(staff, id, run.do, run.plan)
        except DomainError:
            return None
        return device

    def _make(
        self, staff: Staff, run: DryRun, devices: list[Device], second: bool, why: str, now: float
    ) -> tuple[Bulk, list[Command]]:
        placed = rules.spread(devices, run.do, run.pace)
        id = BulkId("b" + secrets.token_hex(8))
        bulk = Bulk(
            id=id,
            do=run.do,
            plan=run.plan,
            selection=run.selection,
            pace=run.pace,
            by=staff.account,
            by_name=staff.name,
            why=why,
            created_at=now,
            second=second,
            many=len(placed),
            lasts_s=placed[-1][1],
            districts=tuple(sorted({self._directory.district_of(device) for device in devices})),
            refused=tuple((one.device, one.code) for one in run.foreseen if one.fate is Fate.REFUSED),
        )
        commands = [
            command_rules.ask(
                id=new_id(),
                device=device,
                do=run.do,
                plan=run.plan,
                second=second,
                by=staff.account,
                by_name=staff.name,
                why=why,
                now=now,
                bulk=id,
                offset_s=offset_s,
            )
            for device, offset_s in placed
        ]
        return bulk, commands

    def _second(self, staff: Staff, do: AnyAct, plan: Plan, many: int) -> bool:
        lately = self._commands.asked_lately(staff.account, do)
        return needs_second(do, many + lately, plan.waits_for_session is not False, plan.force_after_s)

    async def _select(self, staff: Staff, selection: Selection) -> list[Device]:
        """Those meant. Where devices, units or districts are named, others' districts are among them: that
        they are refused is told. Else only what is in sight is meant."""
        if selection.devices:
            return [self._directory.get(id) for id in dict.fromkeys(selection.devices)]
        named = bool(selection.districts or selection.units)
        found = []
        for number, device in enumerate(self._directory):
            if number % YIELD_EACH == 0:
                await asyncio.sleep(0)
            district = self._directory.district_of(device)
            meant = named or staff.grant.covers(district)
            if meant and rules.matches(selection, device, district, self._looks(device.id)):
                found.append(device)
        return found

    # --- deciding ---

    async def approve(self, staff: Staff, bulk: BulkId) -> Progress:
        """Be the second person for all of it. Raises as :meth:`Commands.approve`."""
        await self._commands.approve(staff, await self._waiting(staff, bulk))
        return await self.progress(staff, bulk)

    async def refuse(self, staff: Staff, bulk: BulkId, why: str) -> Progress:
        """Be the second person, and say no."""
        await self._commands.refuse(staff, await self._waiting(staff, bulk), why)
        return await self.progress(staff, bulk)

    async def cancel(self, staff: Staff, bulk: BulkId, why: str) -> Progress:
        """What has not begun, in this person's districts, is cancelled; the counts say how many that were."""
        await self.progress(staff, bulk)
        left = [
            one.id
            for one in self._commands.all_open()
            if one.bulk == bulk and staff.grant.covers(self._commands.district_of(one))
        ]
        await self._commands.cancel_those_left(staff, left, why)
        return await self.progress(staff, bulk)

    async def _waiting(self, staff: Staff, bulk: BulkId) -> list[CommandId]:
        await self.progress(staff, bulk)
        found = [
            one.id
            for one in self._commands.all_open()
            if one.bulk == bulk and one.state is CommandState.AWAITING_APPROVAL
        ]
        if not found:
            raise WrongState("nothing of it waits for approval")
        return found

    # --- looking ---

    async def progress(self, staff: Staff, bulk: BulkId) -> Progress:
        """Raises ``UnknownBulk``."""
        async with self._database.read() as connection:
            found = await store.get(connection, bulk)
            if found is None or not self._sees(staff, found):
                raise UnknownBulk("there is no such bulk")
            counts = await command_store.count_by_state(connection, bulk)
        return Progress(found, _joined(counts, self._open_counts().get(bulk, {})))

    async def newest(self, staff: Staff, limit: int) -> list[Progress]:
        """Those that this person may see."""
        async with self._database.read() as connection:
            found = [one for one in await store.newest(connection, MOST_LISTED) if self._sees(staff, one)]
            found = found[:limit]
            counts = [await command_store.count_by_state(connection, one.id) for one in found]
        still = self._open_counts()
        return [
            Progress(bulk, _joined(ended, still.get(bulk.id, {})))
            for bulk, ended in zip(found, counts, strict=True)
        ]

    def _open_counts(self) -> dict[BulkId, Counter[CommandState]]:
        found: dict[BulkId, Counter[CommandState]] = {}
        for one in self._commands.all_open():
            if one.bulk is not None:
                found.setdefault(one.bulk, Counter())[one.state] += 1
        return found

    def _sees(self, staff: Staff, bulk: Bulk) -> bool:
        return bulk.by == staff.account or any(staff.grant.covers(one) for one in bulk.districts)


def _joined(
    stored: Mapping[CommandState, int], still_open: Mapping[CommandState, int]
) -> dict[CommandState, int]:
    """Ended ones as SQL counts them, open ones as memory knows them."""
    return {**{state: many for state, many in stored.items() if state not in OPEN}, **still_open}
