"""A meeting in which one ward's line is bad: real engine, ICE, DTLS and keys across an emulated line."""

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import EngineEvent, LineStep, Scene
from room_manager.media.light import LightPeer, Sections
from room_manager.media.loops import Layer, Loop, Sound
from room_manager.media.sfu.driver import SfuEngine, SfuSettings
from room_manager.media.sfu.rtp import Packet
from tests.helpers.link import FAR_ADDRESS, NEAR_ADDRESS, Link
from tests.helpers.viewer import Viewer

ROOM: Final = RoomId("phong")
SPEAKER: Final = SiteId("00001")
BAD: Final = SiteId("00002")
GOOD: Final = (SiteId("00003"), SiteId("00004"))
FRAMES_PER_S: Final = 15
RATES_BPS: Final = {"q": 100_000, "h": 350_000, "f": 1_000_000}
VOICE_BYTES: Final = 60
LOOP_S: Final = 20
WATCHES: Final = Sections(microphone=False, camera=False, screen=False, audio_slots=2, video_slots=1)
SENDS: Final = Sections(screen=False, audio_slots=0, video_slots=0)


def loop() -> Loop:
    """Three layers with two temporal layers each, a keyframe when asked for one; nothing can decode it."""
    rng = random.Random(7)
    layers = []
    for name, bps in RATES_BPS.items():
        size = bps // 8 // FRAMES_PER_S
        frames = tuple(
            bytes((0 if number == 0 else 1,)) + rng.randbytes(size * (4 if number == 0 else 1))
            for number in range(LOOP_S * FRAMES_PER_S)
        )
        layers.append(Layer(name, 0, 0, frames))
    sound = Sound(tuple(rng.randbytes(VOICE_BYTES) for _ in range(50)), (30,) * 50)
    return Loop("made", FRAMES_PER_S, (0,), tuple(layers), sound, temporal_layers=2)


class Ward:
    """One receiver."""

    def __init__(self, peer: LightPeer) -> None:
        self.peer = peer
        self.viewer: Viewer | None = None
        self.voices: set[int] = set()  # numbers of sound packets that came

    def watch(self) -> None:
        """Begin, once its slots are known."""
        viewer = self.viewer = Viewer(self.peer)

        def packet(slot: str, packet: Packet) -> None:
            if slot == "main":
                viewer.take(packet, time.monotonic())
            else:
                self.voices.add(packet.seq)

        self.peer.on_packet = packet


class Meeting:
    """Everybody, and what has been told of the bad line."""

    def __init__(self, engine: SfuEngine, link: Link) -> None:
        self.engine = engine
        self.link = link
        self.wards: dict[SiteId, Ward] = {}
        self.steps: list[tuple[float, str, str]] = []  # of the bad line: when, step, reason
        self.other_steps: list[LineStep] = []
        self.speaker: LightPeer

    @property
    def bad(self) -> Ward:
        return self.wards[BAD]

    @property
    def step(self) -> str:
        return self.steps[-1][1] if self.steps else "full"

    def share_at(self, steps: tuple[str, ...], since: float) -> float:
        """The share of the time since then that the bad line has stood at these steps."""
        now = time.monotonic()
        moments = [*self.steps, (now, "", "")]
        stood = sum(
            max(0.0, later[0] - max(since, at))
            for (at, step, _), later in itertools.pairwise(moments)
            if step in steps
        )
        return stood / (now - since)

    def heard(self, event: EngineEvent) -> None:
        if isinstance(event, LineStep):
            if event.connection == f"c-{BAD}":
                self.steps.append((time.monotonic(), event.step, event.reason))
            else:
                self.other_steps.append(event)

    async def join(self, site: SiteId, sections: Sections, *, far: bool) -> LightPeer:
        peer = LightPeer(sections, host=FAR_ADDRESS if far else NEAR_ADDRESS, answers="all")
        connection = ConnectionId(f"c-{site}")
        answer = await self.engine.join(ROOM, connection, site, peer.offer())
        with self.link.inside_far() if far else self.link.inside_near():
            await peer.accept(answer.sdp, answer.slots)
        await peer.connected()
        return peer

    async def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Whether the condition came to hold within this time."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                return False
            await asyncio.sleep(0.05)
            for ward in self.wards.values():
                if ward.viewer is not None:
                    ward.viewer.look(time.monotonic())
        return True

    async def play(self, seconds: float) -> None:
        """Let the meeting go on."""
        await self.until(lambda: False, seconds)

    def voices_lost(self, ward: Ward, before: int) -> tuple[int, int]:
        """Sound since that many packets had come: from the first to the last of them, and those missing."""
        seqs = sorted(ward.voices)[before:]
        expected = seqs[-1] - seqs[0] + 1 if seqs else 0
        return expected, expected - len(seqs)


@asynccontextmanager
async def meeting(link: Link) -> AsyncIterator[Meeting]:
    """A speaker and good wards at the near end, the bad one at the far end; all see and hear the speaker."""
    with link.inside_near():
        engine = SfuEngine(SfuSettings(host=NEAR_ADDRESS))
        await engine.start()
    here = Meeting(engine, link)

    async def listen() -> None:
        async for event in engine.events():
            here.heard(event)

    listening = asyncio.create_task(listen())
    peers: list[LightPeer] = []
    try:
        here.speaker = await here.join(SPEAKER, SENDS, far=False)
        peers.append(here.speaker)
        here.speaker.play(loop())
        await engine.set_scene(ROOM, Scene(main=SPEAKER, heard_only=None, voices=(SPEAKER,)))
        for site in (BAD, *GOOD):
            peer = await here.join(site, WATCHES, far=site == BAD)
            peers.append(peer)
            ward = here.wards[site] = Ward(peer)
            ward.watch()
        yield here
    finally:
        for peer in peers:
            peer.close()
        listening.cancel()
        await engine.close()
