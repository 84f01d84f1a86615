"""What workers hand to each other: once per worker, only what is wanted, and nothing that is forbidden."""

import asyncio
import socket
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import LayersWanted, Scene, Speaking
from room_manager.media.light import Sections
from room_manager.media.sfu.links import Links
from room_manager.media.sfu.relay_links import RelayLinks
from room_manager.media.sfu.relay_wire import (
    MAX_DATAGRAM_BYTES,
    Ask,
    Need,
    Needs,
    Passed,
    Stream,
    View,
    items,
    key,
    packet_item,
    said_item,
    stream_of,
)
from room_manager.media.sfu.rtp import Malformed
from tests.helpers.linked_workers import LinkedWorkers
from tests.helpers.router_driver import KEY, ROOM, Peer

A, B, C, D = (SiteId(f"0000{n}") for n in range(1, 5))
STREAM: Final = Stream(ROOM, ConnectionId("c1"), A, "camera", "f", "VP8")


def frames(here: LinkedWorkers, peer: Peer, count: int, *, wait_s: float = 0.05) -> None:
    for _ in range(count):
        peer.frame(KEY)
        here.settle()
        here.wait(wait_s)


def voices(here: LinkedWorkers, peers: list[Peer], seconds: float) -> None:
    for _ in range(round(seconds / 0.05)):
        for level, peer in enumerate(peers, 20):
            peer.voice(level)
        here.settle()
        here.wait(0.05)


# --- pictures ---


def test_a_picture_crosses_once_however_many_watch() -> None:
    here = LinkedWorkers()
    source = here[0].join(A)
    watchers = [here[1].join(None) for _ in range(20)]
    here.scene(Scene(main=A))
    frames(here, source, 3)
    here.forget()

    frames(here, source, 10)

    assert here.packets(0, 1)[A, "camera", "f"] == 10
    assert [len(watcher.got("main")) for watcher in watchers] == [10] * 20


def test_what_nobody_there_watches_does_not_cross() -> None:
    here = LinkedWorkers(3)
    main, other = here[0].join(A), here[0].join(B)
    here[1].join(None)
    here.scene(Scene(main=A))

    frames(here, main, 5)
    frames(here, other, 5)

    assert {site for site, _, _ in here.packets(0, 1)} == {A}
    assert not here.packets(0, 2)  # nobody is in the room there
    assert not here.packets(1, 0)


def test_a_screen_crosses_for_content_and_the_camera_for_main() -> None:
    here = LinkedWorkers()
    source, watcher = here[0].join(A), here[1].join(None)
    here.scene(Scene(content=A))
    for _ in range(3):
        source.video(kind="screen", body=KEY)
        source.frame(KEY)
        here.settle()
        here.wait(0.05)

    assert {role for _, role, _ in here.packets(0, 1)} == {"screen"}
    assert watcher.got("content")


def test_for_tiles_only_the_smallest_layer_crosses_and_for_main_all() -> None:
    here = LinkedWorkers()
    tile, main = here[0].join(A), here[0].join(B)
    watcher = here[1].join(None)
    here.scene(Scene(main=B, tiles=(A,)))
    for _ in range(60):
        main.frame(KEY)
        tile.frame(KEY)
        here.settle()
        here.wait(0.05)
    here.forget()
    tile.frame(KEY)
    main.frame(KEY)
    here.settle()

    assert here.packets(0, 1) == {(A, "camera", "q"): 1, **{(B, "camera", rid): 1 for rid in "qhf"}}
    assert len(watcher.got("tile-1")) == 1


def test_a_page_of_a_wall_crosses_in_small_and_the_next_page_instead_of_it() -> None:
    here = LinkedWorkers()
    wards = {SiteId(f"1000{n}"): here[0].join(SiteId(f"1000{n}")) for n in range(6)}
    wall = here[1].join(None, Sections(False, False, False, audio_slots=0, video_slots=25))
    pages = list(wards)[:3], list(wards)[3:]

    for page in pages:
        here[1].router.watch(wall.connection, page, here[1].now)
        here.settle()
        for peer in wards.values():
            frames(here, peer, 12, wait_s=0.0)
        for _ in range(60):
            for peer in wards.values():
                peer.frame(KEY)
            here.settle()
            here.wait(0.05)
        here.forget()
        for peer in wards.values():
            peer.frame(KEY)
        here.settle()

        assert here.packets(0, 1) == {(site, "camera", "q"): 1 for site in page}
        assert all(len(wall.got(f"wall-{n}")) == 1 for n in (1, 2, 3))


