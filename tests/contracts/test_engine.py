"""What every media engine does, whichever it is. The fake first, then the one that forwards packets.

Each adapter brings clients of its own: a client joins, sends picture, screen and sound under its site's
name, and says whose arrive in its slots.
"""

import asyncio
import itertools
import os
import signal
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final, Protocol

import pytest

from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import (
    Answer,
    BadOffer,
    Engine,
    EngineAway,
    EngineEvent,
    EngineRestarted,
    MediaDown,
    MediaUp,
    NotJoined,
    Scene,
    Speaking,
)
from room_manager.media.fake import FakeEngine
from room_manager.media.light import LightPeer, Sections
from room_manager.media.sfu import vp8
from room_manager.media.sfu.driver import SfuEngine, SfuSettings
from room_manager.media.sfu.dtls import Identity
from room_manager.media.sfu.rtp import Packet

LIMIT_S: Final = 15.0
STILL_S: Final = 0.3  # what has not come for so long does not come
FRAME_S: Final = 0.02
A, B, C, D = (SiteId(code) for code in ("00001", "00004", "00006", "00007"))
_numbers = itertools.count(1)


class Client(Protocol):
    """One client of an engine."""

    connection: ConnectionId
    peer: LightPeer

    def sees(self) -> dict[str, SiteId]:
        """Whose packets arrive in each slot now."""

    def restarted(self, answer: Answer) -> None:
        """Take the answer to an ICE restart."""

    def forget(self) -> None:
        """What has arrived so far."""

    def ever(self) -> set[tuple[str, SiteId]]:
        """Whose packets have arrived in which slot, at any time."""

    def close(self) -> None:
        """Go, by oneself."""


def heard(client: Client) -> list[SiteId]:
    """Whose sound arrives, whichever slot it has: a voice keeps the one it was first given."""
    return sorted(site for slot, site in client.sees().items() if slot.startswith("audio"))


class FakeClient:
    """A client of the fake: says it is up, and looks."""

    def __init__(self, engine: FakeEngine, peer: LightPeer, connection: ConnectionId) -> None:
        self.engine = engine
        self.peer = peer
        self.connection = connection
        engine.connect(connection)

    def sees(self) -> dict[str, SiteId]:
        return self.engine.arrives(self.connection)

    def restarted(self, answer: Answer) -> None:
        pass

    def forget(self) -> None:
        pass

    def ever(self) -> set[tuple[str, SiteId]]:
        return set(self.sees().items())

    def close(self) -> None:
        self.engine.drop(self.connection)


class LightClient:
    """A client that sends its site's name in every packet and reads the names that come."""

    def __init__(self, peer: LightPeer, connection: ConnectionId, site: SiteId | None) -> None:
        self.peer = peer
        self.connection = connection
        self._site = site
        self._seen: dict[str, tuple[SiteId, float]] = {}
        self._ever: set[tuple[str, SiteId]] = set()
        self._loop = asyncio.get_running_loop()
        self._number = 0
        peer.on_packet = self._arrived
        if site is not None:
            self._loop.call_later(FRAME_S, self._send)

    def sees(self) -> dict[str, SiteId]:
        now = self._loop.time()
        return {slot: site for slot, (site, at) in self._seen.items() if now - at < STILL_S}

    def restarted(self, answer: Answer) -> None:
        self.peer.restarted(answer.sdp)

    def forget(self) -> None:
        self._seen.clear()

    def ever(self) -> set[tuple[str, SiteId]]:
        return self._ever

    def close(self) -> None:
        self.peer.close()

    def _arrived(self, slot: str, packet: Packet) -> None:
        payload = packet.data[packet.start : packet.end]
        name = payload if slot.startswith(("audio", "programme")) else payload[5:]
        site = SiteId(name.decode())
        self._seen[slot] = (site, self._loop.time())
        self._ever.add((slot, site))

    def _send(self) -> None:
        if self.peer.closed or self._site is None:
            return
        self._number += 1
        name = self._site.encode()
        picture = vp8.descriptor(self._number, starts_frame=True) + b"\0" + name
        for layer in ("q", "h", "f"):
            self.peer.send_rtp("camera", picture, timestamp=self._number * 1800, layer=layer, marker=True)
        self.peer.send_rtp("screen", picture, timestamp=self._number * 1800, marker=True)
        self.peer.send_rtp("microphone", name, timestamp=self._number * 960, level=30)
        self._loop.call_later(FRAME_S, self._send)


