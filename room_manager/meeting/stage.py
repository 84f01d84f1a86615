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
    _change(state.stage, main=HOST if event.main is None else event.main, tiles=event.tiles)


def on_content_shared(state: State, event: ContentShared) -> None:
    _change(state.stage, content=event.site)


def on_content_stopped(state: State) -> None:
    _change(state.stage, content=None)


def shows(state: State, main: SiteId) -> None:
    """The site is the main picture, and so no longer a tile."""
    _change(state.stage, main=main, tiles=_without(state.stage.tiles, main))


def loses(state: State, site: SiteId) -> None:
    """The site is gone from the stage; where it was the main picture, the host is."""
    stage = state.stage
    if site == HOST or (site != stage.main and site not in stage.tiles):
        return
    main = HOST if stage.main == site else stage.main
    _change(stage, main=main, tiles=_without(_without(stage.tiles, site), main))


def _without(tiles: tuple[SiteId, ...], site: SiteId) -> tuple[SiteId, ...]:
    return tuple(tile for tile in tiles if tile != site)


_AS_IT_IS: SiteId = SiteId("")


def _change(
    stage: Stage,
    main: SiteId = _AS_IT_IS,
    tiles: tuple[SiteId, ...] | None = None,
    content: SiteId | None = _AS_IT_IS,
) -> None:
    """Set what is named; the version counts only what really changed."""
    before = (stage.main, stage.tiles, stage.content)
    if main != _AS_IT_IS:
        stage.main = main
    if tiles is not None:
        stage.tiles = tiles
    if content != _AS_IT_IS:
        stage.content = content
    if (stage.main, stage.tiles, stage.content) != before:
        stage.version += 1
