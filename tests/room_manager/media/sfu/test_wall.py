"""The wall's pages and the programme's one voice."""

import pytest

from room_manager.errors import DomainError
from room_manager.ids import ConnectionId, SiteId
from room_manager.media.engine import Scene
from room_manager.media.light import LightPeer, Sections
from room_manager.media.sfu import sdp, vp8
from room_manager.media.sfu.levels import Levels
from tests.helpers.router_driver import KEY, ROOM, WATCHER, Peer, RouterDriver

WALL = Sections(False, False, False, audio_slots=0, video_slots=25)
PROGRAMME = Sections(False, False, False, audio_slots=1, video_slots=2)
A, B, C = SiteId("00001"), SiteId("00004"), SiteId("00006")
WARDS = [SiteId(f"1{number:04}") for number in range(30)]


def seen(peer: Peer, slot: str) -> list[str]:
    return [p.data[p.start + 5 : p.end].decode() for p in peer.got(slot)]


def play(driver: RouterDriver, sites: dict[SiteId, Peer], frames: int = 1) -> None:
    """A keyframe in every layer of everybody; its body is layer and site."""
    for _ in range(frames):
        for site, peer in sites.items():
            peer.picture += 1
            for layer in "qhf":
                body = KEY + f"{layer} {site}".encode()
                peer.video(layer, body, picture=peer.picture, timestamp=peer.picture * 3000)
        driver.wait(0.1)


def test_an_offer_of_nothing_but_many_pictures_is_a_wall() -> None:
    driver = RouterDriver()

    assert [r.slot for r in driver.join(None, WALL).plan.receiving] == [f"wall-{n}" for n in range(1, 26)]
    for sections in (
        Sections(False, False, False, audio_slots=0, video_slots=6),
        Sections(False, False, False, audio_slots=2, video_slots=25),
        Sections(True, False, False, audio_slots=0, video_slots=25),
    ):
        slots = [r.slot for r in driver.join(A, sections).plan.receiving]
        assert [slot for slot in slots if slot.startswith("wall")] == []
        assert slots[-1] == "tile-4"


def test_a_page_of_the_wall_shows_its_sites_small_and_nobody_else_is_touched() -> None:
    driver = RouterDriver()
    wards = {site: driver.join(site) for site in WARDS}
    viewer = driver.join(None)
    driver.scene(Scene(main=WARDS[0]))
    play(driver, wards, 12)
    driver.forget()
    wall = driver.join(None, WALL)

    driver.router.watch(wall.connection, WARDS[:25], driver.now)
    asked = {site for site, peer in wards.items() if peer.keyframe_asks()}
    play(driver, wards)
    driver.router.watch(wall.connection, [*WARDS[25:], SiteId("unknown")], driver.now)
    play(driver, wards)

    assert asked == set(WARDS[:25])
    for number in range(25):
        shown = seen(wall, f"wall-{number + 1}")
        page = [f"q {site}" for site in (WARDS[number], *WARDS[25 + number : 26 + number])]
        assert shown == page
    first, second = wall.got("wall-1")
    assert (second.seq - first.seq) & 0xFFFF == 1
    ids = [vp8.describe(p.data, p.start, p.end).picture_id for p in (first, second)]
    assert None not in ids
    assert (ids[1] or 0) - (ids[0] or 0) == 1
    assert set(seen(viewer, "main")) == {f"f {WARDS[0]}"}


def test_two_walls_share_what_both_show_and_a_site_is_not_shown_itself() -> None:
    driver = RouterDriver()
    wards = {site: driver.join(site) for site in (A, B)}
    walls = [driver.join(None, WALL), driver.join(None, WALL), driver.join(A, WALL)]
    driver.router.use(ROOM, A, wards[A].connection, driver.now)
    for wall in walls:
        driver.router.watch(wall.connection, [A, B], driver.now)
    play(driver, wards)
    stats = driver.router.stats(ROOM)
    assert stats is not None
    lanes = stats.lanes

    assert lanes == 2
    assert [seen(wall, "wall-1") for wall in walls] == [[f"q {A}"], [f"q {A}"], []]
    assert [seen(wall, "wall-2") for wall in walls] == [[f"q {B}"]] * 3
    driver.router.watch(walls[0].connection, [], driver.now)
    play(driver, wards)
    assert len(seen(walls[0], "wall-1")) == 1
    assert len(seen(walls[1], "wall-1")) == 2


def test_what_a_wall_watches_is_remembered_until_it_is_there() -> None:
    driver = RouterDriver()
    wards = {A: driver.join(A)}
    wall = driver.join(None, WALL, up=False)
    driver.router.watch(wall.connection, [A], driver.now)
    driver.router.secured(wall.connection, driver.now)

    play(driver, wards)

    assert seen(wall, "wall-1") == [f"q {A}"]
    with pytest.raises(DomainError, match="no such connection"):
        driver.router.watch(ConnectionId("nobody"), [A], driver.now)


def test_who_offers_one_sound_and_sends_nothing_hears_the_programme() -> None:
    driver = RouterDriver()
    a, b, c = driver.join(A), driver.join(B), driver.join(C)
    recorder = driver.join(None, PROGRAMME)
    assert [r.slot for r in recorder.plan.receiving] == ["programme", "main", "content"]
    driver.scene(Scene(heard_only=None, voices=(A, B)))

    def speak(seconds: float, levels: dict[Peer, int]) -> list[str]:
        driver.forget()
        for _ in range(round(seconds * 20)):
            for peer, level in levels.items():
                peer.voice(level, {a: b"A", b: b"B", c: b"C"}[peer])
            driver.wait(0.05)
        return [p.data[p.start : p.end].decode() for p in recorder.got("programme")]

    assert set(speak(2, {a: 30, b: 120, c: 10})[20:]) == {"A"}  # C is louder, but not named
    assert set(speak(2, {a: 34, b: 30, c: 10})) == {"A"}  # B is louder, but not by much
    heard = speak(2, {a: 120, b: 30, c: 10})
    assert heard[0] == "A"
    assert set(heard[-20:]) == {"B"}
    assert heard == sorted(heard)  # one change
    packets = recorder.got("programme")
    assert [(p.seq - packets[0].seq) & 0xFFFF for p in packets] == list(range(len(packets)))


def test_a_programme_without_named_speakers_has_the_loudest_of_all() -> None:
    levels = Levels()
    for step in range(40):
        levels.heard(A, 30, step * 0.02)
        levels.heard(B, 20, step * 0.02)
    everybody = {A, B, C}

    assert levels.voice(None, (), everybody.__contains__, 0.8) == B
    assert levels.voice(None, (C,), everybody.__contains__, 0.8) == B
    assert levels.voice(B, (C,), {A, C}.__contains__, 0.8) == A
    assert levels.voice(None, (C,), {C}.__contains__, 0.8) == C
    assert levels.voice(None, (C,), set().__contains__, 0.8) is None
    assert levels.voice(A, (A,), everybody.__contains__, 9.0) == A
    assert levels.voice(B, (A,), everybody.__contains__, 9.0) == A


def test_walls_and_programmes_leave_other_offers_as_they_were() -> None:
    driver = RouterDriver()

    watcher = sdp.parse(LightPeer(WATCHER).offer())

    assert [r.slot for r in driver.join(None).plan.receiving] == [
        *("audio-1", "audio-2", "audio-3", "main", "content", "tile-1", "tile-2", "tile-3", "tile-4")
    ]
    assert len(watcher.sections) == 9
    one = Sections(True, True, True, audio_slots=1, video_slots=1)
    assert [r.slot for r in driver.join(A, one).plan.receiving] == ["audio-1", "main"]
