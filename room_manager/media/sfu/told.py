"""What rooms have been told, so that a worker which comes back can be told again."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from room_manager.errors import Limit
from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import Scene
from room_manager.media.sfu import control
from room_manager.media.sfu.router import MAX_ROOMS

MAX_USES: Final = 4_096  # of one room
USES_PER_FRAME: Final = 1_000

Make = Callable[[int], control.AnyRequest]
"""A request, once it has its number."""


class Told:
    """Scenes and uses, by room."""

    def __init__(self) -> None:
        self._scenes: dict[RoomId, Scene] = {}
        self._uses: dict[RoomId, dict[SiteId, ConnectionId]] = {}

    def scene(self, room: RoomId, scene: Scene) -> None:
        """The room shows this. Raises ``Limit``."""
        if room not in self._scenes and len(self._scenes) >= MAX_ROOMS:
            raise Limit(f"more than {MAX_ROOMS} rooms")
        self._scenes[room] = scene

    def use(self, room: RoomId, source: SiteId, connection: ConnectionId) -> None:
        """The source is fed by this connection. Raises ``Limit``."""
        if room not in self._uses and len(self._uses) >= MAX_ROOMS:
            raise Limit(f"more than {MAX_ROOMS} rooms")
        uses = self._uses.setdefault(room, {})
        if source not in uses and len(uses) >= MAX_USES:
            raise Limit(f"more than {MAX_USES} sources in a room")
        uses[source] = connection

    def close(self, room: RoomId) -> None:
        """Nothing is known of the room."""
        self._scenes.pop(room, None)
        self._uses.pop(room, None)

    def forget(self) -> None:
        """The engine is gone; its caller says everything anew."""
        self._scenes.clear()
        self._uses.clear()

    def again(self) -> Iterator[Make]:
        """Requests that say everything to a new worker."""
        for room, scene in self._scenes.items():
            yield _scene(room, scene)
        for room, uses in self._uses.items():
            items = iter(uses.items())
            while part := dict(islice(items, USES_PER_FRAME)):
                yield _uses(room, part)


def _scene(room: RoomId, scene: Scene) -> Make:
    return lambda number: control.SetScene(number, room, scene)


def _uses(room: RoomId, uses: dict[SiteId, ConnectionId]) -> Make:
    return lambda number: control.Uses(number, room, uses)
