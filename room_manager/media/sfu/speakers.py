"""Who speaks, told once: every worker hears the whole room, and the room's lead speaks for all. Pure."""

from room_manager.ids import RoomId, SiteId
from room_manager.media.engine import Speaking

Sites = tuple[SiteId, ...]


class Speakers:
    """What workers said last, and what was passed on."""

    def __init__(self) -> None:
        self._heard: dict[RoomId, dict[int, Sites]] = {}
        self._told: dict[RoomId, Sites] = {}

    def heard(self, event: Speaking, worker: int, lead: int | None) -> Speaking | None:
        """What is to be told now that this worker has said this; ``lead`` None: nobody leads."""
        self._heard.setdefault(event.room, {})[worker] = event.sites
        return self.led_by(event.room, worker if lead is None else lead)

    def led_by(self, room: RoomId, lead: int | None) -> Speaking | None:
        """What is to be told if this worker speaks for the room from now on."""
        sites = self._heard.get(room, {}).get(lead) if lead is not None else None
        if sites is None or sites == self._told.get(room):
            return None
        self._told[room] = sites
        return Speaking(room, sites)

    def lost(self, worker: int) -> list[RoomId]:
        """The worker has died; returns the rooms it had a word in."""
        return [room for room, heard in self._heard.items() if heard.pop(worker, None) is not None]

    def close(self, room: RoomId) -> None:
        """Nothing is known of the room."""
        self._heard.pop(room, None)
        self._told.pop(room, None)

    def forget(self) -> None:
        """The engine is gone."""
        self._heard.clear()
        self._told.clear()
