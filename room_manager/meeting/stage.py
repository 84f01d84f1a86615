"""What everybody sees: one main picture, the content, and up to four tiles."""

from room_manager.errors import Invalid, Stale, WrongState
from room_manager.ids import HOST, SiteId
from room_manager.meeting.commands import MAX_TILES, SetStage
from room_manager.meeting.events import AnyEvent, ContentShared, StageSet
from room_manager.meeting.lookup import on_roster
from room_manager.meeting.state import Stage, State
from room_manager.meeting.values import SiteState


def set_stage(state: State, command: SetStage) -> list[AnyEvent]:
    """Sites on the stage are present, or away and on it already; the host may always be there."""
    if command.stage_version != state.stage.version:
        raise Stale("the stage has changed since you looked")
    main = HOST if command.main is None else command.main
    tiles = command.tiles
    if len(tiles) > MAX_TILES:
        raise Invalid(f"the stage has room for {MAX_TILES} tiles beside the main picture")
    if len({main, *tiles}) != 1 + len(tiles):
        raise Invalid("a site can be on the stage only once")
    for site in (main, *tiles):
        _may_be_shown(state, site)
    if (main, tiles) == (state.stage.main, state.stage.tiles):
        return []
    return [StageSet(main=None if main == HOST else main, tiles=tiles)]


def _may_be_shown(state: State, site_id: SiteId) -> None:
    site = on_roster(state, site_id)
    on_stage = site_id == state.stage.main or site_id in state.stage.tiles
    if not (
        site_id == HOST or site.state is SiteState.PRESENT or (site.state is SiteState.AWAY and on_stage)
    ):
        raise WrongState(f"site {site_id} is not present")


def on_stage_set(state: State, event: StageSet) -> None:
    stage = state.stage
    _becomes(stage, HOST if event.main is None else event.main, event.tiles, stage.content)


def on_content_shared(state: State, event: ContentShared) -> None:
    _becomes(state.stage, state.stage.main, state.stage.tiles, event.site)


def on_content_stopped(state: State) -> None:
    _becomes(state.stage, state.stage.main, state.stage.tiles, None)


def shows(state: State, main: SiteId) -> None:
    """The site is the main picture, and so no longer a tile."""
    stage = state.stage
    _becomes(stage, main, _without(stage.tiles, main), stage.content)


def loses(state: State, site: SiteId) -> None:
    """The site is gone from the stage; where it was the main picture, the host is."""
    stage = state.stage
    if site == HOST or (site != stage.main and site not in stage.tiles):
        return
    main = HOST if stage.main == site else stage.main
    _becomes(stage, main, _without(_without(stage.tiles, site), main), stage.content)


def _without(tiles: tuple[SiteId, ...], site: SiteId) -> tuple[SiteId, ...]:
    return tuple(tile for tile in tiles if tile != site)


def _becomes(stage: Stage, main: SiteId, tiles: tuple[SiteId, ...], content: SiteId | None) -> None:
    """The version counts only what really changes."""
    if (main, tiles, content) != (stage.main, stage.tiles, stage.content):
        stage.main, stage.tiles, stage.content = main, tiles, content
        stage.version += 1
