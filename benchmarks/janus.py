"""Debian's Janus and its VideoRoom as a :class:`~benchmarks.load.Subject`.

A process of our own with a configuration of our own, asked over one WebSocket; the packaged service and its
configuration are not touched. Everything not named in ``CONFIGURATION`` is as Debian ships it. Janus offers
no loopback candidates, so it and its peers must be behind another address: see ``benchmarks.against``.
"""

import asyncio
import contextlib
import itertools
import json
import os
import re
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Any, Final

import psutil
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidMessage
from websockets.typing import Subprotocol

from benchmarks.mortal import mortal
from room_manager.media.engine import Answer
from room_manager.media.light import LightPeer

PROGRAM: Final = shutil.which("janus")
ROOM: Final = 579
FEED: Final = 1
START_LIMIT_S: Final = 20.0
ANSWER_LIMIT_S: Final = 60.0
END_LIMIT_S: Final = 5.0
KEEPALIVE_S: Final = 20.0
PROTOCOL: Final = Subprotocol("janus-protocol")
LARGEST_BYTES: Final = 1 << 17

# what would only wait beside the VideoRoom; some of them end the process when they find no configuration
IDLE_PLUGINS: Final = (
    "audiobridge duktape echotest lua nosip recordplay sip streaming textroom videocall voicemail"
)
IDLE_TRANSPORTS: Final = "http mqtt nanomsg pfunix rabbitmq"
CONFIGURATION: Final = {
    # our light peers answer no checks, as a server behind a public address need not ask for any
    "janus.jcfg": """
general: {{ configs_folder = "{folder}" debug_level = 2 {loops} }}
nat: {{ ice_lite = true }}
plugins: {{ disable = "{idle_plugins}" }}
transports: {{ disable = "{idle_transports}" }}
loggers: {{ disable = "libjanus_jsonlog.so" }}
""",
    "janus.transport.websockets.jcfg": """
general: {{ ws = true ws_ip = "127.0.0.1" ws_port = {port} json = "compact" }}
""",
}


class Refused(Exception):
    """Janus does not want to."""


