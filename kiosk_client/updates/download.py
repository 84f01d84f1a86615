"""One bundle's file, in its window, no faster than its cap, going on where it was cut."""

import asyncio
import logging
import os
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Final, TypeVar

import httpx

from kiosk_client.backoff import LONGEST_ASKED_S
from kiosk_client.updates import files
from kiosk_client.updates.errors import Doubtful, Later, NotOffered, Unfit
from signaling.wire.kiosk.bundles import is_open
from signaling.wire.kiosk.words import Offer

PATH: Final = "/api/kiosk/targets"
CHUNK_BYTES: Final = 65_536
NO_PLACE_WAIT_S: Final = 30.0

T = TypeVar("T")
log = logging.getLogger(__name__)


class Download:
    """Loads into ``file``; what is there already is kept and not asked for again."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        thread: Executor,
        token: Callable[[], str | None],
        city_now: Callable[[], float | None],
    ) -> None:
        self._client = client
        self._thread = thread
        self._token = token
        self._city_now = city_now

    async def load(
        self,
        offer: Offer,
        sha256: str,
        length: int,
        file: Path,
        progress: Callable[[int], None],
    ) -> None:
        """``file`` has the whole length; whether it is the right one is for the caller to find out.

        Raises ``Later`` (window, line, no place), ``NotOffered``, ``Unfit`` (disk), ``Doubtful`` (the city
        gives something else than it signed).
        """
        have = await self._do(lambda: _size(file))
        if have > length:
            await self._do(lambda: file.unlink())
            have = 0
        progress(have)
        if have == length:
            return
        self._check_window(offer)
        token = self._token()
        if token is None:
            raise Later("no line")
        headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
        if have:
            headers |= {"Range": f"bytes={have}-", "If-Range": f'"{sha256}"'}
        folder, _, name = offer.target.rpartition("/")
        url = f"{PATH}/{folder}/{sha256}.{name}"
        try:
            async with self._client.stream("GET", url, headers=headers) as answer:
                if answer.status_code == 200:
                    have = 0
                elif answer.status_code != 206 or not have:
                    raise _refusal(answer)
                elif not answer.headers.get("content-range", "").startswith(f"bytes {have}-"):
                    raise Later("the city answers another range than was asked for")
                await self._receive(answer, offer, have, length, file, progress)
        except (httpx.HTTPError, OSError) as error:
            raise Later(f"{type(error).__name__}: {error}") from None

    async def _receive(
        self,
        answer: httpx.Response,
        offer: Offer,
        have: int,
        length: int,
        file: Path,
        progress: Callable[[int], None],
    ) -> None:
        loop = asyncio.get_running_loop()
        began, started_with = loop.time(), have
        opened = await self._do(lambda: _open(file, have))
        try:
            async for part in answer.aiter_raw(CHUNK_BYTES):
                if have + len(part) > length:
                    raise Doubtful("bad-hash", "Gói dài hơn bản đã ký")
                await self._do(partial(_write, opened, part))
                have += len(part)
                progress(have)
                if offer.cap_bytes_per_s is not None:
                    due = began + (have - started_with) / offer.cap_bytes_per_s
                    await asyncio.sleep(max(0.0, due - loop.time()))
                self._check_window(offer)
            await self._do(lambda: os.fsync(opened.fileno()))
        finally:
            opened.close()
        if have < length:
            raise Later("the line was cut")

    def _check_window(self, offer: Offer) -> None:
        if offer.download_from_minute is None:
            return
        now = self._city_now()
        if now is None:
            raise Later("the hour is not known yet", 30.0)
        if not is_open(offer.download_from_minute, offer.download_to_minute, now):
            raise Later("outside of the download window", 60.0)

    async def _do(self, act: Callable[[], T]) -> T:
        def safely() -> T:
            with files.disk_errors():
                return act()

        return await asyncio.get_running_loop().run_in_executor(self._thread, safely)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _open(file: Path, have: int) -> FileIO:
    """Unbuffered: what was written is in the file, whatever happens to us."""
    opened = FileIO(file, "r+" if have else "w")
    opened.seek(have)
    return opened


def _write(opened: FileIO, data: bytes) -> None:
    while data:
        data = data[opened.write(data) :]


def _refusal(answer: httpx.Response) -> Exception:
    said = answer.headers.get("retry-after", "")
    wait_s = min(float(said), LONGEST_ASKED_S) if said.isdecimal() else 0.0
    match answer.status_code:
        case 409:
            return NotOffered("the city offers this no more")
        case 404 | 410:
            return Unfit("unknown-target", "Máy chủ không còn gói này")
        case 503:
            return Later("no place", wait_s or NO_PLACE_WAIT_S)
        case status:
            return Later(f"answered {status}", wait_s)
