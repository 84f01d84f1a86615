"""Rollouts: planned, approved, carried on ring after ring, stopped by hand or by themselves, undone.

One task looks after all of them. It wakes when a device tells something, when a person acts, when a soak ends
and now and then; whatever follows by the rules is committed with its audit entry before anybody hears of it.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import ClassVar, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.facts import Facts, Versions
from kiosk_hub.fleet.ids import BundleId, DeviceId, RolloutId
from kiosk_hub.fleet.news import AnyNews, DeviceTime, Installing, Sessions
from kiosk_hub.fleet.permissions import Action, Staff, check
from kiosk_hub.fleet.rollout_plans import by_hand, check_plan, drafted, has_it, redrafted, returning
from kiosk_hub.fleet.rollout_rules import (
    AnyDeed,
    Approve,
    Pause,
    Resume,
    StartRing,
    Stop,
    Submit,
    apply,
    heard,
    look,
    retried,
    soak_ends_at,
)
from kiosk_hub.fleet.rollouts import Member, Rollout, RolloutPlan, RolloutState
from kiosk_hub.ports import Feed, Switchboard
from kiosk_hub.services.bundles import Bundles
from kiosk_hub.services.directory import Directory
from kiosk_hub.services.reports import AfterCommit, Reports
from kiosk_hub.services.rollout_book import Book
from kiosk_hub.services.rollout_shelf import Shelf
from kiosk_hub.store import audit
from kiosk_hub.store import rollouts as store
from room_manager.errors import DomainError, Invalid, NotAllowed, WrongState
from room_manager.store.database import Database

LOOK_EVERY_S: Final = 10.0
OFFERS_AT_ONCE: Final = 200
COMERS_AT_ONCE: Final = 200
_S: Final = RolloutState

log = logging.getLogger(__name__)


class OtherRollout(DomainError):
    """Another rollout of this kind of bundle is under way; two would undo each other."""

    code: ClassVar[str] = "other-rollout"


class Rollouts:
    """All rollouts, the newest first. Reading never waits."""

    def __init__(
        self,
        database: Database,
        directory: Directory,
        bundles: Bundles,
        switchboard: Switchboard,
        feed: Feed,
        clock: Callable[[], float],
    ) -> None:
        self._database = database
        self._directory = directory
        self._bundles = bundles
        self._switchboard = switchboard
        self._feed = feed
        self._clock = clock
        self._versions: dict[DeviceId, Versions] = {}
        self.shelf = Shelf(directory, bundles, self._versions)
        self._comers: dict[DeviceId, None] = {}  # devices whose record changed: late joiners, leavers
        self._acting = asyncio.Lock()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self, reports: Reports) -> None:
        """Load what was, and go on with it."""
        for rollout in reversed(await store.load(self._database)):
            members = await store.load_members(self._database, rollout.id)
            self.shelf.put(Book(rollout, members))
        self._comers.update((device.id, None) for device in self._directory.all())
        self._directory.listen(self._on_changed)
        reports.handle(Installing, self._on_installing)
        reports.follow(Sessions, lambda device, news: self.counts_changed(device))
        self._task = asyncio.create_task(self._run(), name="rollouts")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def nudge(self) -> None:
        """Look now rather than in a moment."""
        self._wake.set()

    # --- what people do ---

    def preview(self, plan: RolloutPlan, staff: Staff) -> tuple[list[int], int]:
        """How many devices each ring would have, and how many would be left out because they cannot run it.

        Raises ``Invalid``, ``UnknownBundle``.
        """
        check(staff, Action.PLAN_ROLLOUT)
        bundle = self._bundles.get(plan.bundle)
        counts, left_out = [0] * len(plan.rings), 0
        for member in self.shelf.deal(plan, bundle, "preview", staff, self._clock()):
            if member.step == "left-out":
                left_out += 1
            else:
                counts[member.ring] += 1
        return counts, left_out

    async def plan(self, plan: RolloutPlan, staff: Staff) -> Rollout:
        """A draft. Raises ``NotAllowed``, ``Invalid``, ``UnknownBundle``, ``NotSigned``."""
        check(staff, Action.PLAN_ROLLOUT)
        check_plan(plan)
        bundle = self.shelf.signed(plan.bundle)
        id_ = RolloutId(secrets.token_urlsafe(9))
        rollout = drafted(id_, plan, bundle, staff.account, self._clock())
        async with self._acting:
            await self._keep_new(rollout, (), "plan-rollout", staff)
        return rollout

    async def replan(self, rollout: RolloutId, plan: RolloutPlan, staff: Staff) -> Rollout:
        """Change a draft; whoever does has had a hand in it."""
        check(staff, Action.PLAN_ROLLOUT)
        check_plan(plan)
        bundle = self.shelf.signed(plan.bundle)
        async with self._acting:
            before = self.shelf.book(rollout).rollout
            if before.state is not _S.DRAFT:
                raise WrongState("only a draft can be changed")
            after = redrafted(before, plan, bundle, staff.account)
            async with self._database.write() as connection:
                await store.put(connection, after)
                await audit.append(connection, self._entry("change-rollout", after, staff), self._clock())
            self.shelf.put(Book(after))
        self._feed.rollout_changed(rollout)
        return after

    async def submit(self, rollout: RolloutId, staff: Staff) -> Rollout:
        """The rings are dealt out, and a second administrator may approve it."""
        check(staff, Action.PLAN_ROLLOUT)
        async with self._acting:
            book = self.shelf.book(rollout)
            after = apply(book.rollout, Submit(staff.account), self._clock())
            bundle = self.shelf.signed(after.plan.bundle)
            members = self.shelf.deal(after.plan, bundle, rollout, staff, self._clock())
            if not any(member.step != "left-out" for member in members):
                raise Invalid("rings: no device would get this bundle")
            async with self._database.write() as connection:
                await store.put(connection, after)
                await store.set_members(connection, rollout, members)
                await audit.append(connection, self._entry("submit-rollout", after, staff), self._clock())
            self.shelf.put(Book(after, members))
        self._feed.rollout_changed(rollout)
        return after

    async def approve(self, rollout: RolloutId, staff: Staff) -> Rollout:
        """It runs. Raises ``NotAllowed`` for whoever planned it, ``OtherRollout``."""
        check(staff, Action.APPROVE_ROLLOUT)
        return await self._act(rollout, Approve(staff.account), staff)

    def _check_free(self, book: Book) -> None:
        """While nobody else acts: of two that are approved in the same moment the second is refused."""
        for other in self.shelf.books():
            same = other.rollout.kind is book.rollout.kind and other is not book
            if same and other.rollout.state in (_S.RUNNING, _S.PAUSED):
                raise OtherRollout("another rollout of this kind is under way; let it end, or stop it")
        self.shelf.signed(book.rollout.plan.bundle)

    async def pause(self, rollout: RolloutId, staff: Staff) -> Rollout:
        check(staff, Action.STOP_ROLLOUT)
        return await self._act(rollout, Pause(staff.account), staff)

    async def resume(self, rollout: RolloutId, staff: Staff) -> Rollout:
        check(staff, Action.PLAN_ROLLOUT)
        return await self._act(rollout, Resume(staff.account), staff)

    async def stop(self, rollout: RolloutId, why: str, staff: Staff) -> Rollout:
        """For good. Whoever has it installed keeps it."""
        check(staff, Action.STOP_ROLLOUT)
        return await self._act(rollout, Stop(staff.account, reason=by_hand(staff.name, why)), staff)

    async def push(self, rollout: RolloutId, ring: int, staff: Staff) -> Rollout:
        """Start the next ring without waiting for the one before."""
        check(staff, Action.PLAN_ROLLOUT)
        return await self._act(rollout, StartRing(staff.account, ring=ring), staff)

    async def retry(self, rollout: RolloutId, devices: Iterable[DeviceId], staff: Staff) -> int:
        """Offer it once more to these, where it failed; how many that were. None named: all that failed."""
        check(staff, Action.PLAN_ROLLOUT)
        async with self._acting:
            book = self.shelf.book(rollout)
            if book.rollout.state not in (_S.RUNNING, _S.FINISHED):
                raise WrongState("nothing is offered by a rollout that does not run")
            named, now = set(devices), self._clock()
            again = [
                retried(member, now)
                for member in book.members.values()
                if member.step in ("failed", "returned") and (not named or member.device in named)
            ]
            async with self._database.write() as connection:
                for member in again:
                    await store.change_member(connection, rollout, member)
                entry = self._entry("retry-rollout", book.rollout, staff, devices=len(again))
                await audit.append(connection, entry, now)
            for member in again:
                book.set(member)
        await self._tell_offers([member.device for member in again])
        self._feed.rollout_changed(rollout)
        return len(again)

    async def go_back(self, rollout: RolloutId, bundle: BundleId | None, staff: Staff) -> Rollout:
        """Stop it, and give whoever has (or is getting) it the last bundle of its kind that went to the end.

        No second person is asked: that bundle was approved once, and each hour counts. One that never was
        is refused: this is no way around the second person.
        """
        check(staff, Action.STOP_ROLLOUT)
        bad = self.shelf.book(rollout)
        if bundle is not None and not self.shelf.was_approved(bundle):
            raise NotAllowed("nobody has ever approved a rollout of this bundle; plan one")
        back_to = self.shelf.signed(bundle) if bundle is not None else self.shelf.last_good(bad.rollout)
        if back_to.kind is not bad.rollout.kind or back_to.id == bad.rollout.plan.bundle:
            raise Invalid("bundle: another one of the same kind")
        if bad.rollout.state in (_S.RUNNING, _S.PAUSED, _S.FINISHED):
            await self.stop(rollout, f"→ {back_to.version}", staff)
        async with self._acting:
            now = self._clock()
            members = [Member(member.device, 0) for member in bad.members.values() if has_it(member)]
            if not members:
                raise WrongState("no device has it; there is nothing to undo")
            back = returning(RolloutId(secrets.token_urlsafe(9)), bad.rollout, back_to, staff.account, now)
            await self._keep_new(back, members, "return-rollout", staff)
        await self._tell_offers([member.device for member in members])
        self._wake.set()
        return back

    # --- what devices do ---

    def on_connected(self, device: DeviceId, boot: str, now: float) -> None:
        """What it is to install, told with every line; None, so that it drops what was taken back."""
        self._switchboard.offer(device, self.shelf.offer_for(device))

    def on_gone(self, device: DeviceId, now: float) -> None:
        """Its steps stay as it told them."""

    def on_beat(self, device: DeviceId, facts: Facts, now: float) -> None:
        self._versions[device] = facts.versions

    def offer_again(self, device: DeviceId) -> None:
        """It was asked to look for something new."""
        self._switchboard.offer(device, self.shelf.offer_for(device))

    def counts_changed(self, device: DeviceId) -> None:
        """Residents' counts of this device were reported."""
        for book in self.shelf.books():
            if book.rollout.state is _S.RUNNING:
                book.look_again_at(device)

    async def _on_installing(
        self, connection: AsyncConnection, device: DeviceId, at: DeviceTime, news: AnyNews, now: float
    ) -> AfterCommit | None:
        assert isinstance(news, Installing)
        book = self.shelf.find(news.rollout)
        if book is None:
            return None
        # Not from memory: what this device told a moment ago may be in the same transaction.
        before = await store.member_of(connection, news.rollout, device)
        if before is None:
            return None
        after = heard(before, news, now)
        if after == before:
            return None
        await store.change_member(connection, news.rollout, after)

        def committed() -> None:
            book.set(after)
            self._feed.rollout_changed(news.rollout)
            self._wake.set()
            if after.step in ("installed", "failed", "returned"):
                log.info("< %s: bundle %s %s %s", device, news.bundle, after.step, after.code)
                self._switchboard.offer(device, self.shelf.offer_for(device))  # the next, or nothing more

        return committed

    # --- by itself ---

    def _on_changed(self, before: Device | None, after: Device | None) -> None:
        device = after or before
        if device is not None:
            self._comers[device.id] = None
            self._wake.set()

    async def _run(self) -> None:
        while True:
            failed = False
            steps: list[Callable[[], Awaitable[None]]] = [self._take_comers]
            steps += [partial(self._carry_on, book) for book in self.shelf.books()]
            for step in steps:
                try:
                    await step()
                except Exception:  # of one: the others go on
                    failed = True
                    log.exception("! a rollout could not be looked after; in a moment again")
            if failed:
                await asyncio.sleep(1.0)
            wait_s = LOOK_EVERY_S
            for book in self.shelf.books():
                ends_at = soak_ends_at(book.rollout)
                if ends_at is not None and ends_at > self._clock():
                    wait_s = min(wait_s, max(0.05, ends_at - self._clock()))
            if any(book.has_stale and book.rollout.state is _S.RUNNING for book in self.shelf.books()):
                wait_s = min(wait_s, 0.2)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            self._wake.clear()

    async def _carry_on(self, book: Book) -> None:
        """Everything that follows now. Each deed changes the state, so this ends."""
        if book.rollout.state is not _S.RUNNING:
            return
        await book.read_counts(self._database)
        for _ in range(4 * len(book.rollout.rings) + 4):
            async with self._acting:
                deed = look(book.rollout, book.tallies, book.findings, self._clock())
                if deed is None:
                    return
                await self._do(book, deed, None)
            await self._after(book, deed)

    async def _act(self, rollout: RolloutId, deed: AnyDeed, staff: Staff) -> Rollout:
        async with self._acting:
            book = self.shelf.book(rollout)
            if isinstance(deed, Approve):
                self._check_free(book)
            await self._do(book, deed, staff)
        await self._after(book, deed)
        self._wake.set()
        return book.rollout

    async def _do(self, book: Book, deed: AnyDeed, staff: Staff | None) -> None:
        now = self._clock()
        after = apply(book.rollout, deed, now)
        action = f"{deed.__struct_config__.tag}-rollout"
        code = deed.reason.code if isinstance(deed, Stop) else ""
        entry = self._entry(action, after, staff, **({"reason": code} if code else {}))
        async with self._database.write() as connection:
            await store.put(connection, after)
            await audit.append(connection, entry, now)
        book.rollout = after
        log.info("= rollout %s: %s %s", after.id, action, code)
        self._feed.rollout_changed(after.id)

    async def _after(self, book: Book, deed: AnyDeed) -> None:
        """Tell the devices whose offer the deed has changed."""
        if isinstance(deed, Approve | Pause | Resume | Stop | StartRing):
            await self._tell_offers([member.device for member in book.open_devices()])

    async def _tell_offers(self, devices: list[DeviceId]) -> None:
        for number, device in enumerate(devices, 1):
            if self._switchboard.is_connected(device):
                self._switchboard.offer(device, self.shelf.offer_for(device))
            if number % OFFERS_AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _take_comers(self) -> None:
        """New devices fall into the last ring; those that left the fleet are waited for no more."""
        comers, self._comers = self._comers, {}
        try:
            for book in self.shelf.books():
                await self._take_comers_of(book, comers)
        except BaseException:
            self._comers = {**comers, **self._comers}
            raise

    async def _take_comers_of(self, book: Book, comers: Iterable[DeviceId]) -> None:
        """In groups: a thousand that are enrolled together must not be a thousand transactions."""
        joined, left = self.shelf.comings(book, comers, self._clock())
        for start in range(0, max(len(joined), len(left)), COMERS_AT_ONCE):
            some, others = joined[start : start + COMERS_AT_ONCE], left[start : start + COMERS_AT_ONCE]
            async with self._acting, self._database.write() as connection:
                await store.add_members(connection, book.rollout.id, some)
                for member in others:
                    await store.change_member(connection, book.rollout.id, member)
            for member in (*some, *others):
                book.set(member)
            self._feed.rollout_changed(book.rollout.id)
            await self._tell_offers([member.device for member in (*some, *others)])

    # --- helpers ---

    async def _keep_new(self, rollout: Rollout, members: Iterable[Member], action: str, staff: Staff) -> None:
        members = list(members)
        async with self._database.write() as connection:
            await store.put(connection, rollout)
            await store.add_members(connection, rollout.id, members)
            await audit.append(connection, self._entry(action, rollout, staff), self._clock())
        self.shelf.put(Book(rollout, members))
        self._feed.rollout_changed(rollout.id)

    @staticmethod
    def _entry(action: str, rollout: Rollout, staff: Staff | None, **more: str | int) -> audit.Entry:
        values: dict[str, str | int | float | bool | None] = {
            "rollout": rollout.id,
            "bundle": rollout.plan.bundle,
            "state": rollout.state,
            **more,
        }
        if staff is None:
            return audit.Entry(action, values=values)
        return audit.Entry(action, staff.account, None, staff.address, values=values)
