"""Encoders and players as children of a test: started, asked, and ended whatever happens."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from benchmarks.mortal import mortal
from room_manager.meeting.values import LinkKind, Role
from signaling.links import LinkFor
from tests.helpers.netns import Namespaces
from tests.helpers.server import LiveServer

ROOT: Final = Path(__file__).resolve().parents[2]
LIMIT_S: Final = 60.0
STOP_LIMIT_S: Final = 10.0
AIORTC: Final = (sys.executable, "-m", "tests.interop.aiortc_client")

LOOPBACK: Final = ("--address", "127.0.0.1")

HALL_SENDS: Final = LinkFor(Role.CHAIR, kind=LinkKind.WHIP)
"""City hall's own encoder: it is the main picture and heard from the start, without anybody's act."""

WATCHES: Final = LinkFor(Role.OBSERVER, kind=LinkKind.WHEP)


class Meeting(Struct, frozen=True):
    """One meeting with an encoder's and a player's token."""

    origin: str
    sends: str
    watches: str

    def whip(self) -> list[str]:
        """URL and token for an encoder."""
        return [f"{self.origin}/whip", self.sends]

    def whep(self) -> list[str]:
        """URL and token for a player."""
        return [f"{self.origin}/whep", self.watches]


class Apart(Struct, frozen=True):
    """A server in one namespace, and another for its clients."""

    server: LiveServer
    spaces: Namespaces


def meeting(server: LiveServer) -> Meeting:
    """A fresh one; its video codec is whatever its first client has."""
    with ThreadPoolExecutor(1) as aside:  # whoever drives a browser has a loop running in this thread
        sends, watches = aside.submit(server.plan, [HALL_SENDS, WATCHES]).result().tokens
    return Meeting(server.origin, sends, watches)


@contextmanager
def encoder(command: Sequence[str], log: Path) -> Iterator[None]:
    """Sends from when it says ``up`` to the end."""
    with log.open("wb") as errors:
        process = subprocess.Popen(
            mortal(command), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        assert said == "up\n", f"{said!r}: {log.read_text(errors='replace')[-2000:]}"
        yield
        process.stdin.close()
        ended = process.wait(STOP_LIMIT_S)
        assert ended == 0, log.read_text(errors="replace")[-2000:]
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdin.close()
        process.stdout.close()


def player(command: Sequence[str]) -> dict[str, Any]:
    """What it has seen and heard."""
    done = subprocess.run(
        mortal(command),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen
