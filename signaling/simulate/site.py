"""One simulated site: a line, and media; it obeys what the server tells and does what its life brings."""

import asyncio
from collections.abc import Coroutine
from random import Random
from typing import Final

from room_manager.media.loops import Loop
from signaling.simulate.door import Door
from signaling.simulate.job import Place
from signaling.simulate.life import (
    SPEECH_S,
    Act,
    ComeBack,
    GoAway,
    LowerHand,
    MendLine,
    RaiseHand,
    WeakenLine,
)
from signaling.simulate.line import Line
from signaling.simulate.media import Media
from signaling.wire import client as say
from signaling.wire import server as told

WEAK_LOSS: Final = 0.06
SMALLEST: Final = ("q",)  # until it is told what is watched
ALL_LAYERS: Final = ("q", "h", "f")
PEOPLE: Final = (3, 25)


class SimulatedSite:
    """Sends the layers somebody watches, its voice while it has the floor, and yields it in the end.

    ``loss``: this share of what arrives is always lost, and more while its life weakens the line.
    """

    def __init__(self, place: Place, door: Door, loop: Loop, chance: Random, loss: float = 0.0) -> None:
        self.code = place.site
        self._chance = chance
        self._line = Line(place.link, door, chance, self._hear)
        self._media = Media(self._line, loop)
        self._has_floor = False
        self._on_stage = False
        self._wanted: tuple[str, ...] | None = None  # None: the server has not said yet
        self._loss = loss
        self._may_speak = False
        self._speech: asyncio.TimerHandle | None = None
        self._saying: set[asyncio.Task[bool]] = set()

    async def run(self) -> None:
        """Be in the meeting until it ends or the server says not to come back."""
        media = asyncio.create_task(self._media.run())
        try:
            await self._line.run()
        finally:
            self._floor_is(mine=False)
            for task in (media, *self._saying):
                task.cancel()
            await asyncio.gather(media, *self._saying, return_exceptions=True)

    async def do(self, act: Act) -> None:
        """What its life brings."""
        match act:
            case RaiseHand():
                await self._line.say(say.RaiseHand(rid=self._line.number()))
            case LowerHand():
                await self._line.say(say.LowerHand(rid=self._line.number()))
            case GoAway():
                self._line.cut()
                self._media.stop()
            case ComeBack():
                self._line.mend()
            case WeakenLine():
                self._media.lose(max(WEAK_LOSS, self._loss))
            case MendLine():
                self._media.lose(self._loss)

    def _hear(self, message: told.AnyServerMessage) -> None:
        match message:
            case told.Welcome():
                self._wanted = None
                self._media.lose(self._loss)
                self._media.renew(0.0)
                people = round(self._chance.uniform(*PEOPLE))
                self._soon(self._line.say(say.CountPeople(rid=self._line.number(), people=people)))
            case told.MediaLost():
                self._wanted = None
                self._media.renew(message.retry_after_ms / 1000)
            case told.Answer() | told.Problem():
                self._media.hear(message)
            case told.Floor():
                self._floor_is(mine=message.site is not None and message.site.code == self.code)
            case told.Stage():
                shown = {message.main.code, *(tile.code for tile in message.tiles)}
                self._on_stage = self.code in shown
            case told.Microphones():
                self._may_speak = message.you_may_speak
            case told.Layers() if message.role == "camera":
                self._wanted = message.layers
            case _:
                return
        seen = ALL_LAYERS if self._on_stage or self._has_floor else SMALLEST
        layers = seen if self._wanted is None else self._wanted
        self._media.send(layers=layers, voice=self._has_floor and self._may_speak)

    def _floor_is(self, *, mine: bool) -> None:
        if mine == self._has_floor:
            return
        self._has_floor = mine
        if self._speech is not None:
            self._speech.cancel()
            self._speech = None
        if mine:
            loop = asyncio.get_running_loop()
            self._speech = loop.call_later(self._chance.uniform(*SPEECH_S), self._finish_speech)

    def _finish_speech(self) -> None:
        self._soon(self._line.say(say.YieldFloor(rid=self._line.number())))

    def _soon(self, saying: Coroutine[object, object, bool]) -> None:
        task = asyncio.create_task(saying)
        self._saying.add(task)
        task.add_done_callback(self._saying.discard)
