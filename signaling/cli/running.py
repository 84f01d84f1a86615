"""Runs a server until it is told to stop, and for the demo the process of simulated sites beside it."""

import asyncio
import contextlib
import errno
import logging
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

import msgspec

from signaling.app import Server, serve
from signaling.cli.failure import Failed
from signaling.process import allow_many_files
from signaling.settings import Settings
from signaling.simulate.job import Job

END_LIMIT_S: Final = 5.0
STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


async def run_server(settings: Settings, meanwhile: Callable[[], Awaitable[None]] | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C. ``meanwhile`` runs while the server can be reached."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", stream=sys.stderr)
    logging.getLogger("diemcau.audit").setLevel(logging.INFO)  # who fetched or deleted what is always told
    allow_many_files()
    beside: list[asyncio.Task[None]] = []

    async def accompany(server: Server) -> None:
        """What accompanies a server ends first: else it would knock at one that is closing."""
        if meanwhile is None:
            return
        living = asyncio.ensure_future(meanwhile())
        leaving = asyncio.ensure_future(server.leaving.wait())
        try:
            await asyncio.wait((living, leaving), return_when=asyncio.FIRST_COMPLETED)
            if living.done():
                await living
        finally:
            living.cancel()
            leaving.cancel()
            await asyncio.gather(living, leaving, return_exceptions=True)

    def listening(server: Server) -> None:
        scheme = "https" if settings.tls_certificate else "http"
        print(f"diemcau: serving on {scheme}://{settings.host}:{server.port}", flush=True)
        beside.append(asyncio.create_task(accompany(server)))

    with _signals_end_quietly():
        try:
            await serve(settings, listening)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
    if not beside:
        raise Failed("the server did not start; the lines above say why")


def check_port_free(host: str, port: int) -> None:
    """Raises ``Failed`` in one line, before anything else has begun."""
    if port == 0:
        return
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise Failed(f"port {port} is taken by another program; choose one with --port") from None
            raise Failed(f"cannot listen on {host}, port {port}: {error.strerror}") from None


async def simulating(job: Job) -> None:
    """The process of simulated sites, until cancelled. If we are killed, its input ends and so does it."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "signaling.simulate",
        stdin=asyncio.subprocess.PIPE,
        start_new_session=True,  # a Ctrl-C is for us; we pass on the end
    )
    assert child.stdin is not None
    try:
        with contextlib.suppress(ConnectionError):
            child.stdin.write(msgspec.json.encode(job) + b"\n")
            await child.stdin.drain()
        code = await child.wait()
        if code:
            print(
                f"diemcau: the simulated sites ended with code {code}; the meeting goes on", file=sys.stderr
            )
    finally:
        child.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            try:
                await asyncio.wait_for(child.wait(), END_LIMIT_S)
            except TimeoutError:
                child.kill()
                await child.wait()


@contextmanager
def _signals_end_quietly() -> Iterator[None]:
    """uvicorn stops at these, and afterwards raises them again for us: by then all is done."""

    def nothing(number: int, frame: FrameType | None) -> None:
        """It has been obeyed."""

    before = {number: signal.signal(number, nothing) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
