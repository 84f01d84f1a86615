"""Which rollouts there are, and what each device is to have: looked up, never waited for."""

from collections.abc import Iterable, Mapping
from typing import ClassVar, Final

from msgspec.structs import replace

from kiosk_hub.fleet.bundles import Bundle, misfit
from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.facts import Versions
from kiosk_hub.fleet.ids import BundleId, DeviceId, RolloutId
from kiosk_hub.fleet.orders import Offer
from kiosk_hub.fleet.permissions import Staff
from kiosk_hub.fleet.rings import Candidate, deal
from kiosk_hub.fleet.rollout_rules import is_offered
from kiosk_hub.fleet.rollouts import ENDED, Member, Rollout, RolloutPlan, RolloutState
from kiosk_hub.fleet.values import BundleKind, DeviceState
from kiosk_hub.services.bundles import Bundles
from kiosk_hub.services.directory import Directory
from kiosk_hub.services.rollout_book import Book
from room_manager.errors import DomainError

KINDS_IN_TURN: Final = (BundleKind.SOFTWARE, BundleKind.CONFIGURATION, BundleKind.CONTENT)
_S: Final = RolloutState
IN_FORCE: Final = (_S.RUNNING, _S.PAUSED, _S.FINISHED)


class UnknownRollout(DomainError):
    """There is no such rollout."""

    code: ClassVar[str] = "unknown-rollout"


class NotSigned(DomainError):
    """The bundle waits for its signature; no device would install it."""

    code: ClassVar[str] = "not-signed"


class NothingToReturnTo(DomainError):
    """There is no earlier bundle of this kind that was rolled out to the end."""

    code: ClassVar[str] = "nothing-to-return-to"


