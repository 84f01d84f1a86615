"""What holds for every test."""

import faulthandler
import os
import sys
import threading
from typing import Final

import pytest
from hypothesis import settings

from tests.helpers.modest import be_modest

GOODBYE_S: Final = 60.0

# A shared core may stall any example; the test's own time limit is what catches a real hang.
settings.register_profile("here", deadline=None)
settings.load_profile("here")

be_modest()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """The tests are over: a thread that never ends must not keep the process, and the run, from ending."""

    def end() -> None:
        print(f"\n! still here {GOODBYE_S:.0f} s after the last test; what holds us:", file=sys.stderr)
        faulthandler.dump_traceback(file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(exitstatus))

    timer = threading.Timer(GOODBYE_S, end)
    timer.daemon = True
    timer.start()
