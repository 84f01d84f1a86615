"""What the city says to one connected device. Posting never blocks; what waits is bounded, and newer state
takes the place of older."""

import asyncio
from collections.abc import Callable

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.ids import CommandId, DeviceId
from kiosk_hub.fleet.orders import DeviceSettings, Offer, Order
from signaling.frames import text_frame
from signaling.kiosk.tokens import RENEW_BELOW_S, DeviceTokens
from signaling.outbox import Outbox
from signaling.sockets import Direct
from signaling.wire.kiosk import city, codec

CLOSE_CODES = {"shutting-down": 1001, "superseded": 4009, "lagging": 4008, "too-many": 4029}
REFUSED = 4003


def settings_of(device: Device, beat_every_s: float) -> DeviceSettings:
    return DeviceSettings(device.name, device.place, beat_every_s, device.settings_version)


class Line:
    """One socket of a device that has been let in, or is about to be."""

    def __init__(self, direct: Direct, clock: Callable[[], float], tokens: DeviceTokens) -> None:
        self._direct = direct
        self._clock = clock
        self._tokens = tokens
        self._outbox = Outbox(direct, asyncio.get_running_loop().time, self._overflow)
        self.device: DeviceId | None = None
        """Known once it is let in."""
        self.boot = ""
        self.token_ends_at = 0.0
        self.is_open = True
        """May it still be heard? No: it was sent away, or another has taken its place."""
        self._on_answer: Callable[[], None] | None = None
        direct.on_writable = self._outbox.flush
        direct.on_pong = self._answered

    @property
    def lag_s(self) -> float:
        return self._outbox.lag_s()

    def challenge(self, nonce: str) -> None:
        self._say(city.Challenge(time=self._clock(), nonce=nonce))

    def welcome(self, device: Device, settings: DeviceSettings) -> None:
        token, self.token_ends_at = self._tokens.give(device.id)
        self._say(
            city.DeviceWelcome(
                time=self._clock(),
                token=token,
                token_ends_at=self.token_ends_at,
                settings=settings,
                rotate_key=device.rotation_asked,
            )
        )

    def heard(self, n: int) -> None:
        """Answer a beat; a token that ends soon is followed by the next."""
        now = self._clock()
        self._say(city.Heard(time=now, n=n))
        if self.device is not None and self.token_ends_at - now < RENEW_BELOW_S:
            token, self.token_ends_at = self._tokens.give(self.device)
            self._say(city.Token(time=now, token=token, token_ends_at=self.token_ends_at))

    def stored(self, keys: tuple[str, ...]) -> None:
        self._say(city.Stored(time=self._clock(), keys=keys))

    def rejected(self, code: str, text: str, key: str | None = None) -> None:
        self._say(city.Rejected(time=self._clock(), code=code, text=text, key=key))

    def go(self, command: CommandId) -> None:
        self._say(city.Go(time=self._clock(), command=command))

    def no_go(self, command: CommandId, code: str, text: str) -> None:
        self._say(city.NoGo(time=self._clock(), command=command, code=code, text=text))

    def order(self, order: Order) -> None:
        self._say_state(f"order {order.id}", city.Carry(time=self._clock(), order=order))

    def take_back(self, command: CommandId) -> None:
        self._say_state(f"take-back {command}", city.TakeBack(time=self._clock(), command=command))

    def offer(self, offer: Offer | None) -> None:
        self._say_state("offer", city.Offered(time=self._clock(), offer=offer))

    def settings(self, settings: DeviceSettings) -> None:
        self._say_state("settings", city.Settings(time=self._clock(), settings=settings))

    def send_away(self, code: str, text: str, retry_after_ms: int | None = None) -> None:
        """Say why, and close; what was waiting for a slow line is dropped."""
        if not self.is_open:
            return
        self.is_open = False
        self._outbox.close()
        away = city.SentAway(time=self._clock(), code=code, text=text, retry_after_ms=retry_after_ms)
        self._direct.write(text_frame(codec.encode(away)))
        self._direct.close(CLOSE_CODES.get(code, REFUSED), code)

    def ask(self, on_answer: Callable[[], None]) -> None:
        """Is the other end still there? ``on_answer`` is called once, if it is."""
        self._on_answer = on_answer
        self._direct.ping()

    def be_patient(self, ping_after_s: float, dead_after_s: float) -> None:
        self._direct.be_patient(ping_after_s, dead_after_s)

    def close(self, code: int, reason: str) -> None:
        """Without a word: what was said was no message."""
        self.is_open = False
        self._direct.close(code, reason)

    def end(self) -> None:
        """The socket is gone."""
        self.is_open = False
        self._direct.on_writable = None
        self._direct.on_pong = None
        self._on_answer = None
        self._outbox.close()

    def _answered(self) -> None:
        call, self._on_answer = self._on_answer, None
        if call is not None:
            call()

    def _say(self, message: city.CityMessage) -> None:
        if self.is_open:
            self._outbox.send(text_frame(codec.encode(message)))

    def _say_state(self, key: str, message: city.CityMessage) -> None:
        if self.is_open:
            frame = text_frame(codec.encode(message))
            self._outbox.send_state(frame, [(key, frame)])

    def _overflow(self) -> None:
        self.send_away("lagging", "your line is too slow to keep up; come back", 0)