class Stand:
    """An engine, a loop for it, and what it told."""

    def __init__(self, runner: asyncio.Runner, engine: Engine) -> None:
        self.runner = runner
        self.engine = engine
        self.events: list[EngineEvent] = []
        self.room = RoomId("")
        self._clients: list[Client] = []
        runner.run(engine.start())
        self._listening = runner.get_loop().create_task(self._listen())

    def new_room(self) -> None:
        """Another test begins."""
        self.room = RoomId(f"room-{next(_numbers)}")
        self.events.clear()

    def run(self, test: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a test, then close its clients."""

        async def whole() -> None:
            try:
                await test()
            finally:
                while self._clients:
                    self._clients.pop().close()
                await self.engine.close_room(self.room)

        self.runner.run(whole())

    async def client(
        self,
        site: SiteId | None,
        connection: ConnectionId | None = None,
        sections: Sections | None = None,
    ) -> Client:
        """A client of this room that is up and sends."""
        connection = connection or ConnectionId(f"connection-{next(_numbers)}")
        peer = LightPeer(sections or (Sections() if site is not None else Sections(False, False, False)))
        answer = await self.engine.join(self.room, connection, site, peer.offer())
        client: Client
        if isinstance(self.engine, FakeEngine):
            client = FakeClient(self.engine, peer, connection)
        else:
            await peer.accept(answer.sdp, answer.slots)
            await peer.connected()
            client = LightClient(peer, connection, site)
        self._clients.append(client)
        return client

    def speak(self, *sites: SiteId) -> None:
        """These sites speak; those of the real engine do so all the time."""
        if isinstance(self.engine, FakeEngine):
            self.engine.speak(self.room, *sites)

    async def die(self) -> None:
        """The engine dies and comes back."""
        if isinstance(self.engine, FakeEngine):
            self.engine.die()
        elif isinstance(self.engine, SfuEngine):
            for pid in self.engine.pids:
                assert pid is not None
                os.kill(pid, signal.SIGKILL)

    async def call_until_it_fails(self) -> None:
        """A death is noticed within a call or two."""
        for _ in range(1000):
            await self.engine.set_scene(self.room, Scene())

    def come_back(self) -> None:
        if isinstance(self.engine, FakeEngine):
            self.engine.revive()

    async def until(self, look: Callable[[], object], wanted: object) -> None:
        """Look again and again until it is so."""
        deadline = asyncio.get_running_loop().time() + LIMIT_S
        while (seen := look()) != wanted:
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"wanted {wanted!r}, but {seen!r}")
            await asyncio.sleep(0.01)

    async def told(self, event: EngineEvent) -> None:
        """Until the engine has said this."""
        await self.until(lambda: event in self.events, True)

    async def _listen(self) -> None:
        async for event in self.engine.events():
            self.events.append(event)

    def close(self) -> None:
        self.runner.run(self._end())

    async def _end(self) -> None:
        await self.engine.close()
        await self.engine.close()
        await asyncio.wait_for(self._listening, LIMIT_S)


ENGINES: Final[dict[str, Callable[[], Engine]]] = {
    "fake": FakeEngine,
    "embedded": lambda: SfuEngine(SfuSettings()),
    "two workers": lambda: SfuEngine(SfuSettings(workers=2)),
}


@pytest.fixture(scope="module", params=ENGINES)
def standing(request: pytest.FixtureRequest) -> Iterator[Stand]:
    with asyncio.Runner() as runner:
        stand = Stand(runner, ENGINES[request.param]())
        yield stand
        stand.close()


@pytest.fixture
def stand(standing: Stand) -> Stand:
    standing.new_room()
    return standing


def test_everybody_sees_main_and_main_sees_the_host(stand: Stand) -> None:
    async def test() -> None:
        a, b, c = await stand.client(A), await stand.client(B), await stand.client(C)

        await stand.engine.set_scene(stand.room, Scene(main=B, host=A))

        await stand.until(c.sees, {"main": B})
        await stand.until(a.sees, {"main": B})
        await stand.until(b.sees, {"main": A})

    stand.run(test)


def test_a_room_that_was_never_set_forwards_nothing(stand: Stand) -> None:
    async def test() -> None:
        a, b = await stand.client(A), await stand.client(B)
        await stand.engine.set_scene(stand.room, Scene(main=A, host=A))
        await stand.until(b.sees, {"main": A})
        other, stand.room = stand.room, RoomId(f"{stand.room}-silent")
        c, d = await stand.client(C), await stand.client(D)

        await stand.engine.set_scene(stand.room, Scene(main=C))

        await stand.until(d.sees, {"main": C})
        assert d.ever() == {("main", C)}
        assert (a.ever(), c.ever()) == (set(), set())
        await stand.engine.close_room(other)

    stand.run(test)


def test_content_is_a_screen_and_tiles_are_cameras(stand: Stand) -> None:
    async def test() -> None:
        a, b, c = await stand.client(A), await stand.client(B), await stand.client(C)

        await stand.engine.set_scene(stand.room, Scene(main=A, host=A, content=B, tiles=(C, B)))

        await stand.until(a.sees, {"content": B, "tile-1": C, "tile-2": B})
        await stand.until(b.sees, {"main": A, "tile-1": C})
        await stand.until(c.sees, {"main": A, "content": B, "tile-2": B})

    stand.run(test)


def test_a_wall_shows_what_it_watches_whatever_the_scene_is(stand: Stand) -> None:
    async def test() -> None:
        for site in (A, B):
            await stand.client(site)
        wall = await stand.client(None, sections=Sections(False, False, False, audio_slots=0, video_slots=25))
        await stand.engine.set_scene(stand.room, Scene(main=A))

        assert wall.sees() == {}
        await stand.engine.watch(wall.connection, (B, C, A))
        await stand.until(wall.sees, {"wall-1": B, "wall-3": A})
        await stand.engine.watch(wall.connection, (A,))
        await stand.until(wall.sees, {"wall-1": A})

    stand.run(test)


def test_who_only_listens_in_one_section_hears_one_voice(stand: Stand) -> None:
    async def test() -> None:
        await stand.client(A)
        await stand.client(B)
        sections = Sections(False, False, False, audio_slots=1, video_slots=1)
        player = await stand.client(None, sections=sections)

        for voice in (A, B):
            only = frozenset({voice})
            await stand.engine.set_scene(stand.room, Scene(main=A, heard_only=only, voices=(voice,)))
            await stand.until(player.sees, {"main": A, "programme": voice})

    stand.run(test)


def test_who_joins_later_gets_the_same_scene(stand: Stand) -> None:
    async def test() -> None:
        await stand.client(A)
        await stand.engine.set_scene(stand.room, Scene(main=A, heard_only=frozenset({A}), voices=(A,)))

        late = await stand.client(B)

        await stand.until(late.sees, {"main": A, "audio-1": A})

    stand.run(test)


def test_sound_of_sources_that_may_not_be_heard_is_dropped(stand: Stand) -> None:
    async def test() -> None:
        a, b, c = await stand.client(A), await stand.client(B), await stand.client(C)
        await stand.engine.set_scene(stand.room, Scene(heard_only=frozenset({A, B}), voices=(A, B)))
        await stand.until(lambda: heard(c), [A, B])
        await stand.until(lambda: heard(a), [B])

        await stand.engine.set_scene(
            stand.room, Scene(heard_only=frozenset({A, B}), heard_never=frozenset({B}), voices=(A, B))
        )

        await stand.until(lambda: heard(c), [A])
        await stand.until(a.sees, {})
        await stand.until(lambda: heard(b), [A])

    stand.run(test)


def test_in_an_open_room_whoever_speaks_is_heard(stand: Stand) -> None:
    async def test() -> None:
        await stand.client(A)
        await stand.client(B)
        watcher = await stand.client(None)

        await stand.engine.set_scene(stand.room, Scene(heard_only=None, voices=(B,)))

        await stand.until(lambda: sorted(watcher.sees().values()), [A, B])

    stand.run(test)


def test_who_speaks_is_told_among_those_who_may_be_heard(stand: Stand) -> None:
    async def test() -> None:
        await stand.client(A)
        await stand.client(B)
        await stand.engine.set_scene(stand.room, Scene(heard_only=frozenset({B})))

        stand.speak(A, B)

        await stand.told(Speaking(stand.room, (B,)))
        assert not any(A in event.sites for event in stand.events if isinstance(event, Speaking))

    stand.run(test)


def test_one_that_only_receives_sees_all_and_is_nobody(stand: Stand) -> None:
    async def test() -> None:
        await stand.client(A)
        await stand.engine.set_scene(stand.room, Scene(main=A, host=A, heard_only=None, voices=(A,)))

        watcher = await stand.client(None)

        await stand.until(watcher.sees, {"main": A, "audio-1": A})

    stand.run(test)


def test_the_newest_connection_feeds_a_source_until_use_says_otherwise(stand: Stand) -> None:
    async def test() -> None:
        watcher = await stand.client(C)
        await stand.engine.set_scene(stand.room, Scene(main=A))
        first = await stand.client(A)
        await stand.client(A)

        await stand.engine.use(stand.room, A, first.connection)

        await stand.until(watcher.sees, {"main": A})
        first.close()
        await stand.until(watcher.sees, {})

    stand.run(test)


def test_a_connection_may_be_used_before_it_joins(stand: Stand) -> None:
    async def test() -> None:
        watcher, coming = await stand.client(C), ConnectionId(f"connection-{next(_numbers)}")
        await stand.engine.set_scene(stand.room, Scene(main=A))

        await stand.engine.use(stand.room, A, coming)
        await stand.client(A, coming)

        await stand.until(watcher.sees, {"main": A})

    stand.run(test)


def test_a_connection_that_left_is_gone_and_an_unknown_one_is_fine(stand: Stand) -> None:
    async def test() -> None:
        a, b = await stand.client(A), await stand.client(B)
        await stand.engine.set_scene(stand.room, Scene(main=A))
        await stand.until(b.sees, {"main": A})

        await stand.engine.leave(a.connection)
        await stand.engine.leave(a.connection)
        await stand.engine.leave(ConnectionId("nobody"))

        await stand.until(b.sees, {})

    stand.run(test)


def test_coming_up_and_going_down_are_told(stand: Stand) -> None:
    async def test() -> None:
        client = await stand.client(A)
        await stand.told(MediaUp(stand.room, client.connection))

        client.close()

        await stand.told(MediaDown(stand.room, client.connection))

    stand.run(test)


def test_an_ice_restart_keeps_the_seat_and_what_it_shows(stand: Stand) -> None:
    async def test() -> None:
        a, b = await stand.client(A), await stand.client(B)
        await stand.engine.set_scene(stand.room, Scene(main=A, host=B, heard_only=None, voices=(A, B)))
        await stand.until(lambda: sorted(b.sees().values()), [A, A])  # in whichever audio slot

        answer = await stand.engine.restart(b.connection, b.peer.restart_offer())
        again = await stand.engine.restart(b.connection, b.peer.offer())
        b.restarted(answer)

        assert again == answer
        b.forget()
        await stand.until(lambda: sorted(b.sees().values()), [A, A])  # in whichever audio slot
        await stand.until(lambda: sorted(a.sees().values()), [B, B])
        assert not any(isinstance(event, MediaDown) for event in stand.events)

    stand.run(test)


def test_until_a_restart_has_proved_itself_the_old_way_goes_on(stand: Stand) -> None:
    async def test() -> None:
        a, b = await stand.client(A), await stand.client(B)
        await stand.engine.set_scene(stand.room, Scene(main=A, host=B))

        first = await stand.engine.restart(b.connection, b.peer.restart_offer())
        second = await stand.engine.restart(b.connection, b.peer.restart_offer())

        assert first.sdp != second.sdp
        assert first.slots == second.slots
        await stand.until(b.sees, {"main": A})
        await stand.until(a.sees, {"main": B})

    stand.run(test)


def test_a_restart_with_another_face_or_other_sections_is_refused(stand: Stand) -> None:
    async def test() -> None:
        a, b = await stand.client(A), await stand.client(B)
        await stand.engine.set_scene(stand.room, Scene(main=A, host=B))
        offer = LightPeer(Sections(), identity=Identity()).offer()
        fewer = LightPeer(Sections(screen=False)).offer()

        for bad in (offer, fewer, "hello", b.peer.restart_offer().replace("a=recvonly", "a=sendonly", 1)):
            with pytest.raises(BadOffer):
                await stand.engine.restart(b.connection, bad)
        with pytest.raises(NotJoined):
            await stand.engine.restart(ConnectionId("nobody"), fewer)

        await stand.until(b.sees, {"main": A})
        await stand.until(a.sees, {"main": B})

    stand.run(test)


def test_a_closed_room_forwards_nothing_more(stand: Stand) -> None:
    async def test() -> None:
        await stand.client(A)
        b = await stand.client(B)
        await stand.engine.set_scene(stand.room, Scene(main=A))
        await stand.until(b.sees, {"main": A})

        await stand.engine.close_room(stand.room)
        await stand.engine.close_room(stand.room)

        await stand.until(b.sees, {})

    stand.run(test)


@pytest.mark.parametrize(
    "offer",
    [
        "",
        "hello",
        "v=0\r\n",
        "v=0\r\n" + "a=x\r\n" * 20_000,
        "v=0\r\n" + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:x\r\n" * 1000,
        "\ud800",
    ],
)
def test_a_bad_offer_is_refused_and_disturbs_nobody(stand: Stand, offer: str) -> None:
    async def test() -> None:
        with pytest.raises(BadOffer):
            await stand.engine.join(stand.room, ConnectionId("bad"), A, offer)

        client = await stand.client(A)
        await stand.told(MediaUp(stand.room, client.connection))

    stand.run(test)


def test_plain_rtp_is_refused(stand: Stand) -> None:
    async def test() -> None:
        offer = LightPeer().offer().replace("UDP/TLS/RTP/SAVPF", "RTP/AVP")

        with pytest.raises(BadOffer):
            await stand.engine.join(stand.room, ConnectionId("plain"), A, offer)

    stand.run(test)


def test_an_engine_that_died_comes_back_empty_and_takes_new_offers(stand: Stand) -> None:
    async def test() -> None:
        b = await stand.client(B)
        await stand.client(A)
        await stand.engine.set_scene(stand.room, Scene(main=A))
        await stand.until(b.sees, {"main": A})

        await stand.die()
        await stand.until(lambda: stand.events.count(EngineRestarted()), 0)
        with pytest.raises(EngineAway):
            await stand.call_until_it_fails()
        stand.come_back()

        await stand.told(EngineRestarted())
        await stand.engine.set_scene(stand.room, Scene(main=A))
        again = await stand.client(B)
        await stand.client(A)
        await stand.until(again.sees, {"main": A})

    stand.run(test)
