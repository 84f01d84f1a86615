"""Workers of one engine without processes: a router each, and links that deliver at once, or not at all."""

from collections import Counter, deque

from room_manager.ids import ConnectionId, SiteId
from room_manager.media.engine import Scene
from room_manager.media.sfu.relay import Peers
from room_manager.media.sfu.relay_wire import Ask, Item, Needs, Passed, Said, items, said_item, stream_of
from tests.helpers.router_driver import ROOM, TICK_S, RouterDriver


class Links:
    """One worker's outlet; what it says waits until :meth:`LinkedWorkers.settle`."""

    def __init__(self, owner: "LinkedWorkers", worker: int, workers: int) -> None:
        self.peers: Peers = tuple(n for n in range(workers) if n != worker)
        self._owner = owner
        self._worker = worker

    def pass_on(self, peers: Peers, item: bytes) -> None:
        for peer in peers:
            self._owner.under_way.append((self._worker, peer, item))

    def say(self, peers: Peers, said: Said) -> None:
        item = said_item(said)
        assert item is not None
        self.pass_on(peers, item)


class LinkedWorkers:
    """All have one room, one scene, one clock."""

    def __init__(self, workers: int = 2) -> None:
        self.under_way: deque[tuple[int, int, bytes]] = deque()
        self.crossed: list[tuple[int, int, Item]] = []  # from, to, what
        self.cut: set[int] = set()  # workers nothing comes from and nothing reaches
        self.workers = [RouterDriver(Links(self, n, workers)) for n in range(workers)]

    def __getitem__(self, worker: int) -> RouterDriver:
        return self.workers[worker]

    def scene(self, scene: Scene) -> None:
        for worker in self.workers:
            worker.scene(scene)
        self.settle()

    def use(self, site: SiteId, connection: ConnectionId) -> None:
        for worker in self.workers:
            worker.router.use(ROOM, site, connection, worker.now)
        self.settle()

    def settle(self) -> None:
        """Deliver what is under way, and what follows from it."""
        for _ in range(10_000):
            if not self.under_way:
                return
            sender, receiver, item = self.under_way.popleft()
            if {sender, receiver} & self.cut:
                continue
            self.crossed += [(sender, receiver, what) for what in items(item)]
            worker = self.workers[receiver]
            worker.router.relayed(sender, item, worker.now)
        raise AssertionError("they never stop talking")

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK_S)):
            for worker in self.workers:
                worker.wait(TICK_S)
            self.settle()

    def forget(self) -> None:
        self.crossed.clear()
        for worker in self.workers:
            worker.forget()

    def packets(self, sender: int, receiver: int) -> Counter[tuple[SiteId, str, str]]:
        """Packets that crossed: by site, role and layer."""
        streams = [
            stream_of(what.stream)
            for come_from, to, what in self.crossed
            if (come_from, to) == (sender, receiver) and isinstance(what, Passed)
        ]
        return Counter((stream.site, stream.role, stream.rid) for stream in streams)

    def asks(self, sender: int, receiver: int) -> list[Ask]:
        return [w for s, r, w in self.crossed if (s, r) == (sender, receiver) and isinstance(w, Ask)]

    def needs(self, sender: int) -> list[Needs]:
        return [w for s, _, w in self.crossed if s == sender and isinstance(w, Needs)]
