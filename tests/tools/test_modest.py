"""A test run stays an ordinary user of the machine's cores."""

import os
import subprocess
import sys

import pytest


@pytest.mark.skipif(
    not hasattr(os, "sched_setscheduler"), reason="this system has no schedulers to choose from"
)
def test_no_program_started_by_a_test_can_take_real_time_priority() -> None:
    ask = "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))"

    asked = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False)

    assert asked.returncode != 0
    assert "PermissionError" in asked.stderr
    assert os.sched_getscheduler(0) == os.SCHED_OTHER
