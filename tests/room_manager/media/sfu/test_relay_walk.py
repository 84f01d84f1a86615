"""Whoever is with which worker: a meeting shows everybody the same as if there were one worker only."""

from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from room_manager.ids import SiteId
from room_manager.media.engine import Scene
from tests.helpers.linked_workers import LinkedWorkers
from tests.helpers.router_driver import KEY, ROOM, Peer

SITES: Final = tuple(SiteId(f"0000{n}") for n in range(1, 4))
WORKERS: Final = 3
STEPS: Final = 8
SETTLE_S: Final = 2.5  # a layer that comes back is trusted after half a second, needs are void after three
LOOK_S: Final = 0.5

Seen = dict[str, frozenset[SiteId]]
"""By slot, all sound under one name: whose packets came in the last moment."""


class Hall:
    """One meeting; ``spread`` puts each site with a worker of its own, else all are with one."""

    def __init__(self, *, spread: bool) -> None:
        self._spread = spread
        self._links = LinkedWorkers(WORKERS if spread else 1)
        self.peers: dict[int, tuple[int, SiteId | None, Peer]] = {}

    def join(self, number: int, site: SiteId | None, worker: int) -> None:
        place = worker if self._spread else 0
        peer = self._links[place].join(site)
        self._links.settle()
        self.peers[number] = (place, site, peer)

    def leave(self, number: int) -> None:
        place, _, peer = self.peers.pop(number)
        self._links[place].router.leave(peer.connection, self._links[place].now)
        self._links.settle()

    def scene(self, scene: Scene) -> None:
        self._links.scene(scene)

    def close(self) -> None:
        for worker in self._links.workers:
            worker.router.close_room(ROOM, worker.now)

    def look(self) -> dict[int, Seen]:
        self._play(SETTLE_S)
        self._links.forget()
        self._play(LOOK_S)
        return {number: self._seen(peer) for number, (_, _, peer) in self.peers.items()}

    def _play(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.05)):
            for _, site, peer in self.peers.values():
                if site is not None:
                    peer.frame(KEY + site.encode())
                    peer.video(kind="screen", body=KEY + site.encode())
                    peer.voice(30, site.encode())
            self._links.settle()
            self._links.wait(0.05)

    @staticmethod
    def _seen(peer: Peer) -> Seen:
        found: dict[str, frozenset[SiteId]] = {}
        for receiving in peer.plan.receiving:
            packets = peer.got(receiving.slot)
            names = frozenset(SiteId(p.data[p.end - 5 : p.end].decode()) for p in packets)
            slot = "sound" if receiving.slot.startswith("audio") else receiving.slot
            found[slot] = found.get(slot, frozenset()) | names
        return found


def someone(*, nobody: bool = True) -> st.SearchStrategy[SiteId | None]:
    return st.sampled_from([*SITES, None] if nobody else list(SITES))


scenes: Final = st.builds(
    Scene,
    main=someone(),
    host=someone(),
    content=someone(),
    tiles=st.lists(st.sampled_from(SITES), max_size=3, unique=True).map(tuple),
    heard_only=st.none() | st.frozensets(st.sampled_from(SITES)),
    heard_never=st.frozensets(st.sampled_from(SITES), max_size=1),
    voices=st.lists(st.sampled_from(SITES), max_size=2, unique=True).map(tuple),
)


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_a_meeting_on_several_workers_shows_the_same_as_on_one(data: st.DataObject) -> None:
    spread, whole = Hall(spread=True), Hall(spread=False)
    homes = {site: data.draw(st.integers(0, WORKERS - 1), label=f"home of {site}") for site in SITES}
    joined = 0
    for _ in range(STEPS):
        choices = ["join", "watch", "scene"] + (["leave"] if spread.peers else [])
        act = data.draw(st.sampled_from(choices), label="act")
        if act == "leave":
            number = data.draw(st.sampled_from(sorted(spread.peers)), label="who")
            for hall in (spread, whole):
                hall.leave(number)
        elif act == "scene":
            scene = data.draw(scenes, label="scene")
            for hall in (spread, whole):
                hall.scene(scene)
        else:
            site = data.draw(someone(nobody=False)) if act == "join" else None
            worker = (
                homes[site] if site is not None else data.draw(st.integers(0, WORKERS - 1), label="where")
            )
            joined += 1
            for hall in (spread, whole):
                hall.join(joined, site, worker)

    assert spread.look() == whole.look()