def test_when_the_smallest_layer_ends_the_next_one_crosses() -> None:
    here = LinkedWorkers()
    tile, watcher = here[0].join(A), here[1].join(None)
    here.scene(Scene(tiles=(A,)))
    frames(here, tile, 20)

    for layers in (("h", "f"), ("q", "h", "f")):
        here.forget()
        for _ in range(60):
            tile.frame(KEY, layers)
            here.settle()
            here.wait(0.05)
        here.forget()
        tile.frame(KEY, layers)
        here.settle()
        assert here.packets(0, 1) == {(A, "camera", layers[0]): 1}
        assert len(watcher.got("tile-1")) == 1


def test_when_the_stage_changes_the_new_one_crosses_and_the_old_one_no_more() -> None:
    here = LinkedWorkers()
    first, second, watcher = here[0].join(A), here[0].join(B), here[1].join(None)
    here.scene(Scene(main=A))
    frames(here, first, 3)
    frames(here, second, 1)
    here.forget()

    here.scene(Scene(main=B))

    assert second.keyframe_asks() == 1  # asked where the need was heard of, not a round trip later
    frames(here, second, 3)
    assert watcher.got("main")
    here.wait(2.5)
    here.forget()
    frames(here, first, 3)
    assert not here.packets(0, 1)


def wanted_of(here: LinkedWorkers, worker: int, peer: Peer) -> tuple[str, ...]:
    """What the camera was last told to send."""
    told = [event for event in here[worker].events if isinstance(event, LayersWanted)]
    return [event.layers for event in told if (event.connection, event.role) == (peer.connection, "camera")][
        -1
    ]


def test_a_publisher_sends_what_receivers_of_other_workers_watch() -> None:
    here = LinkedWorkers()
    source, watcher = here[0].join(A), here[1].join(None)
    here.scene(Scene())
    frames(here, source, 60)
    assert wanted_of(here, 0, source) == ()

    here.scene(Scene(main=A))

    assert wanted_of(here, 0, source) == ("f",)  # at once, without waiting for a tick
    frames(here, source, 60)
    here[1].router.leave(watcher.connection, here[1].now)
    frames(here, source, 100)
    assert wanted_of(here, 0, source) == ()


def test_until_the_first_picture_of_another_worker_the_one_before_stays() -> None:
    here = LinkedWorkers()
    before, after = here[0].join(A), here[1].join(B)
    watcher = here[0].join(None)
    here.scene(Scene(main=A))
    frames(here, before, 20)
    frames(here, after, 1)
    here.forget()

    here.scene(Scene(main=B))
    frames(here, before, 3)
    assert len(watcher.got("main")) >= 3
    frames(here, after, 3)
    here.forget()
    frames(here, before, 3)

    assert not watcher.got("main")


def test_keyframes_asked_elsewhere_reach_the_publisher_gathered() -> None:
    here = LinkedWorkers()
    source = here[0].join(A)
    here[1].join(None)
    here.scene(Scene(main=A))
    frames(here, source, 40)
    here.forget()

    for _ in range(50):
        here[1].join(None)
    here.settle()

    assert len(here.asks(1, 0)) == 1
    assert source.keyframe_asks() == 1


def test_a_packet_repaired_late_crosses_too() -> None:
    here = LinkedWorkers()
    source, watcher = here[0].join(A), here[1].join(None)
    here.scene(Scene(main=A))
    frames(here, source, 40)
    lost = source.seqs[source.ssrc("camera", "f")] + 1
    source.video("f", seq=lost + 1, timestamp=999)
    here.settle()
    here.forget()

    source.video("f", seq=lost, timestamp=998)
    here.settle()

    assert here.packets(0, 1)[A, "camera", "f"] == 1
    assert len(watcher.got("main")) == 1


