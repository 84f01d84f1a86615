"""Incidents, from judgements to the board: alarms in memory, what they come to in SQL, then all are told.

A judgement only marks its device. One loop looks each second at what was marked and at what waits for time,
decides on a copy of the book, commits the events with their notices, and only then is the copy the book. If
it cannot be committed nothing has happened, and the next turn decides anew: what is wrong is read from the
alarms each time, never from a message that could be lost.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import ClassVar, Final, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from kiosk_hub.fleet import incident_acts as acts
from kiosk_hub.fleet import incidents as rules
from kiosk_hub.fleet.correlation import Spot, device_spot
from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.ids import DeviceId, IncidentId
from kiosk_hub.fleet.incident_acts import AnyCommand
from kiosk_hub.fleet.incident_book import Book, Pace, Turn
from kiosk_hub.fleet.incident_words import IncidentRow, Label, gravest_first, row
from kiosk_hub.fleet.incidents import AnyEvent, Incident
from kiosk_hub.fleet.permissions import Action, Grant, Staff, check
from kiosk_hub.fleet.values import DeviceState, FleetRole, Level
from kiosk_hub.fleet.verdict import Verdict
from kiosk_hub.fleet.watch import Watch
from kiosk_hub.ports import Feed
from kiosk_hub.services.directory import Directory
from kiosk_hub.services.geography import Geography
from kiosk_hub.store import audit
from kiosk_hub.store import incidents as store
from kiosk_hub.store.staff import standing_grant
from room_manager.errors import DomainError, Invalid, NotAllowed
from room_manager.ids import SiteId
from room_manager.roster.builtin import hanoi_districts
from room_manager.store.database import Database

TURN_EVERY_S: Final = 1.0
KEEP_S: Final = 366 * 86_400.0  # what is closed; the audit keeps what people did
PRUNE_EVERY_S: Final = 3_600.0
PRUNE_AT_ONCE: Final = 200
DEVICES_AT_ONCE: Final = 2_000  # the rest a second later

log = logging.getLogger(__name__)


class UnknownIncident(DomainError):
    """There is no such incident."""

    code: ClassVar[str] = "unknown-incident"


class Told(Protocol):
    """Writes notices in the transaction of what they tell of. ``done`` is called after the commit."""

    async def tell(
        self,
        connection: AsyncConnection,
        events: Sequence[tuple[IncidentId, AnyEvent]],
        row_of: Callable[[IncidentId], IncidentRow],
        now: float,
    ) -> None: ...

    def done(self) -> None: ...

    def pace(self, pace: Pace) -> Pace:
        """With what the settings say of escalation."""
        ...


class Incidents:
    """A ``JudgementListener``, and the ``Marks`` of rows."""

    def __init__(
        self,
        database: Database,
        directory: Directory,
        geography: Geography,
        feed: Feed,
        clock: Callable[[], float],
        *,
        beat_every_s: float = 30.0,
        pace: Pace | None = None,
    ) -> None:
        self._database = database
        self._directory = directory
        self._geography = geography
        self._feed = feed
        self._clock = clock
        self._pace = pace if pace is not None else Pace()
        self._watch = Watch(directory.district_of, beat_every_s=beat_every_s)
        self._book = Book()
        self._lock = asyncio.Lock()  # one turn at a time; commands are turns, too
        self._task: asyncio.Task[None] | None = None
        self._pruned_at = 0.0
        self.notices: Told | None = None
        """Who is told; set by whoever puts the parts together."""

    # --- opening and closing ---

    async def start(self) -> None:
        await self.load()
        self._task = asyncio.create_task(self._turn_for_ever(), name="look after incidents")

    async def load(self) -> None:
        """As the last server left it. Before the first judgement."""
        now = self._clock()
        async with self._database.read() as connection:
            journals = await store.load(connection, now - self._pace.reopen_within_s)
        for name, events in journals.items():
            self._book.put(rules.fold(name, events))
        for incident in self._book.incidents.values():
            for device in incident.ill_devices():
                record = self._directory.find(device)
                if record is not None:
                    troubles = incident.devices[device].troubles
                    self._watch.restore(record, troubles, device in incident.flapping, now)
                else:
                    self._watch.dirty[device] = None  # it is no device any more: well, in a way
        self._directory.listen(self._on_directory)

    async def close(self) -> None:
        """Nothing is lost: what was not committed is found again by whoever comes next."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    # --- hearing ---

    def on_judged(self, device: Device, verdict: Verdict, now: float) -> None:
        if device.state is not DeviceState.RETIRED:
            self._watch.judged(device, verdict, now)

    def _on_directory(self, before: Device | None, after: Device | None) -> None:
        if after is None or after.state is DeviceState.RETIRED:
            gone = after if after is not None else before
            if gone is not None:
                self._watch.forget(gone.id)

    # --- reading ---

    def incident_of(self, device: DeviceId) -> IncidentId | None:
        """The open one that the device is ill in."""
        name = self._book.ill_in.get(device)
        return name if name is not None and self._book.incidents[name].is_open else None

    def is_flapping(self, device: DeviceId) -> bool:
        return self._watch.is_flapping(device)

    def open_rows(self, grant: Grant) -> list[IncidentRow]:
        """The board, the gravest first, as far as this person may see."""
        seen = [self.row(one) for one in self._book.open() if in_sight(grant, one.spot)]
        return sorted(seen, key=gravest_first)

    async def closed_rows(
        self, grant: Grant, device: str, offset: int, limit: int
    ) -> tuple[list[IncidentRow], int]:
        everything = not grant.districts and grant.role is not FleetRole.TECHNICIAN
        async with self._database.read() as connection:
            return await store.closed(
                connection, None if everything else grant.districts, device, offset, limit
            )

    async def get(self, name: IncidentId, grant: Grant) -> tuple[Incident, list[AnyEvent]]:
        """One, with all that happened. Raises ``UnknownIncident``, ``NotAllowed``."""
        async with self._database.read() as connection:
            events = await store.events_of(connection, name)
        if not events:
            raise UnknownIncident("there is no such incident")
        incident = rules.fold(name, events)
        if not in_sight(grant, incident.spot):
            raise NotAllowed("this district is not one of yours")
        return incident, events

    async def rows_of(self, names: Sequence[IncidentId]) -> list[IncidentRow]:
        """The rows of these, as they are kept; those that are not are left out."""
        async with self._database.read() as connection:
            found = [await store.row_of(connection, name) for name in names[:100]]
        return [one for one in found if one is not None]

    def row(self, incident: Incident) -> IncidentRow:
        return row(incident, self.label(incident.spot))

    def spot(self, device: Device) -> Spot:
        return device_spot(device.id, device.place, self._directory.district_of(device))

    def label(self, spot: Spot) -> Label:
        """Where that is, in words."""
        if spot.level is Level.CITY:
            return Label("toàn Thành phố", "the whole city")
        unit = self._geography.unit(SiteId(spot.unit))
        district = unit.district_full_name if unit is not None else self._district_name(spot.district)
        parts = [unit.full_name if unit is not None else spot.unit, district]
        if spot.level in (Level.DEVICE, Level.BUILDING) and spot.building:
            parts.insert(0, spot.building)
        if spot.level is Level.DEVICE:
            device = self._directory.find(DeviceId(spot.device))
            parts.insert(0, device.name if device is not None else spot.device)
        if spot.level is Level.DISTRICT:
            parts = [district]
        words = ", ".join(part for part in parts if part)
        return Label(words, words)

    def _district_name(self, code: str) -> str:
        for unit in self._geography.units():
            if unit.district_code == code:
                return unit.district_full_name
        return next((one.full_name for one in hanoi_districts() if one.code == code), code)

    # --- people ---

    async def act(self, staff: Staff, name: IncidentId, command: AnyCommand) -> IncidentRow:
        """Done, and durable.

        Raises ``UnknownIncident``, ``NotAllowed``, ``Stale``, ``WrongState``, ``Invalid``, ``Limit``.
        """
        values: dict[str, str | int | float | bool | None] = {"incident": name}
        async with self._lock:
            incident = await self._find(name)
            check(staff, Action.HANDLE_INCIDENT)
            if not may_handle(staff.grant, incident.spot):
                raise NotAllowed("this is a matter of the whole city, or of a district not one of yours")
            if isinstance(command, acts.Assign):
                values["to"] = command.to
                if command.to and not await self._may_be_given(command.to, incident.spot):
                    raise Invalid("to: this account does not handle incidents there")
            turn = self._turn()
            turn.book.put(incident)
            turn.command(name, command)
            await self._commit(
                turn,
                audit.Entry(
                    action=f"{type(command).__name__.lower()}-incident",
                    account=staff.account,
                    address=staff.address,
                    device=incident.spot.device or None,
                    values=values,
                ),
            )
            return self.row(self._book.incidents.get(name, turn.book.incidents[name]))

    async def _may_be_given(self, account: str, spot: Spot) -> bool:
        """Could this account do anything about it?"""
        async with self._database.read() as connection:
            grant = await standing_grant(connection, account)
        return grant is not None and may_handle(grant, spot)

    async def _find(self, name: IncidentId) -> Incident:
        incident = self._book.incidents.get(name)
        if incident is not None:
            return incident
        async with self._database.read() as connection:
            events = await store.events_of(connection, name)
        if not events:
            raise UnknownIncident("there is no such incident")
        return rules.fold(name, events)

    # --- turns ---

    async def turn(self) -> None:
        """Look at all that changed or has waited long enough. Raises what writing raises."""
        async with self._lock:
            now = self._clock()
            watch = self._watch
            watch.settle(now)
            changed = list(watch.dirty)[:DEVICES_AT_ONCE]
            for device in changed:
                del watch.dirty[device]
            due = [device for device, until in watch.waiting.items() if until <= now]
            turn = self._turn()
            try:
                turn.devices([*changed, *due])
                turn.time()
                await self._commit(turn)
            except BaseException:
                watch.dirty = {**dict.fromkeys(changed), **watch.dirty}
                raise
            for device in due:
                watch.waiting.pop(device, None)

    async def prune(self) -> None:
        """Now and then: what has been closed for more than a year is forgotten, a little at a time."""
        now = self._clock()
        if 0 <= now - self._pruned_at < PRUNE_EVERY_S:
            return
        async with self._lock, self._database.write() as connection:
            many = await store.prune(connection, now - KEEP_S, PRUNE_AT_ONCE)
        if many < PRUNE_AT_ONCE:
            self._pruned_at = now

    def _turn(self) -> Turn:
        pace = self.notices.pace(self._pace) if self.notices is not None else self._pace
        return Turn(self._book, self._watch, self._clock(), pace, _new_id)

    async def _commit(self, turn: Turn, entry: audit.Entry | None = None) -> None:
        if not turn.events:
            self._book = turn.book
            return
        now = self._clock()
        before = self._book
        changed = {name: turn.book.incidents[name] for name, _ in turn.events}
        rows = {name: self.row(incident) for name, incident in changed.items()}
        numbered: list[tuple[IncidentId, int, AnyEvent]] = []
        left = {name: incident.events for name, incident in changed.items()}
        for name, event in reversed(turn.events):
            numbered.append((name, left[name], event))
            left[name] -= 1
        async with self._database.write() as connection:
            await store.put(connection, [(incident, rows[name]) for name, incident in changed.items()])
            await store.append(connection, reversed(numbered))
            if self.notices is not None:
                await self.notices.tell(connection, turn.events, rows.__getitem__, now)
            if entry is not None:
                await audit.append(connection, entry, now)
        self._book = turn.book
        self._say(before, changed, entry is not None)

    def _say(self, before: Book, changed: dict[IncidentId, Incident], audited: bool) -> None:
        for name, incident in changed.items():
            self._feed.incident_changed(name)
            earlier = before.incidents.get(name)
            told = set(earlier.ill_devices()) if earlier is not None else set()
            touched = told.symmetric_difference(incident.ill_devices())
            if earlier is None or earlier.is_open is not incident.is_open:
                touched |= told.union(incident.ill_devices())
            if earlier is not None:
                touched |= earlier.flapping.symmetric_difference(incident.flapping)
            for device in touched:
                self._feed.row_changed(device)
            log.info(
                "= incident %s: %s, %s, %d of %d devices",
                name, incident.state, incident.spot.key, incident.ill, incident.present,
            )  # fmt: skip
        if audited:
            self._feed.audit_changed()
        if self.notices is not None:
            self.notices.done()

    async def _turn_for_ever(self) -> None:
        while True:
            await asyncio.sleep(TURN_EVERY_S)
            try:
                await self.turn()
                await self.prune()
            except DomainError as error:
                log.error("! incidents cannot be kept now, decided again in a second: %s", error)
            except Exception:
                log.exception("! a turn of the incidents failed; in a second again")


def in_sight(grant: Grant, spot: Spot) -> bool:
    """May this person see it? What is the whole city's is everybody's."""
    return spot.level is Level.CITY or grant.covers(spot.district)


def may_handle(grant: Grant, spot: Spot) -> bool:
    """May this person act on it? What is the whole city's is not for a technician of some districts."""
    if spot.level is Level.CITY:
        return grant.role is not FleetRole.TECHNICIAN and grant.allows(Action.HANDLE_INCIDENT)
    return grant.allows(Action.HANDLE_INCIDENT, spot.district)


def _new_id() -> IncidentId:
    return IncidentId(f"in-{secrets.token_hex(6)}")
