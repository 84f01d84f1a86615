"""The open commands in memory: what is yet to come at each device, and when to look at which again.

It follows what has been committed and decides nothing. That an order was sent or acknowledged is the
exception: that may be forgotten (it is then sent again), so it is remembered here first and written with
the next batch.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Iterable
from typing import Final

from kiosk_hub.fleet import commands as rules
from kiosk_hub.fleet.acts import RECENT_S, name_of
from kiosk_hub.fleet.commands import OPEN, Command, CommandEvent, CommandState
from kiosk_hub.fleet.ids import CommandId, DeviceId
from kiosk_hub.fleet.orders import AnyAct
from kiosk_hub.ports import Feed, Switchboard

MAX_RECENT: Final = 20_000


class CommandBook:
    """Open commands, by id, by device and by the time at which each is looked at next."""

    def __init__(self, switchboard: Switchboard, feed: Feed) -> None:
        self._switchboard = switchboard
        self._feed = feed
        self._open: dict[CommandId, Command] = {}
        self._of_device: dict[DeviceId, dict[CommandId, None]] = {}
        self._times: list[tuple[float, CommandId]] = []
        self._looks_at: dict[CommandId, float] = {}
        self._recent: deque[tuple[float, str, str]] = deque(maxlen=MAX_RECENT)
        self.unwritten: set[CommandId] = set()
        """Whose sending or acknowledgement is not in SQL."""
        self.wake = asyncio.Event()
        """Set when there may be something to look at earlier than thought."""

    def __len__(self) -> int:
        return len(self._open)

    def get(self, id: CommandId) -> Command | None:
        return self._open.get(id)

    def all(self) -> Iterable[Command]:
        return self._open.values()

    def of_device(self, device: DeviceId) -> list[Command]:
        """In the order in which they were asked for."""
        return [self._open[id] for id in self._of_device.get(device, ())]

    def many_at(self, device: DeviceId) -> int:
        return len(self._of_device.get(device, ()))

    def keep(self, command: Command, now: float) -> None:
        """A command that is in SQL and open."""
        self._open[command.id] = command
        self._of_device.setdefault(command.device, {})[command.id] = None
        self._watch(command, now)

    def note_asked(self, at: float, account: str, do: AnyAct) -> None:
        self._recent.append((at, account, name_of(do)))

    def asked_lately(self, account: str, do: AnyAct, now: float) -> int:
        """For how many devices this account asked the same within the last minutes."""
        while self._recent and self._recent[0][0] < now - RECENT_S:
            self._recent.popleft()
        act = name_of(do)
        return sum(1 for _, who, what in self._recent if who == account and what == act)

    def apply(self, id: CommandId, event: CommandEvent) -> Command:
        """What was committed (or may be forgotten) has happened."""
        command = rules.apply(self._open[id], event)
        if command.state in OPEN:
            self._open[id] = command
            self._watch(command, event.at)
        else:
            self._forget(command)
        self._feed.commands_changed(command.device)
        return command

    def give_out(self, command: Command, now: float) -> None:
        """Down the device's line with it, if both are ready."""
        if not rules.is_deliverable(command, now) or not self._switchboard.is_connected(command.device):
            return
        if self._switchboard.order(command.device, rules.order_of(command)):
            self.apply(command.id, rules.Sent(now))
            self.unwritten.add(command.id)
            self.wake.set()

    def take_back(self, command: Command) -> None:
        self._switchboard.take_back(command.device, command.id)

    def due(self, now: float) -> list[CommandId]:
        """Which have come to their end by time alone. Gives out what may start, or must be sent again."""
        ended: list[CommandId] = []
        while self._times and self._times[0][0] <= now:
            when, id = heapq.heappop(self._times)
            command = self._open.get(id)
            if command is None or self._looks_at.get(id) != when:
                continue  # it has ended, or is looked at another time
            del self._looks_at[id]
            if rules.due(command, now) is not None:
                ended.append(id)
                continue
            self.give_out(command, now)
            self._watch(self._open[id], now)
        return ended

    def next_look_at(self) -> float | None:
        """Not later than this; None: nothing is open."""
        return self._times[0][0] if self._times else None

    def look_at(self, id: CommandId, when: float) -> None:
        self._looks_at[id] = when
        heapq.heappush(self._times, (when, id))

    def _watch(self, command: Command, now: float) -> None:
        """Look again when time alone ends it, when it may start, or when it must be sent once more."""
        when = rules.next_at(command)
        if command.state is CommandState.PENDING and command.starts_at > now:
            when = min(when, command.starts_at)
        if command.state is CommandState.SENT and self._switchboard.is_connected(command.device):
            when = min(when, now + rules.REPEAT_AFTER_S)
        self.look_at(command.id, when)

    def _forget(self, command: Command) -> None:
        del self._open[command.id]
        self._looks_at.pop(command.id, None)
        self.unwritten.discard(command.id)
        queue = self._of_device[command.device]
        queue.pop(command.id, None)
        if not queue:
            del self._of_device[command.device]
