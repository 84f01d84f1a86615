"""Whether the meeting is recorded. How, and where to, others know."""

from room_manager.meeting.events import AnyEvent, RecordingStarted, RecordingStopped
from room_manager.meeting.state import State
from room_manager.meeting.values import RecordingEnd


def start(state: State, now: float) -> list[AnyEvent]:
    return [RecordingStarted(since=now)] if state.recording_since is None else []


def stopped(state: State, why: RecordingEnd) -> list[AnyEvent]:
    """What ends the recording: nothing if there is none."""
    return [RecordingStopped(why)] if state.recording_since is not None else []


def on_started(state: State, event: RecordingStarted) -> None:
    state.recording_since = event.since


def on_stopped(state: State) -> None:
    state.recording_since = None