class Shelf:
    """All rollouts, the newest first."""

    def __init__(self, directory: Directory, bundles: Bundles, versions: Mapping[DeviceId, Versions]) -> None:
        self._directory = directory
        self._bundles = bundles
        self._versions = versions  # as devices told in their last beat
        self._books: dict[RolloutId, Book] = {}

    def put(self, book: Book) -> None:
        """A new one, or what has become of one that is there, in its place."""
        if book.rollout.id in self._books:
            self._books[book.rollout.id] = book
        else:
            self._books = {book.rollout.id: book, **self._books}

    def books(self) -> list[Book]:
        return list(self._books.values())

    def book(self, rollout: RolloutId) -> Book:
        """Raises ``UnknownRollout``."""
        found = self._books.get(rollout)
        if found is None:
            raise UnknownRollout("there is no such rollout")
        return found

    def find(self, rollout: RolloutId) -> Book | None:
        return self._books.get(rollout)

    def needing(self, bundle: BundleId) -> bool:
        """Is there a rollout of it that may still offer it?"""
        books = self._books.values()
        return any(
            book.rollout.plan.bundle == bundle and book.rollout.state is not _S.STOPPED for book in books
        )

    def was_approved(self, bundle: BundleId) -> bool:
        """Has a second person approved a rollout of it?"""
        return any(
            book.rollout.plan.bundle == bundle and book.rollout.approved_at is not None
            for book in self._books.values()
        )

    def newest(self, kind: BundleKind) -> Book | None:
        """The one that late joiners fall into."""
        for book in self._books.values():
            rollout = book.rollout
            if rollout.kind is kind and rollout.returns is None and rollout.state in IN_FORCE:
                return book
        return None

    def last_good(self, bad: Rollout) -> Bundle:
        """What was rolled out to the end before. Raises ``NothingToReturnTo``."""
        for book in self._books.values():
            rollout = book.rollout
            good = rollout.kind is bad.kind and rollout.state is _S.FINISHED
            if good and rollout.id != bad.id and rollout.plan.bundle != bad.plan.bundle:
                return self.signed(rollout.plan.bundle)
        raise NothingToReturnTo("no earlier bundle of this kind went to the end; choose one")

    def signed(self, bundle: BundleId) -> Bundle:
        """Raises ``UnknownBundle``, ``NotSigned``."""
        found = self._bundles.get(bundle)
        if not found.signed:
            raise NotSigned("this bundle waits for its signature: `diemcau bundle sign`")
        return found

    # --- what a device is to have ---

    def offer_for(self, device: DeviceId) -> Offer | None:
        """What this device is to install now: the newest rollout of each kind counts, software first.

        An older rollout never gives a device what a newer one has replaced, or is about to replace.
        """
        offered: dict[BundleKind, Book | None] = {}
        for book in self._books.values():
            kind, member = book.rollout.kind, book.members.get(device)
            if member is None or kind in offered:
                continue
            if is_offered(book.rollout, member):
                offered[kind] = book
            elif book.rollout.state in IN_FORCE or member.step == "installed":
                offered[kind] = None
        for kind in KINDS_IN_TURN:
            found = offered.get(kind)
            if found is not None:
                return self._offer(found.rollout, found.members[device])
        return None

    def transfer_of(self, device: DeviceId) -> tuple[RolloutId, int, int | None] | None:
        """Whose limits hold for its download: the rollout, how many at once, bytes per second for each."""
        offer = self.offer_for(device)
        if offer is None:
            return None
        transfer = self.book(offer.rollout).rollout.plan.transfer
        return offer.rollout, transfer.at_once, transfer.cap_bytes_per_s

    def _offer(self, rollout: Rollout, member: Member) -> Offer | None:
        bundle = self._bundles.find(rollout.plan.bundle)
        if bundle is None:
            return None
        transfer = rollout.plan.transfer
        return Offer(
            rollout.id,
            bundle.id,
            bundle.kind,
            bundle.version,
            bundle.target,
            bundle.length_bytes,
            transfer.from_minute,
            transfer.to_minute,
            transfer.cap_bytes_per_s,
            member.attempt,
        )

    # --- who is in which ring ---

    @staticmethod
    def is_candidate(device: Device, plan: RolloutPlan) -> bool:
        return device.kind in plan.kinds and device.state is not DeviceState.RETIRED

    def deal(self, plan: RolloutPlan, bundle: Bundle, salt: str, staff: Staff, now: float) -> list[Member]:
        """Every device of the plan that the planner's grant covers, in its ring. Raises ``Invalid``."""
        devices = {
            device.id: device
            for device in self._directory.all()
            if self.is_candidate(device, plan) and staff.grant.covers(self._directory.district_of(device))
        }
        candidates = [Candidate(id_, self._directory.district_of(one)) for id_, one in devices.items()]
        dealt = deal(plan.rings, candidates, salt)
        return [self.member(devices[id_], ring, bundle, now) for id_, ring in dealt.items()]

    def member(self, device: Device, ring: int, bundle: Bundle, now: float) -> Member:
        """Left out with a code if it is known to be unable to run the bundle."""
        versions = self._versions.get(device.id)
        code = misfit(bundle.needs, versions.agent if versions is not None else "", device.hardware)
        if code is not None:
            return Member(device.id, ring, "left-out", now, code=code)
        return Member(device.id, ring, at=now)

    def comings(
        self, book: Book, devices: Iterable[DeviceId], now: float
    ) -> tuple[list[Member], list[Member]]:
        """Which of these devices join the rollout now, in its last ring, and which it waits for no more."""
        rollout = book.rollout
        if rollout.state in (_S.DRAFT, _S.STOPPED) or rollout.returns is not None:
            return [], []
        joining = rollout.state is not _S.FINISHED or self.newest(rollout.kind) is book
        bundle = self._bundles.find(rollout.plan.bundle) if joining else None
        joined, left = [], []
        for id_ in devices:
            device, member = self._directory.find(id_), book.members.get(id_)
            if member is None:
                if bundle is not None and device is not None and self.is_candidate(device, rollout.plan):
                    joined.append(self.member(device, len(rollout.rings) - 1, bundle, now))
            elif member.step not in ENDED and (device is None or device.state is DeviceState.RETIRED):
                left.append(replace(member, step="left-out", code="retired", at=now))
        return joined, left
