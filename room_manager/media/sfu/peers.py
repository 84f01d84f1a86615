"""Who is connected: every peer by its connection, by its ICE user and by the addresses it has proved."""

import zlib
from collections.abc import Hashable
from typing import Final

from room_manager.ids import ConnectionId, RoomId
from room_manager.media.sfu.dtls import Handshake
from room_manager.media.sfu.ice import Credentials
from room_manager.media.sfu.stream import Stream
from room_manager.media.sfu.udp import Receiver

MAX_ORIGINS: Final = 8  # proven ones of one peer


class Peer(Receiver):
    """One connection: where it is, what it proved, and its keys."""

    __slots__ = (
        "_answer",
        "born_at",
        "checks",
        "coming",
        "connection",
        "controls",
        "credentials",
        "handshake",
        "heard_at",
        "lasting",
        "origin",
        "origins",
        "packets",
        "records",
        "room",
        "slots",
        "ssrcs",
    )

    def __init__(
        self,
        room: RoomId,
        connection: ConnectionId,
        credentials: Credentials,
        handshake: Handshake,
        lasting: str,
        now: float,
    ) -> None:
        """``lasting`` is what of its offer no restart may change."""
        super().__init__()
        self.room = room
        self.connection = connection
        self.credentials = credentials
        self.coming: Credentials | None = None  # of an ICE restart that has not proved itself yet
        self.handshake = handshake
        self.lasting = lasting
        self.born_at = self.heard_at = now
        self.origin: Hashable = None  # where its packets go
        self.origins: list[Hashable] = []  # where its packets may come from
        self.packets = 0  # authentic RTP and RTCP since the last sweep
        self.controls = 0  # RTCP among them
        self.checks = 0  # authentic ones since then
        self.records = 0  # DTLS datagrams since then
        self.ssrcs: set[bytes] = set()
        self.slots: dict[str, str] = {}  # as answered: mid → slot
        self._answer = b""

    @property
    def answer(self) -> str:
        """What its offer was last answered; kept small, since most are never asked for it again."""
        return zlib.decompress(self._answer).decode()

    @answer.setter
    def answer(self, text: str) -> None:
        self._answer = zlib.compress(text.encode())


class Peers:
    """The tables. Whoever is removed is in none of them."""

    def __init__(self) -> None:
        self.by_connection: dict[ConnectionId, Peer] = {}
        self.by_origin: dict[Hashable, Peer] = {}
        self.waiting: set[Peer] = set()  # without keys
        self._users: dict[bytes, tuple[Peer, Credentials]] = {}

    def add(self, peer: Peer) -> None:
        """It has been answered."""
        self.by_connection[peer.connection] = peer
        self.waiting.add(peer)
        self._users[peer.credentials.ufrag] = (peer, peer.credentials)

    def user(self, ufrag: bytes) -> tuple[Peer, Credentials] | None:
        """Whose name this is in a check, and with which credentials it must agree."""
        return self._users.get(ufrag)

    def expect(self, peer: Peer, credentials: Credentials) -> None:
        """It restarts ICE; until an address has proved the new credentials, the old ones go on."""
        if peer.coming is not None:
            del self._users[peer.coming.ufrag]
        peer.coming = credentials
        self._users[credentials.ufrag] = (peer, credentials)

    def settle(self, peer: Peer) -> None:
        """The restart is done: the old credentials are worth nothing any more."""
        assert peer.coming is not None
        del self._users[peer.credentials.ufrag]
        peer.credentials, peer.coming = peer.coming, None

    def admit(self, peer: Peer, origin: Hashable) -> None:
        """The address has proved that it is this peer's; beyond ``MAX_ORIGINS`` the oldest is forgotten."""
        self.expel(origin)
        self.by_origin[origin] = peer
        peer.origins.append(origin)
        if len(peer.origins) > MAX_ORIGINS:
            oldest = next(o for o in peer.origins if o != peer.origin)
            self.expel(oldest)
            _close(oldest)

    def expel(self, origin: Hashable) -> None:
        """Nothing more is taken from there; an unknown one is fine."""
        peer = self.by_origin.pop(origin, None)
        if peer is not None:
            peer.origins.remove(origin)

    def remove(self, peer: Peer) -> None:
        """It is gone."""
        self.by_connection.pop(peer.connection, None)
        self.waiting.discard(peer)
        self._users.pop(peer.credentials.ufrag, None)
        if peer.coming is not None:
            self._users.pop(peer.coming.ufrag, None)
        for origin in list(peer.origins):
            self.expel(origin)
            _close(origin)


def _close(origin: Hashable) -> None:
    """A TCP connection belongs to its peer, and ends when it is the peer's no more."""
    if isinstance(origin, Stream):
        origin.close()
