"""What can be wrong with a device that is heard: one rule each, with its sentence in both languages.

A rule looks at the facts of one beat and says bad, good or between; how many beats in a row it takes is
:mod:`kiosk_hub.fleet.health`'s to count. The order of ``RULES`` is the order in which reasons of one status
are told.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final

from msgspec import Struct

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.facts import Camera, Disk, Facts
from kiosk_hub.fleet.reasons import Reason
from kiosk_hub.fleet.thresholds import (
    BOTH,
    BRIDGE_POINT,
    KIOSK,
    METRICS,
    THRESHOLDS,
    Threshold,
)
from kiosk_hub.fleet.values import ClockTrust, DeviceKind, Status
from kiosk_hub.fleet.wording import moment, percent, size


class Look(Enum):
    """What one beat says of one symptom."""

    BAD = "bad"
    BETWEEN = "between"  # neither begins it nor ends it
    GOOD = "good"  # or not to be known, which is no reason to keep saying it


class Told(Struct, frozen=True):
    """What a sentence is made of."""

    facts: Facts
    since: float  # seconds, UTC, of the first bad beat
    now: float

    @property
    def since_vi(self) -> str:
        return moment(self.since, self.now)[0]

    @property
    def since_en(self) -> str:
        return moment(self.since, self.now)[1]


Words = Callable[[Told], tuple[str, str]]


class Rule(Struct, frozen=True, kw_only=True):
    """One symptom. Two rules may share a code if no device is subject to both."""

    code: str
    status: Status
    kinds: frozenset[DeviceKind]
    beats: int
    look: Callable[[Facts, Device], Look]
    words: Words
    lasts_s: float = 0.0  # how long the bad beats must go on before it holds
    crashes: int = 0  # if not 0: bad after so many restarts of the browser within ``CRASHES_WITHIN_S``
    age_s: Callable[[Facts], float | None] = lambda facts: (
        None
    )  # how long it has been so by the first bad beat

    def reason(self, told: Told) -> Reason:
        vi, en = self.words(told)
        return Reason(self.code, vi, en)


def _since(vi: str, en: str) -> Words:
    return lambda told: (f"{vi} từ {told.since_vi}", f"{en} since {told.since_en}")


def _plain(vi: str, en: str) -> Words:
    return lambda told: (vi, en)


def _disk(vi: str, en: str) -> Words:
    def words(told: Told) -> tuple[str, str]:
        disk = told.facts.disk or Disk(0.0, 0)
        size_vi, size_en = size(disk.free_bytes)
        share = percent(disk.free_share)
        return f"{vi}: còn {size_vi} ({share}%)", f"{en}: {size_en} left ({share}%)"

    return words


def _disk_errors(told: Told) -> tuple[str, str]:
    errors = told.facts.disk.errors if told.facts.disk is not None else 0
    return (
        f"Hệ thống tệp ghi nhận {errors} lỗi đĩa",
        f"The file system has counted {errors} errors of the disk",
    )


def _hot(vi: str, en: str) -> Words:
    def words(told: Told) -> tuple[str, str]:
        load = told.facts.load
        degrees = round(load.temperature_c or 0.0) if load is not None else 0
        return f"{vi}: {degrees} °C", f"{en}: {degrees} °C"

    return words


def _share_of(metric: str, vi: str, en: str) -> Words:
    def words(told: Told) -> tuple[str, str]:
        share = percent(METRICS[metric](told.facts) or 0.0)
        return vi.format(share), en.format(share)

    return words


def _slow(told: Told) -> tuple[str, str]:
    rtt_ms = round((told.facts.network.rtt_ms or 0.0) / 10) * 10
    return f"Đường truyền chậm: độ trễ {rtt_ms} ms", f"The line is slow: a round trip takes {rtt_ms} ms"


def _outbox(told: Told) -> tuple[str, str]:
    depth = told.facts.outbox_depth
    return f"{depth} bản tin chờ gửi về thành phố", f"{depth} reports wait to be delivered"


_MEASURED: Final[Mapping[str, Words]] = {
    "screen-not-painting": _since("Màn hình không vẽ lại", "The screen has not been painted"),
    "disk-full": _disk("Đĩa đã đầy", "The disk is full"),
    "disk-nearly-full": _disk("Đĩa sắp đầy", "The disk is nearly full"),
    "disk-worn": _share_of(
        "disk_wear_share", "Đĩa đã dùng hết {}% tuổi thọ, nên thay", "{}% of the disk's life is used up"
    ),
    "overheated": _hot("Máy quá nóng", "The machine is overheating"),
    "hot": _hot("Máy nóng", "The machine is hot"),
    "memory-short": _share_of("memory_share", "Bộ nhớ sắp hết: đã dùng {}%", "Memory is short: {}% in use"),
    "cpu-busy": _share_of("cpu_share", "Bộ xử lý quá tải: {}%", "The processor is overloaded: {}%"),
    "line-slow": _slow,
    "line-lossy": _share_of(
        "loss_share",
        "Đường truyền không ổn định: mất {}% bản tin trong 10 phút qua",
        "The line is unstable: {}% of beats were lost in the last 10 minutes",
    ),
    "camera-blurred": _since("Hình camera bị mờ", "The camera's picture has been blurred"),
    "camera-dark": _since("Hình camera tối, có thể bị che,", "The camera's picture has been dark"),
    "microphone-silent": _since("Micro không có tín hiệu", "The microphone has given no signal"),
    "outbox-filling": _outbox,
}


def _camera(*states: str) -> Callable[[Facts, Device], bool]:
    return lambda facts, device: facts.camera is not None and facts.camera.state in states


def _by_threshold(one: Threshold) -> Rule:
    read = METRICS[one.metric]
    dark = _camera("dark")  # as the device itself has found it

    def look(facts: Facts, device: Device) -> Look:
        if one.code == "camera-dark" and dark(facts, device):
            return Look.BAD
        value = read(facts)
        if value is None:
            return Look.GOOD
        if one.is_bad(value):
            return Look.BAD
        return Look.GOOD if one.is_good(value) else Look.BETWEEN

    return Rule(
        code=one.code,
        status=one.status,
        kinds=one.kinds,
        beats=one.beats,
        look=look,
        words=_MEASURED[one.code],
        lasts_s=one.lasts_s,
        age_s=read if one.metric.endswith("_age_s") else lambda facts: None,
    )


def _when(test: Callable[[Facts, Device], bool]) -> Callable[[Facts, Device], Look]:
    return lambda facts, device: Look.BAD if test(facts, device) else Look.GOOD


def _camera_frozen(facts: Facts, device: Device) -> bool:
    camera: Camera | None = facts.camera
    return camera is not None and (
        camera.state == "frozen" or (camera.state == "ok" and camera.moving is False)
    )


def _camera_missing(facts: Facts, device: Device) -> bool:
    """It says so itself, or is silent about a camera that staff wrote down for it."""
    if facts.camera is not None:
        return facts.camera.state == "none"
    return bool(device.place.camera)


def _printer(*states: str) -> Callable[[Facts, Device], bool]:
    return lambda facts, device: facts.printer is not None and facts.printer.state in states


def _rule(
    code: str,
    status: Status,
    test: Callable[[Facts, Device], bool],
    words: Words,
    kinds: frozenset[DeviceKind] = BOTH,
    beats: int = 2,
    age_s: Callable[[Facts], float | None] = lambda facts: None,
) -> Rule:
    return Rule(
        code=code, status=status, kinds=kinds, beats=beats, look=_when(test), words=words, age_s=age_s
    )


def _unchanged_s(facts: Facts) -> float | None:
    return facts.painted.changed_age_s if facts.painted is not None else None


UNCHANGED_S: Final = 6 * 3600.0
"""The waiting page shows the time of day, so a living picture changes every minute; a still announcement may
stand for
hours."""

_F, _D = Status.FAULTY, Status.DEGRADED
_CAMERA_RULES: Final = tuple(
    _rule(code, status, test, words, kinds, beats)
    # Without a camera a kiosk still guides; a bridge point is not seen at all.
    for kinds, status in ((BRIDGE_POINT, _F), (KIOSK, _D))
    for code, test, words, beats in (
        ("camera-missing", _camera_missing, _since("Không tìm thấy camera", "No camera has been found"), 2),
        (
            "camera-frozen",
            _camera_frozen,
            _since("Camera đứng hình", "The camera's picture has been frozen"),
            2,
        ),
        ("camera-failed", _camera("failed"), _since("Camera bị lỗi", "The camera has been failing"), 2),
        (
            "camera-busy",
            _camera("busy"),
            _since("Camera bị chương trình khác chiếm", "Another program has held the camera"),
            4,
        ),
    )
)

_STATED: Final = (
    _rule(
        "disk-read-only",
        _F,
        lambda facts, device: facts.disk is not None and not facts.disk.writable,
        _since("Đĩa không ghi được", "The disk has not been writable"),
    ),
    _rule(
        "screen-empty",
        _F,
        lambda facts, device: facts.painted is None,
        _since("Màn hình không hiện trang nào", "Nothing has been shown on the screen"),
        KIOSK,
    ),
    _rule(
        "browser-silent",
        _F,
        lambda facts, device: facts.painted is not None and facts.painted.frame_age_s is None,
        _since("Trình duyệt không trả lời", "The browser has not answered"),
    ),
    _rule(
        "screen-off",
        _F,
        lambda facts, device: facts.painted is not None and facts.painted.on is False,
        _since("Màn hình đang tắt", "The screen has been off"),
        KIOSK,
    ),
    _rule(
        "touch-failed",
        _F,
        lambda facts, device: facts.touch_ok is False,
        _since("Màn hình cảm ứng không nhận chạm", "The touch screen has not reacted"),
        KIOSK,
    ),
    *_CAMERA_RULES,
)

CRASHES_WITHIN_S: Final = 1800.0
_CRASHES: Final = Rule(
    # Each beat may find a page that paints, while every resident is thrown out.
    code="browser-restarting",
    status=_D,
    kinds=BOTH,
    beats=1,
    look=_when(lambda facts, device: False),
    words=_since("Trình duyệt khởi động lại liên tục", "The browser has been restarting again and again"),
    crashes=3,
)

_STATED_LATER: Final = (
    _CRASHES,
    _rule(
        "screen-unchanged",
        _D,
        lambda facts, device: (_unchanged_s(facts) or 0.0) > UNCHANGED_S,
        _since("Hình trên màn hình không đổi", "The picture on the screen has not changed"),
        KIOSK,
        age_s=_unchanged_s,
    ),
    _rule(
        "paper-out",
        _D,
        _printer("paper-out"),
        _since("Máy in hết giấy", "The printer has had no paper"),
        KIOSK,
    ),
    _rule(
        "paper-low",
        _D,
        _printer("paper-low"),
        _plain("Máy in sắp hết giấy", "The printer's paper is low"),
        KIOSK,
    ),
    _rule(
        "printer-open",
        _D,
        _printer("cover-open"),
        _since("Nắp máy in đang mở", "The printer's cover has been open"),
        KIOSK,
    ),
    _rule(
        "printer-offline",
        _D,
        _printer("offline"),
        _since("Máy in không kết nối", "The printer has not been connected"),
        KIOSK,
    ),
    _rule(
        "printer-failed",
        _D,
        _printer("failed"),
        _since("Máy in bị lỗi", "The printer has been failing"),
        KIOSK,
    ),
    _rule(
        "disk-errors",
        _D,
        lambda facts, device: facts.disk is not None and facts.disk.errors > 0,
        _disk_errors,
    ),
    _rule(
        "undervoltage",
        _D,
        lambda facts, device: facts.load is not None and facts.load.undervoltage is True,
        _plain(
            "Nguồn điện yếu: điện áp đã sụt từ khi khởi động", "Power is weak: undervoltage since the start"
        ),
    ),
    _rule(
        "clock-untrusted",
        _D,
        lambda facts, device: facts.clock is ClockTrust.UNSET,
        _since("Đồng hồ không đáng tin", "The clock has not been trustworthy"),
        beats=4,
    ),
)

RULES: Final[tuple[Rule, ...]] = (
    *_STATED,
    *(_by_threshold(one) for one in THRESHOLDS if one.status is _F),
    *_STATED_LATER,
    *(_by_threshold(one) for one in THRESHOLDS if one.status is _D),
)


def _rules_of(kind: DeviceKind) -> dict[str, Rule]:
    """By code. What the larger reason already says (full before nearly full) is not said twice."""
    return {rule.code: rule for rule in RULES if kind in rule.kinds}


RULES_OF: Final[Mapping[DeviceKind, Mapping[str, Rule]]] = {kind: _rules_of(kind) for kind in DeviceKind}

COVERED_BY: Final[Mapping[str, str]] = {
    "disk-nearly-full": "disk-full",
    "hot": "overheated",
    "screen-not-painting": "screen-off",
    "camera-dark": "camera-frozen",
}
"""The lesser reason is left out while the greater one is told."""
