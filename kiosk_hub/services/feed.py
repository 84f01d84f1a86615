"""What has changed, in order, for whoever shows it: the port ``Feed``.

Nothing is queued for anybody. Each thing that changed is in the list once, at the place of its last change,
and every
reader keeps a number up to which it has been told: a slow one finds the newest of each thing, never a queue
of old
ones. The list is as long as there are things, however often they change.
"""

from collections.abc import Callable
from itertools import takewhile
from typing import Final, TypeVar

from msgspec import Struct

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.ids import DeviceId, IncidentId, RolloutId
from kiosk_hub.services.directory import Directory

MOST_MOVES: Final = 1_000  # of devices from one district to another, remembered for telling "gone"
MOST_THINGS: Final = 500
VERSIONS_PER_S: Final = 100_000  # more than there are changes: numbers grow over a restart too

K = TypeVar("K")


class Things(Struct, frozen=True):
    """What changed besides rows."""

    incidents: tuple[IncidentId, ...]
    commands: tuple[DeviceId, ...]
    rollouts: tuple[RolloutId, ...]
    enrolments: bool
    audit: bool


class Changes:
    """The list. ``version`` is that of the last change."""

    def __init__(self, directory: Directory, clock: Callable[[], float]) -> None:
        self.version = int(clock() * VERSIONS_PER_S)
        self._directory = directory
        self._rows: dict[DeviceId, int] = {}
        self._moves: dict[DeviceId, tuple[int, frozenset[str]]] = {}  # where it was before
        self._incidents: dict[IncidentId, int] = {}
        self._commands: dict[DeviceId, int] = {}
        self._rollouts: dict[RolloutId, int] = {}
        self._enrolments = 0
        self._audit = 0
        directory.listen(self._on_directory)

    # --- Feed ---

    def row_changed(self, device: DeviceId) -> None:
        self._put(self._rows, device)

    def incident_changed(self, incident: IncidentId) -> None:
        self._put(self._incidents, incident, MOST_THINGS)

    def commands_changed(self, device: DeviceId) -> None:
        # As many as there are devices: a bulk changes thousands at once, and each page must hear of its own.
        self._put(self._commands, device)

    def rollout_changed(self, rollout: RolloutId) -> None:
        self._put(self._rollouts, rollout, MOST_THINGS)

    def enrolments_changed(self) -> None:
        self.version += 1
        self._enrolments = self.version

    def audit_changed(self) -> None:
        self.version += 1
        self._audit = self.version

    # --- reading ---

    def version_of(self, device: DeviceId) -> int:
        """Of its row."""
        return self._rows.get(device, 0)

    def rows_after(self, version: int, most: int) -> tuple[list[DeviceId], int]:
        """Whose rows changed after ``version``, the oldest change first, at most so many; and the version
        up to which
        they reach."""
        found: list[DeviceId] = []
        for device in reversed(self._rows):
            if self._rows[device] <= version:
                break
            found.append(device)
        found.reverse()
        if len(found) <= most:
            return found, self.version
        return found[:most], self._rows[found[most - 1]]

    def left_after(self, version: int) -> dict[DeviceId, frozenset[str]]:
        """Devices that moved to another district after ``version``, with the districts they were in."""
        return {device: districts for device, (moved, districts) in self._moves.items() if moved > version}

    def things_after(self, version: int) -> Things:
        """What else changed after ``version``."""
        return Things(
            incidents=_after(self._incidents, version),
            commands=_after(self._commands, version),
            rollouts=_after(self._rollouts, version),
            enrolments=self._enrolments > version,
            audit=self._audit > version,
        )

    def _put(self, where: dict[K, int], key: K, most: int | None = None) -> None:
        self.version += 1
        where.pop(key, None)
        where[key] = self.version
        if most is not None and len(where) > most:
            del where[next(iter(where))]

    def _on_directory(self, before: Device | None, after: Device | None) -> None:
        if before is not None and after is not None:
            was, now = self._directory.district_of(before), self._directory.district_of(after)
            if was != now:
                earlier = self._moves.pop(after.id, (0, frozenset[str]()))[1]
                self.version += 1
                self._moves[after.id] = (self.version, earlier | {was})
                if len(self._moves) > MOST_MOVES:
                    del self._moves[next(iter(self._moves))]
        if after is not None:
            self.row_changed(after.id)


def _after(changed: dict[K, int], version: int) -> tuple[K, ...]:
    """The oldest change first. What is older than ``version`` is not looked at."""
    return tuple(takewhile(lambda key: changed[key] > version, reversed(changed)))[::-1]
