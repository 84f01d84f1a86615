"""A device's line over real sockets: coming in, beating, reporting, and everything that is refused."""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kiosk_hub.fleet.facts import Facts
from kiosk_hub.fleet.ids import CommandId, DeviceId
from kiosk_hub.fleet.news import DeviceTime, LogLine
from kiosk_hub.fleet.orders import Order, RestartPage
from kiosk_hub.ports import Denied
from kiosk_hub.store.tables import reports
from room_manager.errors import WrongState
from signaling.kiosk import tokens
from signaling.tokens import BadToken, Expired
from signaling.wire.kiosk import city, device, proofs
from tests.helpers.device import TestDevice, facts
from tests.helpers.fleet_server import Fleet, fleet
from tests.helpers.servers import settings

Scenario = Callable[[Fleet], Awaitable[None]]


def play(folder: Path, scenario: Scenario) -> None:
    async def run() -> None:
        async with fleet(settings(folder)) as here:
            await scenario(here)

    asyncio.run(run())


class Heard:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.facts: list[Facts] = []

    def on_connected(self, device: DeviceId, boot: str, now: float) -> None:
        self.said.append(("connected", device))

    def on_gone(self, device: DeviceId, now: float) -> None:
        self.said.append(("gone", device))

    def on_beat(self, device: DeviceId, facts: Facts, now: float) -> None:
        self.said.append(("beat", device))
        self.facts.append(facts)


class Diary:
    """A log of devices that is read by its test."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, LogLine]] = []

    def note(self, device: DeviceId, line: LogLine, now: float) -> None:
        self.lines.append((device, line))

    def codes(self) -> list[str]:
        return [line.code for _, line in self.lines]


async def until(true: Callable[[], bool]) -> None:
    """Look again until it is so, or the test's patience ends."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


