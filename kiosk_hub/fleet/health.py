"""From facts to one status with its reason: what is remembered of a device between beats, and how it is
judged.

``hear`` takes in one beat, ``judge`` says how the device is at an instant, beats or none. Both are pure and
O(1): a
device that is well has nothing to remember. What stands above the facts (quarantine, opening hours, a
maintenance
window, out of service) decides the status first; what the facts say beneath it is kept apart.
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.facts import Facts
from kiosk_hub.fleet.hours import is_open, opened_at, opens_at
from kiosk_hub.fleet.reasons import Reason
from kiosk_hub.fleet.symptoms import COVERED_BY, CRASHES_WITHIN_S, RULES_OF, Look, Rule, Told
from kiosk_hub.fleet.values import DeviceState, Status
from kiosk_hub.fleet.verdict import Symptom, Verdict
from kiosk_hub.fleet.wording import coming, moment

BEATS_MISSED: Final = 2.5  # 75 s at beats each 30 s: two lost and the third half a beat late
LEAST_SILENCE_S: Final = 8.0  # however often a device beats
OPENING_GRACE_S: Final = 600.0  # what is switched on in the morning, or after repair, needs time to start
MOST_CRASHES: Final = 5  # remembered
SEVERITY: Final = {status: place for place, status in enumerate(Status)}


class Watch(Struct, frozen=True, array_like=True):
    """One symptom on its way in, held, or on its way out."""

    code: str
    since: float  # when it began, seconds UTC
    run: int  # beats in a row that speak for a change: bad ones while it is not held, good ones while it is
    held: bool


class Health(Struct, frozen=True, kw_only=True):
    """All that is remembered of one device to judge it. A restart reads it back."""

    facts: Facts | None = None
    heard_at: float | None = None  # seconds, UTC; None: never
    watches: tuple[Watch, ...] = ()
    crashes: tuple[float, ...] = ()  # when the browser was restarted lately, seconds UTC
    status: Status | None = None  # as last judged, and since when
    since: float = 0.0


def silence_s(beat_every_s: float) -> float:
    """How long nothing may be heard before a device counts as offline."""
    return max(BEATS_MISSED * beat_every_s, LEAST_SILENCE_S)


def hear(health: Health, device: Device, facts: Facts, now: float) -> Health:
    """The memory after this beat."""
    held = {watch.code: watch for watch in health.watches}
    crashes = _crashes(health, facts, now)
    after: list[Watch] = []
    for code, rule in RULES_OF[device.kind].items():
        watch = held.get(code)
        look = rule.look(facts, device)
        if rule.crashes:
            look = Look.BAD if len(crashes) >= rule.crashes else Look.GOOD
        if watch is None:
            if look is Look.BAD:
                since = now - (rule.age_s(facts) or 0.0)
                after.append(Watch(code, since, 1, rule.beats <= 1 and rule.lasts_s <= 0))
            continue
        following = _follow(watch, rule, look, now)
        if following is not None:
            after.append(following)
    return replace(health, facts=facts, heard_at=now, watches=tuple(after), crashes=crashes)


def _crashes(health: Health, facts: Facts, now: float) -> tuple[float, ...]:
    """The restarts of the browser that count still. A counter that falls is an agent that began anew."""
    before = health.facts.restarts if health.facts is not None else facts.restarts
    more = min(max(0, facts.restarts - before), MOST_CRASHES)
    if not more and not health.crashes:
        return ()
    lately = [at for at in health.crashes if 0 <= now - at < CRASHES_WITHIN_S]
    return (*lately, *[now] * more)[-MOST_CRASHES:]


def _follow(watch: Watch, rule: Rule, look: Look, now: float) -> Watch | None:
    if not watch.held:
        if look is not Look.BAD:
            return None
        run = watch.run + 1
        if run >= rule.beats and now - watch.since >= rule.lasts_s:
            return Watch(watch.code, watch.since, 0, True)
        return replace(watch, run=run)
    if look is not Look.GOOD:
        return watch if watch.run == 0 else replace(watch, run=0)
    run = watch.run + 1
    return None if run >= rule.beats else replace(watch, run=run)


def judge(
    health: Health, device: Device, now: float, *, beat_every_s: float, listening_since: float = 0.0
) -> Verdict:
    """How the device is at ``now``.

    Args:
        listening_since: Since when the city has been able to hear anything: silence before it (a restart, a
            standstill of the server) is not the device's. A device that was offline before stays so.
    """
    beneath = _symptoms(health, device, now)
    silent = _silence(health, device, now, beat_every_s, listening_since)
    if silent is not None:
        beneath = (silent, *beneath)  # what was seen last may be the cause, and is told after it
    above = _above(health, device, now)
    symptoms = beneath if above is None else (above,)
    status = symptoms[0].status if symptoms else Status.OK
    return Verdict(
        status=status,
        since=_since(health, status, symptoms, now),
        symptoms=symptoms,
        beneath=beneath if above is not None else (),
    )


def remember(health: Health, verdict: Verdict) -> Health:
    """The memory with the judgement in it, so that the next one knows since when."""
    if health.status is verdict.status and health.since == verdict.since:
        return health
    return replace(health, status=verdict.status, since=verdict.since)


def is_silent(health: Health, now: float, beat_every_s: float, listening_since: float = 0.0) -> bool:
    """Has nothing been heard for too long, whatever the hour?"""
    if health.heard_at is None:
        return False
    if health.status is Status.OFFLINE and health.heard_at <= health.since:
        return True  # and stays so until it is heard again
    heard_at = max(min(health.heard_at, now), min(listening_since, now))
    return now - heard_at >= silence_s(beat_every_s)


def _symptoms(health: Health, device: Device, now: float) -> tuple[Symptom, ...]:
    """What holds now by the last facts, the worst first."""
    facts = health.facts
    if facts is None or not health.watches:
        return ()
    held = {watch.code: watch for watch in health.watches if watch.held}
    made = [
        Symptom(rule.status, rule.reason(Told(facts, held[code].since, now)))
        for code, rule in RULES_OF[device.kind].items()
        if code in held and COVERED_BY.get(code) not in held
    ]
    made.sort(key=lambda one: SEVERITY[one.status])
    return tuple(made)


def _silence(
    health: Health, device: Device, now: float, beat_every_s: float, listening_since: float
) -> Symptom | None:
    if health.heard_at is None or not is_silent(health, now, beat_every_s, listening_since):
        return None
    begins = max(opened_at(device.place.hours, now) or 0.0, device.in_maintenance_until or 0.0)
    if 0 <= now - begins < OPENING_GRACE_S and health.heard_at < begins:
        return None
    vi, en = moment(health.heard_at, now)
    return Symptom(
        Status.OFFLINE, Reason("offline", f"Mất kết nối từ {vi}", f"Nothing has been heard since {en}")
    )


def _above(health: Health, device: Device, now: float) -> Symptom | None:
    """What stands above the facts."""
    if device.state is DeviceState.RETIRED:
        return _said(Status.CLOSED, "retired", "Đã ngừng sử dụng", "Retired")
    if device.state is DeviceState.QUARANTINED:
        return _quarantine(device.state_reason)
    if device.state is DeviceState.BOUND:
        return _said(
            Status.NEW,
            "not-collected",
            "Chờ thiết bị nhận chứng thực",
            "Waits for the device to collect its key",
        )
    if health.heard_at is None:
        return _said(Status.NEW, "never-heard", "Chưa kết nối lần nào", "Has never connected")
    until = device.in_maintenance_until
    if until is not None and now < until:
        vi, en = moment(until, now)
        return _said(Status.CLOSED, "maintenance", f"Đang bảo trì đến {vi}", f"In maintenance until {en}")
    if not is_open(device.place.hours, now):
        return _closed(device, now)
    if health.facts is not None and health.facts.out_of_service:
        return _said(
            Status.OUT_OF_SERVICE,
            "out-of-service",
            "Tạm ngừng phục vụ theo lệnh của cán bộ kỹ thuật",
            "Out of service by order of staff",
        )
    return None


def _closed(device: Device, now: float) -> Symptom:
    opens = opens_at(device.place.hours, now)
    vi, en = coming(opens, now) if opens is not None else ("", "")
    return _said(
        Status.CLOSED, "closed", f"Ngoài giờ mở cửa, mở lại lúc {vi}", f"Outside opening hours, opens at {en}"
    )


def _quarantine(why: str) -> Symptom:
    if why == "cloned-key":
        return _said(
            Status.QUARANTINED,
            "cloned-key",
            "Bị cách ly: khóa của thiết bị đang được dùng ở hai nơi",
            "In quarantine: its key is in use in two places",
        )
    vi, en = (f": {why}", f": {why}") if why else ("", "")
    return _said(Status.QUARANTINED, "quarantined", f"Bị cách ly{vi}", f"In quarantine{en}")


def _said(status: Status, code: str, vi: str, en: str) -> Symptom:
    return Symptom(status, Reason(code, vi, en))


def _since(health: Health, status: Status, symptoms: tuple[Symptom, ...], now: float) -> float:
    """Unchanged while the status is; an outage began when the device was last heard."""
    if status is Status.OFFLINE and health.heard_at is not None:
        return health.heard_at
    if health.status is status:
        return health.since
    held = {watch.code: watch.since for watch in health.watches if watch.held}
    began = [held[one.reason.code] for one in symptoms if one.status is status and one.reason.code in held]
    return min(began, default=now)
