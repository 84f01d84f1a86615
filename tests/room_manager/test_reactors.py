"""What the media engine is told of a room."""

import asyncio
from collections.abc import Awaitable, Callable

from room_manager.ids import HOST, ConnectionId, RoomId
from room_manager.media.engine import Scene
from room_manager.meeting.commands import EndMeeting, GiveFloor, MuteSite, SetMode, SetStage, ShareContent
from room_manager.meeting.values import Device, Mode
from room_manager.reactors import CALL_LIMIT_S, MediaReactor, scene_of
from tests.helpers.engines import GatedEngine
from tests.helpers.loop import run_virtual
from tests.helpers.meeting_driver import (
    CHAIR,
    PHUC_XA,
    QUAN_THANH,
    SITES,
    TRUC_BACH,
    VINH_PHUC,
    MeetingDriver,
    member,
)

ROOM = RoomId("room")


def test_before_anybody_speaks_all_see_and_hear_the_host() -> None:
    assert scene_of(MeetingDriver().meeting) == Scene(
        main=HOST, host=HOST, tiles=(), heard_only=frozenset({HOST}), voices=(HOST,)
    )


def test_the_called_site_is_seen_and_heard_and_the_host_is_the_first_tile() -> None:
    driver = MeetingDriver()
    driver.join_all(HOST, PHUC_XA, TRUC_BACH)
    driver.do(GiveFloor(PHUC_XA, floor_version=0))
    driver.do(ShareContent(PHUC_XA), by=member(PHUC_XA))
    driver.do(SetStage(PHUC_XA, (TRUC_BACH,), driver.state.stage.version))

    assert scene_of(driver.meeting) == Scene(
        main=PHUC_XA,
        host=HOST,
        content=PHUC_XA,
        tiles=(HOST, TRUC_BACH),
        heard_only=frozenset({HOST, PHUC_XA}),
        voices=(HOST, PHUC_XA),
    )


def test_a_full_stage_and_a_stage_with_the_host_are_shown_as_they_were_set() -> None:
    driver = MeetingDriver()
    driver.join_all(*SITES)
    for tiles in ((TRUC_BACH, VINH_PHUC, *SITES[3:5]), (TRUC_BACH, HOST)):
        driver.do(SetStage(PHUC_XA, tiles, driver.state.stage.version))
        assert scene_of(driver.meeting).tiles == tiles


def test_in_an_open_meeting_only_the_muted_are_not_heard_and_in_a_break_nobody_is() -> None:
    driver = MeetingDriver()
    driver.do(SetMode(Mode.OPEN, mode_version=0))
    driver.do(MuteSite(QUAN_THANH))
    scene = scene_of(driver.meeting)
    assert (scene.heard_only, scene.heard_never) == (None, frozenset({QUAN_THANH}))

    driver.do(SetMode(Mode.BREAK, mode_version=1))
    assert scene_of(driver.meeting).heard_only == frozenset()


class Stage:
    """A meeting, an engine, and the reactor between them."""

    def __init__(self) -> None:
        self.driver = MeetingDriver()
        self.engine = GatedEngine()
        self.reactor = MediaReactor(ROOM, self.driver.meeting, self.engine)
        self.heard = len(self.driver.events)

    async def settle(self) -> None:
        """Let the reactor hear what has happened since the last time."""
        new = self.driver.events[self.heard :]
        self.heard += len(new)
        self.reactor.look(site for event in new if (site := getattr(event, "site", None)))
        await asyncio.sleep(0.01)

    def scene_is_right(self) -> bool:
        return self.engine.scenes.get(ROOM) == scene_of(self.driver.meeting)


def on_stage(test: Callable[[Stage], Awaitable[None]]) -> None:
    async def inside() -> None:
        stage = Stage()
        task = asyncio.create_task(stage.reactor.run())
        await test(stage)
        task.cancel()
        await asyncio.wait([task])

    run_virtual(inside())