def test_what_is_missing_of_a_passed_on_picture_is_asked_of_its_sender_once() -> None:
    here = LinkedWorkers()
    source = here[0].join(A)
    here[1].join(None)
    here.scene(Scene(main=A))
    frames(here, source, 3)
    here.forget()

    source.seqs[source.ssrc("camera", "f")] += 3
    frames(here, source, 2)

    assert any(type(item).__name__ == "Nack" for item in source.told())


# --- sound ---


def test_voices_of_the_scene_and_the_loudest_of_each_worker_cross() -> None:
    here = LinkedWorkers()
    speakers = [here[0].join(SiteId(f"1000{n}")) for n in range(6)]
    listener = here[1].join(None)
    here.scene(Scene(heard_only=None, voices=(SiteId("10005"),)))
    voices(here, speakers, 1.0)
    here.forget()

    voices(here, speakers, 0.5)

    crossed = {site for site, _, _ in here.packets(0, 1)}
    assert len(crossed) == 3
    assert {"10005", "10000"} <= crossed
    assert all(listener.got(f"audio-{n}") for n in (1, 2, 3))


def test_forbidden_sound_does_not_cross() -> None:
    here = LinkedWorkers()
    allowed, muted = here[0].join(A), here[0].join(B)
    here[1].join(None)
    here.scene(Scene(heard_only=frozenset({A, B}), heard_never=frozenset({B}), voices=(A, B)))

    voices(here, [allowed, muted], 1.0)

    assert {site for site, _, _ in here.packets(0, 1)} == {A}


def test_every_worker_hears_who_speaks_anywhere() -> None:
    here = LinkedWorkers()
    one, other = here[0].join(A), here[1].join(B)
    here.scene(Scene(heard_only=None))

    voices(here, [one, other], 2.0)

    for worker in here.workers:
        told = [event for event in worker.events if isinstance(event, Speaking)]
        assert set(told[-1].sites) == {A, B}


# --- whose picture it is ---


def test_only_the_connection_in_use_feeds_its_site_wherever_it_is() -> None:
    here = LinkedWorkers(3)
    primary, watcher = here[0].join(A), here[2].join(None)
    here[1].join(None)
    backup = here[1].join(A)
    assert primary.connection != backup.connection
    here.scene(Scene(main=A))
    here.use(A, primary.connection)
    frames(here, primary, 2)
    frames(here, backup, 2)
    assert here.packets(0, 2)
    assert not here.packets(1, 2)
    here.forget()

    here.use(A, backup.connection)
    frames(here, primary, 2)
    frames(here, backup, 2)

    assert here.packets(1, 2)
    assert not here.packets(0, 2)
    assert watcher.got("main")


def test_a_site_that_comes_back_elsewhere_is_seen_again() -> None:
    here = LinkedWorkers(3)
    watcher = here[2].join(None)
    before = here[0].join(A)
    here.scene(Scene(main=A))
    frames(here, before, 3)
    assert watcher.got("main")

    here.cut.add(0)
    here.forget()
    again = here[1].join(A)
    frames(here, again, 3)

    assert watcher.got("main")


def test_after_a_death_needs_are_void_and_nothing_is_passed_on_for_nobody() -> None:
    here = LinkedWorkers()
    source = here[0].join(A)
    here[1].join(None)
    here.scene(Scene(main=A))
    frames(here, source, 3)

    here.cut.add(1)
    here.wait(4.0)
    here.cut.clear()
    here.under_way.clear()
    source.frame(KEY)

    assert not here.under_way


def test_a_worker_that_comes_into_the_room_is_told_what_is_needed_at_once() -> None:
    here = LinkedWorkers()
    here[0].join(None)
    here.scene(Scene(main=A))
    here.wait(0.2)
    here.forget()

    source = here[1].join(A)
    here.settle()

    assert any(needs.needs == (Need(A, "camera", (View(True, "f"),)),) for needs in here.needs(0))
    frames(here, source, 1)
    assert here.packets(1, 0)


