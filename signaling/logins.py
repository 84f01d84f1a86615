"""How long a log-in lasts: half an hour without use, twelve hours in all."""

from datetime import datetime, timedelta
from typing import Final

from room_manager.store.sessions import Session, SessionStore

LOGIN_LASTS_S: Final = 12 * 3600.0
LOGIN_IDLES_S: Final = 30 * 60.0
TOUCH_EVERY_S: Final = 60.0


async def keep_alive(store: SessionStore, login: Session, now: datetime) -> None:
    """It is used: let it last half an hour more, but not beyond twelve in all."""
    if (now - login.last_seen_at).total_seconds() < TOUCH_EVERY_S:
        return
    until = min(now + timedelta(seconds=LOGIN_IDLES_S), login.created_at + timedelta(seconds=LOGIN_LASTS_S))
    await store.touch(login.token_hash, now, until)