def test_a_device_comes_in_beats_and_goes(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        heard = Heard()
        here.door.lines.listen(heard)
        one = await here.enrolled()

        welcome = await one.connect()
        await one.beat(in_session=True)
        await one.cut()
        await until(lambda: not here.hub.switchboard.is_connected(one.id))

        assert heard.said == [("connected", one.id), ("beat", one.id), ("gone", one.id)]
        assert heard.facts == [facts(in_session=True)]
        assert welcome.settings.name == "Ki-ốt sảnh A"
        assert 0 < welcome.token_ends_at - welcome.time <= 900
        kept = here.hub.directory.get(one.id)
        assert (kept.boot, kept.counter) == (one.boot, one.counter)

    play(tmp_path, scenario)


def test_its_counter_is_on_the_disk_before_it_is_welcomed(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    box: list[TestDevice] = []

    async def first() -> None:
        async with fleet(chosen) as here:
            one = await here.enrolled()
            box.append(one)
            await one.connect()
            await one.cut()

    async def then() -> None:
        async with fleet(chosen) as here:
            assert here.hub.directory.get(box[0].id).counter == box[0].counter

    asyncio.run(first())
    asyncio.run(then())


async def _say_hello(one: TestDevice, change: Callable[[device.DeviceHello], device.DeviceHello]) -> str:
    challenge = await one.dial()
    await one.say(change(one.hello(challenge.nonce)))
    return (await one.sent_away()).code


def test_hellos_that_are_not_this_devices_are_refused_with_a_code(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        diary = Diary()
        here.door.diary = diary
        one, other = await here.enrolled(), await here.enrolled()
        first = await one.dial()
        recorded = one.hello(first.nonce)
        await one.cut()
        replace = msgspec.structs.replace

        async def wrong_host() -> str:
            challenge = await one.dial()
            await one.say(one.hello(challenge.nonce, host="evil.example"))
            return (await one.sent_away()).code

        async def before_hello() -> str:
            await one.dial()
            await one.say(device.Beat(n=1, at=one.time(), facts=facts()))
            return (await one.sent_away()).code

        assert await _say_hello(one, lambda _: recorded) == "replayed"
        assert await _say_hello(one, lambda h: replace(h, signature=other.sign(b"x"))) == "bad-signature"
        assert await _say_hello(one, lambda h: replace(h, device=other.id)) == "bad-signature"
        assert await _say_hello(one, lambda h: replace(h, device=DeviceId("nobody"))) == "unknown-device"
        assert await _say_hello(one, lambda h: replace(h, at=one.time())) == "bad-signature"
        assert await wrong_host() == "bad-signature"
        assert await before_hello() == "wrong-state"

        assert {"replayed", "bad-signature"} <= set(diary.codes())
        assert here.hub.directory.get(one.id).counter == 0
        await one.connect()

    play(tmp_path, scenario)


def test_a_clock_that_is_off_by_days_keeps_nobody_out(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        one = await here.enrolled()
        challenge = await one.dial()
        await one.say(one.hello(challenge.nonce, at=one.time(wall=86_400.0)))
        welcome = await one.hear(city.DeviceWelcome)
        assert welcome.time > 1_700_000_000

    play(tmp_path, scenario)


def test_a_megabyte_of_heartbeat_closes_the_line_and_staff_can_read_why(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        diary = Diary()
        here.door.diary = diary
        one = await here.enrolled()
        await one.connect()
        assert one.socket is not None
        await one.socket.send("x" * 2**20)

        assert await one.closed() == 1009
        await until(lambda: "too-big" in diary.codes())
        await one.connect()

    play(tmp_path, scenario)


def test_what_is_no_message_is_rejected_and_the_line_stays(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        diary = Diary()
        here.door.diary = diary
        one = await here.enrolled()
        await one.connect()
        assert one.socket is not None

        async def rejected(text: str) -> tuple[str, str | None]:
            assert one.socket is not None
            await one.socket.send(text)
            message = await one.hear(city.Rejected)
            return message.code, message.key

        good: dict[str, Any] = {
            "type": "report",
            "v": 1,
            "key": "k" * 12,
            "at": msgspec.to_builtins(one.time()),
            "news": {"what": "nothing-known"},
        }
        assert await rejected("{") == ("bad-json", None)
        assert await rejected('{"v":1,"type":"dance"}') == ("unknown-type", None)
        assert await rejected('{"v":2,"type":"beat"}') == ("bad-version", None)
        assert await rejected('{"v":1,"type":"beat"}') == ("bad-field", None)
        assert await rejected("[" * 2000) == ("too-deep", None)
        assert await rejected(json.dumps({"v": 1, "type": "beat", "x": "y" * 20_000})) == ("too-big", None)
        assert await rejected(json.dumps(good)) == ("bad-field", "k" * 12)
        await one.beat()
        assert diary.codes().count("bad-field") == 1

        for _ in range(30):
            await one.socket.send("{")
        assert (await one.sent_away()).code == "bad-json"

    play(tmp_path, scenario)


def test_reports_are_stored_once_and_refused_ones_are_given_back(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        taken: list[str] = []

        async def take(
            connection: object, device: DeviceId, at: DeviceTime, news: Any, now: float
        ) -> Callable[[], None]:
            if news.code == "bad":
                raise WrongState("not this one")
            return lambda: taken.append(news.code)

        here.hub.reports._handlers[LogLine] = take
        one, other = await here.enrolled(), await here.enrolled()
        await one.connect()
        await other.connect()

        keys = [await one.report(LogLine("info", f"line-{n}")) for n in range(100)]
        bad = await other.report(LogLine("info", "bad"))
        assert (await other.hear(city.Rejected)).key == bad
        waiting = set(keys)
        while waiting:
            waiting -= set((await one.hear(city.Stored)).keys)
        await one.report(LogLine("info", "line-0"), keys[0])
        await one.stored(keys[0])

        assert sorted(taken) == sorted(f"line-{n}" for n in range(100))
        async with here.hub.database.read() as connection:
            rows = (await connection.execute(reports.select())).all()
        assert len(rows) == 101

    play(tmp_path, scenario)


class Desk:
    """Who knows commands: two of them."""

    def __init__(self) -> None:
        self.acknowledgements: list[tuple[str, str]] = []

    async def claim(self, device: DeviceId, command: CommandId) -> Denied | None:
        if command == "broken":
            raise WrongState("no")
        return None if command == "good" else Denied("expired", "too late")

    async def acknowledged(self, device: DeviceId, command: CommandId) -> None:
        self.acknowledgements.append((device, command))


def test_orders_reach_their_device_and_claims_are_answered(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        desk = Desk()
        one, other = await here.enrolled(), await here.enrolled()
        await one.connect()
        assert isinstance(await one.claim("good"), city.NoGo)
        here.door.claims = desk
        order = Order(CommandId("good"), RestartPage(), 2e9)

        assert here.hub.switchboard.order(one.id, order)
        assert not here.hub.switchboard.order(other.id, order)
        assert (await one.hear(city.Carry)).order == order
        await one.say(device.Acknowledge(command=CommandId("good")))

        assert isinstance(await one.claim("good"), city.Go)
        denied = await one.claim("late")
        assert isinstance(denied, city.NoGo)
        assert denied.code == "expired"
        refused = await one.claim("broken")
        assert isinstance(refused, city.NoGo)
        assert refused.code == "wrong-state"
        assert desk.acknowledgements == [(one.id, "good")]
        assert here.hub.switchboard.take_back(one.id, CommandId("good"))
        assert (await one.hear(city.TakeBack)).command == "good"
        assert here.hub.switchboard.offer(one.id, None)
        assert (await one.hear(city.Offered)).offer is None

    play(tmp_path, scenario)


def test_a_newer_line_takes_the_place_of_the_older(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        heard = Heard()
        here.door.lines.listen(heard)
        one = await here.enrolled()
        await one.connect()
        again = here.copy_of(one, reboot=False)

        await again.connect()

        assert (await one.sent_away()).code == "superseded"
        await again.beat()
        assert ("gone", one.id) not in heard.said
        assert len(here.door.lines) == 1

    play(tmp_path, scenario)


def test_settings_that_change_are_told_at_once(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        one = await here.enrolled()
        await one.connect()
        async with here.hub.directory.change() as change:
            await change.put(msgspec.structs.replace(change.get(one.id), name="Ki-ốt sảnh B"))
        assert (await one.hear(city.Settings)).settings.name == "Ki-ốt sảnh B"

    play(tmp_path, scenario)


def test_a_token_is_given_with_the_welcome_by_challenge_and_again_in_good_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(here: Fleet) -> None:
        one = await here.enrolled()
        here.door.tokens.check((await one.connect()).token)
        await one.beat()
        assert not [m for m in one.heard if isinstance(m, city.Token)]
        monkeypatch.setattr("signaling.kiosk.line.RENEW_BELOW_S", 1000.0)
        await one.beat()
        assert here.door.tokens.check((await one.hear(city.Token)).token) == one.id
        assert here.door.tokens.check(await one.token()) == one.id

        nonce = (await one.post("/api/kiosk/tokens/challenge")).json()["nonce"]
        signature = one.sign(proofs.token_text(one.host, one.id, nonce))
        asked = {"device": one.id, "nonce": nonce, "signature": signature}
        other = await here.enrolled()
        assert (await one.post("/api/kiosk/tokens", {**asked, "device": other.id})).status_code == 401
        again = await one.post("/api/kiosk/tokens", asked)
        assert (again.status_code, again.json()["code"]) == (401, "replayed")

    play(tmp_path, scenario)


def test_tokens_end_and_those_of_others_are_none() -> None:
    now = [1000.0]
    ours = tokens.DeviceTokens(b"a" * 32, lambda: now[0])
    theirs = tokens.DeviceTokens(b"b" * 32, lambda: now[0])
    token, ends_at = ours.give(DeviceId("one"))
    assert ends_at == 1000.0 + 900.0
    assert ours.check(token) == "one"
    for bad in (theirs.give(DeviceId("one"))[0], token[:-2], "", "a.b", "é.ü", token + "x" * 600):
        with pytest.raises(BadToken):
            ours.check(bad)
    now[0] = ends_at
    with pytest.raises(Expired):
        ours.check(token)


def test_a_flood_is_read_no_faster_than_it_may_and_then_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.kiosk.limits.SLOWED_FOR_S", 0.2)
    monkeypatch.setattr("signaling.kiosk.limits.MESSAGE_BURST", 20.0)

    async def scenario(here: Fleet) -> None:
        diary = Diary()
        here.door.diary = diary
        one, other = await here.enrolled(), await here.enrolled()
        await one.connect()
        await other.connect()
        beat = device.Beat(n=1, at=one.time(), facts=facts())
        for _ in range(100):
            await one.say(beat)
        assert (await one.sent_away()).code == "too-many"
        assert "too-many" in diary.codes()
        await other.beat()

    play(tmp_path, scenario)


def test_a_restart_sends_everybody_away_with_a_place_in_the_ramp(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        devices = [await here.enrolled() for _ in range(4)]
        for one in devices:
            await one.connect()
        here.door.lines.drain()
        waits = [(await one.sent_away()).retry_after_ms for one in devices]
        assert waits == [0, 5000, 10000, 15000]

    play(tmp_path, scenario)


def test_a_hundred_that_return_at_once_cost_few_transactions(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        devices = [await here.enrolled() for _ in range(100)]
        writes = 0
        write = here.hub.database.write

        def counted() -> Any:
            nonlocal writes
            writes += 1
            return write()

        here.hub.database.write = counted  # type: ignore[method-assign]
        challenges = await asyncio.gather(*(one.dial() for one in devices))
        hellos = [one.hello(challenge.nonce) for one, challenge in zip(devices, challenges, strict=True)]
        await asyncio.gather(*(one.say(hello) for one, hello in zip(devices, hellos, strict=True)))
        await asyncio.gather(*(one.hear(city.DeviceWelcome) for one in devices))
        assert writes < 60
        assert len(here.door.lines) == 100

    play(tmp_path, scenario)


def test_a_key_of_noise_is_no_key(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        one = here.machine()
        asked = one.enrolment_request()
        answer = await one.post("/api/kiosk/enrolments", {**asked, "public_key": secrets.token_urlsafe(32)})
        assert (answer.status_code, answer.json()["code"]) == (401, "bad-signature")
        answer = await one.post("/api/kiosk/enrolments", {**asked, "public_key": "x" * 42})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad-field")

    play(tmp_path, scenario)


def test_a_server_that_has_a_name_answers_no_device_that_dialled_another(tmp_path: Path) -> None:
    """Else a machine in the middle could pass the challenge on under its own name."""
    chosen = msgspec.structs.replace(settings(tmp_path), public_origins=("https://fleet.example",))

    async def scenario() -> None:
        async with fleet(chosen) as here:
            one = await here.enrolled()
            await one.connect()  # by loopback
            reader, writer = await asyncio.open_connection("127.0.0.1", here.hall.port)
            writer.write(
                b"GET /kiosk/ws HTTP/1.1\r\nHost: evil.example\r\nConnection: Upgrade\r\n"
                b"Upgrade: websocket\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            )
            async with asyncio.timeout(20):
                answer = await reader.readuntil(b"bad-host")
            writer.close()
            assert answer.startswith(b"HTTP/1.1 400 ")

    asyncio.run(scenario())
