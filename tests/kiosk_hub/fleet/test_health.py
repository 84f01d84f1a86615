"""One status with its reason in a sentence: every symptom by example, and what holds for all of them."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.facts import Camera, Disk, Facts, Load, Network, Painted, Printer
from kiosk_hub.fleet.health import OPENING_GRACE_S, SEVERITY, Health, hear, judge, remember
from kiosk_hub.fleet.places import Hours, Place
from kiosk_hub.fleet.symptoms import RULES_OF
from kiosk_hub.fleet.thresholds import THRESHOLDS
from kiosk_hub.fleet.values import ClockTrust, DeviceKind, DeviceState, Status
from kiosk_hub.fleet.verdict import Verdict
from room_manager.ids import SiteId
from tests.helpers.fleet import DISK, GOOD, LOAD, NOON, device, facts

BEAT_S = 30.0
BRIDGE = device(kind=DeviceKind.BRIDGE_POINT)


class Driver:
    """One device, its beats and the clock."""

    def __init__(self, what: Device | None = None) -> None:
        self.device = what if what is not None else device()
        self.health = Health()
        self.now = NOON
        self.listening_since = 0.0

    def beat(self, told: Facts = GOOD, times: int = 1) -> Verdict:
        for _ in range(times):
            self.now += BEAT_S
            self.health = hear(self.health, self.device, told, self.now)
            verdict = self.look()
        return verdict

    def wait(self, seconds: float) -> Verdict:
        self.now += seconds
        return self.look()

    def look(self) -> Verdict:
        verdict = judge(
            self.health,
            self.device,
            self.now,
            beat_every_s=BEAT_S,
            listening_since=self.listening_since,
        )
        self.health = remember(self.health, verdict)
        return verdict


def codes(verdict: Verdict) -> list[str]:
    return [one.reason.code for one in verdict.symptoms]


def test_a_machine_that_is_busy_while_it_starts_is_not_overloaded() -> None:
    health, one = Health(), device()
    busy = facts(load=replace(LOAD, cpu_share=0.99))
    for beat in range(12):  # each two seconds
        health = hear(health, one, busy, NOON + 2.0 * beat)

    assert judge(health, one, NOON + 23.0, beat_every_s=2.0).status is Status.OK
    for beat in range(50, 53):
        health = hear(health, one, busy, NOON + 2.0 * beat)
    assert codes(judge(health, one, NOON + 104.0, beat_every_s=2.0)) == ["cpu-busy"]


@pytest.mark.parametrize(
    ("kind", "bad", "code", "status", "vi", "beats"),
    [
        (
            "kiosk",
            {"painted": Painted(frame_age_s=720.0, on=True)},
            "screen-not-painting",
            "faulty",
            "Màn hình không vẽ lại từ 11:48",
            2,
        ),
        ("kiosk", {"painted": None}, "screen-empty", "faulty", "Màn hình không hiện trang nào từ 12:00", 2),
        (
            "kiosk",
            {"painted": Painted()},
            "browser-silent",
            "faulty",
            "Trình duyệt không trả lời từ 12:00",
            2,
        ),
        (
            "kiosk",
            {"painted": Painted(frame_age_s=1.0, on=False)},
            "screen-off",
            "faulty",
            "Màn hình đang tắt từ 12:00",
            2,
        ),
        (
            "kiosk",
            {"painted": Painted(frame_age_s=1.0, changed_age_s=8 * 3600.0, on=True)},
            "screen-unchanged",
            "degraded",
            "Hình trên màn hình không đổi từ 04:00",
            2,
        ),
        (
            "kiosk",
            {"touch_ok": False},
            "touch-failed",
            "faulty",
            "Màn hình cảm ứng không nhận chạm từ 12:00",
            2,
        ),
        (
            "kiosk",
            {"camera": Camera(state="none")},
            "camera-missing",
            "degraded",
            "Không tìm thấy camera từ 12:00",
            2,
        ),
        (
            "kiosk",
            {"camera": Camera(state="frozen")},
            "camera-frozen",
            "degraded",
            "Camera đứng hình từ 12:00",
            2,
        ),
        (
            "bridge-point",
            {"camera": Camera(state="ok", moving=False)},
            "camera-frozen",
            "faulty",
            "Camera đứng hình từ 12:00",
            2,
        ),
        (
            "kiosk",
            {"camera": Camera(state="failed")},
            "camera-failed",
            "degraded",
            "Camera bị lỗi từ 12:00",
            2,
        ),
        (
            "kiosk",
            {"camera": Camera(state="busy")},
            "camera-busy",
            "degraded",
            "Camera bị chương trình khác chiếm từ 12:00",
            4,
        ),
        (
            "kiosk",
            {"camera": Camera(state="dark")},
            "camera-dark",
            "degraded",
            "Hình camera tối, có thể bị che, từ 12:00",
            4,
        ),
        (
            "kiosk",
            {"camera": Camera(moving=True, brightness=0.01)},
            "camera-dark",
            "degraded",
            "Hình camera tối, có thể bị che, từ 12:00",
            4,
        ),
        (
            "kiosk",
            {"camera": Camera(moving=True, sharpness=6.0)},
            "camera-blurred",
            "degraded",
            "Hình camera bị mờ từ 12:00",
            4,
        ),
        (
            "bridge-point",
            {"microphone_share": 0.0},
            "microphone-silent",
            "degraded",
            "Micro không có tín hiệu từ 12:00",
            20,
        ),
        ("kiosk", {"printer": Printer("paper-out")}, "paper-out", "degraded", "Máy in hết giấy từ 12:00", 2),
        ("kiosk", {"printer": Printer("paper-low")}, "paper-low", "degraded", "Máy in sắp hết giấy", 2),
        (
            "kiosk",
            {"printer": Printer("cover-open")},
            "printer-open",
            "degraded",
            "Nắp máy in đang mở từ 12:00",
            2,
        ),
        (
            "kiosk",
            {"printer": Printer("offline")},
            "printer-offline",
            "degraded",
            "Máy in không kết nối từ 12:00",
            2,
        ),
        ("kiosk", {"printer": Printer("failed")}, "printer-failed", "degraded", "Máy in bị lỗi từ 12:00", 2),
        (
            "kiosk",
            {"disk": Disk(free_share=0.07, free_bytes=2_150_000_000)},
            "disk-nearly-full",
            "degraded",
            "Đĩa sắp đầy: còn 2,1 GB (7%)",
            2,
        ),
        (
            "kiosk",
            {"disk": Disk(free_share=0.001, free_bytes=31_000_000)},
            "disk-full",
            "faulty",
            "Đĩa đã đầy: còn 31 MB (<1%)",
            2,
        ),
        (
            "kiosk",
            {"disk": replace(DISK, writable=False)},
            "disk-read-only",
            "faulty",
            "Đĩa không ghi được từ 12:00",
            2,
        ),
        (
            "kiosk",
            {"disk": replace(DISK, wear_share=0.86)},
            "disk-worn",
            "degraded",
            "Đĩa đã dùng hết 86% tuổi thọ, nên thay",
            2,
        ),
        (
            "kiosk",
            {"disk": replace(DISK, errors=3)},
            "disk-errors",
            "degraded",
            "Hệ thống tệp ghi nhận 3 lỗi đĩa",
            2,
        ),
        ("kiosk", {"load": replace(LOAD, temperature_c=83.4)}, "hot", "degraded", "Máy nóng: 83 °C", 2),
        (
            "kiosk",
            {"load": replace(LOAD, temperature_c=97.0)},
            "overheated",
            "faulty",
            "Máy quá nóng: 97 °C",
            2,
        ),
        (
            "kiosk",
            {"load": replace(LOAD, memory_share=0.95)},
            "memory-short",
            "degraded",
            "Bộ nhớ sắp hết: đã dùng 95%",
            2,
        ),
        (
            "kiosk",
            {"load": replace(LOAD, cpu_share=0.99)},
            "cpu-busy",
            "degraded",
            "Bộ xử lý quá tải: 99%",
            5,
        ),
        (
            "kiosk",
            {"load": replace(LOAD, undervoltage=True)},
            "undervoltage",
            "degraded",
            "Nguồn điện yếu: điện áp đã sụt từ khi khởi động",
            2,
        ),
        (
            "kiosk",
            {"clock": ClockTrust.UNSET},
            "clock-untrusted",
            "degraded",
            "Đồng hồ không đáng tin từ 12:00",
            4,
        ),
        (
            "kiosk",
            {"network": Network(rtt_ms=2_104.0)},
            "line-slow",
            "degraded",
            "Đường truyền chậm: độ trễ 2100 ms",
            3,
        ),
        (
            "bridge-point",
            {"network": Network(rtt_ms=612.0)},
            "line-slow",
            "degraded",
            "Đường truyền chậm: độ trễ 610 ms",
            3,
        ),
        (
            "kiosk",
            {"network": Network(loss_share=0.31)},
            "line-lossy",
            "degraded",
            "Đường truyền không ổn định: mất 31% bản tin trong 10 phút qua",
            21,
        ),
        ("kiosk", {"outbox_depth": 412}, "outbox-filling", "degraded", "412 bản tin chờ gửi về thành phố", 2),
    ],
)
def test_each_symptom_has_its_status_and_its_sentence(
    kind: str, bad: dict[str, Any], code: str, status: str, vi: str, beats: int
) -> None:
    driver = Driver(device(kind=DeviceKind(kind)))
    driver.now -= BEAT_S  # so that the first beat is at noon

    for _ in range(beats - 1):
        assert driver.beat(facts(**bad)).status is Status.OK
    verdict = driver.beat(facts(**bad))

    assert codes(verdict) == [code]
    assert verdict.status is Status(status)
    assert verdict.symptoms[0].reason.vi == vi
    assert verdict.symptoms[0].reason.en.isascii() or "°" in verdict.symptoms[0].reason.en
    leaves_after = RULES_OF[driver.device.kind][code].beats
    assert driver.beat(GOOD, times=leaves_after - 1).status is Status(status)
    assert driver.beat(GOOD).status is Status.OK


def test_every_rule_has_an_example_above() -> None:
    marks = test_each_symptom_has_its_status_and_its_sentence.pytestmark
    shown = {case[2] for mark in marks for case in mark.args[1]}

    assert shown | {"browser-restarting"} == {code for rules in RULES_OF.values() for code in rules}


def test_a_browser_that_restarts_again_and_again_is_seen_though_every_beat_finds_it_painting() -> None:
    driver = Driver()
    driver.now -= BEAT_S
    driver.beat(facts(restarts=4))
    assert driver.beat(facts(restarts=6)).status is Status.OK

    verdict = driver.beat(facts(restarts=7))

    assert codes(verdict) == ["browser-restarting"]
    assert verdict.symptoms[0].reason.vi == "Trình duyệt khởi động lại liên tục từ 12:01"
    assert (
        driver.beat(facts(restarts=0)).status is Status.DEGRADED
    )  # the agent began anew; that cures nothing
    driver.now += 1700
    assert driver.beat(facts(restarts=0)).status is Status.DEGRADED
    driver.now += 60
    assert driver.beat(facts(restarts=0)).status is Status.OK


def test_a_bridge_point_has_no_symptoms_of_what_it_has_not() -> None:
    driver = Driver(BRIDGE)
    bare = Facts(versions=GOOD.versions, disk=DISK, load=LOAD, clock=ClockTrust.SYNCED)

    assert driver.beat(bare, times=25).status is Status.OK


def test_a_kiosk_that_should_have_a_camera_and_reports_none_lacks_it() -> None:
    placed = Place(unit=SiteId("00001"), camera="/dev/v4l/by-id/usb-Cam")

    assert Driver().beat(facts(camera=None), times=3).status is Status.OK
    assert codes(Driver(device(place=placed)).beat(facts(camera=None), times=3)) == ["camera-missing"]


def test_one_odd_beat_changes_nothing_either_way() -> None:
    driver = Driver()
    frozen = facts(camera=Camera(state="frozen"))

    driver.beat()
    assert driver.beat(frozen).status is Status.OK
    assert driver.beat().status is Status.OK
    assert driver.beat(frozen, times=2).status is Status.DEGRADED
    assert driver.beat().status is Status.DEGRADED
    assert driver.beat(frozen).status is Status.DEGRADED
    assert driver.beat().status is Status.DEGRADED  # one good beat after a bad one is one again
    assert driver.beat().status is Status.OK


def test_the_worst_comes_first_and_the_lesser_word_for_the_same_thing_is_left_out() -> None:
    bad = facts(
        disk=Disk(free_share=0.01, free_bytes=1),
        printer=Printer("paper-out"),
        load=replace(LOAD, temperature_c=99.0),
    )

    verdict = Driver().beat(bad, times=2)

    assert codes(verdict) == ["disk-full", "overheated", "paper-out"]
    assert verdict.status is Status.FAULTY


def test_offline_after_two_and_a_half_beats_and_since_the_last_one() -> None:
    driver = Driver()
    driver.beat()
    heard_at = driver.now

    assert driver.wait(74.9).status is Status.OK
    verdict = driver.wait(0.1)

    assert verdict.status is Status.OFFLINE
    assert verdict.since == heard_at
    assert verdict.symptoms[0].reason.vi == "Mất kết nối từ 12:00"
    assert driver.beat().status is Status.OK


def test_the_sentence_has_the_date_when_the_day_is_over() -> None:
    driver = Driver()
    driver.beat()

    verdict = driver.wait(86_400)

    assert verdict.symptoms[0].reason.vi == "Mất kết nối từ 12:00 ngày 23/8"
    assert verdict.symptoms[0].reason.en == "Nothing has been heard since 12:00 on 23 Aug"


def test_never_heard_is_new_and_no_outage() -> None:
    driver = Driver()

    assert driver.wait(10 * 86_400).status is Status.NEW
    assert driver.beat().status is Status.OK


def test_outside_opening_hours_it_may_be_switched_off() -> None:
    hours = tuple(Hours(one, 450, 750) for one in range(5))  # 07:30 to 12:30
    driver = Driver(device(place=Place(unit=SiteId("00001"), hours=hours)))
    frozen = facts(camera=Camera(state="frozen"))
    driver.beat(frozen, times=2)

    verdict = driver.wait(2 * 3600)

    assert verdict.status is Status.CLOSED
    assert verdict.symptoms[0].reason.vi == "Ngoài giờ mở cửa, mở lại lúc 07:30 Thứ Ba"
    assert [one.reason.code for one in verdict.beneath] == ["offline", "camera-frozen"]


def test_in_the_morning_it_is_given_time_to_start() -> None:
    hours = tuple(Hours(one, 450, 750) for one in range(5))
    driver = Driver(device(place=Place(unit=SiteId("00001"), hours=hours)))
    driver.beat()
    driver.wait(4 * 3600)
    tuesday = NOON + 86_400 - 270 * 60

    driver.now = tuesday
    assert driver.look().status is not Status.OFFLINE
    assert driver.wait(OPENING_GRACE_S - 1).status is not Status.OFFLINE
    assert driver.wait(1).status is Status.OFFLINE


def test_maintenance_quiets_and_ends_by_itself() -> None:
    driver = Driver(device(in_maintenance_until=NOON + 7200))
    driver.beat()

    verdict = driver.wait(3600)

    assert verdict.status is Status.CLOSED
    assert verdict.symptoms[0].reason.vi == "Đang bảo trì đến 14:00"
    assert driver.wait(3600 + OPENING_GRACE_S).status is Status.OFFLINE


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"state": DeviceState.BOUND}, Status.NEW, "not-collected"),
        ({"state": DeviceState.QUARANTINED, "state_reason": "cloned-key"}, Status.QUARANTINED, "cloned-key"),
        ({"state": DeviceState.QUARANTINED, "state_reason": "mất trộm"}, Status.QUARANTINED, "quarantined"),
        ({"state": DeviceState.RETIRED}, Status.CLOSED, "retired"),
    ],
)
def test_what_the_city_has_decided_stands_above_health(
    changed: dict[str, Any], status: Status, code: str
) -> None:
    driver = Driver()
    driver.beat(facts(touch_ok=False), times=2)

    driver.device = replace(driver.device, **changed)
    verdict = driver.look()

    assert (verdict.status, codes(verdict)) == (status, [code])


def test_out_of_service_by_order_is_its_own_status_even_when_switched_off() -> None:
    driver = Driver()

    assert driver.beat(facts(out_of_service=True)).status is Status.OUT_OF_SERVICE
    assert driver.wait(3600).status is Status.OUT_OF_SERVICE
    assert driver.beat().status is Status.OK


def test_a_restart_of_the_city_neither_alarms_nor_forgets() -> None:
    well, gone = Driver(), Driver()
    for driver in (well, gone):
        driver.beat()
    gone_since = gone.wait(300).since

    for driver in (well, gone):
        driver.now = NOON + 3600
        driver.listening_since = driver.now
        driver.health = msgspec.json.decode(msgspec.json.encode(driver.health), type=Health)

    assert well.look().status is Status.OK
    assert (gone.look().status, gone.look().since) == (Status.OFFLINE, gone_since)
    assert well.wait(75).status is Status.OFFLINE


def test_since_is_kept_while_the_status_is() -> None:
    driver = Driver()
    driver.beat()
    began = driver.now

    assert driver.beat(times=10).since == began
    assert driver.beat(facts(printer=Printer("paper-out")), times=2).since == driver.now - BEAT_S


SHARES = st.floats(0, 1)
SOME_FACTS = st.builds(
    lambda cpu, memory, heat, free, rtt, loss, age, camera, printer, touch, clock: facts(
        load=Load(cpu_share=cpu, memory_share=memory, temperature_c=heat),
        disk=Disk(free_share=free, free_bytes=int(free * 1e10)),
        network=Network(rtt_ms=rtt, loss_share=loss),
        painted=Painted(frame_age_s=age, on=True),
        camera=Camera(state=camera, moving=True),
        printer=Printer(printer),
        touch_ok=touch,
        clock=clock,
    ),
    SHARES,
    SHARES,
    st.none() | st.floats(-10, 110),
    SHARES,
    st.floats(0, 3000),
    SHARES,
    st.floats(0, 600),
    st.sampled_from(["ok", "none", "busy", "frozen", "dark", "failed"]),
    st.sampled_from(["ok", "paper-low", "paper-out", "offline"]),
    st.sampled_from([True, False, None]),
    st.sampled_from(ClockTrust),
)


def worse(told: Facts, turn: int) -> Facts:
    """The same device with one thing gone wrong."""
    return [
        replace(told, touch_ok=False),
        replace(told, disk=replace(told.disk or DISK, free_share=0.0)),
        replace(told, disk=replace(told.disk or DISK, writable=False)),
        replace(told, painted=Painted()),  # no browser answers any more
        replace(told, load=replace(told.load or LOAD, temperature_c=120.0)),
        replace(told, network=replace(told.network, loss_share=1.0)),
        replace(told, camera=Camera(state="none")),
        replace(told, outbox_depth=10_000),
    ][turn]


@given(SOME_FACTS, st.integers(0, 7), st.sampled_from(DeviceKind))
def test_a_worse_fact_never_gives_a_better_status(told: Facts, turn: int, kind: DeviceKind) -> None:
    before = Driver(device(kind=kind)).beat(told, times=6)
    after = Driver(device(kind=kind)).beat(worse(told, turn), times=6)

    assert SEVERITY[after.status] <= SEVERITY[before.status]


@given(st.sampled_from(THRESHOLDS), st.lists(st.booleans(), min_size=8, max_size=40))
def test_a_value_between_leave_and_enter_never_changes_a_row(one: Any, edges: list[bool]) -> None:
    """Once in, a value that swings between both edges keeps the symptom; once out, it never begins it."""
    small = (one.enter - one.leave) / 1000
    values = [one.enter - small if edge else one.leave for edge in edges]

    assert not any(one.is_bad(value) or one.is_good(value) for value in values) or one.enter == one.leave


@given(
    st.lists(st.tuples(SOME_FACTS, st.sampled_from([30.0, 30.0, 31.0, 70.0, 90.0, 4000.0])), max_size=25),
    st.data(),
)
def test_a_restart_anywhere_gives_the_same_judgements(
    beats: list[tuple[Facts, float]], data: st.DataObject
) -> None:
    stop = data.draw(st.integers(0, len(beats)))
    plain, restarted = Driver(), Driver()
    for number, (told, gap_s) in enumerate(beats):
        if number == stop:
            restarted.health = msgspec.json.decode(msgspec.json.encode(restarted.health), type=Health)
        for driver in (plain, restarted):
            driver.wait(gap_s - BEAT_S if gap_s > BEAT_S else 0)
            driver.beat(told)

        assert plain.look() == restarted.look()


def test_an_outage_that_is_over_is_no_lossy_line() -> None:
    """After four minutes without a line a device tells what share of ten minutes was lost, going back."""
    driver = Driver()
    driver.beat(times=20)
    driver.wait(240)

    for beat in range(20):
        lost = min(8, 20 - beat) / 20
        assert driver.beat(facts(network=Network(rtt_ms=20.0, loss_share=lost))).status is Status.OK
