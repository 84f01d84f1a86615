"""The forwarding unit on a real socket, with somebody on the network who means ill."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import pytest
from aioice import stun

from room_manager.errors import Limit
from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import BadOffer, EngineEvent, MediaDown, MediaUp, Scene
from room_manager.media.light import ConnectFailed, LightPeer, Sections
from room_manager.media.light_sdp import Remote
from room_manager.media.sfu import rtcp, vp8
from room_manager.media.sfu.door import MAX_CHECKS_OF_PEER
from room_manager.media.sfu.dtls import Handshake, Identity
from room_manager.media.sfu.ice import binding_request
from room_manager.media.sfu.rtp import build
from room_manager.media.sfu.udp import open_port
from room_manager.media.sfu.unit import ForwardingUnit

ROOM, A, B = RoomId("phong"), SiteId("00001"), SiteId("00004")
LIMIT_S: Final = 15.0


class Network:
    """The unit at work in this process, and an attacker's socket."""

    def __init__(self, unit: ForwardingUnit, events: list[EngineEvent]) -> None:
        self.unit = unit
        self.events = events
        self.peers: list[LightPeer] = []
        self.attacker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.attacker.bind(("127.0.0.1", 0))
        self.attacker.setblocking(False)
        self.target = ("127.0.0.1", unit.port)

    def attack(self, datagram: bytes) -> None:
        self.attacker.sendto(datagram, self.target)

    async def join(self, site: SiteId, *, offer: Callable[[str], str] = lambda text: text) -> LightPeer:
        """A client that has its answer and is connecting."""
        peer = LightPeer()
        self.peers.append(peer)
        answer = self.unit.join(ROOM, ConnectionId(f"c-{site}"), site, offer(peer.offer()))
        await peer.accept(answer.sdp, answer.slots)
        return peer

    async def until(self, look: Callable[[], object]) -> None:
        deadline = asyncio.get_running_loop().time() + LIMIT_S
        while not look():
            assert asyncio.get_running_loop().time() < deadline, "it was not so in time"
            await asyncio.sleep(0.005)

    async def forwards(self, a: LightPeer, b: LightPeer) -> None:
        """Pictures of ``a`` still reach ``b``."""
        self.unit.set_scene(ROOM, Scene(main=A))
        before, number = b.slots["main"].packets, 0

        def arrived() -> bool:
            nonlocal number
            number += 1
            payload = vp8.descriptor(number, starts_frame=True) + b"\0picture"
            a.send_rtp("camera", payload, timestamp=number * 3000, layer="f", marker=True)
            return b.slots["main"].packets > before

        await self.until(arrived)