def test_a_mirror_that_is_silent_is_taken_down() -> None:
    here = LinkedWorkers()
    source = here[0].join(A)
    here[1].join(None)
    here.scene(Scene(main=A))
    frames(here, source, 3)
    room = here[1].router._rooms[ROOM]
    assert set(room.relay.mirrors) == {A}

    here.wait(6.0)

    assert not room.relay.mirrors
    frames(here, source, 1)
    assert set(room.relay.mirrors) == {A}


# --- the wire ---


@pytest.mark.parametrize(
    "said",
    [
        Needs(ROOM, True, (Need(A, "camera", ()), Need(B, "screen", (View(True, "f"), View(False, "q"))))),
        Needs(RoomId("khác"), False, ()),
        Ask(ROOM, ConnectionId("c"), "camera", "h", True),
    ],
)
def test_what_is_said_survives_the_wire(said: Needs | Ask) -> None:
    item = said_item(said)

    assert item is not None
    assert list(items(item + item)) == [said, said]


@given(st.binary(max_size=1500), st.none() | st.integers(0, 254), st.none() | st.integers(0, 254))
def test_packets_survive_the_wire(data: bytes, level: int | None, orientation: int | None) -> None:
    name = key(STREAM)
    assert name is not None
    loud, turned = (None if e is None else bytes([e]) for e in (level, orientation))

    [item] = items(packet_item(name, loud, turned, data))

    assert item == Passed(name, loud, turned, data)
    assert stream_of(name) == STREAM


@given(st.binary(max_size=300))
def test_any_bytes_are_items_or_malformed(data: bytes) -> None:
    here = LinkedWorkers()
    here[0].join(None)
    try:
        here[0].router.relayed(1, data, 1000.0)
    except Malformed:
        pass


def test_names_that_cannot_be_told_are_not() -> None:
    assert key(STREAM._replace(site=SiteId("a\0b"))) is None
    assert key(STREAM._replace(room=RoomId("x" * 300))) is None
    for name in (b"", b"\xff", b"a\0b", b"\0".join([b"x"] * 6)):
        with pytest.raises(Malformed):
            stream_of(name)


# --- the sockets ---


def test_a_link_that_is_full_drops_and_counts_and_never_waits() -> None:
    async def test() -> None:
        links = Links(2)
        one = RelayLinks(links.of(0))
        item = packet_item(b"k", None, None, b"\0" * 1200)

        for _ in range(20_000):
            one.pass_on((1,), item)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

        assert one.counts["dropped"] > 0
        assert one.counts["out"] + one.counts["dropped"] == 20_000
        other = RelayLinks(links.of(1))  # the successor of a worker that has died: drains what is stale
        got: list[bytes] = []
        done = asyncio.Event()

        def taken(worker: int, datagram: memoryview) -> int:
            got.append(bytes(datagram))
            return len(list(items(datagram)))

        other.open(taken, done.set)
        one.pass_on((1,), item)
        await asyncio.wait_for(done.wait(), 10)
        assert got == [item]
        assert other.counts["in"] == 1
        other.close()
        one.close()
        links.close()
        links.close()

    asyncio.run(test())


def test_what_goes_in_one_moment_goes_as_one_datagram_within_bounds() -> None:
    async def test() -> None:
        links = Links(2)
        one, sock = RelayLinks(links.of(0)), links.of(1)[0]
        item = packet_item(b"k", None, None, b"\0" * 1200)
        for _ in range(100):
            one.pass_on((1,), item)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

        sizes = []
        try:
            while True:
                sizes.append(len(sock.recv(1 << 17)))
        except BlockingIOError:
            pass

        assert sum(sizes) == 100 * len(item)
        assert len(sizes) == 3
        assert max(sizes) <= MAX_DATAGRAM_BYTES
        one.close()
        links.close()

    asyncio.run(test())


def test_every_two_workers_have_one_pair() -> None:
    links = Links(4)

    assert [sorted(links.of(n)) for n in range(4)] == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]
    links.of(2)[3].send(b"x")
    assert links.of(3)[2].recv(10) == b"x"
    assert isinstance(links.of(0)[1], socket.socket)
    links.close()
