"""Commands to devices: asked for, approved, delivered, claimed, ended; stored before anybody is told.

All open commands are in memory (:mod:`kiosk_hub.services.command_book`), ended ones in SQL. Decisions
are made inside the writing transaction, of which there is one at a time, and memory follows in the same
breath as the commit. What time does to them is :mod:`kiosk_hub.services.command_clock`, what devices ask
before they begin :mod:`kiosk_hub.services.claims`.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from kiosk_hub.fleet import commands as rules
from kiosk_hub.fleet.acts import RECENT_S, needs_second
from kiosk_hub.fleet.commands import FINAL, Command, CommandEvent, CommandState, Plan
from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.facts import Facts
from kiosk_hub.fleet.ids import BulkId, CommandId, DeviceId
from kiosk_hub.fleet.news import AnyNews, Began, DeviceTime, Done
from kiosk_hub.fleet.orders import AnyAct
from kiosk_hub.fleet.permissions import Action, Staff, check
from kiosk_hub.fleet.values import DeviceState
from kiosk_hub.ports import Denied, Feed, Switchboard
from kiosk_hub.services.claims import ClaimDesk
from kiosk_hub.services.command_audit import deed_entry, ended_entry
from kiosk_hub.services.command_book import MAX_RECENT, CommandBook
from kiosk_hub.services.command_clock import CommandClock
from kiosk_hub.services.directory import Directory
from kiosk_hub.services.reports import AfterCommit, Reports
from kiosk_hub.store import audit
from kiosk_hub.store import commands as store
from room_manager.errors import DomainError, Limit, Stale
from room_manager.store.database import Database

MAX_OPEN_PER_DEVICE: Final = 50
MAX_OPEN: Final = 50_000

SOFT: Final = frozenset({CommandState.PENDING, CommandState.SENT, CommandState.DELIVERED})
"""States that SQL may not know the newest of."""

Decide = Callable[[Command, float], CommandEvent | None]


class UnknownCommand(DomainError):
    """There is no such command."""

    code: ClassVar[str] = "unknown-command"


class QueueFull(Limit):
    """As many commands are open as are kept (for one device)."""

    code = "queue-full"


class KeyReused(Stale):
    """This request key was used for something else."""

    code = "key-reused"


class NotInUse(DomainError):
    """The device is not (any more, or not yet) in use."""

    code: ClassVar[str] = "not-in-use"


class Commands:
    """Every command, and what becomes of it. ``clock`` gives seconds, UTC."""

    def __init__(
        self,
        database: Database,
        directory: Directory,
        switchboard: Switchboard,
        feed: Feed,
        clock: Callable[[], float],
    ) -> None:
        self._database = database
        self._directory = directory
        self._feed = feed
        self._clock = clock
        self._book = CommandBook(switchboard, feed)
        self._claims = ClaimDesk(database, directory, self._book, clock)
        self._clockwork = CommandClock(database, directory, self._book, clock)

    async def start(self, clock_runs: bool = True) -> None:
        """Take up what was open when the last server ended. ``clock_runs`` false: the caller looks."""
        now = self._clock()
        async with self._database.read() as connection:
            for command in await store.all_open(connection):
                self._book.keep(command, now)
            recent = await store.newest(connection, since=now - RECENT_S, limit=MAX_RECENT)
        for command in reversed(recent):
            self._book.note_asked(command.created_at, command.by, command.do)
        self._claims.start()
        if clock_runs:
            self._clockwork.start()

    async def close(self) -> None:
        """What was not written is: that orders were sent."""
        await self._claims.close()
        await self._clockwork.close()

    def serve(self, reports: Reports) -> None:
        """Take the news that devices report of commands."""
        reports.handle(Began, self.on_began)
        reports.handle(Done, self.on_done)

    # --- staff ---

    async def ask(
        self,
        staff: Staff,
        device: DeviceId,
        do: AnyAct,
        plan: Plan,
        why: str,
        request_key: str | None = None,
    ) -> Command:
        """A command to one device. Asked again under the same key it is the same command.

        Raises ``NotAllowed``, ``UnknownDevice``, ``NotInUse``, ``Invalid``, ``QueueFull``, ``KeyReused``.
        """
        check(staff, Action.COMMAND, self._district(device))
        key = f"{staff.account}:{request_key}" if request_key is not None else None
        async with self._database.write() as connection:
            now = self._clock()
            before = await store.by_request(connection, key) if key is not None else None
            if before is not None:
                if (before.device, before.do) != (device, do):
                    raise KeyReused("this key was used for another command")
                return self._book.get(before.id) or before
            self.check_target(staff, device, do, plan)
            many = self._book.asked_lately(staff.account, do, now) + 1
            second = needs_second(do, many, plan.waits_for_session is not False, plan.force_after_s)
            if second:
                check(staff, Action.COMMAND_DANGEROUS)
            command = rules.ask(
                id=new_id(),
                device=device,
                do=do,
                plan=plan,
                second=second,
                by=staff.account,
                by_name=staff.name,
                why=why,
                now=now,
            )
            await store.add(connection, (command,), key)
            await audit.append(connection, deed_entry("ask-command", command, staff, why), now)
        self.take_up((command,))
        return self._book.get(command.id) or command

    def check_target(self, staff: Staff, device: DeviceId, do: AnyAct, plan: Plan) -> Device:
        """May this person do this at this device, now? Raises as :meth:`ask` does."""
        found = self._directory.get(device)
        check(staff, Action.COMMAND, self._directory.district_of(found))
        if found.state is not DeviceState.ACTIVE:
            raise NotInUse(f"the device is {found.state}")
        rules.waits_for_session(do, plan)
        if self._book.many_at(device) >= MAX_OPEN_PER_DEVICE:
            raise QueueFull(f"{MAX_OPEN_PER_DEVICE} commands wait for this device already")
        if len(self._book) >= MAX_OPEN:
            raise QueueFull(f"{MAX_OPEN} commands are open already")
        return found

    def asked_lately(self, account: str, do: AnyAct) -> int:
        """For how many devices this account asked the same within the last minutes."""
        return self._book.asked_lately(account, do, self._clock())

    def take_up(self, new: Sequence[Command]) -> None:
        """Commands that have just been committed: told to their devices when their time is there."""
        now = self._clock()
        for command in new:
            self._book.note_asked(command.created_at, command.by, command.do)
            self._book.keep(command, now)
            self._feed.commands_changed(command.device)
            self._book.give_out(command, now)
        self._book.wake.set()
        self._feed.audit_changed()

    async def approve(self, staff: Staff, commands: Sequence[CommandId]) -> list[Command]:
        """Be the second person, for all of them or none.

        Raises ``NotAllowed``, ``SamePerson``, ``WrongState``, ``UnknownCommand``.
        """
        return await self._by_staff(
            staff,
            commands,
            Action.APPROVE,
            "approve-command",
            "",
            lambda command, at: rules.approve(command, staff.account, at),
        )

    async def refuse(self, staff: Staff, commands: Sequence[CommandId], why: str) -> list[Command]:
        """Be the second person, and say no. Raises as :meth:`approve`."""
        return await self._by_staff(
            staff,
            commands,
            Action.APPROVE,
            "refuse-command",
            why,
            lambda command, at: rules.refuse(command, staff.account, why, at),
        )

    async def cancel(self, staff: Staff, command: CommandId, why: str) -> Command:
        """What is cancelled is never begun, whatever the line does. Raises ``TooLate`` once it runs."""
        (changed,) = await self._by_staff(
            staff,
            (command,),
            Action.COMMAND,
            "cancel-command",
            why,
            lambda found, at: rules.cancel(found, staff.account, why, at),
        )
        return changed

    async def cancel_those_left(self, staff: Staff, commands: Sequence[CommandId], why: str) -> list[Command]:
        """Those of them that can still be cancelled."""

        def decide(command: Command, at: float) -> CommandEvent | None:
            if command.state not in rules.RETRACTABLE:
                return None
            return rules.cancel(command, staff.account, why, at)

        return await self._by_staff(staff, commands, Action.COMMAND, "cancel-command", why, decide)

    async def _by_staff(
        self,
        staff: Staff,
        ids: Sequence[CommandId],
        action: Action,
        deed: str,
        why: str,
        decide: Decide,
    ) -> list[Command]:
        decided: list[tuple[CommandId, CommandEvent]] = []
        async with self._database.write() as connection:
            now = self._clock()
            entries, changed = [], []
            for id in ids:
                command = self._book.get(id) or await store.get(connection, id)
                if command is None:
                    raise UnknownCommand("there is no such command")
                check(staff, action, self._district(command.device))
                event = decide(command, now)
                if event is None:
                    continue
                decided.append((id, event))
                changed.append(rules.apply(command, event))
                entries.append(deed_entry(deed, command, staff, why))
            await store.put(connection, changed)
            await audit.append_all(connection, entries, now)
        told = [self._book.apply(id, event) for id, event in decided]
        for command in told:
            if command.state in FINAL:
                self._book.take_back(command)
            else:
                self._book.give_out(command, now)
        self._book.wake.set()
        self._feed.audit_changed()
        return told

    # --- looking ---

    async def get(self, staff: Staff, command: CommandId) -> Command:
        """Raises ``UnknownCommand``, ``NotAllowed``."""
        found = await self.find(command)
        if found is None:
            raise UnknownCommand("there is no such command")
        check(staff, Action.SEE, self._district(found.device))
        return found

    async def find(self, command: CommandId) -> Command | None:
        """Whoever asks."""
        found = self._book.get(command)
        if found is not None:
            return found
        async with self._database.read() as connection:
            return await store.get(connection, command)

    def open_of(self, device: DeviceId) -> list[Command]:
        """What is yet to come at this device, in the order in which it was asked for."""
        return self._book.of_device(device)

    def all_open(self) -> Iterable[Command]:
        return self._book.all()

    async def newest(
        self,
        *,
        device: DeviceId | None = None,
        bulk: BulkId | None = None,
        states: Iterable[CommandState] = (),
        act: str = "",
        before: CommandId | None = None,
        limit: int,
    ) -> list[Command]:
        """Open and past, the newest first; ``before``: those that come after this one in the list."""
        async with self._database.read() as connection:
            found = await store.newest(
                connection, device=device, bulk=bulk, states=states, act=act, before=before, limit=limit
            )
        return [self._book.get(command.id) or command for command in found]

    async def in_sight(
        self,
        staff: Staff,
        *,
        device: DeviceId | None = None,
        bulk: BulkId | None = None,
        states: Iterable[CommandState] = (),
        act: str = "",
        before: CommandId | None = None,
        limit: int,
    ) -> list[Command]:
        """As :meth:`newest`, those of this person's districts only."""
        seen: list[DeviceId] | None = None
        if device is not None:
            if not staff.grant.covers(self._district(device)):
                return []
        elif not staff.grant.covers(""):  # not everything
            covers, district_of = staff.grant.covers, self._directory.district_of
            seen = [one.id for one in self._directory.all() if covers(district_of(one))]
        async with self._database.read() as connection:
            found = await store.newest(
                connection,
                device=device,
                devices=seen,
                bulk=bulk,
                states=states,
                act=act,
                before=before,
                limit=limit,
            )
        return [self._book.get(command.id) or command for command in found]

    def district_of(self, command: Command) -> str:
        return self._district(command.device)

    # --- the device's side ---

    def on_connected(self, device: DeviceId, boot: str, now: float) -> None:
        """Everything that waits for it goes down its line (again)."""
        for command in self._book.of_device(device):
            self._book.give_out(command, now)

    def on_gone(self, device: DeviceId, now: float) -> None:
        """Nothing: what it has, it has."""

    def on_beat(self, device: DeviceId, facts: Facts, now: float) -> None:
        """Nothing: a command's life does not hang on beats."""

    async def acknowledged(self, device: DeviceId, command: CommandId) -> None:
        """The order is on its disk."""
        found = self._book.get(command)
        if (
            found is not None
            and found.device == device
            and found.state in (CommandState.PENDING, CommandState.SENT)
        ):
            self._book.apply(command, rules.Acknowledged(self._clock()))
            self._book.unwritten.add(command)
            self._book.wake.set()

    async def claim(self, device: DeviceId, command: CommandId) -> Denied | None:
        """It is about to begin. None: go, and that is durable.

        Raises ``Busy`` and what the database raises: the device then claims again.
        """
        return await self._claims.claim(device, command)

    async def on_began(
        self, connection: AsyncConnection, device: DeviceId, at: DeviceTime, news: AnyNews, now: float
    ) -> AfterCommit | None:
        assert isinstance(news, Began)
        command = await self._as_of(connection, device, news.command)
        return (
            None if command is None else await self._told(connection, command, rules.begun(command, now), now)
        )

    async def on_done(
        self, connection: AsyncConnection, device: DeviceId, at: DeviceTime, news: AnyNews, now: float
    ) -> AfterCommit | None:
        assert isinstance(news, Done)
        command = await self._as_of(connection, device, news.command)
        if command is None:
            return None
        return await self._told(connection, command, rules.done(command, news.outcome, now), now)

    async def _as_of(self, connection: AsyncConnection, device: DeviceId, id: CommandId) -> Command | None:
        """The device's command as this transaction leaves it: earlier reports of one device may be in it."""
        command = await store.get(connection, id)
        if command is None or command.device != device:
            return None
        if command.state in SOFT:
            return self._book.get(id) or command
        return command

    async def _told(
        self, connection: AsyncConnection, command: Command, event: CommandEvent | None, now: float
    ) -> AfterCommit | None:
        if event is None:
            return None
        changed = rules.apply(command, event)
        await store.put(connection, (changed,))
        if changed.state in FINAL:
            await audit.append(connection, ended_entry(changed), now)

        def after() -> None:
            if command.state in FINAL:
                self._feed.commands_changed(command.device)
            else:
                self._book.apply(command.id, event)

        return after

    # --- time ---

    async def look(self) -> float:
        """Do what the clock asks for now; in how many seconds to look again."""
        return await self._clockwork.look()

    async def flush(self) -> None:
        """Write what is only in memory: that orders were sent and acknowledged."""
        await self._clockwork.flush()

    def _district(self, device: DeviceId) -> str:
        return self._directory.district_of(self._directory.get(device))


def new_id() -> CommandId:
    return CommandId("c" + secrets.token_hex(8))
