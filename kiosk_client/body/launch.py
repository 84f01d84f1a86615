"""Becomes Chromium: ``python -I -S launch.py READ WRITE PARENT PROGRAM ARGUMENT…``.

Chromium wants its DevTools pipe as descriptors 3 and 4, which ``subprocess`` cannot arrange; and it must end
when the agent does, even one that was killed. Linux keeps the wish "kill me when my parent is gone" over
``exec`` (prctl(2), PR_SET_PDEATHSIG). This file imports nothing of ours: it starts in 20 ms.
"""

import ctypes
import fcntl
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Never returns."""
    read, write, parent = (int(word) for word in arguments[:3])
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it went before we could say so
        sys.exit(1)
    high = [
        fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (read, write)
    ]  # neither may sit on the other's place
    os.dup2(high[0], 3)
    os.dup2(high[1], 4)
    for fd in high:
        os.close(fd)
    os.execv(arguments[3], arguments[3:])  # noqa: S606 - becoming it is the point


if __name__ == "__main__":
    main(sys.argv[1:])
