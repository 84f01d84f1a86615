"""Rollouts over a real database: what is acknowledged is there after a restart, with who did it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import insert, select

from kiosk_hub.fleet.bundles import Needs
from kiosk_hub.fleet.experience import ExperienceGate
from kiosk_hub.fleet.ids import BundleId, DeviceId
from kiosk_hub.fleet.news import Sessions
from kiosk_hub.fleet.rings import Ring
from kiosk_hub.fleet.rollouts import Gate, Rollout, RolloutPlan, RolloutState, Transfer
from kiosk_hub.fleet.values import BundleKind, DeviceState
from kiosk_hub.services.rollout_shelf import NothingToReturnTo
from kiosk_hub.services.rollouts import OtherRollout
from kiosk_hub.store.tables import audit, session_counts
from room_manager.errors import Invalid, NotAllowed
from tests.helpers import bundles as files
from tests.helpers import databases
from tests.helpers.rollout_city import AN, BINH, TECHNICIAN, City, city

GATE = Gate(advance_share=1.0, soak_s=600.0, failed_share=0.2, failed_least=2)
RINGS = (Ring(share=0.25), Ring())

databases.prepare()


def run(folder: Path, story: Callable[[City], Awaitable[None]]) -> None:
    async def main() -> None:
        async with city(folder, databases.new(folder)) as here:
            await story(here)

    asyncio.run(main())


async def started(here: City, version: str = "1", gate: Gate = GATE) -> Rollout:
    bundle = await here.add_bundle(version)
    plan = RolloutPlan(BundleId(bundle), RINGS, gate=gate, transfer=Transfer(60, 300, 50_000, 10))
    rollout = await here.rollouts.plan(plan, AN)
    await here.rollouts.submit(rollout.id, AN)
    return await here.rollouts.approve(rollout.id, BINH)


def offered(here: City, rollout: Rollout) -> set[str]:
    return {device for device, offer in here.lines.offers.items() if offer and offer.rollout == rollout.id}


async def finished(here: City, version: str) -> Rollout:
    rollout = await started(here, version)
    await here.all_tell(rollout.id, "installed")
    book = here.rollouts.shelf.book(rollout.id)
    await here.until(lambda: book.rollout.rings[0].reached_at is not None)
    here.now += 600
    await here.until(lambda: book.rollout.rings[1].started_at is not None)
    await here.all_tell(rollout.id, "installed")
    await here.until(lambda: book.rollout.rings[1].reached_at is not None)
    here.now += 600
    await here.until(lambda: book.rollout.state is RolloutState.FINISHED)
    return book.rollout


def test_ring_after_ring_to_the_end(tmp_path: Path) -> None:
    async def story(here: City) -> None:
        await here.add_devices(12)
        rollout = await started(here)

        assert len(offered(here, rollout)) == 3
        offer = next(offer for offer in here.lines.offers.values() if offer)
        assert (offer.version, offer.target, offer.cap_bytes_per_s) == ("1", "content/1.zip", 50_000)
        assert (offer.download_from_minute, offer.download_to_minute) == (60, 300)
        await here.all_tell(rollout.id, "installed")
        assert offered(here, rollout) == set()

        book = here.rollouts.shelf.book(rollout.id)
        await here.until(lambda: book.rollout.rings[0].reached_at is not None)
        assert book.rollout.rings[1].started_at is None
        here.now += 600
        await here.until(lambda: len(offered(here, rollout)) == 9)
        await here.all_tell(rollout.id, "installed")
        await here.until(lambda: book.rollout.rings[1].reached_at is not None)
        here.now += 600
        await here.until(lambda: book.rollout.state is RolloutState.FINISHED)

        async with here.database.read() as connection:
            rows = (await connection.execute(select(audit.c.account, audit.c.action))).all()
        assert [tuple(row) for row in rows] == [
            ("an", "add-bundle"),
            ("an", "plan-rollout"),
            ("an", "submit-rollout"),
            ("binh", "approve-rollout"),
            ("", "reach-rollout"),
            ("", "start-ring-rollout"),
            ("", "reach-rollout"),
            ("", "finish-rollout"),
        ]

    run(tmp_path, story)


def test_it_stops_by_itself_when_installs_fail_and_takes_its_offers_back(tmp_path: Path) -> None:
    async def story(here: City) -> None:
        await here.add_devices(12)
        rollout = await started(here)
        first, second, third = sorted(offered(here, rollout))

        await here.tells(DeviceId(first), rollout.id, "failed", "bad-signature")
        await here.tells(DeviceId(second), rollout.id, "returned", "unhealthy")

        book = here.rollouts.shelf.book(rollout.id)
        await here.until(lambda: book.rollout.state is RolloutState.STOPPED)
        assert book.rollout.reason is not None
        assert book.rollout.reason.code == "too-many-failed"
        await here.until(lambda: here.lines.offers[DeviceId(third)] is None)
        assert here.rollouts.shelf.offer_for(DeviceId("k011")) is None

    run(tmp_path, story)


def test_it_stops_by_itself_when_residents_fare_worse(tmp_path: Path) -> None:
    async def story(here: City) -> None:
        devices = await here.add_devices(12)
        gate = Gate(advance_share=1.0, soak_s=1e6, experience=ExperienceGate(least=50))
        rollout = await started(here, gate=gate)
        hour = int(here.now // 3600)
        await put_sessions(here, devices, range(hour - 48, hour), begun=10, abandoned=1)
        updated = await here.all_tell(rollout.id, "installed")
        book = here.rollouts.shelf.book(rollout.id)
        await here.until(lambda: not book.has_stale)
        assert not any(finding.worse for finding in book.findings)

        await put_sessions(here, devices, range(hour + 1, hour + 8), begun=10, abandoned=1, but=updated)
        await put_sessions(here, updated, range(hour + 1, hour + 8), begun=10, abandoned=4)
        for device in devices:
            here.rollouts.counts_changed(device)

        await here.until(lambda: book.rollout.state is RolloutState.STOPPED)
        assert book.rollout.reason is not None
        assert book.rollout.reason.code == "experience-abandoned"
        assert "40,0 % (84/210)" in book.rollout.reason.vi

    run(tmp_path, story)


async def put_sessions(
    here: City,
    devices: list[DeviceId],
    hours: range,
    *,
    begun: int,
    abandoned: int,
    but: list[DeviceId] | None = None,
) -> None:
    async with here.database.write() as connection:
        for device in devices:
            if device not in (but or ()):
                rows = [
                    {
                        "device": device,
                        "hour": hour,
                        "body": msgspec.json.encode(Sessions(hour, begun, begun - abandoned, abandoned)),
                    }
                    for hour in hours
                ]
                await connection.execute(insert(session_counts), rows)


def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        url = databases.new(tmp_path)
        async with city(tmp_path, url) as here:
            await here.add_devices(12)
            rollout = await started(here)
            tried = sorted(offered(here, rollout))
            await here.tells(DeviceId(tried[0]), rollout.id, "installed")
            await here.tells(DeviceId(tried[1]), rollout.id, "downloading")
            before = here.rollouts.shelf.book(rollout.id)
        async with city(tmp_path, url) as here:
            after = here.rollouts.shelf.book(rollout.id)
            assert after.rollout == before.rollout
            assert after.members == before.members
            assert [+tally for tally in after.tallies] == [+tally for tally in before.tallies]
            here.lines.connected.update(DeviceId(device) for device in tried)
            for device in tried:
                here.rollouts.on_connected(DeviceId(device), "boot", here.now)
            assert offered(here, rollout) == set(tried[1:])

    asyncio.run(main())


def test_only_another_administrator_approves(tmp_path: Path) -> None:
    async def story(here: City) -> None:
        await here.add_devices(4)
        plan = RolloutPlan(BundleId(await here.add_bundle("1")), RINGS)
        with pytest.raises(NotAllowed):
            await here.rollouts.plan(plan, TECHNICIAN)
        rollout = await here.rollouts.plan(plan, AN)
        await here.rollouts.submit(rollout.id, AN)

        for nobody in (AN, TECHNICIAN):
            with pytest.raises(NotAllowed):
                await here.rollouts.approve(rollout.id, nobody)
        assert here.lines.offers == {}
        running = await here.rollouts.approve(rollout.id, BINH)
        assert running.approved_by == "binh"
        assert (await here.rollouts.pause(rollout.id, TECHNICIAN)).state is RolloutState.PAUSED
        with pytest.raises(NotAllowed):
            await here.rollouts.resume(rollout.id, TECHNICIAN)

    run(tmp_path, story)


def test_whoever_changed_the_plan_cannot_approve_it_either(tmp_path: Path) -> None:
    async def story(here: City) -> None:
        await here.add_devices(4)
        plan = RolloutPlan(BundleId(await here.add_bundle("1")), RINGS)
        rollout = await here.rollouts.plan(plan, AN)
        await here.rollouts.replan(rollout.id, msgspec.structs.replace(plan, title="nhanh"), BINH)
        await here.rollouts.submit(rollout.id, AN)
        with pytest.raises(NotAllowed):
            await here.rollouts.approve(rollout.id, BINH)

    run(tmp_path, story)


def test_two_of_one_kind_do_not_run_at_once(tmp_path: Path) -> None:
    async def story(here: City) -> None:
        await here.add_devices(4)
        await started(here, "1")
        with pytest.raises(OtherRollout):
            await started(here, "2")

    run(tmp_path, story)


def test_late_joiners_fall_into_the_last_ring_also_after_the_end(tmp_path: Path) -> None:
    async def story(here: City) -> None:
        await here.add_devices(4)
        rollout = await started(here, "1")
        book = here.rollouts.shelf.book(rollout.id)
        (late,) = await here.add_devices(1, start=50)
        await here.until(lambda: late in book.members)
        assert book.members[late].ring == 1
        assert here.rollouts.shelf.offer_for(late) is None
        await here.rollouts.push(rollout.id, 1, AN)
        assert here.lines.offers[late] is not None

    run(tmp_path, story)


def test_a_device_that_left_the_fleet_is_waited_for_no_more(tmp_path: Path) -> None:
    async def story(here: City) -> None:
        await here.add_devices(4)
        rollout = await started(here)
        book = here.rollouts.shelf.book(rollout.id)
        (one,) = offered(here, rollout)
        async with here.directory.change() as change:
            gone = here.directory.get(DeviceId(one))
            await change.put(msgspec.structs.replace(gone, state=DeviceState.RETIRED))

        await here.until(lambda: book.members[DeviceId(one)].step == "left-out")
        await here.until(lambda: book.rollout.rings[1].started_at is not None)

    run(tmp_path, story)


def test_devices_that_cannot_run_it_are_left_out_and_counted_beforehand(tmp_path: Path) -> None:
    async def story(here: City) -> None:
        await here.add_devices(6, hardware="Kiosk K2 serial 77")
        await here.add_devices(2, start=10, hardware="Kiosk K1 serial 5")
        file = files.written(tmp_path / "files", files.content())
        bundle = await here.bundles.add(
            file, BundleKind.CONTENT, "9", needs=Needs(hardware=("kiosk k2",)), account="an"
        )
        plan = RolloutPlan(bundle.id, (Ring(districts=("001",)), Ring()))

        assert here.rollouts.preview(plan, AN) == ([2, 4], 2)
        rollout = await here.rollouts.plan(plan, AN)
        await here.rollouts.submit(rollout.id, AN)
        members = here.rollouts.shelf.book(rollout.id).members.values()
        assert sorted(m.device for m in members if m.code == "wrong-hardware") == ["k010", "k011"]

        nobody = RolloutPlan(
            bundle.id, (Ring(),), kinds=(msgspec.convert("bridge-point", type=type(plan.kinds[0])),)
        )
        draft = await here.rollouts.plan(nobody, AN)
        with pytest.raises(Invalid):
            await here.rollouts.submit(draft.id, AN)

    run(tmp_path, story)


def test_going_back_gives_the_last_good_one_to_those_who_have_the_bad_one(tmp_path: Path) -> None:
    async def story(here: City) -> None:
        await here.add_devices(8)
        good = await finished(here, "1")
        bad = await started(here, "2")
        some = await here.all_tell(bad.id, "installed")
        assert len(some) == 2

        back = await here.rollouts.go_back(bad.id, None, TECHNICIAN)

        assert (back.version, back.returns, back.state) == ("1", bad.id, RolloutState.RUNNING)
        assert here.rollouts.shelf.book(bad.id).rollout.state is RolloutState.STOPPED
        assert offered(here, back) == set(some)
        assert await here.all_tell(back.id, "installed") == some
        book = here.rollouts.shelf.book(back.id)
        await here.until(lambda: book.rollout.state is RolloutState.FINISHED)
        (late,) = await here.add_devices(1, start=90)
        await here.until(lambda: late in here.rollouts.shelf.book(good.id).members)
        assert late not in book.members

    run(tmp_path, story)


def test_without_an_earlier_one_there_is_nothing_to_go_back_to(tmp_path: Path) -> None:
    async def story(here: City) -> None:
        await here.add_devices(4)
        rollout = await started(here, "1")
        await here.all_tell(rollout.id, "installed")
        with pytest.raises(NothingToReturnTo):
            await here.rollouts.go_back(rollout.id, None, AN)
        assert here.rollouts.shelf.book(rollout.id).rollout.state is RolloutState.RUNNING

    run(tmp_path, story)


def test_going_back_brings_nothing_that_nobody_approved(tmp_path: Path) -> None:
    async def story(here: City) -> None:
        await here.add_devices(4)
        rollout = await started(here, "1")
        await here.all_tell(rollout.id, "installed")
        unseen = BundleId(await here.add_bundle("2"))
        await here.rollouts.plan(RolloutPlan(unseen, RINGS, gate=GATE), AN)

        for staff in (TECHNICIAN, AN):
            with pytest.raises(NotAllowed):
                await here.rollouts.go_back(rollout.id, unseen, staff)

        assert here.rollouts.shelf.book(rollout.id).rollout.state is RolloutState.RUNNING
        assert {book.rollout.plan.bundle for book in here.rollouts.shelf.books() if book.members} == {
            rollout.plan.bundle
        }

    run(tmp_path, story)


def test_of_two_of_one_kind_approved_at_once_one_runs(tmp_path: Path) -> None:
    async def story(here: City) -> None:
        await here.add_devices(4)
        both = []
        for version in ("1", "2"):
            plan = RolloutPlan(BundleId(await here.add_bundle(version)), RINGS, gate=GATE)
            both.append(await here.rollouts.plan(plan, AN))
            await here.rollouts.submit(both[-1].id, AN)

        came = await asyncio.gather(
            *(here.rollouts.approve(one.id, BINH) for one in both), return_exceptions=True
        )

        assert [type(one) for one in came] == [Rollout, OtherRollout]
        states = [here.rollouts.shelf.book(one.id).rollout.state for one in both]
        assert states == [RolloutState.RUNNING, RolloutState.AWAITING_APPROVAL]

    run(tmp_path, story)


def test_an_older_rollout_never_undoes_a_newer_one(tmp_path: Path) -> None:
    async def story(here: City) -> None:
        await here.add_devices(4)
        await finished(here, "1")
        (late,) = await here.add_devices(1, start=20)
        await here.until(lambda: here.lines.offers.get(late) is not None)
        second = await finished(here, "2")

        assert here.lines.offers[late] is None
        assert here.rollouts.shelf.book(second.id).members[late].step == "installed"
        assert here.rollouts.shelf.offer_for(late) is None

    run(tmp_path, story)


def test_what_failed_is_offered_again_on_request(tmp_path: Path) -> None:
    async def story(here: City) -> None:
        await here.add_devices(12)
        rollout = await started(here)
        one = sorted(offered(here, rollout))[0]
        await here.tells(DeviceId(one), rollout.id, "failed", "disk-full")
        assert one not in offered(here, rollout)

        assert await here.rollouts.retry(rollout.id, (), AN) == 1

        assert one in offered(here, rollout)

    run(tmp_path, story)
