"""One server for one database: said aloud at the start if it is not so.

The journal's epochs keep two servers from harming a meeting, but the two would take its room from each
other for ever, and nobody would know why. On SQLite only, where both must be on this machine.
"""

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url

log = logging.getLogger(__name__)


@contextmanager
def marked_as_served(database_url: str) -> Iterator[bool]:
    """True: no other server has this database now. The mark goes with the process, however it ends.

    It is a file of its own: closing the database's own file would give up SQLite's locks on it.
    """
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite" or url.database is None:
        yield True
        return
    with Path(f"{url.database}.server").open("ab") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.error("! database %s: another server runs on it too; stop one of the two", url.database)
            yield False
        else:
            yield True
