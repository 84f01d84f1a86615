"""What is looked at before a command is put to its room: for what the rules cannot know."""

import asyncio
from pathlib import Path

import pytest

from room_manager.errors import DiskFull, NoRecorder, NotAllowed
from room_manager.ids import RoomId
from room_manager.meeting.commands import StartRecording
from tests.helpers import databases
from tests.helpers.meeting_driver import OPERATOR, SECRETARY
from tests.room_manager.test_manager import serving


def test_where_nobody_records_the_meeting_does_not_say_that_it_is_recorded(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(databases.new(tmp_path)) as server:
            room = await server.meeting()
            with pytest.raises(NoRecorder):
                await server.manager.submit(room, StartRecording(), SECRETARY)
            assert server.manager.told(room).recording_since is None

    databases.prepare()
    asyncio.run(scenario())


def test_a_check_refuses_after_the_table_and_before_the_rules(tmp_path: Path) -> None:
    full = True

    def check(room: RoomId) -> None:
        if full:
            raise DiskFull("the disk is full")

    async def scenario() -> None:
        nonlocal full
        async with serving(databases.new(tmp_path)) as server:
            room = await server.meeting()
            server.manager.check_before(StartRecording, check)
            with pytest.raises(NotAllowed):
                await server.manager.submit(room, StartRecording(), OPERATOR)
            with pytest.raises(DiskFull):
                await server.manager.submit(room, StartRecording(), SECRETARY)
            full = False
            await server.manager.submit(room, StartRecording(), SECRETARY)
            assert server.manager.told(room).recording_since is not None

    databases.prepare()
    asyncio.run(scenario())
