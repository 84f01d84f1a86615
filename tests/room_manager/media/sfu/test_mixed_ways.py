"""One audience, some of it by UDP and some by TCP, and receivers that change their way."""

import asyncio
import socket
from collections.abc import Callable
from typing import Final

import pytest

from room_manager.media.sfu import private
from room_manager.media.sfu.audience import Audience, Row
from room_manager.media.sfu.batch import BatchEgress
from room_manager.media.sfu.rtp import build
from room_manager.media.sfu.srtp import PROFILES, Keys, Opener, material_bytes
from room_manager.media.sfu.stream import Frames, Stream
from room_manager.media.sfu.udp import PlainEgress, Receiver, open_port

LIMIT_S: Final = 10.0
AnyEgress = BatchEgress | PlainEgress


class Client:
    """A receiver, both ends of its keys, a UDP socket and an accepted TCP connection."""

    def __init__(self, number: int) -> None:
        material = bytes([number]) * material_bytes(PROFILES[0])
        self.receiver = Receiver()
        self.receiver.secure(Keys(PROFILES[0], material, server=True))
        self.row = Row(self.receiver, 1000 + number)
        self._keys = Keys(PROFILES[0], material, server=False)
        self._opener = Opener()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.udp.setblocking(False)
        self.receiver.move(self.udp.getsockname())
        theirs, self.tcp = socket.socketpair()
        theirs.setblocking(False)
        self.tcp.setblocking(False)
        self.stream = Stream(
            theirs, ("127.0.0.1", 9), asyncio.get_running_loop(), lambda *_: None, lambda _: None
        )

    async def by_udp(self) -> bytes:
        """The next packet there, opened."""
        return self._opened(await asyncio.get_running_loop().sock_recv(self.udp, 4096))

    async def by_tcp(self) -> bytes:
        frames: list[bytes] = []
        cutter = Frames()
        while not frames:
            frames = cutter.add(await asyncio.get_running_loop().sock_recv(self.tcp, 65_536))
        (frame,) = frames
        return self._opened(frame)

    def _opened(self, packet: bytes) -> bytes:
        self._opener.view[: len(packet)] = packet
        opening = private.unprotect_rtcp if 192 <= packet[1] <= 223 else private.unprotect_rtp
        size = self._opener.opened(opening, self._keys, self._opener.memory, len(packet))
        assert size > 0
        return bytes(self._opener.view[:size])

    def close(self) -> None:
        self.stream.close()
        self.udp.close()
        self.tcp.close()


@pytest.mark.parametrize("kind", [PlainEgress, BatchEgress])
def test_a_receiver_that_changes_its_way_is_found_there(kind: Callable[[socket.socket], AnyEgress]) -> None:
    async def test() -> None:
        clients = [Client(number) for number in range(3)]
        with open_port("127.0.0.1", 0) as sock:
            egress = kind(sock)
            rows = Audience(client.row for client in clients)
            seq = 0

            def send() -> list[bytes]:
                nonlocal seq
                seq += 1
                plain = build(96, seq, 3000 * seq, 0, b"picture")
                egress.fan(plain, rows)
                egress.flush()
                return [plain[:8] + client.row.ssrc.to_bytes(4, "big") + plain[12:] for client in clients]

            assert send() == [await client.by_udp() for client in clients]
            egress.switched()
            clients[1].receiver.move_to(clients[1].stream)
            expected = send()
            assert expected[1] == await clients[1].by_tcp()
            assert [expected[0], expected[2]] == [await clients[at].by_udp() for at in (0, 2)]
            report = bytes.fromhex("80c90001 00000001")
            egress.rtcp(clients[1].receiver, report)
            egress.flush()
            assert await clients[1].by_tcp() == report
            egress.switched()
            clients[1].receiver.move(clients[1].udp.getsockname())
            assert send() == [await client.by_udp() for client in clients]
        for client in clients:
            client.close()

    asyncio.run(asyncio.wait_for(test(), LIMIT_S))
