"""Publishers are told which of their layers anybody watches; what they send again is shown at once."""

from room_manager.ids import SiteId
from room_manager.media.engine import LayersWanted, Scene
from room_manager.media.light import Sections
from room_manager.media.sfu.slot import Limit
from tests.helpers.router_driver import DELTA, KEY, ROOM, WATCHER, Peer, RouterDriver

A, B, C = SiteId("00001"), SiteId("00004"), SiteId("00006")
WALL = Sections(False, False, False, audio_slots=0, video_slots=25)


class Obedient:
    """A publisher that sends the layers it is told to, a keyframe first, as browsers do."""

    def __init__(self, driver: RouterDriver, peer: Peer) -> None:
        self.driver, self.peer = driver, peer
        self.sends: tuple[str, ...] = ("q", "h", "f")
        self.told: list[tuple[str, ...]] = []  # rids
        self._heard = 0

    def listen(self) -> None:
        for event in self.driver.events[self._heard :]:
            if (
                isinstance(event, LayersWanted)
                and event.connection == self.peer.connection
                and event.role == "camera"
            ):
                self.told.append(event.layers)
        self._heard = len(self.driver.events)

    def frame(self) -> None:
        self.listen()
        wanted = self.told[-1] if self.told else ("q", "h", "f")
        self.peer.picture += 1
        asked = self.peer.keyframe_asks() > 0
        self.driver.egress.controls.clear()
        for layer in wanted:
            fresh = asked or layer not in self.sends
            self.peer.video(
                layer, (KEY if fresh else DELTA) + layer.encode(), picture=self.peer.picture,
                timestamp=self.peer.picture * 3000,
            )  # fmt: skip
        self.sends = wanted


def bodies(peer: Peer, slot: str) -> list[str]:
    return [p.data[p.start + 5 : p.end].decode() for p in peer.got(slot)]


def play(driver: RouterDriver, publishers: list[Obedient], seconds: float) -> None:
    for _ in range(round(seconds / 0.05)):
        for publisher in publishers:
            publisher.frame()
        driver.wait(0.05)


def staged() -> tuple[RouterDriver, Obedient, Obedient, Peer]:
    driver = RouterDriver()
    a, b = Obedient(driver, driver.join(A)), Obedient(driver, driver.join(B))
    return driver, a, b, driver.join(C, WATCHER)


def test_who_is_not_watched_is_told_so_after_a_while_and_once() -> None:
    driver, a, b, _ = staged()

    play(driver, [a, b], 1.9)
    assert a.told == []
    play(driver, [a, b], 3)

    assert a.told == [()]
    assert b.told == [()]


def test_the_main_site_sends_its_largest_layer_and_a_tile_its_smallest() -> None:
    driver, a, b, _ = staged()
    driver.scene(Scene(main=A, tiles=(B,)))

    play(driver, [a, b], 4)

    assert a.told[-1] == ("f",)
    assert b.told[-1] == ("q",)


def test_a_layer_that_is_wanted_again_is_told_at_once_and_shown_with_its_first_packet() -> None:
    driver, a, b, c = staged()
    driver.scene(Scene(main=A))
    play(driver, [a, b], 4)
    assert [a.told[-1], b.told[-1]] == [("f",), ()]
    driver.forget()

    driver.scene(Scene(main=B))
    b.listen()
    assert list(b.told[-1]) == ["f"]
    a.frame()
    b.frame()
    a.frame()

    assert bodies(c, "main") == ["f", "f"]
    first, second = c.got("main")
    assert second.data[second.start + 4 : second.start + 5] == KEY
    assert (second.seq - first.seq) & 0xFFFF == 1
    play(driver, [a, b], 1.5)
    assert len(a.told[-1]) == 1  # speakers take turns
    play(driver, [a, b], 1)
    assert len(a.told[-1]) == 0


def test_the_old_picture_does_not_stay_if_nothing_comes() -> None:
    driver, a, b, c = staged()
    driver.scene(Scene(main=A))
    play(driver, [a, b], 4)

    driver.scene(Scene(main=B))  # B's camera does not come back
    for _ in range(18):
        a.frame()
        driver.wait(0.05)
    driver.forget()
    a.frame()
    assert bodies(c, "main") == ["f"]
    driver.wait(0.3)
    driver.forget()
    a.frame()

    assert bodies(c, "main") == []


def test_nobody_sees_itself_while_the_picture_after_it_is_awaited() -> None:
    driver, a, b, _ = staged()
    driver.scene(Scene(main=A))
    play(driver, [a, b], 4)
    driver.scene(Scene(main=B))

    backup = driver.join(A, WATCHER)
    driver.router.use(ROOM, A, a.peer.connection, driver.now)
    a.peer.frame(KEY + b"a")

    assert bodies(backup, "main") == []


def test_limits_and_walls_count_among_those_who_watch() -> None:
    driver, a, b, c = staged()
    driver.scene(Scene(main=A))
    wall = driver.join(None, WALL)
    driver.router.watch(wall.connection, [A, B], driver.now)
    driver.limit(c, main=Limit("h"))
    play(driver, [a], 1)
    # The watching of others: B sees A in main as well.
    driver.limit(b.peer, main=Limit(None))
    play(driver, [a, b], 5)

    assert a.told[-1] == ("q", "h")
    assert b.told[-1] == ("q",)
    driver.router.leave(wall.connection, driver.now)
    driver.limit(c, main=Limit(None))
    play(driver, [a, b], 3)
    assert [a.told[-1], b.told[-1]] == [(), ()]


def test_who_does_not_listen_is_shown_as_before() -> None:
    driver, _, b, c = staged()
    driver.scene(Scene(main=A))
    for _ in range(100):
        b.peer.frame(KEY + b"b")
        driver.wait(0.05)
    driver.forget()

    driver.scene(Scene(main=B))
    b.peer.frame(KEY + b"b")

    assert bodies(c, "main") == ["b"]


def test_a_screen_is_wanted_while_it_is_content() -> None:
    driver, a, _, _ = staged()
    driver.wait(3)
    driver.scene(Scene(content=A))

    told = [
        event.layers
        for event in driver.events
        if isinstance(event, LayersWanted)
        and event.connection == a.peer.connection
        and event.role == "screen"
    ]
    assert told == [(), ("",)]
