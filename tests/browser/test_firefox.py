"""Firefox joins and sees the chair.

Firefox sends no media to loopback addresses whatever its preferences say, so server and browser stand in
network namespaces of their own with a cable between them.
"""

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from benchmarks.mortal import mortal
from room_manager.ids import HOST
from signaling.cli import lan
from signaling.simulate.job import Job, Place
from tests.helpers import bidi, netns
from tests.helpers.server import CHAIR, LiveServer, ward

pytestmark = [pytest.mark.browser, pytest.mark.netns]

LIMIT_S = 110
ROOT = Path(__file__).resolve().parents[2]


def test_firefox_joins_and_sees_the_chair(tmp_path: Path) -> None:
    why_not = netns.why_not() or (None if bidi.FIREFOX else "Firefox is not installed")
    if why_not is not None:
        pytest.skip(why_not)
    certificate = lan.certificate(tmp_path, [netns.SERVER_ADDRESS], dt.datetime.now(dt.UTC))
    with netns.two_namespaces() as spaces:
        server = LiveServer(
            tmp_path,
            host=netns.SERVER_ADDRESS,
            scheme="https",
            wrap=spaces.at_server([]),
            flags=[
                *("--certificate", str(certificate.certificate), "--key", str(certificate.key)),
                *("--media-address", netns.SERVER_ADDRESS),
            ],
        )
        planned = server.plan([CHAIR, ward("00004")])
        server.start()
        chair = _chair(spaces, server, planned.tokens[0], certificate)
        try:
            seen = _firefox(spaces, tmp_path / "profile", planned.urls[1])
        finally:
            chair.terminate()
            chair.communicate()
            server.stop()

    assert sum(seen["main"]) > 100, f"a black picture: {seen}"
    assert seen["frames"] == 10


def _chair(
    spaces: netns.Namespaces, server: LiveServer, token: str, certificate: lan.Certificate
) -> subprocess.Popen[bytes]:
    """City hall, played by the process of simulated sites: it shows the shipped loop."""
    job = Job(server.origin, str(certificate.certificate), (Place(HOST, token),), seed=1, lively=False)
    process = subprocess.Popen(
        spaces.at_server([sys.executable, "-m", "signaling.simulate"]), stdin=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(job) + b"\n")
    process.stdin.flush()
    return process


def _firefox(spaces: netns.Namespaces, profile: Path, url: str) -> dict[str, Any]:
    """What a ward in Firefox sees."""
    done = subprocess.run(
        mortal(spaces.at_browser([sys.executable, "-m", "tests.helpers.firefox_ward", str(profile), url])),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        timeout=LIMIT_S,
        check=True,
    )
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen
