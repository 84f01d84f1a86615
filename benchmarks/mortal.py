"""Children that do not outlive us: whoever kills a benchmark or a test run kills what it had started, too.

``finally`` does not run in a process that dies of a signal, so the kernel is asked (prctl(2),
``PR_SET_PDEATHSIG``), by way of util-linux's ``setpriv``: it becomes the command, under the same pid.
"""

import shutil
import threading
from collections.abc import Sequence
from typing import Final

SETPRIV: Final = shutil.which("setpriv")


def mortal(command: Sequence[str]) -> list[str]:
    """The command, sent SIGTERM when we end however we end. Where that cannot be had, the command itself.

    The kernel looks at the thread that started it, so a thread that ends before the command may not ask.
    """
    if SETPRIV is None or threading.current_thread() is not threading.main_thread():
        return list(command)
    return [SETPRIV, "--pdeathsig", "TERM", "--", *command]
