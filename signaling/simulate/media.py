"""A simulated site's one peer connection: offered when there is a line, offered anew when it is gone."""

import asyncio
from typing import Final, Protocol

from room_manager.media.light import ConnectFailed, LightPeer
from room_manager.media.loops import Loop
from signaling.wire import client as say
from signaling.wire import server as told

ANSWER_LIMIT_S: Final = 20.0
RETRY_S: Final = 3.0


class Asking(Protocol):
    """The part of a line that media needs."""

    def number(self) -> int:
        """A rid for the next message."""

    async def say(self, message: say.ClientMessage) -> bool:
        """False when there is no line to say it on."""


class Media:
    """Owns the peer. ``run`` offers whenever :meth:`renew` has asked for it or the peer has gone down."""

    def __init__(self, line: Asking, loop: Loop) -> None:
        self._line = line
        self._loop = loop
        self._peer: LightPeer | None = None
        self._due = asyncio.Event()
        self._wait_s = 0.0
        self._rid = 0
        self._answer: asyncio.Future[told.Answer | None] | None = None
        self._layers: tuple[str, ...] = ()
        self._voice = False
        self._loss = 0.0

    def renew(self, after_s: float) -> None:
        """Offer a new connection after this wait; there is a line."""
        self._wait_s = after_s
        self._due.set()

    def stop(self) -> None:
        """End the connection; no new one until :meth:`renew`."""
        self._due.clear()
        self._close()

    def hear(self, message: told.Answer | told.Problem) -> None:
        """What the server says to the offer."""
        if self._answer is not None and not self._answer.done() and message.rid == self._rid:
            self._answer.set_result(message if isinstance(message, told.Answer) else None)

    def send(self, *, layers: tuple[str, ...], voice: bool) -> None:
        """Send these from now on."""
        if (layers, voice) != (self._layers, self._voice):
            self._layers, self._voice = layers, voice
            self._play()

    def lose(self, share: float) -> None:
        """Let this share of what arrives get lost."""
        self._loss = share
        self._play()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                await self._due.wait()
                self._due.clear()
                await asyncio.sleep(self._wait_s)
                if not await self._offer():
                    self._wait_s = RETRY_S
                    self._due.set()
        finally:
            self._close()

    async def _offer(self) -> bool:
        self._close()
        peer = LightPeer(count_only=True)
        self._rid = self._line.number()
        self._answer = asyncio.get_running_loop().create_future()
        if not await self._line.say(say.Offer(rid=self._rid, sdp=peer.offer())):
            return True  # without a line the next welcome asks again
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                answer = await self._answer
            if answer is None:
                return False
            await peer.accept(answer.sdp, answer.slots)
            await peer.connected()
        except (TimeoutError, ConnectFailed, OSError):
            peer.close()
            return False
        except asyncio.CancelledError:
            peer.close()
            raise
        self._peer = peer
        peer.on_closed = lambda: self._lost(peer)
        self._play()
        return True

    def _lost(self, peer: LightPeer) -> None:
        if peer is self._peer:
            self._peer = None
            self.renew(RETRY_S)

    def _close(self) -> None:
        peer, self._peer = self._peer, None
        if peer is not None:
            peer.close()

    def _play(self) -> None:
        peer = self._peer
        if peer is None:
            return
        peer.loss = self._loss
        if self._layers or self._voice or self._loss:
            # A player without layers still reports, and that is how a weak line is noticed.
            peer.play(self._loop, layers=self._layers, voice=self._voice)
        else:
            peer.stop()
