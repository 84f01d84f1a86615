"""An agent that is killed again and again, and a city that hears it over real sockets.

The body's acts append to a file what they did before they say so; what the agent was told to be durable is
appended to another. A file that was written to outlives a killed process.

``python -m tests.helpers.short_lives FOLDER PORT`` is the process that has imported everything: a line
``begin`` on its input forks off a life, ``kill`` sends it SIGKILL; each is answered by a line.
"""

import asyncio
import contextlib
import ctypes
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Final

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from benchmarks.mortal import mortal
from kiosk_client.agent import Agent, Options
from kiosk_client.disk import ThreadDisk
from kiosk_client.errors import NotKept
from kiosk_client.folder import DiskFolder
from kiosk_client.identity import Identity, keep
from kiosk_client.key import FileKeys
from kiosk_client.no_updates import NoUpdates
from kiosk_client.ports import Core, Result
from kiosk_client.system import LinuxSystem
from kiosk_client.wire import dialler
from signaling.wire.kiosk.city import Carry, CityMessage, Stored
from signaling.wire.kiosk.device import AnyDeviceMessage, Report
from signaling.wire.kiosk.words import (
    BundleId,
    CommandId,
    DeviceId,
    Done,
    Installing,
    Order,
    Outcome,
    RestartPage,
    RolloutId,
)
from tests.helpers.toy_city import CITY_EPOCH, SETTINGS, ToyBody, ToyCity, ToyWire, decode

ACTS: Final = "acts"
KEPT: Final = "kept"
PR_SET_PDEATHSIG: Final = 1
OPEN_AT_ONCE: Final = 5


class LoudBody(ToyBody):
    """Reports without a pause, and does what it is told in some milliseconds."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._acts = os.open(folder / ACTS, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._kept = os.open(folder / KEPT, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def start(self, core: Core) -> None:
        await super().start(core)
        self._reporting = asyncio.create_task(self._report(core))

    async def close(self) -> None:
        self._reporting.cancel()

    async def _report(self, core: Core) -> None:
        n = 0
        while True:
            n += 1
            name = f"r{os.getpid()}-{n}"
            with contextlib.suppress(NotKept):
                await core.report(Installing(RolloutId(name), BundleId("b"), "installed"))
                os.write(self._kept, f"{name}\n".encode())
            await asyncio.sleep(0.005)

    async def carry_out(self, order: Order) -> Result:
        os.write(self._acts, f"{order.id}\n".encode())
        await asyncio.sleep(0.002)
        return Result(Outcome(succeeded=True))


async def live(folder: Path, port: int) -> None:
    """One life, until it is killed."""
    kept = DiskFolder(folder / "state")
    kept.lock()
    server = f"http://127.0.0.1:{port}"
    if kept.read("identity.json") is None:
        keep(kept, Identity(server, DeviceId("d1"), SETTINGS))
    agent = Agent(
        Options(server=server),
        folder=kept,
        keys=FileKeys(kept),
        disk=ThreadDisk(),
        system=LinuxSystem(),
        body=LoudBody(folder),
        updater=NoUpdates(),
        dial=dialler(server, None),
        city=ToyCity(),
        logs=lambda hours: b"",
        words=lambda key: (),
        chance=lambda: random.random() * 0.05,
    )
    await agent.run()


class HarshCity(ToyCity):
    """Sends each order several times, in any order, until it is told the outcome; now and then it does not
    say ``stored``, or loses a report before it has stored it."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self._dice = dice
        self._taken: set[str] = set()
        self._server: Server | None = None
        self.is_harsh = True
        self.orders: dict[CommandId, Order] = {}
        self.outcomes: dict[CommandId, list[Outcome]] = {}
        self.reported: Counter[str] = Counter()

    async def open(self) -> int:
        self._server = await serve(self._attend, "127.0.0.1", 0, compression=None)
        port: int = next(iter(self._server.sockets)).getsockname()[1]
        return port

    async def close(self) -> None:
        if self._server is not None:
            self._server.close(close_connections=True)
            await self._server.wait_closed()

    def hear(self, wire: ToyWire, message: AnyDeviceMessage) -> None:
        if isinstance(message, Report):
            self._take(wire, message)
        else:
            super().hear(wire, message)

    def _take(self, wire: ToyWire, report: Report) -> None:
        if self.is_harsh and self._dice.random() < 0.1:
            return
        if report.key not in self._taken:
            self._taken.add(report.key)
            match report.news:
                case Done(command=command, outcome=outcome):
                    self.outcomes.setdefault(command, []).append(outcome)
                case Installing(rollout=rollout):
                    self.reported[rollout] += 1
                case _:
                    pass
        if not self.is_harsh or self._dice.random() < 0.9:
            wire.deliver(Stored(time=self.now, keys=(report.key,)))

    async def _attend(self, socket: ServerConnection) -> None:
        wire = SocketWire(self, socket)
        wire.deliver(self.challenge())
        works = [asyncio.create_task(wire.send_all()), asyncio.create_task(self._nag(wire))]
        try:
            async for text in socket:
                self.hear(wire, decode(text))
        except ConnectionClosed:
            pass
        finally:
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)

    async def _nag(self, wire: "SocketWire") -> None:
        while True:
            await asyncio.sleep(0.01)
            if self.line is not wire:
                continue
            open_ = [order for id_, order in self.orders.items() if id_ not in self.outcomes]
            self._dice.shuffle(open_)
            for order in open_[:3]:
                wire.deliver(Carry(time=self.now, order=order))
            if self.is_harsh and len(open_) < OPEN_AT_ONCE:
                id_ = CommandId(f"c{len(self.orders)}")
                self.orders[id_] = Order(id_, RestartPage(), CITY_EPOCH + 1e6)


class SocketWire(ToyWire):
    """The city's end of a real socket."""

    def __init__(self, city: HarshCity, socket: ServerConnection) -> None:
        super().__init__(city)
        self._socket = socket
        self._out: asyncio.Queue[str] = asyncio.Queue()

    def deliver(self, message: CityMessage) -> None:
        self._out.put_nowait(msgspec.json.encode(message).decode())

    async def send_all(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self._socket.send(await self._out.get())


class Lives:
    """The parent's hand on them."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            mortal([sys.executable, "-m", "tests.helpers.short_lives", str(folder), str(port)]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer("ready")

    def begin(self) -> None:
        self._say("begin")

    def kill(self) -> None:
        """Returns when it is dead."""
        self._say("kill")

    def lines(self, name: str) -> list[str]:
        path = self._folder / name
        return path.read_text().split() if path.exists() else []

    def end(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait(10)

    def _say(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        self._answer(word)

    def _answer(self, word: str) -> None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.strip() == word, line


def main(folder: Path, port: int) -> None:
    """Answers until its input ends; then the life ends, too."""
    child = 0
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "begin":
            child = os.fork()
            if child == 0:
                ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
                try:
                    asyncio.run(live(folder, port))
                finally:
                    os._exit(1)
        elif child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            child = 0
        print(line.strip(), flush=True)
    if child:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
