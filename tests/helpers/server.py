"""The real server as a child of the test, on free ports, with a database of its own."""

import asyncio
import http.client
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

import psutil

from benchmarks.mortal import mortal
from room_manager.ids import RoomId, SiteId
from room_manager.meeting.values import Role
from room_manager.planning import plan_meeting
from room_manager.roster.builtin import hanoi_579
from signaling.cli.storage import opened
from signaling.links import LinkFor, LinkMaker, link_url, signers

START_LIMIT_S: Final = 30.0
STOP_LIMIT_S: Final = 20.0
LINK_LASTS_S: Final = 3600.0
TITLE: Final = "Họp thử"


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM, host: str = "127.0.0.1") -> int:
    """A port that nobody listens on."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


class LiveServer:
    """``diemcau serve``; it may be killed and started again on the same port."""

    def __init__(
        self,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        flags: Sequence[str] = (),
        wrap: Sequence[str] = (),
        scheme: str = "http",
        port: int | None = None,
    ) -> None:
        self.db = folder / "meetings.db"
        self.port = port or free_port()
        self.host = host
        usual = {"http": 80, "https": 443}[scheme]
        self.origin = f"{scheme}://{host}" if self.port == usual else f"{scheme}://{host}:{self.port}"
        self._flags = flags
        self._wrap = wrap
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the server itself, not of its media process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Return when it takes meetings."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                mortal(
                    [
                        *self._wrap,
                        *(sys.executable, "-m", "signaling.cli", "serve"),
                        *("--db", str(self.db), "--host", self.host, "--port", str(self.port)),
                        *("--known-networks", "127.0.0.0/8"),  # all wards of a test share an address
                        *self._flags,
                    ]
                ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if b"serving on" not in line:
            self.stop()
            raise AssertionError(f"the server did not start: {line!r}\n{self.log()}")

    def log(self) -> str:
        """What it has complained of."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def kill(self) -> None:
        """As a power cut does to one process: SIGKILL."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._reap()

    def kill_media(self) -> None:
        """SIGKILL for the media process alone."""
        self.media_process().kill()

    def media_process(self) -> psutil.Process:
        """The child that forwards."""
        children = psutil.Process(self.pid).children()
        return next(child for child in children if "room_manager.media.sfu.process" in child.cmdline())

    def stop(self) -> None:
        """SIGTERM, and SIGKILL if that is not obeyed in time."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._reap()

    def _reap(self) -> None:
        assert self._process is not None
        self._process.wait(STOP_LIMIT_S)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def get(self, path: str) -> bytes:
        """The body of a page of ours, whatever its status."""
        line = http.client.HTTPConnection(self.host, self.port, timeout=START_LIMIT_S)
        try:
            line.request("GET", path)
            return line.getresponse().read()
        finally:
            line.close()

    def plan(self, links: Collection[LinkFor], simulated: frozenset[SiteId] = frozenset()) -> "Planned":
        """A meeting of the whole city, and links into it in the order given."""
        return asyncio.run(self._plan(links, simulated))

    async def _plan(self, links: Collection[LinkFor], simulated: frozenset[SiteId]) -> "Planned":
        async with opened(self.db) as stores:
            units = hanoi_579()
            await stores.roster.import_units(units)
            room = await plan_meeting(stores, TITLE, [unit.code for unit in units], simulated)
            signer, _ = await signers(stores.secrets)
            maker = LinkMaker(stores.links, signer, time.time)
            made = await maker.make_all(room, list(links), LINK_LASTS_S, by="test")
        return Planned(self.origin, room, [token for _, token in made])


class Planned:
    """A meeting, and the links into it."""

    def __init__(self, origin: str, room: RoomId, tokens: list[str]) -> None:
        self.room = room
        self.tokens = tokens
        self.urls = [link_url(origin, room, token) for token in tokens]


CHAIR: Final = LinkFor(Role.CHAIR)


def ward(code: str) -> LinkFor:
    """A link for the primary device of a ward."""
    return LinkFor(Role.SITE, SiteId(code))
