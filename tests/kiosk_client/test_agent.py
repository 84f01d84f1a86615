"""The agent's life against a city in memory, on a clock that jumps."""

import asyncio
import contextlib
import itertools
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kiosk_client.ports import BodyFacts, Evidence, Result
from signaling.wire.kiosk.city import Carry, SentAway, TakeBack
from signaling.wire.kiosk.device import Beat, DeviceHello, Report
from signaling.wire.kiosk.words import (
    Began,
    ClockTrust,
    CommandId,
    Done,
    EnrolmentState,
    KeyAnnounced,
    LogLine,
    Order,
    Outcome,
    Reboot,
    RestartAgent,
    RestartPage,
    TakeScreenshot,
)
from tests.helpers.loop import run_virtual
from tests.helpers.toy_city import CITY_EPOCH, SETTINGS, ToyBody, ToyCity, ToyDevice, ToySystem, toy_device

DAY_S = 86_400.0


def an_order(id_: str = "c1", do: Any = None, expires_in_s: float = 3_600.0, **fields: Any) -> Order:
    return Order(CommandId(id_), do or RestartPage(), CITY_EPOCH + expires_in_s, **fields)


async def until(condition: Callable[[], object], within_s: float = 1_000.0) -> None:
    """Virtual seconds cost nothing."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - what is waited for is many things
            await asyncio.sleep(0.05)


def test_a_new_device_shows_its_code_and_is_let_in() -> None:
    async def life() -> None:
        city = ToyCity()
        async with toy_device(city) as device:
            await until(lambda: city.all(Beat))

            standings = device.body.shown
            pairing = next(one.pairing for one in standings if one.pairing is not None)
            assert (pairing.code, pairing.words) == ("ABC234", ("một", "hai", "ba", "bốn"))
            assert [one.state for one in standings] == ["enrolling", "connected"]
            assert device.body.settings == [SETTINGS]

            await device.come_back(run="run-2")
            await until(lambda: len(city.hellos_at) == 2)

        assert city.asked == 1  # it is known, and does not ask again
        first, second = (hello.at.counter for hello in city.all(DeviceHello))
        assert second > first > 0

    run_virtual(life())


def test_an_expired_code_is_followed_by_another_and_a_refusal_by_a_long_wait() -> None:
    async def life() -> None:
        city = ToyCity()
        state = EnrolmentState
        city.enrolment_states = [state.WAITING, state.EXPIRED, state.WAITING, state.REFUSED]
        async with toy_device(city):
            await until(lambda: city.asked == 2)
            await until(lambda: city.enrolment_states == [state.REFUSED])
            refused_at = asyncio.get_running_loop().time()
            city.enrolment_states = [state.REFUSED]
            await until(lambda: city.asked == 3)
            assert asyncio.get_running_loop().time() - refused_at >= 600

    run_virtual(life())


def test_one_of_too_many_asks_ever_more_rarely_and_never_before_it_was_told_to() -> None:
    async def life() -> None:
        city = ToyCity()
        now = asyncio.get_running_loop().time
        city.too_many_until = now() + 1_200
        async with toy_device(city) as device:
            await until(lambda: city.all(Beat), within_s=2_000)

        gaps = [after - before for before, after in itertools.pairwise(city.refused_at)]
        assert min(gaps) >= 2.0
        assert 15 < len(city.refused_at) < 120  # a constant wait of two seconds makes it six hundred
        assert "sent-away" not in {one.state for one in device.body.shown}

    run_virtual(life())


def test_a_code_stays_on_the_screen_while_too_many_look() -> None:
    async def life() -> None:
        city = ToyCity()
        city.enrolment_states = [EnrolmentState.WAITING]
        async with toy_device(city):
            await until(lambda: city.asked == 1)
            city.too_many_until = asyncio.get_running_loop().time() + 300
            await until(lambda: len(city.refused_at) > 5)
            city.enrolment_states = [EnrolmentState.COLLECTED]
            await until(lambda: city.all(Beat))

        assert city.asked == 1

    run_virtual(life())


def test_evidence_is_not_offered_again_before_the_city_s_wait() -> None:
    async def life() -> None:
        city = ToyCity()
        shot = Result(Outcome(succeeded=True), Evidence("screenshot", b"picture"))
        async with toy_device(city) as device:
            device.body.result = shot
            await until(lambda: city.all(Beat))
            city.busy_for_evidence_s = 40.0
            city.say(Carry(time=city.now, order=an_order(do=TakeScreenshot())))
            await until(lambda: city.evidence_at)
            for number in range(30):
                await device.agent.report(LogLine("info", f"x{number}"))
                await asyncio.sleep(1)
            assert len(city.evidence_at) == 1
            city.busy_for_evidence_s = 0.0
            await until(
                lambda: city.all(Report) and any(isinstance(one.news, Done) for one in city.all(Report))
            )

        assert len(city.evidence) == 1

    run_virtual(life())


def test_beats_come_at_the_interval_and_are_dropped_while_the_line_is_cut() -> None:
    async def life() -> None:
        city = ToyCity()
        async with toy_device(city) as device:
            await until(lambda: city.all(Beat))
            begin = len(city.all(Beat))
            await asyncio.sleep(600)
            assert len(city.all(Beat)) - begin in (19, 20, 21)

            city.reachable = False
            city.cut()
            before = len(city.all(Beat))
            await asyncio.sleep(600)
            assert len(city.all(Beat)) == before
            city.reachable = True
            await until(lambda: len(city.hellos_at) == 2)
            await until(lambda: len(city.all(Beat)) > before)

            beat = city.all(Beat)[-1]
            assert beat.n == 1  # of this connection; nothing of the past is told
            assert 0.8 < beat.facts.network.loss_share <= 1
            assert device.body.shown[-1].state == "connected"

    run_virtual(life())


def test_a_line_that_answers_no_more_is_given_up_and_opened_anew() -> None:
    async def life() -> None:
        city = ToyCity()
        async with toy_device(city):
            await until(lambda: city.all(Beat))
            city.answers_beats = False
            silent_since = asyncio.get_running_loop().time()
            await until(lambda: len(city.hellos_at) == 2)
            assert asyncio.get_running_loop().time() - silent_since < 150

    run_virtual(life())


def test_tries_spread_out_and_grow_rarer_and_obey_the_city() -> None:
    async def life() -> None:
        city = ToyCity()
        async with toy_device(city, chance=lambda: 0.999):
            await until(lambda: city.all(Beat))
            city.reachable = False
            city.cut()
            await until(lambda: len(city.dials_at) == 12)
            gaps = [
                after - before for before, after in zip(city.dials_at[1:], city.dials_at[2:], strict=False)
            ]
            assert all(after > before - 0.001 for before, after in itertools.pairwise(gaps))
            assert 55 < gaps[-1] < 61

            city.reachable = True
            city.away = SentAway(time=0, code="shutting-down", text="", retry_after_ms=200_000)
            await until(lambda: city.hellos_at[1:])
            away_at = asyncio.get_running_loop().time()
            city.away = None
            await until(lambda: len(city.hellos_at) == 3)
            assert asyncio.get_running_loop().time() - away_at >= 200

    run_virtual(life())


def test_a_device_that_is_quarantined_asks_each_ten_minutes() -> None:
    async def life() -> None:
        city = ToyCity()
        city.away = SentAway(time=0, code="quarantined", text="")
        async with toy_device(city) as device:
            await until(lambda: len(city.hellos_at) == 4, within_s=4_000)
            gaps = [after - before for before, after in zip(city.hellos_at, city.hellos_at[1:], strict=False)]
            assert all(600 <= gap <= 721 for gap in gaps)
            assert device.body.shown[-1].state == "sent-away"
            assert device.body.shown[-1].code == "quarantined"

    run_virtual(life())


def test_a_device_unknown_to_the_city_asks_to_be_let_in_again() -> None:
    async def life() -> None:
        city = ToyCity()
        async with toy_device(city):
            await until(lambda: city.all(Beat))
            city.away = SentAway(time=0, code="unknown-device", text="")
            city.cut()
            await until(lambda: city.asked == 2)
            city.away = None
            await until(lambda: len(city.hellos_at) >= 3)

    run_virtual(life())


@pytest.mark.parametrize(
    ("skew_s", "trust"), [(0.0, ClockTrust.SYNCED), (DAY_S, ClockTrust.UNSET), (-DAY_S, ClockTrust.UNSET)]
)
def test_a_wall_clock_is_trusted_as_far_as_the_city_agrees(skew_s: float, trust: ClockTrust) -> None:
    async def life() -> None:
        city = ToyCity()
        async with toy_device(city, system=ToySystem(skew_s=skew_s)) as device:
            await until(lambda: len(city.all(Beat)) > 2)
            assert city.all(Beat)[-1].facts.clock is trust
            assert device.agent.city_now() == pytest.approx(city.now, abs=0.05)

            device.system.skew_s += 3_600
            await until(lambda: city.news(LogLine))
            assert city.news(LogLine)[0].code == "clock-jump"
            assert device.agent.city_now() == pytest.approx(city.now, abs=0.05)

    run_virtual(life())


def test_a_body_that_fails_for_a_while_costs_beats_and_nothing_else() -> None:
    class Moody(ToyBody):
        broken = False

        async def facts(self) -> BodyFacts:
            if self.broken:
                raise ZeroDivisionError
            return await super().facts()

    async def life() -> None:
        city = ToyCity()
        body = Moody()
        async with toy_device(city, body=body) as device:
            await until(lambda: city.all(Beat))
            body.broken = True
            before = len(city.all(Beat))
            await asyncio.sleep(300)
            assert len(city.all(Beat)) == before
            body.broken = False
            await until(lambda: len(city.all(Beat)) > before)
            assert device.body.shown[-1].state == "connected"
            assert len(city.hellos_at) == 1

    run_virtual(life())


def test_the_watchdog_is_fed_while_the_body_lives_and_not_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "90000000")
        monkeypatch.delenv("WATCHDOG_PID", raising=False)

        def said() -> list[bytes]:
            heard = []
            with contextlib.suppress(BlockingIOError):
                while True:
                    heard.append(manager.recv(100))
            return heard

        class Mortal(ToyBody):
            well = True

            def alive(self) -> bool:
                return self.well

        async def life() -> None:
            body = Mortal()
            async with toy_device(ToyCity(), body=body):
                await asyncio.sleep(100)
                assert said() == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1", b"WATCHDOG=1"]
                body.well = False
                await asyncio.sleep(300)
                assert said() == []
            assert said() == [b"STOPPING=1"]

        run_virtual(life())


# --- orders ---


def test_an_order_is_kept_claimed_carried_out_and_told() -> None:
    async def life() -> None:
        city = ToyCity()
        async with toy_device(city) as device:
            await until(lambda: city.line is not None)
            city.order(an_order())
            city.order(an_order())  # it may come again
            await until(lambda: city.news(Done))

            assert device.body.done == ["c1"]
            assert set(city.acknowledged()) == {"c1"}
            assert city.news(Began) == [Began(CommandId("c1"))]
            assert city.news(Done) == [Done(CommandId("c1"), Outcome(succeeded=True))]
            await until(lambda: device.agent.depth == 0)

            city.order(an_order())  # … even now
            await asyncio.sleep(100)
            assert device.body.done == ["c1"]

    run_virtual(life())


def test_an_order_waits_for_the_resident_and_is_forced_at_its_time() -> None:
    async def life() -> None:
        city = ToyCity()
        async with toy_device(city) as device:
            await until(lambda: city.line is not None)
            device.body.set_session(True)
            city.order(an_order("patient"))
            city.order(an_order("forced", force_at=CITY_EPOCH + 300))
            city.order(an_order("at-once", waits_for_session=False))
            await until(lambda: device.body.done)
            assert device.body.done == ["at-once"]

            await until(lambda: len(device.body.done) == 2)
            assert 300 <= city.now - CITY_EPOCH < 302
            assert device.body.done == ["at-once", "forced"]

            device.body.set_session(False)
            await until(lambda: len(device.body.done) == 3)
            assert device.body.done[-1] == "patient"

    run_virtual(life())


def test_an_order_that_comes_too_late_or_is_taken_back_or_refused_is_never_begun() -> None:
    async def life() -> None:
        city = ToyCity()
        async with toy_device(city) as device:
            await until(lambda: city.line is not None)
            device.body.set_session(True)
            city.order(an_order("late", expires_in_s=60))
            city.order(an_order("back"))
            city.say(TakeBack(time=city.now, command=CommandId("back")))
            city.say(TakeBack(time=city.now, command=CommandId("overtaken")))
            city.order(an_order("overtaken"))
            city.no_go[CommandId("refused")] = "not-allowed"
            city.order(an_order("refused", waits_for_session=False))
            await asyncio.sleep(100)
            device.body.set_session(False)
            await asyncio.sleep(100)

            assert device.body.done == []
            assert city.news(Done) == []
            assert set(city.acknowledged()) == {"late", "back", "overtaken", "refused"}

    run_virtual(life())


def test_a_clock_that_is_a_year_ahead_expires_nothing() -> None:
    async def life() -> None:
        city = ToyCity()
        async with toy_device(city, system=ToySystem(skew_s=365 * DAY_S)) as device:
            await until(lambda: city.line is not None)
            city.order(an_order())
            await until(lambda: city.news(Done))
            assert device.body.done == ["c1"]

    run_virtual(life())


def test_evidence_is_uploaded_before_the_outcome_is_told() -> None:
    async def life() -> None:
        city = ToyCity()
        body = ToyBody()
        body.result = Result(Outcome(succeeded=True), Evidence("screenshot", b"picture"))
        async with toy_device(city, body=body) as device:
            await until(lambda: city.line is not None)
            order: list[str] = []
            city.on_heard = lambda message: (
                order.append("done")
                if isinstance(message, Report) and isinstance(message.news, Done)
                else None
            )
            city.order(an_order(do=TakeScreenshot()))
            await until(lambda: city.news(Done))
            (done,) = city.news(Done)
            assert [head.id for head in city.evidence] == [done.outcome.evidence]
            await until(lambda: device.agent.depth == 0)
            assert device.folder.names("evidence-") == []

    run_virtual(life())


def test_an_effect_that_takes_too_long_is_given_up() -> None:
    async def life() -> None:
        city = ToyCity()
        body = ToyBody()
        body.takes_s = 1_000
        async with toy_device(city, body=body):
            await until(lambda: city.line is not None)
            city.order(an_order(runs_at_most_s=30))
            await until(lambda: city.news(Done))
            assert city.news(Done)[0].outcome.code == "too-long"

    run_virtual(life())


async def _interrupted(do: Any, boot: str) -> tuple[ToyCity, ToyDevice]:
    """The power goes while an order is carried out."""
    city = ToyCity()
    body = ToyBody()
    body.takes_s = 50
    async with toy_device(city, body=body) as device:
        await until(lambda: city.line is not None)
        city.order(an_order(do=do))
        await until(lambda: city.news(Began) or (device.task is not None and device.task.done()))
        await device.come_back(boot=boot, run="run-2")
        city.order(an_order(do=do))
        await until(lambda: city.news(Done))
    return city, device


@pytest.mark.parametrize(
    ("do", "boot", "code"),
    [
        (RestartPage(), "boot-0001", "interrupted"),
        (Reboot(), "boot-0001", "interrupted"),
        (Reboot(), "boot-0002", ""),
        (RestartAgent(), "boot-0001", ""),
        (RestartAgent(), "boot-0002", ""),
    ],
)
def test_what_a_power_cut_interrupted_is_told_and_not_tried_again(do: Any, boot: str, code: str) -> None:
    async def life() -> None:
        city, device = await _interrupted(do, boot)
        assert len(device.body.done) <= 1
        (done,) = city.news(Done)
        assert done.outcome.code == code
        assert done.outcome.succeeded is (code == "")

    run_virtual(life())


def test_restart_agent_ends_the_process_in_good_order() -> None:
    async def life() -> None:
        city = ToyCity()
        async with toy_device(city) as device:
            await until(lambda: city.line is not None)
            city.order(an_order(do=RestartAgent()))
            assert device.task is not None
            assert await device.task == "restart"
            await device.come_back(run="run-2")
            await until(lambda: city.news(Done))
            assert city.news(Done)[0].outcome == Outcome(succeeded=True)

    run_virtual(life())


# --- what must not be lost ---


def test_reports_wait_for_the_line_and_are_told_again_until_stored() -> None:
    async def life() -> None:
        city = ToyCity()
        city.stores = False
        async with toy_device(city) as device:
            await until(lambda: city.line is not None)
            for n in range(40):
                await device.agent.report(LogLine("info", f"line-{n}"))
            await asyncio.sleep(5)
            assert len(city.news(LogLine)) == 16  # on their way; more would only pile up

            city.stores = True
            city.cut()
            await until(lambda: device.agent.depth == 0)
            told = [line.code for line in city.news(LogLine)]
            assert told[16:] == [f"line-{n}" for n in range(40)]
            keys = [report.key for report in city.all(Report)]
            assert keys[:16] == keys[16:32]  # the same report has the same key

    run_virtual(life())


# --- the key ---


def test_a_key_is_changed_over_two_lines() -> None:
    async def life() -> None:
        city = ToyCity()
        city.rotate = True
        async with toy_device(city) as device:
            await until(lambda: city.news(KeyAnnounced))
            city.rotate = False
            await until(lambda: len(city.hellos_at) == 2)
            await until(lambda: device.folder.read("next.key") is None)
            assert len(city.news(KeyAnnounced)) == 1

    run_virtual(life())


def test_a_next_key_that_the_city_does_not_know_is_no_dead_end() -> None:
    async def life() -> None:
        city = ToyCity()
        city.rotate = True
        async with toy_device(city) as device:
            await until(lambda: city.news(KeyAnnounced))
            city.rotate = False
            city.away = SentAway(time=0, code="bad-signature", text="")
            await until(lambda: len(city.hellos_at) == 2)
            city.away = None
            await until(lambda: len(city.hellos_at) == 3)
            await until(lambda: device.body.shown[-1].state == "connected")
            assert device.folder.read("next.key") is not None  # the old one is in use

    run_virtual(life())


def test_carry_is_not_acknowledged_while_too_many_wait() -> None:
    async def life() -> None:
        city = ToyCity()
        async with toy_device(city) as device:
            await until(lambda: city.line is not None)
            device.body.set_session(True)
            for n in range(201):
                city.say(Carry(time=city.now, order=an_order(f"c{n}")))
            await until(lambda: len(city.acknowledged()) == 200)
            await asyncio.sleep(10)
            assert len(city.acknowledged()) == 200

    run_virtual(life())
