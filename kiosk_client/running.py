"""Starts one real agent on this machine and sees it to its end: signals, log, and being started anew."""

import asyncio
import logging
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from kiosk_client.agent import AGENT, Agent, Ended, Options
from kiosk_client.bodies import body_for, hardware, updater_for
from kiosk_client.city import HttpCity
from kiosk_client.config import Config
from kiosk_client.disk import ThreadDisk
from kiosk_client.folder import DiskFolder
from kiosk_client.key import FileKeys
from kiosk_client.logbook import FORMAT, Logbook
from kiosk_client.system import LinuxSystem
from kiosk_client.updates import launch
from kiosk_client.wire import dialler, tls_context
from signaling.wire.kiosk.fingerprint import fingerprint_of, raw_key, words_of
from signaling.wire.kiosk.words import DeviceKind

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

log = logging.getLogger(__name__)


def run(config: Config, kind: DeviceKind) -> int:
    """Until SIGTERM, SIGINT, or an order to restart. Raises AgentError."""
    logbook = _start_log(config.verbose)
    folder = DiskFolder(Path(config.state).expanduser().absolute())
    folder.lock()
    ended = asyncio.run(_live(config, kind, folder, logbook.text))
    folder.unlock()
    if ended == "restart" and not _is_supervised():
        # The service manager would start us again; without one we do it ourselves.
        launch.again(sys.argv[1:])
        os.execv(sys.executable, [sys.executable, "-m", "kiosk_client", *sys.argv[1:]])  # noqa: S606
    return 0


async def _live(config: Config, kind: DeviceKind, folder: DiskFolder, logs: Callable[[int], bytes]) -> Ended:
    certificate = Path(config.ca) if config.ca else None
    body = body_for(config, kind)
    agent = Agent(
        Options(
            server=config.server,
            kind=kind,
            hardware=config.hardware or hardware(),
            certificate=certificate,
        ),
        folder=folder,
        keys=FileKeys(folder),
        disk=ThreadDisk(),
        system=LinuxSystem(),
        body=body,
        updater=updater_for(config, kind, body, AGENT),
        dial=dialler(config.server, tls_context(config.server, certificate)),
        city=HttpCity(config.server, certificate),
        logs=logs,
        words=words,
        chance=random.random,
    )
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, agent.stop)
    return await agent.run()


def fingerprint(config: Config) -> str:
    """Of this device's key, made now if there is none, and its four words: by this a city may expect the
    device before it first asks. Raises AgentError."""
    folder = DiskFolder(Path(config.state).expanduser().absolute())
    raw = raw_key(FileKeys(folder).current().public)
    assert raw is not None
    return f"{fingerprint_of(raw)} {', '.join(words_of(fingerprint_of(raw)))}"


def words(public_key: str) -> tuple[str, ...]:
    """The four words by which staff compare a key."""
    raw = raw_key(public_key)
    assert raw is not None
    return words_of(fingerprint_of(raw))


def _start_log(verbose: bool) -> Logbook:
    logbook = Logbook()
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(logbook)
    shown = logging.StreamHandler()
    shown.setLevel(logging.INFO if verbose else logging.WARNING)
    shown.setFormatter(logging.Formatter(FORMAT))
    root.addHandler(shown)
    for chatty in ("httpx", "httpcore", "websockets"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    return logbook


def _is_supervised() -> bool:
    """Does a service manager wait for us (and start us again)?"""
    return "NOTIFY_SOCKET" in os.environ
