"""Which WebSocket back end broadcasts fastest: ``python -m benchmarks.backends --json -``.

One server process sends a 250-byte text to 579 clients of another process, a hundred times, in the ways
uvicorn offers and in ours; latency is from the send's beginning to each client's callback. Both processes
share the machine, as in the other benchmarks. The ground of ``docs/decisions/0001``.
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import resource
import statistics
import sys
import time
from multiprocessing.connection import Connection as Pipe
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from benchmarks.report import machine, percentile_ms, print_json
from benchmarks.websocket import Socket
from signaling.frames import text_frame
from signaling.process import allow_many_files
from signaling.sockets import EXTENSION, Direct, DirectProtocol

WAYS: Final = ("wsproto", "websockets-sansio", "direct")
ROUNDS: Final = 100
EVERY_S: Final = 0.1


class Room:
    """Everybody connected, and one round of sending to them."""

    def __init__(self, way: str, clients: int, pipe: Pipe) -> None:
        self.way, self.clients, self.pipe = way, clients, pipe
        self.sockets: list[WebSocket] = []
        self.full = asyncio.Event()

    async def endpoint(self, socket: WebSocket) -> None:
        await socket.accept()
        self.sockets.append(socket)
        if len(self.sockets) == self.clients:
            self.full.set()
        with contextlib.suppress(WebSocketDisconnect):
            await socket.receive_text()

    async def rounds(self) -> None:
        await self.full.wait()
        await asyncio.sleep(1)  # let the handshakes' dust settle: this is a benchmark, not a test
        before = resource.getrusage(resource.RUSAGE_SELF)
        direct: list[Direct] = [s.scope["extensions"].get(EXTENSION) for s in self.sockets]
        for _ in range(ROUNDS):
            payload = b'{"type":"x","at":%.9f' % time.monotonic()
            payload += b',"pad":"' + b"x" * (250 - len(payload) - 10) + b'"}'
            if self.way == "direct":
                frame = text_frame(payload)
                for one in direct:
                    one.write(frame)
            else:
                text = payload.decode()
                await asyncio.gather(*(s.send_text(text) for s in self.sockets))
            await asyncio.sleep(EVERY_S)
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        self.pipe.send(
            {"cpu_ms_per_broadcast": round(cpu_s * 1000 / ROUNDS, 2), "rss_mib": after.ru_maxrss // 1024}
        )


def serve(way: str, clients: int, pipe: Pipe) -> None:
    room = Room(way, clients, pipe)
    app = Starlette(routes=[WebSocketRoute("/ws", room.endpoint)])

    async def run() -> None:
        ws = DirectProtocol if way == "direct" else way
        config = uvicorn.Config(
            app,
            port=0,
            ws=ws,
            log_level="error",
            ws_per_message_deflate=False,
            loop="uvloop",
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn's own server has no event to wait for
            await asyncio.sleep(0.01)
        pipe.send(server.servers[0].sockets[0].getsockname()[1])
        await room.rounds()
        server.force_exit = server.should_exit = True
        await task

    import uvloop

    uvloop.run(run())


async def listen(port: int, clients: int) -> list[float]:
    latencies: list[float] = []

    def heard(payload: bytes) -> None:
        latencies.append(time.monotonic() - float(payload[17 : payload.index(b",", 17)]))

    sockets = [await Socket.connect("127.0.0.1", port, "/ws", heard) for _ in range(clients)]
    await asyncio.gather(*(socket.closed for socket in sockets))
    return latencies


def measure(way: str, clients: int) -> dict[str, float]:
    import uvloop

    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(way, clients, theirs))
    server.start()
    latencies = uvloop.run(listen(ours.recv(), clients))
    figures: dict[str, float] = ours.recv()
    server.join(10)
    return {
        "received": len(latencies),
        "expected": clients * ROUNDS,
        "p50_ms": round(statistics.median(latencies) * 1000, 2),
        "p99_ms": percentile_ms(latencies, 0.99),
        **figures,
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backends", description=__doc__)
    parser.add_argument("--clients", type=int, default=579)
    parser.add_argument("--json", default="-", metavar="FILE", help="where to write, - for standard output")
    options = parser.parse_args()
    allow_many_files()
    figures = {way: measure(way, options.clients) for way in WAYS}
    print_json({"clients": options.clients, "rounds": ROUNDS, **figures, "machine": machine()}, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
