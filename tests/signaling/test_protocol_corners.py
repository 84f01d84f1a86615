"""Corners of HTTP and WebSocket that a browser never shows: trickled headers, fragments, pings, closes."""

import asyncio
import json
from pathlib import Path

import pytest

from room_manager.meeting.values import Role
from signaling import patience
from tests.helpers.servers import A, hall, settings


async def answer_to(port: int, *parts: bytes, wait_s: float = 5.0) -> bytes:
    """What a raw connection is told until it is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    try:
        async with asyncio.timeout(wait_s):
            return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: h\r\nX-Slow: "])
def test_headers_that_do_not_come_are_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(patience, "HEADERS_WITHIN_S", 0.05)

    async def scenario() -> None:
        async with hall(settings(tmp_path), sites=()) as here:
            assert b"400" in (await answer_to(here.port, begun))[:20]

    asyncio.run(scenario())


def test_headers_without_end_are_not_kept(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path), sites=()) as here:
            head = b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X-Long: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n" * 1_000
            assert b"400" in (await answer_to(here.port, head))[:20]

    asyncio.run(scenario())


def test_fragments_pings_and_the_close_follow_the_rfc(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            member = await here.enter(Role.SITE, A)
            text = json.dumps({"v": 1, "rid": 90, "type": "raise-hand"})
            await member.socket.send([text[:5], text[5:20], text[20:]])
            assert (await member.hear("done"))["rid"] == 90
            waiting = await member.socket.ping(b"x")
            async with asyncio.timeout(5):
                await waiting
            await member.socket.close(1000, "bye")
            assert member.socket.close_code == 1000

    asyncio.run(scenario())


def test_what_is_sent_after_the_close_is_left_aside(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            member = await here.enter(Role.SITE, A)
            for rid in (91, 92):
                await member.socket.send(json.dumps({"v": 1, "rid": rid, "type": "leave"}))
            assert await member.closed() == 1000
            assert not [m for m in member.heard if m.get("rid") == 92]

    asyncio.run(scenario())


def test_a_message_in_endless_fragments_is_too_big(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            member = await here.enter(Role.SITE, A)
            await member.socket.send(["x" * 1_000 for _ in range(100)])
            assert await member.closed() == 1009

    asyncio.run(scenario())
