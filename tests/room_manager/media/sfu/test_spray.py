"""Somebody sprays the media port while sites join and pictures flow."""

import asyncio
import os
import struct
import sys
import time
from typing import Final

import psutil
import pytest

from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import MediaDown, Scene
from room_manager.media.light import LightPeer, Sections
from room_manager.media.sfu import vp8
from room_manager.media.sfu.driver import SfuEngine, SfuSettings
from room_manager.media.sfu.rtp import Packet

ROOM: Final = RoomId("phong")
HOST, WATCHER = SiteId("00001"), SiteId("00004")
FRAME_S: Final = 0.02
MIB: Final = 1 << 20
JOINING_AT_ONCE: Final = 10
LIMIT_S: Final = 60.0
SITE: Final = Sections(screen=False, audio_slots=1, video_slots=1)


class Attack:
    """An engine with a speaker and a watcher, whose pictures carry when they were sent."""

    def __init__(self, engine: SfuEngine) -> None:
        self.engine = engine
        self.late_s: list[float] = []
        self.flowing = asyncio.Event()
        self._number = 0

    async def connect(self, site: SiteId, connection: str) -> LightPeer:
        peer = LightPeer(SITE)
        answer = await self.engine.join(ROOM, ConnectionId(connection), site, peer.offer())
        await peer.accept(answer.sdp, answer.slots)
        await peer.connected()
        return peer

    async def play(self, speaker: LightPeer, watcher: LightPeer) -> None:
        """For ever: a picture every ``FRAME_S``, and how late each arrives."""

        def arrived(slot: str, packet: Packet) -> None:
            if slot == "main":
                (sent_at,) = struct.unpack("!d", packet.data[packet.end - 8 : packet.end])
                self.late_s.append(time.monotonic() - sent_at)
                self.flowing.set()

        watcher.on_packet = arrived
        while True:
            self._number += 1
            picture = vp8.descriptor(self._number, starts_frame=True) + b"\0"
            payload = picture + struct.pack("!d", time.monotonic())
            speaker.send_rtp("camera", payload, timestamp=self._number * 1800, layer="f", marker=True)
            await asyncio.sleep(FRAME_S)

    async def join_all(self, count: int) -> int:
        """So many join, some at a time, and leave at the end; how many came up."""
        places = asyncio.Semaphore(JOINING_AT_ONCE)

        async def one(number: int) -> LightPeer:
            async with places:
                return await self.connect(SiteId(f"{number + 100:05}"), f"joining-{number}")

        peers = await asyncio.gather(*(one(number) for number in range(count)), return_exceptions=True)
        came = [peer for peer in peers if isinstance(peer, LightPeer)]
        for peer in came:
            peer.close()
        return len(came)


def memory_bytes(engine: SfuEngine) -> int:
    return sum(psutil.Process(pid).memory_info().rss for pid in engine.pids if pid is not None)


async def attacked(joins: int, rate: int, seconds: float) -> tuple[int, int, list[float], int, int]:
    """Sprayed packets, successful joins, delays of pictures, growth of memory, pictures before it began."""
    engine = SfuEngine(SfuSettings())
    await engine.start()
    attack = Attack(engine)
    peers: list[LightPeer] = []
    playing: asyncio.Task[None] | None = None
    sprayer: asyncio.subprocess.Process | None = None
    downs: list[MediaDown] = []
    try:
        peers = [await attack.connect(HOST, "host"), await attack.connect(WATCHER, "watcher")]
        await engine.set_scene(ROOM, Scene(main=HOST))
        playing = asyncio.create_task(attack.play(*peers))
        assert await attack.join_all(joins) == joins  # what a crowd of friends takes is not the attack's
        before = memory_bytes(engine)
        await asyncio.wait_for(attack.flowing.wait(), LIMIT_S)
        attack.late_s.clear()
        ufrag = peers[0]._remote.ufrag  # an attacker who has overheard a name is the dearest
        sprayer = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.helpers.sprayer",
            *(str(engine.port), str(rate), str(seconds), ufrag),
            stdout=asyncio.subprocess.PIPE,
        )
        assert sprayer.stdout is not None
        assert await asyncio.wait_for(sprayer.stdout.readline(), LIMIT_S) == b"spraying\n"
        succeeded = await attack.join_all(joins)
        sprayed = int(await asyncio.wait_for(sprayer.stdout.readline(), LIMIT_S))
        grown = memory_bytes(engine) - before
        pictures = len(attack.late_s)
        async for event in engine.events():
            if isinstance(event, MediaDown):
                downs.append(event)
                if len(downs) >= joins + succeeded:
                    break
        assert not {ConnectionId("host"), ConnectionId("watcher")} & {down.connection for down in downs}
        return sprayed, succeeded, attack.late_s, grown, pictures
    finally:
        if sprayer is not None and sprayer.returncode is None:
            sprayer.kill()
            await sprayer.wait()
        if playing is not None:
            playing.cancel()
        for peer in peers:
            peer.close()
        await engine.close()


def test_sites_join_while_the_port_is_sprayed() -> None:
    sprayed, succeeded, _, grown, pictures = asyncio.run(
        asyncio.wait_for(attacked(joins=20, rate=5_000, seconds=2.0), LIMIT_S)
    )

    assert succeeded == 20
    assert sprayed >= 5_000
    assert pictures > 0
    assert grown <= 20 * MIB


@pytest.mark.slow
def test_a_hundred_join_under_twenty_thousand_packets_a_second(capsys: pytest.CaptureFixture[str]) -> None:
    sprayed, succeeded, late_s, grown, pictures = asyncio.run(
        asyncio.wait_for(attacked(joins=100, rate=20_000, seconds=10.0), 2 * LIMIT_S)
    )
    gap_s = max(late_s)
    with capsys.disabled():
        figures = (
            f"{sprayed} packets, {succeeded} joins, {pictures} pictures, longest gap {gap_s * 1000:.0f} ms"
        )
        print(f"\nsprayed: {figures}, {grown / MIB:+.1f} MiB, load {os.getloadavg()[0]:.1f}")

    assert succeeded == 100
    assert sprayed >= 150_000
    assert gap_s <= 0.2
    assert grown <= 20 * MIB
