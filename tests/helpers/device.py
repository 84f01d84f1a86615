"""A minimal device: it has a key and speaks the protocol over real sockets, as whatever its test tells it."""

import asyncio
import secrets
from collections.abc import Callable
from typing import Any, Final, TypeVar

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from kiosk_hub.fleet.facts import Disk, Facts, Load, Versions
from kiosk_hub.fleet.ids import CommandId, DeviceId
from kiosk_hub.fleet.news import AnyNews, DeviceTime, KeyAnnounced
from kiosk_hub.fleet.values import DeviceKind
from signaling.wire.kiosk import city, codec, device, proofs
from signaling.wire.kiosk.fingerprint import fingerprint_of, key_text, words_of

LIMIT_S: Final = 20.0
M = TypeVar("M", bound=city.CityMessage)


def facts(**changes: Any) -> Facts:
    """Of a machine that is well."""
    fields: dict[str, Any] = {
        "versions": Versions("test"),
        "disk": Disk(0.5, 10**10),
        "load": Load(0.1, 0.2),
        **changes,
    }
    return Facts(**fields)


class TestDevice:
    """One machine: its key, its counter, its boot; at most one line."""

    __test__ = False

    def __init__(self, host: str, id: DeviceId | None = None) -> None:
        self.host = host
        self.origin = f"http://{host}"
        self.key = Ed25519PrivateKey.generate()
        self.id = id or DeviceId("")
        self.boot = secrets.token_hex(8)
        self.counter = 0
        self.looks = 0
        self.beats = 0
        self.enrolment = ""
        self.socket: ClientConnection | None = None
        self.heard: list[city.AnyCityMessage] = []
        self._unread: list[city.AnyCityMessage] = []

    # --- the key ---

    @property
    def raw_key(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    @property
    def public_key(self) -> str:
        return key_text(self.raw_key)

    @property
    def fingerprint(self) -> str:
        return fingerprint_of(self.raw_key)

    @property
    def words(self) -> tuple[str, ...]:
        return words_of(self.fingerprint)

    def sign(self, text: bytes) -> str:
        return key_text(self.key.sign(text))

    def copy(self, reboot: bool = True) -> "TestDevice":
        """Another machine with everything this one has on its disk."""
        other = TestDevice(self.host, self.id)
        other.key, other.counter = self.key, self.counter
        other.boot = secrets.token_hex(8) if reboot else self.boot
        return other

    def reboot(self) -> None:
        self.boot = secrets.token_hex(8)

    def time(self, wall: float = 1_800_000_000.0) -> DeviceTime:
        self.counter += 1
        return DeviceTime(self.boot, self.counter, 1.0, wall)

    def new_key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.generate()

    def announcement(
        self, new: Ed25519PrivateKey, proved_by: Ed25519PrivateKey | None = None
    ) -> KeyAnnounced:
        public = key_text(new.public_key().public_bytes_raw())
        text = proofs.rotation_text(self.id, self.public_key, public)
        return KeyAnnounced(public, key_text((proved_by or new).sign(text)))

    # --- REST ---

    async def post(self, path: str, body: object = None) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.origin, timeout=LIMIT_S) as client:
            return await client.post(path, json=body)

    def enrolment_request(
        self, kind: DeviceKind = DeviceKind.KIOSK, hardware: str = "test box"
    ) -> dict[str, Any]:
        salt = secrets.token_hex(8)
        text = proofs.enrolment_text(self.public_key, kind.value, hardware, salt)
        return {
            "public_key": self.public_key,
            "kind": kind.value,
            "hardware": hardware,
            "agent": "test",
            "at": 1_800_000_000.0,
            "salt": salt,
            "signature": self.sign(text),
        }

    async def ask(self, kind: DeviceKind = DeviceKind.KIOSK) -> dict[str, Any]:
        """Ask to be let in."""
        answer = await self.post("/api/kiosk/enrolments", self.enrolment_request(kind))
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.json()
        self.enrolment = told["enrolment"]
        return told

    def look_request(self) -> dict[str, Any]:
        self.looks += 1
        signature = self.sign(proofs.look_text(self.enrolment, self.looks))
        return {"counter": self.looks, "signature": signature}

    async def look(self) -> dict[str, Any]:
        """How far is it? Remembers its id once it is told."""
        answer = await self.post(f"/api/kiosk/enrolments/{self.enrolment}/look", self.look_request())
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        if told["device"]:
            self.id = told["device"]
            self.counter = max(self.counter, told["counter"])
        return told

    async def token(self) -> str:
        """A bearer token without a line."""
        nonce = (await self.post("/api/kiosk/tokens/challenge")).json()["nonce"]
        signature = self.sign(proofs.token_text(self.host, self.id, nonce))
        answer = await self.post(
            "/api/kiosk/tokens", {"device": self.id, "nonce": nonce, "signature": signature}
        )
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["token"]
        return token

    # --- the line ---

    async def dial(self) -> city.Challenge:
        """A socket that has been challenged."""
        self.socket = await connect(
            f"ws://{self.host}/kiosk/ws", compression=None, max_queue=None, ping_interval=None
        )
        self._unread.clear()
        return await self.hear(city.Challenge)

    def hello(self, nonce: str, host: str | None = None, at: DeviceTime | None = None) -> device.DeviceHello:
        at = at or self.time()
        text = proofs.hello_text(host or self.host, self.id, nonce, at)
        return device.DeviceHello(device=self.id, nonce=nonce, at=at, agent="test", signature=self.sign(text))

    async def connect(self) -> city.DeviceWelcome:
        """A line; welcomed."""
        challenge = await self.dial()
        await self.say(self.hello(challenge.nonce))
        return await self.hear(city.DeviceWelcome)

    async def say(self, message: device.DeviceMessage) -> None:
        assert self.socket is not None
        await self.socket.send(codec.encode(message).decode())

    async def beat(self, **changes: Any) -> city.Heard:
        """A beat, heard."""
        self.beats += 1
        n = self.beats
        await self.say(
            device.Beat(n=n, at=DeviceTime(self.boot, self.counter, 1.0, 1.8e9), facts=facts(**changes))
        )
        return await self.hear(city.Heard, lambda heard: heard.n == n)

    async def report(self, news: AnyNews, key: str | None = None) -> str:
        """Tell it; its key."""
        key = key or secrets.token_hex(8)
        await self.say(device.Report(key=key, at=DeviceTime(self.boot, self.counter, 1.0, 1.8e9), news=news))
        return key

    async def stored(self, key: str) -> None:
        await self.hear(city.Stored, lambda stored: key in stored.keys)

    async def claim(self, command: str) -> city.Go | city.NoGo:
        await self.say(device.Claim(command=CommandId(command)))
        while True:
            message = await self._next()
            if isinstance(message, (city.Go, city.NoGo)) and message.command == command:
                return message

    async def hear(self, kind: type[M], fits: Callable[[M], bool] = lambda _: True) -> M:
        """The next message of this type that fits; others before it are passed over."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                message = await self._next()
                if isinstance(message, kind) and fits(message):
                    return message

    async def hear_nothing_of(self, kind: type[M]) -> None:
        """Until two beats have been heard, nothing of this type was said."""
        before = len(self.heard)
        await self.beat()
        await self.beat()
        assert not [message for message in self.heard[before:] if isinstance(message, kind)]

    async def sent_away(self) -> city.SentAway:
        """And the socket is closed."""
        away = await self.hear(city.SentAway)
        await self.closed()
        return away

    async def closed(self) -> int:
        """Read to the end; the close code."""
        assert self.socket is not None
        async with asyncio.timeout(LIMIT_S):
            try:
                while True:
                    self.heard.append(codec.decode_city(await self.socket.recv()))
            except ConnectionClosed:
                pass
        assert self.socket.close_code is not None
        return self.socket.close_code

    async def cut(self) -> None:
        """The line ends without a word."""
        if self.socket is not None:
            self.socket.transport.abort()
            await self.socket.wait_closed()
            self.socket = None

    async def _next(self) -> city.AnyCityMessage:
        assert self.socket is not None
        async with asyncio.timeout(LIMIT_S):
            message = codec.decode_city(await self.socket.recv())
        self.heard.append(message)
        return message
