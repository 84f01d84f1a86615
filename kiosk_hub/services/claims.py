"""Answers devices that are about to begin: is it still wanted, and may whoever asked for it still do that?

Those that come while a transaction is being written share the next one, so that a bulk of hundreds
costs a few commits. ``go`` is durable before it is said.
"""

from collections.abc import Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from kiosk_hub.fleet import commands as rules
from kiosk_hub.fleet.commands import Command, CommandEvent
from kiosk_hub.fleet.ids import CommandId, DeviceId
from kiosk_hub.fleet.permissions import Action, Grant
from kiosk_hub.fleet.values import DeviceState
from kiosk_hub.ports import Denied
from kiosk_hub.services.batches import Batches
from kiosk_hub.services.command_audit import ended_entry
from kiosk_hub.services.command_book import CommandBook
from kiosk_hub.services.directory import Directory
from kiosk_hub.store import audit
from kiosk_hub.store import commands as store
from kiosk_hub.store.staff import standing_grant
from room_manager.errors import DomainError
from room_manager.store.database import Database


class ClaimDesk:
    """``claim`` waits for its answer."""

    def __init__(
        self, database: Database, directory: Directory, book: CommandBook, clock: Callable[[], float]
    ) -> None:
        self._database = database
        self._directory = directory
        self._book = book
        self._clock = clock
        self._batches: Batches[tuple[DeviceId, CommandId], Denied | None] = Batches("claims", self.decide)

    def start(self) -> None:
        self._batches.start()

    async def close(self) -> None:
        """Whoever still waits is refused; the device claims again."""
        await self._batches.close()

    async def claim(self, device: DeviceId, command: CommandId) -> Denied | None:
        """None: go. Raises ``Busy`` and what the database raises: the device then claims again."""
        return await self._batches.put((device, command))

    async def decide(self, claims: Sequence[tuple[DeviceId, CommandId]]) -> list[Denied | None]:
        """All of them in one transaction."""
        decided: list[tuple[CommandId, CommandEvent]] = []
        answers: list[Denied | None] = []
        async with self._database.write() as connection:
            now = self._clock()
            grants: dict[str, Grant | None] = {}
            tentative: dict[CommandId, Command] = {}
            for device, id in claims:
                command = tentative.get(id) or self._book.get(id)
                if command is None or command.device != device:
                    answers.append(await self._why_not(connection, device, id))
                    continue
                try:
                    event = rules.claim(command, await self._refusal(connection, command, grants), now)
                except DomainError as error:
                    answers.append(Denied(error.code, str(error)))
                    continue
                if event is not None:
                    decided.append((id, event))
                    tentative[id] = rules.apply(command, event)
                answers.append(_answer_to(event))
            ended = [command for command in tentative.values() if command.state in rules.FINAL]
            await store.put(connection, tentative.values())
            await audit.append_all(connection, [ended_entry(command) for command in ended], now)
        for id, event in decided:
            self._book.apply(id, event)
        return answers

    async def _why_not(self, connection: AsyncConnection, device: DeviceId, id: CommandId) -> Denied:
        command = await store.get(connection, id)
        if command is None or command.device != device:
            return Denied("unknown-command", "there is no such command for this device")
        return Denied(command.code or "too-late", f"it has ended: {command.state}")

    async def _refusal(
        self, connection: AsyncConnection, command: Command, grants: dict[str, Grant | None]
    ) -> tuple[str, str] | None:
        """Why it may not be done now, though it was allowed when it was asked for."""
        device = self._directory.find(command.device)
        if device is None or device.state is not DeviceState.ACTIVE:
            return "not-in-use", "the device is not in use"
        district = self._directory.district_of(device)
        needed = [(command.by, Action.COMMAND_DANGEROUS if command.second else Action.COMMAND)]
        if command.second:
            needed.append((command.approved_by, Action.APPROVE))
        for account, action in needed:
            if account not in grants:
                grants[account] = await standing_grant(connection, account)
            grant = grants[account]
            if grant is None or not grant.allows(action, district):
                return "right-withdrawn", "whoever asked for it, or approved it, may not do that any more"
        return None


def _answer_to(event: CommandEvent | None) -> Denied | None:
    match event:
        case None | rules.Claimed():
            return None
        case rules.Cancelled(code=code, text=text) | rules.Failed(code=code, text=text):
            return Denied(code, text)
        case _:
            return Denied("expired", "its time is over")
