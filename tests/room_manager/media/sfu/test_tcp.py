"""Clients without UDP: they come by TCP on the same port, and if they are slow they lag alone."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import EngineEvent, MediaDown, Scene
from room_manager.media.light import LightPeer
from room_manager.media.sfu import listener as limits
from room_manager.media.sfu import unit as unit_module
from room_manager.media.sfu import vp8
from room_manager.media.sfu.batch import BatchEgress
from room_manager.media.sfu.ice import binding_request
from room_manager.media.sfu.listener import open_door, open_listener
from room_manager.media.sfu.stream import (
    MAX_FRAME_BYTES,
    PICTURE_BYTES,
    URGENT_BYTES,
    WRITE_BYTES,
    BadFrame,
    Frames,
    Line,
)
from room_manager.media.sfu.udp import PlainEgress, open_port
from room_manager.media.sfu.unit import ForwardingUnit
from tests.helpers.framed import TcpWay

ROOM: Final = RoomId("phong")
A, B, C = SiteId("00001"), SiteId("00004"), SiteId("00006")
LIMIT_S: Final = 20.0


class House:
    """The unit in this process, and clients that come by either way."""

    def __init__(self, unit: ForwardingUnit, events: list[EngineEvent]) -> None:
        self.unit = unit
        self.events = events
        self.peers: list[LightPeer] = []
        self.ways: list[TcpWay] = []
        self._number = 0

    def way(self) -> TcpWay:
        way = TcpWay(asyncio.get_running_loop(), ("127.0.0.1", self.unit.port))
        self.ways.append(way)
        return way

    async def join(self, site: SiteId, way: TcpWay | None = None) -> LightPeer:
        """A client that is up; by UDP if it is given no way."""
        peer = LightPeer()
        self.peers.append(peer)
        answer = self.unit.join(ROOM, ConnectionId(f"c-{site}"), site, peer.offer())
        await peer.accept(way.instead(answer.sdp) if way is not None else answer.sdp, answer.slots)
        await peer.connected()
        return peer

    async def until(self, look: Callable[[], object]) -> None:
        deadline = asyncio.get_running_loop().time() + LIMIT_S
        while not look():
            assert asyncio.get_running_loop().time() < deadline, "it was not so in time"
            await asyncio.sleep(0.005)

    def send(self, peer: LightPeer, *, size: int = 20) -> None:
        """One picture and one bit of sound."""
        self._number += 1
        picture = vp8.descriptor(self._number, starts_frame=True) + b"\0" + os.urandom(size)
        peer.send_rtp("camera", picture, timestamp=self._number * 3000, layer="f", marker=True)
        peer.send_rtp("microphone", b"sound" * 10, timestamp=self._number * 960, level=30)

    async def reaches(self, sender: LightPeer, *receivers: LightPeer) -> None:
        """Picture and sound of the one reach the others."""
        before = [(r.slots["main"].packets, r.slots["audio-1"].packets) for r in receivers]

        def arrived() -> bool:
            self.send(sender)
            now = [(r.slots["main"].packets, r.slots["audio-1"].packets) for r in receivers]
            return all(n[0] > b[0] and n[1] > b[1] for n, b in zip(now, before, strict=True))

        await self.until(arrived)


@asynccontextmanager
async def house() -> AsyncIterator[House]:
    events: list[EngineEvent] = []
    sock, listening = open_door("127.0.0.1", 0)
    assert listening is not None
    with sock, listening:
        unit = ForwardingUnit(sock, ("127.0.0.1",), events.append, listening)
        running = asyncio.create_task(unit.run())
        here = House(unit, events)
        unit.set_scene(ROOM, Scene(main=A, host=B, heard_only=None, voices=(A,)))
        try:
            yield here
        finally:
            for peer in here.peers:
                peer.close()
            for way in here.ways:
                way.close()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def at_house(test: Callable[[House], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with house() as here:
            await asyncio.wait_for(test(here), LIMIT_S)

    asyncio.run(whole())


def streams(here: House) -> int:
    assert here.unit._listener is not None
    return here.unit._listener.streams


@pytest.mark.parametrize("egress", [BatchEgress, PlainEgress])
def test_picture_and_sound_go_both_ways_over_tcp(
    egress: Callable[[socket.socket], BatchEgress | PlainEgress], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit_module, "fastest", egress)

    async def test(here: House) -> None:
        a = await here.join(A, here.way())
        b = await here.join(B, here.way())
        c = await here.join(C)

        await here.reaches(a, b, c)
        here.unit.set_scene(ROOM, Scene(main=C, heard_only=None, voices=(C,)))
        await here.reaches(c, a, b)
        assert b.keyframe_requests + a.keyframe_requests > 0  # control goes that way, too

    at_house(test)


def test_the_answer_names_tcp_on_the_same_number_and_prefers_udp() -> None:
    async def test(here: House) -> None:
        text = here.unit.join(ROOM, ConnectionId("c"), A, LightPeer().offer()).sdp
        lines = [line.split(" ") for line in text.splitlines() if line.startswith("a=candidate")]

        (udp, tcp) = lines
        assert udp[4:6] == tcp[4:6] == ["127.0.0.1", str(here.unit.port)]
        assert (udp[2], tcp[2], tcp[-2:]) == ("udp", "tcp", ["tcptype", "passive"])
        assert int(udp[3]) > int(tcp[3])

    at_house(test)


def test_a_peer_changes_between_tcp_and_udp_and_back() -> None:
    async def test(here: House) -> None:
        a, b = await here.join(A), await here.join(B, here.way())
        await here.reaches(a, b)

        answer = here.unit.restart(ConnectionId(f"c-{B}"), b.restart_offer())
        b.restarted(answer.sdp)
        await here.reaches(a, b)
        peer = here.unit._peers.by_connection[ConnectionId(f"c-{B}")]
        await here.until(lambda: peer.stream is None)
        answer = here.unit.restart(ConnectionId(f"c-{B}"), b.restart_offer())
        b.restarted(here.way().instead(answer.sdp))

        await here.until(lambda: peer.stream is not None)
        await here.reaches(a, b)

    at_house(test)


def test_who_reads_slowly_lags_alone_and_loses_pictures_before_sound() -> None:
    async def test(here: House) -> None:
        way = here.way()
        a, slow, other = await here.join(A), await here.join(B, way), await here.join(C)
        await here.reaches(a, slow, other)
        stream = here.unit._peers.by_connection[ConnectionId(f"c-{B}")].stream
        assert stream is not None
        way.stall()

        sent = 0
        before = other.slots["main"].packets
        while not stream.dropped or sent < 300:
            for _ in range(5):
                here.send(a, size=1100)
            sent += 5
            assert sent < 5000
            await here.until(lambda all_of=before + sent: other.slots["main"].packets >= all_of)  # type: ignore[misc]
        heard = slow.slots["audio-1"].packets
        way.go_on()

        # Everything up to here was sound or few enough pictures: no sound has been left out.
        await here.until(lambda: slow.slots["audio-1"].packets - heard >= sent - 5)

        def caught_up() -> bool:
            here.send(a)
            return slow.slots["main"].lost > 0  # the first picture after those that were left out

        await here.until(caught_up)
        await here.reaches(a, slow, other)
        assert slow.slots["audio-1"].lost == other.slots["main"].lost == 0

    at_house(test)


def test_a_connection_ends_with_its_peer_and_a_peer_outlives_its_connection() -> None:
    async def test(here: House) -> None:
        way = here.way()
        a, b = await here.join(A), await here.join(B, way)
        c = await here.join(C, here.way())
        await here.reaches(a, b, c)

        way.close()
        await here.until(lambda: streams(here) == 1)
        await here.reaches(a, c)
        b.restarted(here.unit.restart(ConnectionId(f"c-{B}"), b.restart_offer()).sdp)
        await here.reaches(a, b, c)
        c.close()

        await here.until(lambda: MediaDown(ROOM, ConnectionId(f"c-{C}")) in here.events)
        await here.until(lambda: streams(here) == 0)
        await here.until(lambda: here.ways[1].ended)

    at_house(test)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"\xff\xff" + bytes(100), "malformed"),
        (b"\0\x28" + b"\x16" * 40, "unproven"),
        (b"\0\x28" + b"\x80" * 40, "unproven"),
        (b"\0\x1c" + b"\0" * 28, "malformed"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "malformed"),
    ],
)
def test_who_says_anything_else_first_is_put_out(said: bytes, reason: str) -> None:
    async def test(here: House) -> None:
        a, b = await here.join(A), await here.join(B, here.way())
        way = here.way()
        way.send_raw(said)

        await here.until(lambda: way.ended)
        refused = {str(name): count for name, count in here.unit.refused.items()}
        assert refused[reason] == 1
        await here.reaches(a, b)

    at_house(test)


def test_a_guesser_is_put_out_at_the_first_guess() -> None:
    async def test(here: House) -> None:
        await here.join(A)
        ufrag = here.unit._peers.by_connection[ConnectionId(f"c-{A}")].credentials.ufrag.decode()
        for name in (ufrag, "nobody"):
            way = here.way()
            way.send(binding_request("x", name, "a guess", 1))
            await here.until(lambda way=way: way.ended)  # type: ignore[misc]

        assert here.unit.refused["wrong-password"] == here.unit.refused["unknown-user"] == 1

    at_house(test)


def test_connections_that_prove_nothing_are_few_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(here: House) -> None:
        monkeypatch.setattr(limits, "MAX_UNPROVEN_OF_ADDRESS", 5)
        silent = [here.way() for _ in range(5)]
        await here.until(lambda: streams(here) == 5)

        one_too_many = here.way()
        await here.until(lambda: one_too_many.ended)
        assert here.unit.refused["tcp-limit"] == 1
        assert here.unit._listener is not None
        for stream in here.unit._listener._unproven:
            here.unit._listener._unproven[stream] -= limits.PROVE_S

        await here.until(lambda: all(way.ended for way in silent))
        assert here.unit.refused["tcp-late"] == 5
        a, b = await here.join(A), await here.join(B, here.way())
        await here.reaches(a, b)

    at_house(test)


def test_a_number_that_tcp_has_not_is_passed_over_and_a_given_one_goes_without() -> None:
    with open_port("127.0.0.1", 0) as held:
        taken = held.getsockname()[1]
    with open_listener("127.0.0.1", taken, 0.0):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(limits, "BIND_PATIENCE_S", 0.0)
            sock, listening = open_door("127.0.0.1", taken)
        with sock:
            assert listening is None
        assert sock.fileno() == -1


@given(st.lists(st.binary(max_size=300), max_size=8), st.lists(st.integers(1, 50), max_size=50))
def test_frames_come_out_whole_however_they_are_cut(frames: list[bytes], cuts: list[int]) -> None:
    data = b"".join(len(frame).to_bytes(2, "big") + frame for frame in frames)
    cutter, found, at = Frames(), [], 0
    for cut in [*cuts, len(data)]:
        found += cutter.add(data[at : at + cut])
        at += cut

    assert found == [frame for frame in frames if frame]


def test_a_frame_larger_than_any_packet_is_none() -> None:
    with pytest.raises(BadFrame):
        Frames().add((MAX_FRAME_BYTES + 1).to_bytes(2, "big"))


@given(st.lists(st.tuples(st.integers(1, 2000), st.booleans(), st.booleans()), max_size=400))
def test_what_waits_is_bounded_and_sound_goes_first(acts: list[tuple[int, bool, bool]]) -> None:
    line = Line()
    waiting_urgent = 0
    for size, urgent, takes in acts:
        line.put((b"u" if urgent else b"p") * size, urgent=urgent)
        if urgent and waiting_urgent + size <= URGENT_BYTES:
            waiting_urgent += size
        assert line._urgent_bytes <= URGENT_BYTES
        assert line._pictures_bytes <= PICTURE_BYTES
        if takes:
            taken = line.take()
            assert taken == bytes(sorted(taken, reverse=True))  # u before p
            assert len(taken) < WRITE_BYTES + 2000
            waiting_urgent -= taken.count(b"u")
    assert line._urgent_bytes == waiting_urgent
