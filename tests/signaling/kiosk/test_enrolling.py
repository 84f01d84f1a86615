"""From a new key to the first beat, over real sockets; and everybody who is kept out."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from kiosk_hub.fleet import codes, enrolment
from kiosk_hub.fleet.ids import Fingerprint
from kiosk_hub.fleet.values import DeviceKind, FleetRole
from signaling.wire.kiosk import city
from tests.helpers.device import TestDevice
from tests.helpers.fleet_server import ELSEWHERE, UNIT, Fleet, StaffClient, fleet
from tests.helpers.servers import settings

Scenario = Callable[[Fleet], Awaitable[None]]


def play(folder: Path, scenario: Scenario) -> None:
    async def run() -> None:
        async with fleet(settings(folder)) as here:
            await scenario(here)

    asyncio.run(run())


def binding(code: str, fingerprint: str, unit: str = UNIT.code) -> dict[str, Any]:
    place = {"unit": unit, "building": "Nhà văn hóa số 3", "floor": "1"}
    return {"code": code, "fingerprint": fingerprint, "name": "Ki-ốt 1", "kind": "kiosk", "place": place}


async def refused(answer: Any) -> tuple[int, str]:
    response = await answer
    return response.status_code, response.json()["code"]


def test_enrol_by_code_then_collect_then_beat(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        staff = await here.staff(FleetRole.TECHNICIAN, frozenset({UNIT.district_code}))
        one = here.machine()

        asked = await one.ask()
        assert asked["state"] == "waiting"
        assert asked["url"] == f"{one.origin}/fleet/enrol#{asked['code']}"
        assert (await one.ask())["code"] == asked["code"]
        assert (await one.look())["state"] == "waiting"
        found = await staff.post("/enrolments/find", {"code": asked["code"].lower()})
        assert tuple(found["words"]) == one.words
        bound = await staff.post(
            f"/enrolments/{found['id']}/bind", binding(asked["code"], found["fingerprint"])
        )
        assert bound["state"] == "bound"
        assert len(here.hub.directory) == 0
        told = await one.look()

        assert told["state"] == "collected"
        assert told["settings"]["name"] == "Ki-ốt 1"
        assert (await one.look())["device"] == told["device"]
        await one.connect()
        await one.beat()
        assert here.hub.directory.get(one.id).hardware == "test box"
        assert [e["device"] for e in await here.audited("collect-credential")] == [one.id]
        assert len(await here.audited("bind-device")) == 1
        row = (await staff.get("/enrolments"))["enrolments"][0]
        assert (row["state"], row["device"]) == ("collected", one.id)
        assert asked["code"] not in str(row)

    play(tmp_path, scenario)


def test_a_device_that_lost_all_but_its_key_finds_itself(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        one = await here.enrolled()
        await one.connect()
        await one.cut()
        await one.connect()
        await one.cut()
        again = here.copy_of(one)
        again.id, again.counter = type(one.id)(""), 0

        asked = await again.ask()
        told = await again.look()

        assert (asked["state"], asked["code"], told["device"]) == ("collected", "", one.id)
        await again.connect()

    play(tmp_path, scenario)


def test_requests_that_are_not_signed_by_the_key_are_refused(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        one, other = here.machine(), here.machine()
        asked = one.enrolment_request()
        for change in ({"hardware": "another"}, {"kind": "bridge-point"}, {"public_key": other.public_key}):
            answer = one.post("/api/kiosk/enrolments", {**asked, **change})
            assert await refused(answer) == (401, "bad-signature")
        answer = one.post("/api/kiosk/enrolments", {**asked, "hardware": "two\nlines"})
        assert await refused(answer) == (400, "bad-field")

        await one.ask()
        look = one.look_request()
        path = f"/api/kiosk/enrolments/{one.enrolment}/look"
        assert (await one.post(path, look)).status_code == 200
        assert await refused(one.post(path, look)) == (401, "replayed")
        other.enrolment = one.enrolment
        assert await refused(one.post(path, {**other.look_request(), "counter": 99})) == (
            401,
            "bad-signature",
        )
        assert await refused(one.post("/api/kiosk/enrolments/nobody/look", look)) == (
            404,
            "unknown-enrolment",
        )

    play(tmp_path, scenario)


def test_wrong_codes_lock_the_account_and_are_in_the_audit(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        staff, other = await here.staff(name="an"), await here.staff(name="binh")
        one = here.machine()
        code = (await one.ask())["code"]
        wrong = "AAAAAA" if code != "AAAAAA" else "CCCCCC"
        find = {"code": wrong}
        for _ in range(codes.ONE_ACCOUNT.tries - 1):
            assert await refused(staff.ask("POST", "/enrolments/find", find)) == (404, "unknown-code")
        assert await refused(staff.ask("POST", "/enrolments/find", {"code": "nonsense"})) == (400, "invalid")
        assert await refused(staff.ask("POST", "/enrolments/find", find)) == (429, "locked-out")

        locked = await staff.ask("POST", "/enrolments/find", {"code": code})
        assert (locked.status_code, int(locked.headers["retry-after"])) == (429, 900)
        assert (await other.post("/enrolments/find", {"code": code}))["id"] == one.enrolment
        tries = await here.audited("look-up-code")
        assert [entry["result"] for entry in tries] == ["unknown-code"] * codes.ONE_ACCOUNT.tries
        assert tries[-1]["values"]["locked"] == "one-account"

    play(tmp_path, scenario)


def test_too_many_wrong_codes_of_all_withdraw_the_codes_shown(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        one = here.machine()
        code = (await one.ask())["code"]
        wrong = "AAAAAA" if code != "AAAAAA" else "CCCCCC"
        for n in range(codes.EVERYBODY.tries // 3):
            staff = await here.staff(name=f"guesser-{n}")
            for _ in range(3):
                await staff.ask("POST", "/enrolments/find", {"code": wrong})
        assert (await one.look())["state"] == "locked"
        assert (await one.ask())["code"] != code

    play(tmp_path, scenario)


def test_a_wrong_fingerprint_binds_nothing_and_thrice_ends_it(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        staff = await here.staff()
        one, other = here.machine(), here.machine()
        code, others = (await one.ask())["code"], (await other.ask())["code"]
        path = f"/enrolments/{one.enrolment}/bind"
        answer = staff.ask("POST", path, binding(others, other.fingerprint))
        assert await refused(answer) == (409, "wrong-fingerprint")
        for _ in range(enrolment.MAX_WRONG_FINGERPRINTS):
            answer = staff.ask("POST", path, binding(code, other.fingerprint))
            assert await refused(answer) == (409, "wrong-fingerprint")
        assert (await one.look())["state"] == "locked"
        assert len(here.hub.directory) == 0

    play(tmp_path, scenario)


def test_a_technician_binds_in_own_districts_and_a_viewer_nowhere(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        technician = await here.staff(FleetRole.TECHNICIAN, frozenset({UNIT.district_code}))
        viewer = await here.staff(FleetRole.VIEWER)
        one = here.machine()
        code = (await one.ask())["code"]
        path = f"/enrolments/{one.enrolment}/bind"
        elsewhere = binding(code, one.fingerprint, ELSEWHERE.code)
        assert await refused(technician.ask("POST", path, elsewhere)) == (403, "not-allowed")
        nowhere = binding(code, one.fingerprint, "99999")
        assert await refused(technician.ask("POST", path, nowhere)) == (404, "unknown-site")
        here_ = binding(code, one.fingerprint)
        assert await refused(viewer.ask("POST", path, here_)) == (403, "not-allowed")
        assert await refused(technician.ask("GET", "/expected")) == (403, "not-allowed")
        await technician.post(path, here_)
        await one.look()
        other = await here.enrolled(ELSEWHERE.code)
        why = {"why": "mất cắp"}
        answer = technician.ask("POST", f"/devices/{other.id}/quarantine", why)
        assert await refused(answer) == (403, "not-allowed")
        answer = technician.ask("POST", f"/devices/{one.id}/retire", why)
        assert await refused(answer) == (403, "not-allowed")

    play(tmp_path, scenario)


def test_a_refused_device_is_told_why(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        staff = await here.staff()
        one = here.machine()
        await one.ask()
        await staff.post(f"/enrolments/{one.enrolment}/refuse", {"why": "máy lạ"})
        told = await one.look()
        assert (told["state"], told["text"]) == ("refused", "máy lạ")
        assert (await here.audited("refuse-device"))[0]["values"]["text"] == "máy lạ"

    play(tmp_path, scenario)


def test_expected_devices_are_bound_at_once_and_used_up(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        staff = await here.staff()
        one, other = here.machine(), here.machine()
        heading = "fingerprint,name,unit,kind\n"
        faulty = f"{heading}{one.fingerprint},Một,{UNIT.code},kiosk\n{other.fingerprint},Hai,99999,kiosk\n"
        told = await staff.post("/expected", {"csv": faulty})
        assert (told["added"], told["faults"][0]["line"]) == (0, 3)
        assert (await staff.get("/expected"))["expected"] == []

        good = f"{heading}{one.fingerprint},Một,{UNIT.code},bridge-point\n"
        assert (await staff.post("/expected", {"csv": good}))["added"] == 1
        assert tuple((await staff.get("/expected"))["expected"][0]["words"]) == one.words
        asked = await one.ask()
        assert (asked["state"], asked["code"]) == ("bound", "")
        assert (await one.look())["state"] == "collected"

        await one.connect()
        assert here.hub.directory.get(one.id).kind is DeviceKind.BRIDGE_POINT
        assert (await staff.get("/expected"))["expected"] == []
        again = await staff.post("/expected", {"csv": good})
        assert again["faults"][0]["code"] == "enrolled"
        await staff.post("/expected", {"csv": good.replace(one.fingerprint, other.fingerprint)})
        assert (await staff.ask("DELETE", f"/expected/{other.fingerprint}")).status_code == 204
        assert (await other.ask())["state"] == "waiting"

    play(tmp_path, scenario)


def test_what_was_bound_is_collected_after_a_restart_and_who_waited_asks_anew(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    box: list[TestDevice] = []

    async def first() -> None:
        async with fleet(chosen) as here:
            staff = await here.staff()
            one, waits = here.machine(), here.machine()
            code = (await one.ask())["code"]
            await waits.ask()
            await staff.post(f"/enrolments/{one.enrolment}/bind", binding(code, one.fingerprint))
            box.extend((one, waits))

    async def then() -> None:
        async with fleet(chosen) as here:
            one, waits = box
            for device in box:
                device.host, device.origin = here.host, f"http://{here.host}"
            answer = waits.post(f"/api/kiosk/enrolments/{waits.enrolment}/look", waits.look_request())
            assert await refused(answer) == (404, "unknown-enrolment")
            assert (await one.look())["state"] == "collected"
            await one.connect()
            await one.cut()

    asyncio.run(first())
    asyncio.run(then())


# --- kept out ---


async def sent_away_at_hello(one: TestDevice) -> str:
    challenge = await one.dial()
    await one.say(one.hello(challenge.nonce))
    return (await one.sent_away()).code


async def decide(staff: StaffClient, one: TestDevice, step: str) -> None:
    await staff.post(f"/devices/{one.id}/{step}", {"why": "thử"})


def test_quarantine_cuts_the_line_and_the_token_and_release_lets_in_again(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        staff = await here.staff()
        one = await here.enrolled()
        await one.connect()

        await decide(staff, one, "quarantine")
        assert (await one.sent_away()).code == "quarantined"
        assert await sent_away_at_hello(one) == "quarantined"
        asked = one.post("/api/kiosk/enrolments", one.enrolment_request())
        assert await refused(asked) == (403, "quarantined")

        await decide(staff, one, "release")
        await one.connect()
        await decide(staff, one, "retire")
        assert (await one.sent_away()).code == "retired"
        assert await refused(staff.ask("POST", f"/devices/{one.id}/release", {"why": "thử"})) == (
            409,
            "wrong-state",
        )
        done = [
            *await here.audited("quarantine"),
            *await here.audited("release"),
            *await here.audited("retire"),
        ]
        assert [entry["device"] for entry in done] == [one.id] * 3

    play(tmp_path, scenario)


def test_a_copy_that_comes_after_is_noticed_and_both_are_kept_out(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        one = await here.enrolled()
        await one.connect()
        copy = here.copy_of(one)
        await one.cut()
        await one.connect()

        assert await sent_away_at_hello(copy) == "cloned-key"

        assert (await one.sent_away()).code == "quarantined"
        kept = here.hub.directory.get(one.id)
        assert (kept.state, kept.state_reason) == ("quarantined", "cloned-key")
        entry = (await here.audited("quarantine"))[0]
        assert entry["values"]["sign"] == "counter-went-back"

    play(tmp_path, scenario)


def test_two_that_answer_at_once_are_noticed_though_the_counter_grows(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        one = await here.enrolled()
        await one.connect()
        copy = here.copy_of(one)

        await copy.connect()
        assert (await one.sent_away()).code == "superseded"

        assert (await copy.sent_away()).code == "quarantined"
        assert (await here.audited("quarantine"))[0]["values"]["sign"] == "both-alive"

    play(tmp_path, scenario)


def test_a_machine_that_rebooted_is_no_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.kiosk.lines.PROBE_LINE_S", 0.05)

    async def scenario(here: Fleet) -> None:
        one = await here.enrolled()
        await one.connect()
        assert one.socket is not None
        one.socket.transport.pause_reading()  # the power is gone: nothing answers, nothing is closed
        dead, one.socket = one.socket, None
        one.reboot()

        await one.connect()
        await one.hear_nothing_of(city.SentAway)

        assert here.hub.directory.get(one.id).state == "active"
        dead.transport.abort()

    play(tmp_path, scenario)


def test_a_device_makes_a_new_key_when_it_is_asked_to(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        staff = await here.staff()
        one = await here.enrolled()
        await one.connect()
        told = await staff.post(f"/devices/{one.id}/rotate-key")
        assert told["rotation_asked"]
        away = await one.sent_away()
        assert (away.code, away.retry_after_ms) == ("come-back", 0)
        assert (await one.connect()).rotate_key

        old, new = one.key, one.new_key()
        await one.stored(await one.report(one.announcement(new)))
        await one.cut()
        assert (await one.connect()).rotate_key
        await one.cut()
        one.key = new
        assert not (await one.connect()).rotate_key
        await one.cut()
        assert here.hub.directory.by_key(Fingerprint(one.fingerprint)) is not None
        assert tuple(told["words"]) != one.words
        one.key = old
        assert await sent_away_at_hello(one) == "bad-signature"
        assert len(await here.audited("announce-key")) == 1
        assert len(await here.audited("replace-key")) == 1

    play(tmp_path, scenario)


def test_a_key_that_does_not_prove_itself_is_not_taken(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        one, other = await here.enrolled(), await here.enrolled()
        await one.connect()
        for announcement in (
            one.announcement(one.new_key(), proved_by=one.new_key()),
            one.announcement(other.key),
            one.announcement(one.key),
        ):
            key = await one.report(announcement)
            rejected = await one.hear(city.Rejected)
            assert rejected.key == key
        assert here.hub.directory.get(one.id).next_key is None

    play(tmp_path, scenario)
