"""How a member's line is told, from what the media engine says of its connection. Pure."""

import msgspec

from room_manager.media import engine
from signaling.wire.server import Line

LineEvent = engine.LineQuality | engine.LineStep | engine.MediaUp | engine.MediaDown


def begins() -> Line:
    """An engine tells what changes, and every line begins as a good one that is sent everything."""
    return Line(grade="good", rtt_ms=None, loss=0.0, step="full", reason="room", available_bps=None)


def after(line: Line | None, event: LineEvent) -> Line | None:
    """The line after the event; None: there is no media."""
    known = line or begins()
    match event:
        case engine.MediaUp():
            return begins()
        case engine.MediaDown():
            return None
        case engine.LineQuality():
            return msgspec.structs.replace(known, grade=event.grade, rtt_ms=event.rtt_ms, loss=event.loss)
        case engine.LineStep():
            return msgspec.structs.replace(
                known, step=event.step, reason=event.reason, available_bps=event.available_bps
            )


def look_alike(a: Line | None, b: Line | None) -> bool:
    """Do both show the same to whoever watches from outside?"""
    if a is None or b is None:
        return a is b
    return (a.grade, a.step, a.reason) == (b.grade, b.step, b.reason)
