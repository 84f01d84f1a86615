"""One line to the city after the other: the challenge, the hello, and what is said while it holds.

Decides nothing about orders or reports; it hands on what comes, and says what it is given.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from kiosk_client.beats import Beats
from kiosk_client.clock import CityClock
from kiosk_client.counter import Counter
from kiosk_client.errors import NotKept
from kiosk_client.key import DeviceKey
from kiosk_client.system import System
from kiosk_client.wire import Cut, Dial, Wire
from signaling.wire.kiosk import proofs
from signaling.wire.kiosk.city import (
    AnyCityMessage,
    Carry,
    Challenge,
    DeviceWelcome,
    Go,
    Heard,
    NoGo,
    Offered,
    Rejected,
    SentAway,
    Settings,
    Stored,
    TakeBack,
    Token,
)
from signaling.wire.kiosk.device import AnyDeviceMessage, Beat, DeviceHello
from signaling.wire.kiosk.words import DeviceId, DeviceTime, Facts

HELLO_WITHIN_S: Final = 15.0
TOKEN_MARGIN_S: Final = 10.0

Said = Carry | TakeBack | Go | NoGo | Offered | Settings | Stored | Rejected

_decoder: Final = msgspec.json.Decoder(AnyCityMessage)
_encoder: Final = msgspec.json.Encoder()

log = logging.getLogger(__name__)


class Ears(Protocol):
    """Who is told what the city says. An order of messages is kept: the next one waits for these."""

    async def on_welcome(self, welcome: DeviceWelcome) -> None: ...

    async def on_said(self, message: Said) -> None: ...


class Line:
    """Speaks with one city as one device."""

    def __init__(
        self,
        *,
        dial: Dial,
        host: str,
        agent: str,
        counter: Counter,
        clock: CityClock,
        system: System,
        beats: Beats,
    ) -> None:
        self._dial = dial
        self._host = host
        self._agent = agent
        self._counter = counter
        self._clock = clock
        self._system = system
        self._beats = beats
        self._wire: Wire | None = None
        self._token = ""
        self._token_ends_at = 0.0
        self._n = 0
        self.welcomed = False

    def time(self) -> DeviceTime:
        """Now, with a counter of its own."""
        system = self._system
        return DeviceTime(system.boot, self._counter.next(), max(0.0, system.mono()), max(0.0, system.wall()))

    def token(self) -> str | None:
        """The bearer token, while it is good."""
        now = self._clock.now(self._system.mono())
        return self._token if now is not None and now < self._token_ends_at - TOKEN_MARGIN_S else None

    async def attend(self, device: DeviceId, signer: Callable[[], DeviceKey], ears: Ears) -> SentAway:
        """Open a line and serve it to its end.

        Raises:
            Cut: there is no line, or no longer.
        """
        dialled = self._system.mono()
        wire = await self._dial()
        self._wire = wire
        try:
            async with asyncio.timeout(HELLO_WITHIN_S):
                first = await self._hear(wire)
                if isinstance(first, SentAway):
                    return first
                if not isinstance(first, Challenge):
                    raise Cut("the city began with something else than a challenge")
                self._clock.hear(first.time, dialled, self._system.mono())
                said_hello = self._system.mono()
                await self._send(wire, self._hello(device, signer(), first.nonce))
                answer = await self._hear(wire)
            if isinstance(answer, SentAway):
                return answer
            if not isinstance(answer, DeviceWelcome):
                raise Cut("the city answered the hello with something else than a welcome")
            self._clock.hear(answer.time, said_hello, self._system.mono())
            self._token, self._token_ends_at = answer.token, answer.token_ends_at
            self._n = 0
            self.welcomed = True
            await ears.on_welcome(answer)
            return await self._serve(wire, ears)
        except TimeoutError:
            raise Cut("the city did not answer the hello in time") from None
        finally:
            self.welcomed = False
            self._wire = None
            self._beats.cut(self._system.mono())
            await wire.close()

    async def say(self, message: AnyDeviceMessage) -> bool:
        """False: there is no line, or it broke; the message may still have arrived."""
        wire = self._wire
        if wire is None or not self.welcomed:
            return False
        try:
            await self._send(wire, message)
        except Cut:
            return False
        return True

    async def beat(self, facts: Facts) -> None:
        """Tell how the device is; without a line it is dropped."""
        mono = self._system.mono()
        if not self.welcomed:
            self._beats.dropped(mono)
            return
        if self._beats.is_dead(mono):
            log.warning("! no answers: the line is given up")
            await self.hang_up()
            return
        self._n += 1
        self._beats.sent(self._n, mono)
        await self.say(Beat(n=self._n, at=self.time(), facts=facts))

    async def round_trip_s(self) -> float:
        """Ask the other end's socket whether it is there. Raises Cut."""
        wire = self._wire
        if wire is None:
            raise Cut("there is no line")
        began = self._system.mono()
        await wire.ping()
        return self._system.mono() - began

    async def hang_up(self) -> None:
        """End this connection; the next one is opened as after any cut."""
        if self._wire is not None:
            await self._wire.close()

    def _hello(self, device: DeviceId, key: DeviceKey, nonce: str) -> DeviceHello:
        at = self.time()
        signature = key.sign(proofs.hello_text(self._host, device, nonce, at))
        return DeviceHello(device=device, nonce=nonce, at=at, agent=self._agent, signature=signature)

    async def _serve(self, wire: Wire, ears: Ears) -> SentAway:
        while True:
            message = await self._hear(wire)
            match message:
                case None | Challenge() | DeviceWelcome():
                    continue
                case Heard():
                    mono = self._system.mono()
                    sent = self._beats.heard(message.n, mono)
                    if sent is not None:
                        self._clock.hear(message.time, sent, mono)
                case Token():
                    self._token, self._token_ends_at = message.token, message.token_ends_at
                case SentAway():
                    return message
                case _:
                    try:
                        await ears.on_said(message)
                    except NotKept as error:  # it is not acknowledged, so it comes again
                        log.error("! %s not kept: %s", type(message).__name__, error)

    async def _hear(self, wire: Wire) -> AnyCityMessage | None:
        """None: a newer city says something that we do not know yet."""
        text = await wire.receive()
        try:
            message: AnyCityMessage = _decoder.decode(text)
        except msgspec.DecodeError as error:
            log.warning("! not understood: %s", error)
            return None
        return message

    async def _send(self, wire: Wire, message: AnyDeviceMessage) -> None:
        await wire.send(_encoder.encode(message))
