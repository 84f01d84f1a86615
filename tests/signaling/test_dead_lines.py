"""Lines that fall silent, and peers that send control frames without end: on virtual time."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import pytest
import wsproto
from uvicorn.config import Config
from uvicorn.server import ServerState
from wsproto import events

from room_manager.meeting.values import Role
from signaling import sockets
from signaling.frames import text_frame
from signaling.sockets import CONTROL_BURST, DEAD_AFTER_S, PING_AFTER_S, DirectProtocol
from tests.helpers.loop import run_virtual
from tests.helpers.servers import A, hall, settings

NOTICED_WITHIN_S: Final = 15.0


class Ends:
    """One real WebSocket of the server's class, over a pair of sockets; the peer is a plain one."""

    def __init__(self) -> None:
        self.gone: asyncio.Future[tuple[float, int]] = asyncio.get_running_loop().create_future()
        self.heard: list[events.Event] = []
        self.busy: asyncio.Event | None = None  # the application is at work until it is set
        self.direct: sockets.Direct | None = None
        self.peer = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        config = Config(
            self._application,
            ws=DirectProtocol,
            interface="asgi3",
            ws_ping_interval=None,
            lifespan="off",
            log_config=None,
        )
        config.load()
        await loop.connect_accepted_socket(lambda: DirectProtocol(config, ServerState(), {}), ours)
        self.reader, self.writer = await asyncio.open_connection(sock=theirs)
        self.say(events.Request(host="h", target="/ws"))
        while not any(isinstance(event, events.AcceptConnection) for event in self.heard):
            await self.hear()

    def say(self, event: events.Event) -> None:
        self.writer.write(self.peer.send(event))

    async def hear(self) -> list[events.Event]:
        """What comes next. Raises ``EOFError`` at the end."""
        data = await self.reader.read(65_536)
        if not data:
            raise EOFError
        self.peer.receive_data(data)
        new = list(self.peer.events())
        self.heard += new
        return new

    async def settle(self) -> None:
        """What was said has been read."""
        await asyncio.sleep(0.001)

    async def _application(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Any) -> None:
        self.direct = scope["extensions"][sockets.EXTENSION]
        await receive()
        await send({"type": "websocket.accept"})
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                self.gone.set_result((asyncio.get_running_loop().time(), message["code"]))
                return
            if self.busy is not None:
                await self.busy.wait()


def test_a_peer_that_answers_nothing_is_gone_in_time() -> None:
    async def scenario() -> None:
        ends = Ends()
        await ends.open()
        at, code = await ends.gone
        assert PING_AFTER_S < at <= NOTICED_WITHIN_S
        assert code == 1011
        assert any(isinstance(event, events.Ping) for event in await ends.hear())
        ends.writer.close()

    run_virtual(scenario())


def test_a_peer_that_answers_pings_stays() -> None:
    async def scenario() -> None:
        ends = Ends()
        await ends.open()
        pings = 0
        while pings < 20:
            for event in await ends.hear():
                assert isinstance(event, events.Ping)
                ends.say(event.response())
                pings += 1
        assert not ends.gone.done()
        assert asyncio.get_running_loop().time() == pytest.approx(20 * PING_AFTER_S)
        ends.writer.close()
        await ends.gone

    run_virtual(scenario())


def test_a_peer_that_speaks_is_not_asked() -> None:
    async def scenario() -> None:
        ends = Ends()
        await ends.open()
        for _ in range(20):
            await asyncio.sleep(PING_AFTER_S - 1)
            ends.say(events.TextMessage(data="here"))
        ends.writer.write_eof()
        ends.writer.close()
        await ends.gone
        assert not any(isinstance(event, events.Ping) for event in ends.heard)

    run_virtual(scenario())


def test_while_we_do_not_read_silence_is_not_the_peers() -> None:
    async def scenario() -> None:
        ends = Ends()
        await ends.open()
        ends.busy = asyncio.Event()
        ends.say(events.TextMessage(data="a question that takes long"))
        await asyncio.sleep(3 * DEAD_AFTER_S)
        assert not ends.gone.done()
        ends.busy.set()
        at, _ = await ends.gone
        assert at <= 3 * DEAD_AFTER_S + NOTICED_WITHIN_S
        ends.writer.close()

    run_virtual(scenario())


FLOODS: Final = {
    "pings": events.Ping(payload=b"x" * 125),
    "pongs": events.Pong(payload=b"x" * 125),
    "empty fragments": events.TextMessage(data="", message_finished=False),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_control_frames_without_end_close_the_socket(flood: str) -> None:
    async def scenario() -> None:
        ends = Ends()
        await ends.open()
        for _ in range(int(CONTROL_BURST) + 5):
            ends.say(FLOODS[flood])
        _, code = await ends.gone
        assert code == 4029
        ends.writer.close()

    run_virtual(scenario())


def test_who_does_not_read_is_owed_one_pong_and_no_more() -> None:
    async def scenario() -> None:
        ends = Ends()
        await ends.open()
        assert ends.direct is not None
        while ends.direct.writable:
            ends.direct.write(text_frame(b"x" * 10_000))
        for n in range(20):
            ends.say(events.Ping(payload=b"%d" % n))
        await ends.settle()
        while not any(isinstance(event, events.Pong) for event in ends.heard):
            await ends.hear()
        ends.say(events.Ping(payload=b"last"))
        while _pongs(ends)[-1] != b"last":
            await ends.hear()
        assert _pongs(ends) == [b"19", b"last"]
        ends.writer.close()
        await ends.gone

    run_virtual(scenario())


def _pongs(ends: Ends) -> list[bytes]:
    return [bytes(event.payload) for event in ends.heard if isinstance(event, events.Pong)]


def test_a_ward_whose_line_is_cut_without_a_word_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "PING_AFTER_S", 0.1)
    monkeypatch.setattr(sockets, "DEAD_AFTER_S", 0.3)

    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            chair = await here.enter(Role.CHAIR)
            member = await here.enter(Role.SITE, A)
            member.socket.transport.pause_reading()  # so it answers no ping, and sends no FIN
            assert (await chair.hear("counts", where=lambda m: m["away"] == 1))["present"] == 0
            assert (await chair.ask("ping"))["type"] == "pong"
            member.socket.transport.abort()

    asyncio.run(scenario())
