"""REST: what was measured of a device, how it was, what happened to it, how many it served."""

from typing import Final

from kiosk_hub.fleet.history import COARSE_KEPT_S, NAMES
from kiosk_hub.fleet.log_words import words_of
from kiosk_hub.fleet.permissions import Action
from kiosk_hub.fleet.spans import spans_of
from kiosk_hub.store import diary
from signaling.fleet.devices import device_in_sight
from signaling.fleet.operation import Asked, Operation, Query
from signaling.wire.fleet import devices as wire

LATEST: Final = 99_999_999_999
MOST_LINES: Final = 500
MOST_HOURS: Final = 24 * 400
DAY_S: Final = 86_400


async def _history(asked: Asked) -> wire.HistoryAnswer:
    device, _ = device_in_sight(asked)
    now = asked.hub.directory.clock()
    ends = asked.number("to", int(now) + 1)
    begins = asked.number("from", max(0, ends - 7200))
    metric = asked.text("metric", NAMES[0])
    step_s, points = await asked.hub.history.read(device.id, metric, begins, ends)
    return wire.HistoryAnswer(
        metric,
        step_s,
        tuple(
            wire.MetricPoint(start, None, None, None)
            if point is None
            else wire.MetricPoint(start, point.low, point.mean, point.high)
            for start, point in points
        ),
    )


async def _spans(asked: Asked) -> wire.SpansAnswer:
    device, known = device_in_sight(asked)
    since = asked.hub.directory.clock() - asked.number("days", 30) * DAY_S
    kept = await diary.changes(asked.hub.database, device.id, since)
    changes = [(at, change.status, change.reason) for at, change in kept]
    if not changes or changes[-1][1] is not known.verdict.status:
        symptoms = known.verdict.symptoms
        last = changes[-1][0] if changes else since
        reason = symptoms[0].reason if symptoms else None
        changes.append((max(known.verdict.since, last), known.verdict.status, reason))
    return wire.SpansAnswer(
        tuple(
            wire.StatusSpan(one.status, one.since, one.until, one.reason) for one in spans_of(changes, since)
        )
    )


async def _log(asked: Asked) -> wire.LogAnswer:
    device, _ = device_in_sight(asked)
    before = asked.number("before", LATEST)
    lines = await diary.lines(asked.hub.database, device.id, asked.number("limit", 100), before)
    return wire.LogAnswer(
        tuple(
            wire.LogEntry(
                at=at,
                level=line.level,
                code=line.code,
                text=line.text,
                by=line.by,
                reason=line.reason or words_of(line.code, line.text),
            )
            for at, line in lines
        )
    )


async def _sessions(asked: Asked) -> wire.SessionsAnswer:
    device, _ = device_in_sight(asked)
    since = int(asked.hub.directory.clock() // 3600) - asked.number("hours", 24 * 14) + 1
    kept = await diary.sessions(asked.hub.database, device.id, max(0, since))
    return wire.SessionsAnswer(
        tuple(
            wire.SessionHour(
                one.hour, one.begun, one.finished, one.abandoned, one.scans, one.scans_failed, one.help_calls
            )
            for one in kept
        )
    )


HISTORIES: Final = (
    Operation(
        method="GET",
        path="/devices/{device}/history",
        action=Action.SEE,
        summary="One metric over a stretch of time, in steps as coarse as that needs",
        call=_history,
        answer=wire.HistoryAnswer,
        query=(
            Query("metric", "what was measured", choices=NAMES),
            Query("from", "seconds, UTC; two hours before `to` unless given", int, 0, LATEST),
            Query("to", f"seconds, UTC; now unless given, at most {COARSE_KEPT_S} later", int, 0, LATEST),
        ),
        refusals=("unknown-device",),
    ),
    Operation(
        method="GET",
        path="/devices/{device}/spans",
        action=Action.SEE,
        summary="Stretches of one status, in order",
        call=_spans,
        answer=wire.SpansAnswer,
        query=(Query("days", "how far back", int, 1, 60),),
        refusals=("unknown-device",),
    ),
    Operation(
        method="GET",
        path="/devices/{device}/log",
        action=Action.SEE,
        summary="The device's log, the newest line first",
        call=_log,
        answer=wire.LogAnswer,
        query=(
            Query("limit", "how many lines at most", int, 1, MOST_LINES),
            Query("before", "seconds, UTC: only lines before", int, 0, LATEST),
        ),
        refusals=("unknown-device",),
    ),
    Operation(
        method="GET",
        path="/devices/{device}/sessions",
        action=Action.SEE,
        summary="Counts of sessions by hour; hours without any are left out",
        call=_sessions,
        answer=wire.SessionsAnswer,
        query=(Query("hours", "how far back", int, 1, MOST_HOURS),),
        refusals=("unknown-device",),
    ),
)
