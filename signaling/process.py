"""What a process of ours asks of the system before it does anything else."""

import ctypes
import os
import resource
import signal
from collections.abc import Callable
from typing import Final

OWNER_ONLY: Final = 0o077
PR_SET_PDEATHSIG: Final = 1


def keep_files_private() -> None:
    """What is written from now on is for its owner only: a database holds the keys that sign links."""
    os.umask(OWNER_ONLY)


def allow_many_files() -> None:
    """As many open files as the system lets this process have; a socket is one.

    A login shell often begins with 1,024, fewer than a meeting of 579 wards needs behind a proxy.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def die_with_parent() -> Callable[[], None]:
    """For a child's ``preexec_fn``: it is sent SIGTERM when we end, however we end (prctl(2),
    ``PR_SET_PDEATHSIG``). What it needs is looked up here, before the fork."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def ask_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)

    return ask_kernel
