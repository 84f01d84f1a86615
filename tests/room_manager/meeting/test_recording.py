"""Recording is a state of the meeting that everybody is told of."""

import pytest

from room_manager.errors import Ended, NotAllowed
from room_manager.meeting.commands import EndMeeting, FailRecording, StartRecording, StopRecording
from room_manager.meeting.events import MeetingEnded, RecordingStarted, RecordingStopped
from room_manager.meeting.values import RecordingEnd
from tests.helpers.meeting_driver import OPERATOR, SECRETARY, START_S, MeetingDriver


def test_recording_is_a_state_and_not_a_switch(meeting: MeetingDriver) -> None:
    assert meeting.do(StopRecording(), by=SECRETARY) == []
    assert meeting.do(StartRecording(), by=SECRETARY) == [RecordingStarted(since=START_S)]
    meeting.wait(60)
    assert meeting.do(StartRecording()) == []
    assert meeting.state.recording_since == START_S
    assert meeting.do(StopRecording()) == [RecordingStopped(RecordingEnd.ASKED)]
    assert meeting.state.recording_since is None


def test_the_server_stops_it_with_the_reason_once(meeting: MeetingDriver) -> None:
    meeting.do(StartRecording())

    assert meeting.do(FailRecording(RecordingEnd.DISK_FULL)) == [RecordingStopped(RecordingEnd.DISK_FULL)]
    assert meeting.do(FailRecording(RecordingEnd.DISK_FULL)) == []


def test_the_end_of_the_meeting_is_the_end_of_the_recording(meeting: MeetingDriver) -> None:
    meeting.do(StartRecording())

    assert meeting.do(EndMeeting()) == [RecordingStopped(RecordingEnd.ENDED), MeetingEnded()]
    assert meeting.state.recording_since is None
    with pytest.raises(Ended):
        meeting.do(StartRecording())


def test_an_operator_records_nothing(meeting: MeetingDriver) -> None:
    for command in (StartRecording(), StopRecording()):
        with pytest.raises(NotAllowed):
            meeting.do(command, by=OPERATOR)
