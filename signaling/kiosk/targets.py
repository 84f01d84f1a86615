"""Signed metadata and bundles for devices: ``GET /api/kiosk/targets/…``, with a bearer token.

A bundle's file is given only to a device that is offered it, to so many devices at once and so fast as the
rollout's plan says, and from any byte on, so that a line that was cut costs nothing twice (RFC 9110,
sections 13.1.5 and 14). What is given needs no trust: the device checks it against the signed metadata.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO, ClassVar, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from kiosk_hub.fleet.ids import DeviceId, RolloutId
from kiosk_hub.hub import Hub
from room_manager.errors import Busy, DomainError
from signaling.kiosk.door import Door
from signaling.kiosk.rest import device_of

CHUNK_BYTES: Final = 65_536
RETRY_AFTER_S: Final = 30.0
MOST_OF_ONE: Final = 2
_METADATA: Final = re.compile(r"metadata/(?:timestamp|\d{1,9}\.(?:root|targets|snapshot))\.json")
_BUNDLE: Final = re.compile(
    r"(content|configuration|software)/([0-9a-f]{64})\.([0-9A-Za-z][0-9A-Za-z.+_-]{0,63})\.zip"
)
_RANGE: Final = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")


class NotOffered(DomainError):
    """This device is not offered this bundle now."""

    code: ClassVar[str] = "not-offered"


class NoPlace(DomainError):
    """As many downloads as may run are running; the device comes back by itself."""

    code: ClassVar[str] = "no-place"
    retry_after_s: ClassVar[float] = RETRY_AFTER_S


class Downloads:
    """Who is downloading: so many devices at once for each rollout."""

    def __init__(self) -> None:
        self._of: dict[RolloutId, Counter[DeviceId]] = {}

    def take(self, rollout: RolloutId, device: DeviceId, at_once: int) -> Callable[[], None]:
        """What gives the place back. A device that comes back before its old connection is found dead shares
        its own place. Raises ``NoPlace``."""
        devices = self._of.setdefault(rollout, Counter())
        mine = devices.get(device, 0)
        if mine >= MOST_OF_ONE or (not mine and len(devices) >= at_once):
            raise NoPlace("as many devices as may are downloading; wait for a place")
        devices[device] += 1
        given_back = False

        def give_back() -> None:
            nonlocal given_back
            if not given_back:
                given_back = True
                devices[device] -= 1
                if not devices[device]:
                    del devices[device]
                if not devices:
                    self._of.pop(rollout, None)

        return give_back

    def __len__(self) -> int:
        return sum(len(devices) for devices in self._of.values())


class Targets:
    """Reads the folder of bundles."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.downloads = Downloads()

    async def get(self, device: DeviceId, path: str, request: Request) -> Response:
        if _METADATA.fullmatch(path):
            return await self._metadata(path)
        bundle = _BUNDLE.fullmatch(path)
        if bundle is None:
            raise HTTPException(404)
        return await self._bundle(device, path, bundle, request)

    async def _metadata(self, path: str) -> Response:
        file = self._hub.bundles.repository.metadata / path.removeprefix("metadata/")
        try:
            data = await asyncio.to_thread(file.read_bytes)
        except FileNotFoundError:
            raise HTTPException(404) from None
        return Response(data, media_type="application/json")

    async def _bundle(self, device: DeviceId, path: str, named: re.Match[str], request: Request) -> Response:
        kind, sha256, version = named.groups()
        offer = self._hub.rollouts.shelf.offer_for(device)
        transfer = self._hub.rollouts.shelf.transfer_of(device)
        if offer is None or transfer is None or (offer.kind, offer.version) != (kind, version):
            raise NotOffered("this bundle is not offered to this device now")
        rollout, at_once, cap_bytes_per_s = transfer
        file = self._hub.bundles.repository.targets / path
        try:
            size = (await asyncio.to_thread(file.stat)).st_size
        except FileNotFoundError:
            raise HTTPException(404) from None
        etag = f'"{sha256}"'
        first, last = _range(request, size, etag)
        headers = {"etag": etag, "accept-ranges": "bytes", "content-length": str(last - first + 1)}
        status = 200
        if (first, last) != (0, size - 1):
            status = 206
            headers["content-range"] = f"bytes {first}-{last}/{size}"
        if request.method == "HEAD":
            return Response(None, status, headers)
        give_back = self.downloads.take(rollout, device, at_once)
        return _Giving(file, first, last - first + 1, cap_bytes_per_s, status, headers, give_back)


class _Giving(StreamingResponse):
    """So many bytes of a file from there on, no faster than the cap. File and place are given back however it
    ends; the file is opened and closed at once, not in a thread, so that no cancellation can come between."""

    def __init__(
        self,
        file: Path,
        first: int,
        length: int,
        cap_bytes_per_s: int | None,
        status: int,
        headers: dict[str, str],
        give_back: Callable[[], None],
    ) -> None:
        super().__init__(iter(()), status, headers, media_type="application/octet-stream")
        self._file = file
        self._first = first
        self._length = length
        self._cap_bytes_per_s = cap_bytes_per_s
        self._give_back = give_back

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with self._file.open("rb") as opened:
                opened.seek(self._first)
                self.body_iterator = self._parts(opened)
                await super().__call__(scope, receive, send)
        finally:
            self._give_back()

    async def _parts(self, opened: BinaryIO) -> AsyncIterator[bytes]:
        loop, cap = asyncio.get_running_loop(), self._cap_bytes_per_s
        chunk = CHUNK_BYTES if cap is None else max(1024, min(CHUNK_BYTES, cap // 4))
        began, given = loop.time(), 0
        while given < self._length:
            part = await asyncio.to_thread(opened.read, min(chunk, self._length - given))
            if not part:
                raise OSError(f"{self._file.name} has become shorter")
            yield part
            given += len(part)
            if cap is not None:
                await asyncio.sleep(max(0.0, began + given / cap - loop.time()))


def _range(request: Request, size: int, etag: str) -> tuple[int, int]:
    """The first and the last byte asked for; all of them where the range is not understood, as it may be
    (RFC 9110, section 14.2). Raises 416 for one that begins behind the end."""
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    if asked is None or request.headers.get("if-range", etag) != etag:
        return 0, size - 1
    first = int(asked[1])
    last = min(int(asked[2]), size - 1) if asked[2] else size - 1
    if first >= size:
        raise HTTPException(416, headers={"content-range": f"bytes */{size}"})
    return (first, last) if first <= last else (0, size - 1)


async def _get(request: Request) -> Response:
    door: Door | None = getattr(request.app.state, "door", None)
    targets: Targets | None = getattr(request.app.state, "targets", None)
    if door is None or targets is None:
        raise Busy("the server is starting")
    device = device_of(door, request)
    return await targets.get(device, request.path_params["path"], request)


def target_routes() -> list[BaseRoute]:
    return [Route("/api/kiosk/targets/{path:path}", _get, methods=["GET"])]