@asynccontextmanager
async def network() -> AsyncIterator[Network]:
    events: list[EngineEvent] = []
    with open_port("127.0.0.1", 0) as sock:
        unit = ForwardingUnit(sock, ("127.0.0.1",), events.append)
        running = asyncio.create_task(unit.run())
        net = Network(unit, events)
        try:
            yield net
        finally:
            net.attacker.close()
            for peer in net.peers:
                peer.close()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def hostile(test: Callable[[Network], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with network() as net:
            await asyncio.wait_for(test(net), LIMIT_S)

    asyncio.run(whole())


def client_hello() -> bytes:
    identity = Identity()
    return Handshake(identity, "sha-256", bytes(32), server=False).start()[0]


def test_a_client_hello_from_a_third_address_changes_nothing() -> None:
    async def test(net: Network) -> None:
        hello = client_hello()
        for _ in range(50):
            net.attack(hello)

        a = await net.join(A)
        for _ in range(50):
            net.attack(hello)
        b = await net.join(B)
        await a.connected()
        await b.connected()

        await net.until(lambda: sum(net.unit.refused.values()) >= 100)
        await net.forwards(a, b)
        with pytest.raises(BlockingIOError):
            net.attacker.recv(2000)

    hostile(test)


def test_garbage_of_every_kind_is_answered_by_silence() -> None:
    async def test(net: Network) -> None:
        a, b = await net.join(A), await net.join(B)
        await a.connected()
        await b.connected()

        for first in range(256):
            net.attack(bytes([first]) + os.urandom(60))
            net.attack(bytes([first]))
        net.attack(b"")
        net.attack(build(96, 1, 1, 5, b"rtp from nowhere"))
        net.attack(rtcp.pli(1, a.slots["main"].ssrc))

        await net.forwards(a, b)
        with pytest.raises(BlockingIOError):
            net.attacker.recv(2000)

    hostile(test)


def test_garbage_from_a_peer_that_has_proved_itself_disturbs_nobody() -> None:
    async def test(net: Network) -> None:
        a, b = await net.join(A), await net.join(B)
        await a.connected()
        await b.connected()

        for first in (*range(20, 64), *range(128, 192)):
            b._send_raw(bytes([first]) + os.urandom(60))
        for size in range(12, 40):
            b.send_plain(b"\xbf\x60" + os.urandom(size))
            b.send_control(b"\x9f\xcd" + os.urandom(size // 4 * 4))
        for number in range(500):  # more streams than anybody has
            b.send_plain(build(96, 1, 1, 90_000 + number, b"x"))

        await net.forwards(a, b)

    hostile(test)


def test_media_before_the_handshake_is_dropped() -> None:
    async def test(net: Network) -> None:
        a = await net.join(A)
        b = await net.join(B)
        a._send_raw(build(96, 1, 1, 5, b"too early"))
        a._send_raw(rtcp.pli(1, 5))

        await a.connected()
        await b.connected()

        await net.forwards(a, b)

    hostile(test)


def test_a_wrong_fingerprint_ends_the_call() -> None:
    async def test(net: Network) -> None:
        wrong = Identity().fingerprint
        own = LightPeer().offer().split("sha-256 ")[1].splitlines()[0]

        peer = await net.join(A, offer=lambda text: text.replace(own, wrong))

        await net.until(lambda: MediaDown(ROOM, ConnectionId(f"c-{A}")) in net.events)
        assert not any(isinstance(event, MediaUp) for event in net.events)
        peer.close()
        with pytest.raises(ConnectFailed):
            await peer.connected()

    hostile(test)


def test_an_unknown_or_wrong_user_gets_no_answer() -> None:
    async def test(net: Network) -> None:
        peer = LightPeer()
        answer = net.unit.join(ROOM, ConnectionId("c"), A, peer.offer())
        ufrag = answer.sdp.split("a=ice-ufrag:")[1].splitlines()[0]

        net.attack(binding_request("x" * 8, "nobody", "password", 1))
        net.attack(binding_request(peer._ufrag, ufrag, "not the password", 1))
        net.attack(binding_request("x" * 8, ufrag, "not the password", 1))

        await net.until(lambda: sum(net.unit.refused.values()) >= 3)
        with pytest.raises(BlockingIOError):
            net.attacker.recv(2000)

    hostile(test)


def test_what_is_turned_away_is_counted_by_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(net: Network) -> None:
        a, b = await net.join(A), await net.join(B)
        await a.connected()
        await b.connected()
        ufrag = net.unit._peers.by_connection[ConnectionId(f"c-{A}")].credentials.ufrag.decode()
        heard: list[bytes] = []
        raw = a._send_raw

        def overheard(datagram: bytes | memoryview) -> None:
            heard.append(bytes(datagram))
            raw(datagram)

        monkeypatch.setattr(a, "_send_raw", overheard)
        await net.forwards(a, b)
        monkeypatch.undo()
        media = heard[-1]
        before = dict(net.unit.refused)

        a._send_raw(media)  # a replay
        a._send_raw(media[:-1] + bytes([media[-1] ^ 1]))
        a._send_raw(media[:2] + b"\xff\xfe" + media[4:])
        net.attack(media)
        net.attack(b"\x16" * 40)
        net.attack(b"\0")
        net.attack(bytes(3000))
        net.attack(binding_request("x", "nobody", "password", 1))
        for _ in range(100):
            net.attack(binding_request("x", ufrag, "guess", 1))
        wanted = {"forged": 1, "replayed": 1, "unproven": 2, "malformed": 2, "unknown-user": 1}

        def told() -> bool:
            more = {reason: count - before[reason] for reason, count in net.unit.refused.items()}
            wrong = more["wrong-password"] + more["too-many-checks"]
            return wrong == 100 and all(more[reason] >= count for reason, count in wanted.items())  # type: ignore[index]

        await net.until(told)
        assert net.unit.refused["too-many-checks"] > 0
        await net.forwards(a, b)

    hostile(test)


def test_an_empty_or_overlong_datagram_of_a_peer_is_not_taken_for_what_lay_there_before() -> None:
    async def test(net: Network) -> None:
        a, b = await net.join(A), await net.join(B)
        await a.connected()
        await b.connected()
        await net.forwards(a, b)
        before = dict(net.unit.refused)

        for data in (b"", b"\x80", b"\x80" + bytes(2047), b"\x80" + bytes(3000)):
            assert b._socket is not None
            b._socket.send(data)

        await net.until(lambda: net.unit.refused["malformed"] >= before["malformed"] + 4)
        assert net.unit.refused["broken"] == before["broken"]
        assert net.unit.refused["forged"] == before["forged"]
        await net.forwards(a, b)

    hostile(test)


def test_a_peer_that_floods_is_heard_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(net: Network) -> None:
        monkeypatch.setattr("room_manager.media.sfu.door.MAX_PACKETS_OF_PEER", 100)
        a, b = await net.join(A), await net.join(B)
        await a.connected()
        await b.connected()

        for number in range(300):
            b.send_rtp("microphone", b"x", timestamp=number, level=30)

        await net.until(lambda: net.unit.refused["too-many-packets"] >= 100)
        await net.forwards(a, b)

    hostile(test)


def test_a_peer_that_proves_itself_without_end_is_answered_up_to_a_limit() -> None:
    async def test(net: Network) -> None:
        a, b = await net.join(A), await net.join(B)
        await a.connected()
        await b.connected()
        assert b._socket is not None

        for _ in range(5 * MAX_CHECKS_OF_PEER):
            b._socket.send(b._request)

        await net.until(lambda: net.unit.refused["too-many-checks"] > 0)
        await net.forwards(a, b)

    hostile(test)


def test_a_restart_moves_nothing_before_a_check_nominates() -> None:
    async def test(net: Network) -> None:
        a, b = await net.join(A), await net.join(B)
        await a.connected()
        await b.connected()
        connection = ConnectionId(f"c-{B}")
        peer = net.unit._peers.by_connection[connection]
        old, address = peer.credentials, peer.address
        answer = net.unit.restart(connection, b.restart_offer())

        b.restarted(answer.sdp, nominates=False)
        await net.forwards(a, b)
        assert (peer.credentials, peer.address) == (old, address)
        b.restarted(answer.sdp)

        await net.until(lambda: peer.credentials is not old)
        assert peer.address != address
        assert peer.coming is None
        await net.forwards(a, b)
        refused = net.unit.refused["unknown-user"]
        net.attack(binding_request("x", old.ufrag.decode(), "whatever", 1))
        await net.until(lambda: net.unit.refused["unknown-user"] > refused)

    hostile(test)


def test_a_handshake_that_does_not_end_is_ended() -> None:
    async def test(net: Network) -> None:
        peer = LightPeer()
        net.unit.join(ROOM, ConnectionId("c"), A, peer.offer())
        here = net.unit._peers.by_connection[ConnectionId("c")]

        here.born_at -= 31.0

        await net.until(lambda: MediaDown(ROOM, ConnectionId("c")) in net.events)

    hostile(test)


def test_connections_under_way_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(net: Network) -> None:
        monkeypatch.setattr("room_manager.media.sfu.unit.MAX_UNDER_WAY", 3)
        offer = LightPeer().offer()
        for number in range(3):
            net.unit.join(ROOM, ConnectionId(f"{number}"), A, offer)

        with pytest.raises(Limit):
            net.unit.join(ROOM, ConnectionId("one too many"), A, offer)
        net.unit.join(ROOM, ConnectionId("1"), A, offer)  # the same again is not one more

    hostile(test)


def test_a_client_that_moves_is_followed_once_it_has_proved_itself() -> None:
    async def test(net: Network) -> None:
        a, b = await net.join(A), await net.join(B)
        await a.connected()
        await b.connected()
        await net.forwards(a, b)
        stolen = b._request
        forged = stolen[:-8] + os.urandom(8)
        net.attack(forged)  # not authentic: nothing moves
        await net.forwards(a, b)

        loop = asyncio.get_running_loop()
        assert b._socket is not None
        loop.remove_reader(b._socket.fileno())
        b._socket.close()
        b._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        b._socket.setblocking(False)
        b._socket.bind(("127.0.0.1", 0))
        b._socket.connect(net.target)
        loop.add_reader(b._socket.fileno(), b._readable)
        b._send_raw(b._request)

        await net.forwards(a, b)

    hostile(test)


def test_an_address_of_ipv6_proves_itself_and_is_told_back() -> None:
    async def whole() -> None:
        try:
            sock = open_port("::1", 0)
        except OSError:
            pytest.skip("no IPv6 here")
        with sock, socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as client:
            unit = ForwardingUnit(sock, ("::1",), lambda _: None)
            peer = LightPeer()
            remote = Remote(unit.join(ROOM, ConnectionId("c"), A, peer.offer()).sdp)
            client.connect(remote.address)
            client.settimeout(LIMIT_S)
            client.send(binding_request(peer._ufrag, remote.ufrag, remote.password, 1))
            unit.readable()

            answer = stun.parse_message(client.recv(2000))
            assert answer.attributes["XOR-MAPPED-ADDRESS"] == client.getsockname()[:2]
            here = unit._peers.by_connection[ConnectionId("c")]
            assert here.address == client.getsockname()[:2]
            client.send(b"\x80" * 40)
            unit.readable()
            assert unit.refused["no-keys"] == 1

    asyncio.run(whole())


def test_a_silent_peer_is_given_up() -> None:
    async def test(net: Network) -> None:
        a = await net.join(A)
        await a.connected()
        assert a._timer is not None
        a._timer.cancel()
        peer = net.unit._peers.by_connection[ConnectionId(f"c-{A}")]

        peer.heard_at -= 46.0

        await net.until(lambda: MediaDown(ROOM, ConnectionId(f"c-{A}")) in net.events)
        assert net.unit._peers.by_origin == {}

    hostile(test)


def test_a_thousand_sections_are_refused_and_the_others_go_on() -> None:
    async def test(net: Network) -> None:
        a, b = await net.join(A), await net.join(B)
        await a.connected()
        await b.connected()
        section = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:{}\r\n"

        with pytest.raises(BadOffer):
            net.unit.join(ROOM, ConnectionId("bomb"), A, LightPeer().offer() + section * 1000)
        with pytest.raises(BadOffer):
            net.unit.join(ROOM, ConnectionId("bomb"), A, LightPeer(Sections(video_slots=30)).offer())

        await net.forwards(a, b)

    hostile(test)
