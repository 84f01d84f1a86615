"""What our processes ask of the system."""

import resource
import subprocess
import sys

FEW = 256

LOOK = """
import resource
from signaling.process import allow_many_files
allow_many_files()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_a_process_may_open_as_many_files_as_the_system_lets_it() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    told = subprocess.run(
        [sys.executable, "-c", LOOK],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (FEW, hard)),
        capture_output=True,
        text=True,
        check=True,
    )

    assert told.stdout.split() == [str(hard), str(hard)]
