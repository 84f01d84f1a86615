"""One rollout in memory: its devices, how many are where, and how residents fare."""

from collections import Counter
from collections.abc import Iterable

from kiosk_hub.fleet.experience import BEFORE_S, Counts, Effect, Fared, judge
from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.rollouts import ENDED, Member, MemberStep, Rollout
from kiosk_hub.store import rollouts as store
from room_manager.store.database import Database

HOUR_S = 3600
READ_AT_ONCE = 100


class Book:
    """Counts follow each change of a member: nothing here is counted by going through all of them."""

    def __init__(self, rollout: Rollout, members: Iterable[Member] = ()) -> None:
        self.rollout = rollout
        self.members: dict[DeviceId, Member] = {}
        self.tallies: list[Counter[MemberStep]] = [Counter() for _ in rollout.rings]
        self.findings: tuple[Effect, ...] = ()
        self.fared = Fared()
        self._shares: dict[DeviceId, Fared] = {}  # what each device contributes
        self._stale: dict[DeviceId, None] = {}
        self._first_installed: float | None = None
        for member in members:
            self.set(member)

    def set(self, member: Member) -> None:
        """This is how the device is now."""
        before = self.members.get(member.device)
        if before is not None:
            self.tallies[before.ring][before.step] -= 1
        self.tallies[member.ring][member.step] += 1
        self.members[member.device] = member
        if before is None or before.installed_at != member.installed_at or before.step != member.step:
            self.look_again_at(member.device)
        if member.installed_at is not None and (
            self._first_installed is None or member.installed_at < self._first_installed
        ):
            if self._first_installed is None:
                self._stale.update(dict.fromkeys(self.members))  # from now on the others count
            self._first_installed = member.installed_at

    def look_again_at(self, device: DeviceId) -> None:
        """Its counts have changed."""
        if device in self.members:
            self._stale[device] = None

    def open_devices(self) -> Iterable[Member]:
        return (member for member in self.members.values() if member.step not in ENDED)

    async def read_counts(self, database: Database) -> None:
        """Bring ``fared`` and ``findings`` up to date, for at most some devices; call again for the rest."""
        gate = self.rollout.plan.gate.experience
        if gate is None or self._first_installed is None:
            self._stale.clear()
            return
        some = list(self._stale)[:READ_AT_ONCE]
        if not some:
            return
        first_hour = int((self._first_installed - BEFORE_S) // HOUR_S)
        hours = await store.counts_of(database, some, first_hour)
        for device in some:
            self._stale.pop(device, None)
            self._contribute(device, hours[device])
        self.findings = judge(self.fared, gate)

    @property
    def has_stale(self) -> bool:
        return bool(self._stale)

    def _contribute(self, device: DeviceId, hours: list[tuple[int, Counts]]) -> None:
        before, after, others = Counts(), Counts(), Counts()
        member = self.members[device]
        if member.installed_at is not None and member.step == "installed":
            hour = int(member.installed_at // HOUR_S)
            for at, counts in hours:
                if at > hour:  # the hour of the install itself is neither
                    after += counts
                elif hour - BEFORE_S // HOUR_S <= at < hour:
                    before += counts
        elif member.installed_at is None and member.step != "left-out" and self._first_installed is not None:
            since = int(self._first_installed // HOUR_S)
            for at, counts in hours:
                if at > since:
                    others += counts
        old, new = self._shares.get(device, Fared()), Fared(before, after, others)
        self._shares[device] = new
        self.fared = Fared(
            self.fared.before + new.before - old.before,
            self.fared.after + new.after - old.after,
            self.fared.others + new.others - old.others,
        )
