import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import Answer, MediaUp, Scene, Speaking
from room_manager.media.sfu import control

ROOM, SITE, CONNECTION = RoomId("phong"), SiteId("00004"), ConnectionId("c1")


@pytest.mark.parametrize(
    "asked",
    [
        control.Open(0, "127.0.0.1", 0, ("127.0.0.1",)),
        control.Join(1, ROOM, CONNECTION, None, "v=0"),
        control.Leave(2, CONNECTION),
        control.Use(3, ROOM, SITE, CONNECTION),
        control.SetScene(4, ROOM, Scene(main=SITE, heard_only=None, heard_never=frozenset({SITE}))),
        control.CloseRoom(5, ROOM),
        control.Stats(6, ROOM),
    ],
)
def test_requests_survive_the_wire(asked: control.AnyRequest) -> None:
    assert control.request(control.frame(asked)[control.LENGTH_BYTES :]) == asked


@pytest.mark.parametrize(
    "said",
    [
        control.Reply(1, answer=Answer("v=0", {"3": "main"})),
        control.Reply(2, code="limit", text="too many"),
        control.Told(MediaUp(ROOM, CONNECTION)),
        control.Told(Speaking(ROOM, (SITE,))),
    ],
)
def test_sayings_survive_the_wire(said: control.AnySaying) -> None:
    assert control.saying(control.frame(said)[control.LENGTH_BYTES :]) == said


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_broken(body: bytes) -> None:
    for read in (control.request, control.saying):
        with pytest.raises(control.BrokenFrame):
            read(body)


def test_a_frame_is_bounded_both_ways() -> None:
    async def read(data: bytes) -> bytes | None:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        return await control.read_frame(reader)

    with pytest.raises(control.BrokenFrame):
        control.frame(control.Join(1, ROOM, CONNECTION, None, "x" * control.MAX_FRAME_BYTES))
    with pytest.raises(control.BrokenFrame):
        asyncio.run(read(b"\xff\xff\xff\xff"))
    with pytest.raises(control.BrokenFrame):
        control.frame(control.Leave(1, ConnectionId("\ud800")))
    assert asyncio.run(read(b"\0\0\0\3ab")) is None
    assert asyncio.run(read(b"\0\0\0\2ab")) == b"ab"
