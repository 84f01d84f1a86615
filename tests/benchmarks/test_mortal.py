"""What was started dies with whoever started it, however that dies."""

import subprocess
import sys

import psutil
import pytest

from benchmarks.mortal import SETPRIV, mortal

LIMIT_S = 20.0
PARENT = """
import subprocess, sys
from benchmarks.mortal import mortal
words = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"]
child = subprocess.Popen(mortal(words), stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
child.wait()
"""


@pytest.mark.skipif(SETPRIV is None, reason="there is no setpriv here")
def test_a_child_dies_with_a_parent_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        try:
            assert parent.stdout is not None
            child = psutil.Process(int(parent.stdout.readline()))
        finally:
            parent.kill()

    try:
        child.wait(LIMIT_S)
    except psutil.TimeoutExpired:
        child.kill()
        raise


def test_the_command_is_what_it_was() -> None:
    done = subprocess.run(
        mortal([sys.executable, "-c", "print(1)"]), capture_output=True, timeout=LIMIT_S, check=True
    )
    assert done.stdout == b"1\n"
