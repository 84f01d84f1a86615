"""Keeps what a test run starts from taking the machine: no child may ask for real-time priority.

Browsers and media libraries give their sound threads a real-time priority where they may, and root may. On
two cores a few such threads that spin leave nothing to anybody else, the kernel's own threads included, and
the run never ends. Without the capability they fall back to ordinary threads, as they do for every user.
"""

import ctypes
import os
from typing import Final

PR_CAPBSET_DROP: Final = 24  # <linux/prctl.h>
CAP_SYS_NICE: Final = 23  # <linux/capability.h>


def be_modest() -> None:
    """From now on this process is an ordinary one, and programs it starts cannot be anything else."""
    if not hasattr(os, "sched_setscheduler"):
        return
    try:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    except OSError:
        pass
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_SYS_NICE, 0, 0, 0)  # refused to whoever is not root