def test_the_scene_is_told_at_once_and_then_only_when_it_changes() -> None:
    async def test(stage: Stage) -> None:
        await stage.settle()
        assert stage.scene_is_right()
        calls = stage.engine.calls
        await stage.settle()
        assert stage.engine.calls == calls

        stage.driver.join(PHUC_XA)
        stage.driver.do(GiveFloor(PHUC_XA, floor_version=0))
        await stage.settle()
        assert stage.scene_is_right()

    on_stage(test)


def test_a_slow_engine_is_told_the_newest_and_not_what_was_in_between() -> None:
    async def test(stage: Stage) -> None:
        stage.driver.join_all(*SITES)
        stage.engine.gate.clear()
        await stage.settle()
        for site in SITES:
            stage.driver.do(GiveFloor(site, stage.driver.state.floor.version))
            await stage.settle()
        before = stage.engine.calls

        stage.engine.gate.set()
        await stage.settle()

        assert stage.scene_is_right()
        assert stage.engine.calls - before <= len(SITES) + 1  # one scene, and the sources

    on_stage(test)


def test_the_active_device_is_the_picture_and_whoever_is_replaced_or_gone_leaves() -> None:
    async def test(stage: Stage) -> None:
        first = stage.driver.join(PHUC_XA)
        backup = stage.driver.join(PHUC_XA, Device.BACKUP)
        await stage.settle()
        assert stage.engine.uses[ROOM, PHUC_XA] == first

        second = stage.driver.join(PHUC_XA)
        await stage.settle()
        assert stage.engine.uses[ROOM, PHUC_XA] == second
        assert stage.engine.left == [first]

        stage.driver.drop(PHUC_XA, Device.PRIMARY)
        await stage.settle()
        assert stage.engine.uses[ROOM, PHUC_XA] == backup
        assert stage.engine.left == [first, second]

        stage.driver.drop(PHUC_XA)
        stage.reactor.forget(ConnectionId("a secretary's"))
        await stage.settle()
        assert set(stage.engine.left) == {first, second, backup, "a secretary's"}

        again = stage.driver.join(PHUC_XA)
        await stage.settle()
        assert stage.engine.uses[ROOM, PHUC_XA] == again

    on_stage(test)


def test_an_engine_that_is_away_is_told_when_it_is_back() -> None:
    async def test(stage: Stage) -> None:
        stage.engine.away = True
        first = stage.driver.join(PHUC_XA)
        await stage.settle()
        stage.driver.join(PHUC_XA)
        await stage.settle()
        await asyncio.sleep(3)
        assert stage.engine.scenes == {}

        stage.engine.away = False
        await asyncio.sleep(1)

        assert stage.scene_is_right()
        assert stage.engine.left == []  # it was never told of the first, so it need not be told to forget it
        assert stage.engine.uses[ROOM, PHUC_XA] != first

    on_stage(test)


def test_a_call_that_hangs_is_given_up_and_made_again() -> None:
    async def test(stage: Stage) -> None:
        stage.engine.gate.clear()
        await asyncio.sleep(CALL_LIMIT_S + 0.1)
        stage.engine.gate.set()
        await asyncio.sleep(1)

        assert stage.scene_is_right()
        assert stage.engine.calls == 2

    on_stage(test)


def test_a_restarted_engine_is_told_everything_even_in_the_middle_of_a_call() -> None:
    async def test(stage: Stage) -> None:
        stage.driver.join_all(*SITES)
        await stage.settle()
        stage.driver.do(GiveFloor(PHUC_XA, floor_version=0))
        stage.engine.gate.clear()
        await stage.settle()

        stage.engine.revive()
        stage.reactor.engine_restarted()
        stage.engine.gate.set()
        await stage.settle()

        assert stage.scene_is_right()
        assert {site for _, site in stage.engine.uses} == set(SITES)

    on_stage(test)


def test_an_ended_meeting_forwards_nothing_more() -> None:
    async def test(stage: Stage) -> None:
        stage.driver.join_all(*SITES)
        await stage.settle()

        stage.driver.do(EndMeeting(), by=CHAIR)
        await stage.settle()
        calls = stage.engine.calls
        stage.reactor.forget(ConnectionId("late"))
        await stage.settle()

        assert stage.engine.scenes == {}
        assert stage.engine.calls == calls

    on_stage(test)
