"""Whoever answers may not be the city: what it says must cost neither memory nor for ever."""

import asyncio
import contextlib

import pytest

from kiosk_client.city import HttpCity
from kiosk_client.wire import Cut
from signaling.wire.kiosk.rest import ProveEnrolment
from signaling.wire.kiosk.words import EnrolmentId

PART = b"x" * 65_536
MOST_PARTS = 4_000  # 250 MiB


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    async def life() -> None:
        given = 0
        done = asyncio.Event()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal given
            with contextlib.suppress(ConnectionError):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
                while given < MOST_PARTS:
                    writer.write(PART)
                    await writer.drain()
                    given += 1
            writer.close()
            done.set()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            city = HttpCity(f"http://127.0.0.1:{port}")
            try:
                with pytest.raises(Cut, match="too long"):
                    await city.look(EnrolmentId("e1"), ProveEnrolment(1, "s"))
            finally:
                await city.close()
            async with asyncio.timeout(30):
                await done.wait()
        assert given < MOST_PARTS / 4

    asyncio.run(life())
