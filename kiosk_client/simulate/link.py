"""A device's line to the city as a thing that can be cut without a word: real sockets that fall silent.

A machine that loses its power, or its network, closes nothing: the city hears no goodbye and no answer. So a
cut socket is kept open and unread until the link is back, and only then thrown away, as a rebooted machine's
kernel does with packets of a connection that it does not know.
"""

import asyncio
from typing import Final

from kiosk_client.wire import Cut, Dial, WebSocketWire, Wire

NO_ROUTE_AFTER_S: Final = 5.0


class Link:
    """Up or down; every connection of one device goes over it."""

    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        self._changed = asyncio.Event()
        self._open: set[SilentWire] = set()
        self._dead: set[SilentWire] = set()
        self.up = True

    def cut(self) -> None:
        if self.up:
            self.up = False
            for wire in self._open:
                wire.fall_silent()

    def restore(self) -> None:
        """What was open when it was cut is gone for good."""
        if not self.up:
            self.up = True
            for wire in [*self._open, *self._dead]:
                wire.throw_away()
            self._dead.clear()

    async def dial(self) -> Wire:
        if not self.up:
            await asyncio.sleep(NO_ROUTE_AFTER_S)
            raise Cut("no route")
        wire = SilentWire(self, await self._dial())
        self._open.add(wire)
        return wire

    def closed(self, wire: "SilentWire", silently: bool) -> None:
        self._open.discard(wire)
        if silently:
            self._dead.add(wire)


class SilentWire:
    """A connection over the link."""

    def __init__(self, link: Link, wire: Wire) -> None:
        self._link = link
        self._wire = wire
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fall_silent(self) -> None:
        """Nothing is read any more, so nothing is answered, not even pings."""
        if isinstance(self._wire, WebSocketWire):
            self._wire.stop_reading()

    def throw_away(self) -> None:
        if isinstance(self._wire, WebSocketWire):
            self._wire.abort()
        if not self._gone.done():
            self._gone.set_result(None)

    async def send(self, text: bytes) -> None:
        if self._link.up:
            await self._wire.send(text)

    async def receive(self) -> bytes:
        if self._link.up:
            text = await self._wire.receive()
            if self._link.up:
                return text
        await self._gone
        raise Cut("the link was cut")

    async def ping(self) -> None:
        if not self._link.up:
            await self._gone
        await self._wire.ping()

    async def close(self) -> None:
        silently = not self._link.up
        self._link.closed(self, silently)
        if not self._gone.done():
            self._gone.set_result(None)
        if not silently:
            await self._wire.close()
