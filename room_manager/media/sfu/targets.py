"""What each slot of each receiver shows, from the scene alone."""

from room_manager.ids import SiteId
from room_manager.media.engine import Scene


def shown(scene: Scene, slot: str, own: SiteId | None) -> SiteId | None:
    """The site whose picture belongs in a video slot of a receiver that is site ``own``."""
    if slot == "main":
        site = scene.main if scene.main != own or own is None else scene.host
    elif slot == "content":
        site = scene.content
    else:
        number = int(slot.removeprefix("tile-")) - 1
        site = scene.tiles[number] if number < len(scene.tiles) else None
    return site if site is None or site != own else None


def may_be_heard(scene: Scene, site: SiteId) -> bool:
    """Whether the scene lets this source's sound through at all."""
    return (scene.heard_only is None or site in scene.heard_only) and site not in scene.heard_never
