"""A rollout from the city to the agent itself: durable outbox, real line, real files; forth and back."""

import asyncio
from pathlib import Path

from kiosk_client.updates.updater import BundleUpdater
from kiosk_hub.fleet.commands import CommandState, Plan
from kiosk_hub.fleet.experience import ExperienceGate
from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.orders import RefreshContent, RestartAgent
from kiosk_hub.fleet.rings import Ring
from kiosk_hub.fleet.rollouts import Gate, Rollout, RolloutPlan, RolloutState, Transfer
from kiosk_hub.fleet.values import BundleKind
from signaling.wire.kiosk.bundles import USUAL, Configuration
from tests.helpers import bundles as files
from tests.helpers.fleet_server import Fleet, StaffClient
from tests.helpers.rollout_city import AN, BINH
from tests.helpers.updating import QUICK, NoRuntime
from tests.integration.test_agent_and_city import Machine, _command, _facts, _let_in, play, until

ANY_TIME = Transfer()


async def roll_out(
    here: Fleet,
    folder: Path,
    version: str,
    transfer: Transfer = ANY_TIME,
    configuration: bytes | None = None,
) -> Rollout:
    """``configuration``: of a bundle; None: content is rolled out."""
    here.hub.bundles.keep_free_bytes = 0
    kind = BundleKind.CONTENT if configuration is None else BundleKind.CONFIGURATION
    file = files.written(folder / "files", configuration or files.content(version))
    bundle = await here.hub.bundles.add(file, kind, version, account="an")
    gate = Gate(advance_share=1.0, soak_s=0.0, experience=ExperienceGate())
    plan = RolloutPlan(bundle.id, (Ring(),), gate=gate, transfer=transfer)
    rollout = await here.hub.rollouts.plan(plan, AN)
    await here.hub.rollouts.submit(rollout.id, AN)
    return await here.hub.rollouts.approve(rollout.id, BINH)


def configured(here: Fleet, device: DeviceId, version: str) -> bool:
    """Does its beat say that this configuration is in force?"""
    facts = _facts(here, device)
    return facts is not None and facts.versions.configuration == version  # type: ignore[attr-defined]


async def _is_in_log(staff: StaffClient, device: DeviceId, code: str) -> bool:
    entries = (await staff.get(f"/devices/{device}/log"))["entries"]
    return any(entry["code"] == code for entry in entries)


def shows(here: Fleet, device: DeviceId, version: str) -> bool:
    """Does its beat say that it has this content?"""
    facts = _facts(here, device)
    return facts is not None and facts.versions.content == version  # type: ignore[attr-defined]


def updates(machine: Machine) -> BundleUpdater:
    return BundleUpdater(
        machine.body, NoRuntime(), agent="diemcau/0.1", hardware="thử nghiệm", pace=QUICK, keep_free_bytes=0
    )


def test_content_comes_to_the_agent_stays_over_a_restart_and_goes_back(tmp_path: Path) -> None:
    async def scenario(here: Fleet, machine: Machine) -> None:
        machine.updater = lambda: updates(machine)
        device = await _let_in(here, machine)
        shelf = here.hub.rollouts.shelf

        first = await roll_out(here, tmp_path, "1")
        await until(lambda: shelf.book(first.id).rollout.state is RolloutState.FINISHED)
        await until(lambda: shows(here, device, "1"))

        restarting = await here.hub.commands.ask(AN, device, RestartAgent(), Plan(), "thử")
        assert await machine.ended() == "restart"
        machine.start()
        assert restarting.device == device
        second = await roll_out(here, tmp_path, "2")
        await until(lambda: shows(here, device, "2"))
        await until(lambda: shelf.book(second.id).members[device].step == "installed")

        back = await here.hub.rollouts.go_back(second.id, None, AN)
        await until(lambda: shows(here, device, "1"))
        await until(lambda: shelf.book(back.id).rollout.state is RolloutState.FINISHED)
        assert shelf.offer_for(device) is None

    play(tmp_path, scenario)


def test_a_configuration_is_in_force_at_once_over_a_restart_and_after_going_back(tmp_path: Path) -> None:
    async def scenario(here: Fleet, machine: Machine) -> None:
        machine.updater = lambda: updates(machine)
        told = machine.body.configurations
        device = await _let_in(here, machine)
        assert told == [USUAL]
        shelf = here.hub.rollouts.shelf

        slow = files.configuration(session_idle_s=90, volume_share=0.4)
        first = await roll_out(here, tmp_path, "1", configuration=slow)
        await until(lambda: shelf.book(first.id).rollout.state is RolloutState.FINISHED)
        await until(lambda: configured(here, device, "1"))
        assert told[1:] == [Configuration(format=1, session_idle_s=90.0, volume_share=0.4)]

        await here.hub.commands.ask(AN, device, RestartAgent(), Plan(), "thử")
        assert await machine.ended() == "restart"
        machine.start()
        await until(lambda: len(told) == 3)
        assert told[2] == told[1]
        large = files.configuration(text_size="large", language="en")
        second = await roll_out(here, tmp_path, "2", configuration=large)
        await until(lambda: configured(here, device, "2"))
        assert told[3] == Configuration(format=1, text_size="large", language="en")
        await until(lambda: shelf.book(second.id).members[device].step == "installed")

        await here.hub.rollouts.go_back(second.id, None, AN)
        await until(lambda: configured(here, device, "1"))
        assert told[4:] == [told[1]]

    play(tmp_path, scenario)


def test_a_configuration_that_this_agent_does_not_know_is_told_and_the_usual_one_is_in_force(
    tmp_path: Path,
) -> None:
    """As after software went back to a version that knows less."""

    async def scenario(here: Fleet, machine: Machine) -> None:
        shelf = tmp_path / "state" / "updates" / "configuration"
        (shelf / "versions" / "9").mkdir(parents=True)
        (shelf / "versions" / "9" / "configuration.json").write_text('{"format": 1, "colour": "red"}')
        (shelf / "current").symlink_to("versions/9")
        machine.updater = lambda: updates(machine)

        device = await _let_in(here, machine)

        assert machine.body.configurations == [USUAL]
        assert configured(here, device, "")
        staff = await here.staff(name="binh")
        async with asyncio.timeout(20):
            while not await _is_in_log(staff, device, "bad-configuration"):  # noqa: ASYNC110 - REST
                await asyncio.sleep(0.05)

    play(tmp_path, scenario)


def test_staff_have_content_looked_for_outside_of_its_window(tmp_path: Path) -> None:
    async def scenario(here: Fleet, machine: Machine) -> None:
        machine.updater = lambda: updates(machine)
        device = await _let_in(here, machine)
        hour = int((here.door.clock() + 7 * 3600) % 86_400 // 3600)
        closed = Transfer((hour + 2) % 24 * 60, (hour + 3) % 24 * 60)
        rollout = await roll_out(here, tmp_path, "1", closed)

        done = await _command(here, device, RefreshContent())

        assert done.state is CommandState.SUCCEEDED
        await until(lambda: here.hub.rollouts.shelf.book(rollout.id).members[device].step == "installed")

    play(tmp_path, scenario)
