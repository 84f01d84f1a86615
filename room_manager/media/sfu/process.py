"""The forwarding unit's process: ``python -m room_manager.media.sfu.process FD``.

Hears its parent over the inherited socket FD; when the parent is gone the socket ends, and so does this.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections import deque
from typing import Final

from room_manager.errors import DomainError
from room_manager.media.engine import EngineEvent, LineQuality
from room_manager.media.sfu import control, garbage
from room_manager.media.sfu.health import Lag
from room_manager.media.sfu.listener import open_door
from room_manager.media.sfu.relay_links import RelayLinks
from room_manager.media.sfu.unit import ForwardingUnit

MAX_EVENTS: Final = 4_096
HIGH_WATER_BYTES: Final = 1 << 20

logger = logging.getLogger("room_manager.media.sfu")


class Outbox:
    """Events waiting for the parent; bounded, and quality goes first when it is full."""

    def __init__(self) -> None:
        self._events: deque[EngineEvent] = deque()
        self._ready = asyncio.Event()

    def post(self, event: EngineEvent) -> None:
        """Never blocks."""
        if len(self._events) >= MAX_EVENTS:
            oldest = next((e for e in self._events if isinstance(e, LineQuality)), self._events[0])
            self._events.remove(oldest)
        self._events.append(event)
        self._ready.set()

    async def drain(self, writer: asyncio.StreamWriter) -> None:
        """Tell the parent, for ever."""
        while True:
            await self._ready.wait()
            self._ready.clear()
            while self._events:
                writer.write(control.frame(control.Told(self._events.popleft())))
                await writer.drain()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take requests until the parent is gone."""
    outbox = Outbox()
    body = await control.read_frame(reader)
    if body is None:
        return
    opening = control.request(body)
    if not isinstance(opening, control.Open):
        raise control.BrokenFrame("the first request must open the port")
    try:
        sock, listener = open_door(opening.host, opening.port)
    except OSError as error:
        writer.write(control.frame(control.Reply(opening.number, code="port", text=str(error))))
        await writer.drain()
        return
    with sock, listener or contextlib.nullcontext():
        links = RelayLinks({number: socket.socket(fileno=fd) for number, fd in opening.links.items()})
        unit = ForwardingUnit(sock, opening.announce, outbox.post, listener, links)
        garbage.settle()
        writer.write(control.frame(control.Reply(opening.number, port=unit.port)))
        lag = Lag()
        tasks = (unit.run(), outbox.drain(writer), lag.watch())
        running = [asyncio.ensure_future(task) for task in tasks]
        asking = asyncio.ensure_future(_answer(unit, lag, reader, writer))
        try:
            done, _ = await asyncio.wait([*running, asking], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (*running, asking):
                task.cancel()
            await asyncio.gather(*running, asking, return_exceptions=True)


async def _answer(
    unit: ForwardingUnit, lag: Lag, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    while (body := await control.read_frame(reader)) is not None:
        asked = control.request(body)
        if isinstance(asked, control.Look):
            reply = control.Reply(asked.number, figures=unit.figures(lag.taken_s()))
        else:
            reply = do(unit, asked)
        writer.write(control.frame(reply))
        if writer.transport.get_write_buffer_size() > HIGH_WATER_BYTES:
            await writer.drain()


def do(unit: ForwardingUnit, asked: control.AnyRequest) -> control.Reply:
    """Carry out one request; a refusal becomes its code and text."""
    number = asked.number
    try:
        match asked:
            case control.Join():
                answer = unit.join(asked.room, asked.connection, asked.source, asked.offer, asked.video)
                return control.Reply(number, answer=answer, video=unit.video(asked.room))
            case control.Restart():
                return control.Reply(number, answer=unit.restart(asked.connection, asked.offer))
            case control.Watch():
                unit.watch(asked.connection, asked.sites)
            case control.Leave():
                unit.leave(asked.connection)
            case control.Use():
                unit.use(asked.room, asked.source, asked.connection)
            case control.Uses():
                for source, connection in asked.uses.items():
                    unit.use(asked.room, source, connection)
            case control.SetScene():
                unit.set_scene(asked.room, asked.scene)
            case control.CloseRoom():
                unit.close_room(asked.room)
            case control.Stats():
                return control.Reply(number, stats=unit.stats(asked.room))
            case control.Open() | control.Look():
                return control.Reply(number, code="refused", text="not now")
    except DomainError as error:
        return control.Reply(number, code=error.code, text=str(error))
    except Exception:
        logger.exception("! a request failed")
        return control.Reply(number, code="internal", text="something went wrong in the media engine")
    return control.Reply(number)


async def main(fd: int) -> None:
    """Serve the parent at the other end of the socket."""
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=fd), limit=1 << 20)
    try:
        await serve(reader, writer)
    except control.BrokenFrame as error:
        logger.error("! control: %s", error)
    except ConnectionError:
        pass  # the parent is gone, and so are we
    finally:
        writer.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s media %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent; we end when it does
    asyncio.run(main(int(sys.argv[1])))
