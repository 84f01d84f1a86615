import pytest

from tests.helpers.meeting_driver import MeetingDriver


@pytest.fixture
def meeting() -> MeetingDriver:
    """A meeting of six wards, opened; nobody has joined."""
    return MeetingDriver()
