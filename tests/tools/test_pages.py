"""The pages' own tests, run by Node, counted here so that one summary tells all."""

import subprocess
from pathlib import Path

import web_build

WEB = Path(__file__).resolve().parents[2] / "web"
LIMIT_S = 100


def test_the_pages_own_tests_pass() -> None:
    done = subprocess.run(
        [*web_build.npm(), "test"],
        cwd=WEB,
        env=web_build.environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-4_000:]