class Api:
    """Requests and their answers over one WebSocket."""

    _socket: ClientConnection | None = None

    def __init__(self, port: int) -> None:
        self._url = f"ws://127.0.0.1:{port}/"
        self._numbers = itertools.count()
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._hearing: asyncio.Task[None] | None = None
        self.session = 0

    async def open(self) -> None:
        async with asyncio.timeout(START_LIMIT_S):
            while self._socket is None:
                with contextlib.suppress(OSError, InvalidMessage):
                    self._socket = await connect(
                        self._url,
                        subprotocols=[PROTOCOL],
                        compression=None,
                        proxy=None,
                        max_size=LARGEST_BYTES,
                    )
                await asyncio.sleep(0.05)
        self._hearing = asyncio.create_task(self._hear())
        self.session = (await self.ask(janus="create"))["data"]["id"]

    async def ask(self, **words: Any) -> dict[str, Any]:
        """Ask, and wait for what is more than a receipt. Raises :class:`Refused`."""
        mark = str(next(self._numbers))
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[mark] = answer
        whose = {"session_id": self.session} if self.session else {}
        text = json.dumps({**words, **whose, "transaction": mark})
        assert self._socket is not None
        await self._socket.send(text)
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                said = await answer
        finally:
            del self._waiting[mark]
        data = said.get("plugindata", {}).get("data", {})
        if said["janus"] == "error" or "error" in data:
            raise Refused(json.dumps(said))
        return said

    async def handle(self) -> int:
        said = await self.ask(janus="attach", plugin="janus.plugin.videoroom")
        return int(said["data"]["id"])

    async def message(self, handle: int, body: dict[str, Any], sdp: tuple[str, str] | None = None) -> Any:
        jsep = {"jsep": {"type": sdp[0], "sdp": sdp[1]}} if sdp is not None else {}
        return await self.ask(janus="message", handle_id=handle, body=body, **jsep)

    async def close(self) -> None:
        if self._hearing is not None:
            self._hearing.cancel()
            await asyncio.gather(self._hearing, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close()

    async def _hear(self) -> None:
        assert self._socket is not None
        async for text in self._socket:
            said = json.loads(text)
            waiting = self._waiting.get(said.get("transaction", ""))
            if waiting is not None and not waiting.done() and said["janus"] != "ack":
                waiting.set_result(said)


class Janus:
    """One Janus, ended by ``close`` in any case."""

    def __init__(self, host: str, *, library: Path | None, event_loops: int) -> None:
        """``library``: where a libsrtp of our own making is; ``event_loops`` 0: a thread per peer."""
        self.host = host
        self._library = library
        self._loops = f"event_loops = {event_loops}" if event_loops else ""
        self._folder = tempfile.TemporaryDirectory(prefix="janus-")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = int(free.getsockname()[1])
        self._api = Api(self._port)
        self._child: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        assert PROGRAM is not None
        folder = Path(self._folder.name)
        values = {
            "folder": folder,
            "loops": self._loops,
            "port": self._port,
            "idle_plugins": _libraries(IDLE_PLUGINS),
            "idle_transports": _libraries(IDLE_TRANSPORTS),
        }
        for name, text in CONFIGURATION.items():
            (folder / name).write_text(text.format(**values), encoding="utf-8")
        nowhere = asyncio.subprocess.DEVNULL
        self._child = await asyncio.create_subprocess_exec(
            *mortal([PROGRAM, "-F", str(folder)]),
            cwd=folder,
            stdin=nowhere,
            stdout=nowhere,
            stderr=nowhere,
            env={**os.environ, **({"LD_LIBRARY_PATH": str(self._library)} if self._library else {})},
        )
        await self._api.open()
        self._keeping = asyncio.create_task(self._keep())
        self._stage = await self._api.handle()
        await self._api.message(
            self._stage,
            {"request": "create", "room": ROOM, "publishers": 1, "audiocodec": "opus", "videocodec": "vp8"},
        )

    async def publish(self, offer: str) -> Answer:
        join = {"request": "join", "ptype": "publisher", "room": ROOM, "id": FEED}
        await self._api.message(self._stage, join)
        ours = offer.replace("a=setup:actpass", "a=setup:active")  # else Janus would begin, as light peers do
        said = await self._api.message(self._stage, {"request": "publish"}, ("offer", ours))
        return Answer(said["jsep"]["sdp"], {})

    async def admit(self, number: int, peer: LightPeer) -> None:
        api = self._api
        handle = await api.handle()
        join = {"request": "join", "ptype": "subscriber", "room": ROOM, "streams": [{"feed": FEED}]}
        offer = (await api.message(handle, join))["jsep"]["sdp"]
        answer = answer_to(offer, peer.offer())
        await api.message(handle, {"request": "start"}, ("answer", answer))
        await peer.accept(offer, slots_of(offer))

    def processes(self) -> list[psutil.Process]:
        assert self._child is not None
        return [psutil.Process(self._child.pid)]

    async def sent(self) -> None:
        """It does not say: what arrived is counted."""

    async def close(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        await self._api.close()
        child = self._child
        if child is not None and child.returncode is None:
            child.terminate()
            try:
                async with asyncio.timeout(END_LIMIT_S):
                    await child.wait()
            except TimeoutError:
                child.kill()
                await child.wait()
        self._folder.cleanup()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(KEEPALIVE_S)
            await self._api.ask(janus="keepalive")


def _libraries(names: str) -> str:
    return ",".join(f"libjanus_{name}.so" for name in names.split())


def slots_of(offer: str) -> dict[str, str]:
    """Janus' sections by what our receivers call them: the first sound, the first picture."""
    kinds = re.findall(r"(?ms)^m=(\w+) .*?^a=mid:(\S+)", offer)
    names = {"audio": "audio-1", "video": "main"}
    return {mid: names[kind] for kind, mid in kinds if kind in names}


def answer_to(offer: str, ours: str) -> str:
    """The answer of a light peer whose own offer is ``ours``: it takes all, and is who it is."""
    dropped = r"(?m)^a=(candidate:|end-of-candidates|ice-lite|ssrc|msid|ice-options).*\r?\n"
    answer = re.sub(dropped, "", offer)
    for name in ("ice-ufrag", "ice-pwd", "fingerprint"):
        found = re.search(rf"a={name}:(\S.*?)\r?\n", ours)
        assert found is not None
        answer = re.sub(rf"a={name}:[^\r\n]*", f"a={name}:{found[1]}", answer)
    return answer.replace("a=setup:actpass", "a=setup:active").replace("a=sendonly", "a=recvonly")
