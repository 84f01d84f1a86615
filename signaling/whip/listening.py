"""What a room and its engine say that ends an encoder's or a player's session."""

import time
from collections.abc import Callable

from room_manager.ids import ConnectionId, RoomId
from room_manager.manager import Manager
from room_manager.media import engine
from room_manager.runner import Batch
from signaling import lines
from signaling.fanout import Fanout
from signaling.whip.session import OnOver, WhipSession


class Listening:
    """One room's sessions, and the ears that are there as long as one of them is."""

    def __init__(self, room: RoomId, manager: Manager, fanout: Fanout, on_over: OnOver) -> None:
        self.sessions: dict[ConnectionId, WhipSession] = {}
        self._fanout = fanout
        self._over = on_over
        self._stops: list[Callable[[], None]] = [
            manager.listen(room, self._on_batch),
            manager.listen_media(room, self._on_media),
        ]

    def add(self, session: WhipSession) -> None:
        self.sessions[session.connection] = session
        if session.member.own_site() is not None:
            self._fanout.encoders[session.connection] = session

    def remove(self, session: WhipSession) -> None:
        """Again is fine."""
        self.sessions.pop(session.connection, None)
        self._fanout.encoders.pop(session.connection, None)
        self._forget_device(session)

    def close(self) -> None:
        """Hear nothing more."""
        while self._stops:
            self._stops.pop()()

    def _forget_device(self, session: WhipSession) -> None:
        """What its device was like is not known of its site any more, unless a page tells it."""
        site = session.member.own_site()
        if site is None or any(one.member_site == site for one in self._fanout.receivers()):
            return
        if not any(other.member.own_site() == site for other in self.sessions.values()):
            self._fanout.presence.forget_device(site)

    def _on_batch(self, batch: Batch) -> None:
        """An encoder that stands for its site no longer has been replaced."""
        if batch.told.ended:
            for session in list(self.sessions.values()):
                self._over(session, "ended", drops=False)
            return
        touched = {getattr(record.event, "site", None) for record in batch.records}
        for session in list(self.sessions.values()):
            site = session.member.own_site()
            if not session.joined or site is None or site not in touched:
                continue
            if session.connection not in batch.told.sites[site].devices.values():
                self._over(session, "superseded", drops=False)

    def _on_media(self, event: engine.EngineEvent) -> None:
        if isinstance(event, lines.LineEvent) and event.connection in self.sessions:
            self._hear_line(self.sessions[event.connection], event)
        match event:
            case engine.EngineRestarted():
                for session in list(self.sessions.values()):
                    self._over(session, "media-lost", drops=True)
            case engine.ConnectionsLost():
                for connection in event.connections:
                    if connection in self.sessions:
                        self._over(self.sessions[connection], "media-lost", drops=True)
            case engine.MediaUp(connection=connection) if connection in self.sessions:
                self.sessions[connection].media_up()
            case engine.MediaDown(connection=connection) if connection in self.sessions:
                self.sessions[connection].media_down()
            case _:
                pass

    def _hear_line(self, session: WhipSession, event: lines.LineEvent) -> None:
        """How it is shows in the row of its site, as a page's does."""
        before, now = session.line, lines.after(session.line, event)
        session.line = now
        if now is not None and (before is None or before.step != now.step):
            session.step_at = time.time()
        site = session.member.own_site()
        if site is not None and not lines.look_alike(before, now):
            self._fanout.presence.touch(site)
