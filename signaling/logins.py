"""How long a log-in lasts: half an hour without use, twelve hours in all."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Final

from room_manager.errors import Busy, InDoubt, NotStored
from room_manager.store.sessions import Session, SessionStore

LOGIN_LASTS_S: Final = 12 * 3600.0
LOGIN_IDLES_S: Final = 30 * 60.0
TOUCH_EVERY_S: Final = 60.0
REST_AFTER_FAILURE_S: Final = 10.0

log = logging.getLogger(__name__)


class LoginUse:
    """Notes that log-ins are used. What cannot be noted is left aside: who only reads is let read."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._rest_until = datetime.min.replace(tzinfo=UTC)

    async def note(self, login: Session, now: datetime) -> None:
        """It is used: let it last half an hour more, but not beyond twelve in all. Refuses nothing."""
        if (now - login.last_seen_at).total_seconds() < TOUCH_EVERY_S or now < self._rest_until:
            return
        last = login.created_at + timedelta(seconds=LOGIN_LASTS_S)
        try:
            await self._store.touch(login.token_hash, now, min(now + timedelta(seconds=LOGIN_IDLES_S), last))
        except (NotStored, Busy, InDoubt) as error:
            # Each try may wait seconds for the disk, so it is not tried for every question asked.
            self._rest_until = now + timedelta(seconds=REST_AFTER_FAILURE_S)
            log.warning("! the use of a log-in was not noted: %s", error)
