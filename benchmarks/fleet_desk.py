"""Somebody at the dashboard: logged in, asking for what its pages ask for, hearing the live feed."""

import asyncio
import json
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, cast

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.fleet_city import ACCOUNT, PASSWORD

PAGE_ROWS: Final = 500
PAUSE_S: Final = 1.0
ANSWER_WITHIN_S: Final = 60.0
METRICS: Final = ("cpu_share", "memory_share", "rtt_ms", "temperature_c")


class Desk:
    """One log-in; every request is timed."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._client = httpx.AsyncClient(
            base_url=origin, timeout=ANSWER_WITHIN_S, trust_env=False, headers={"Origin": origin}
        )
        self._csrf = ""
        self.took_s: dict[str, list[float]] = {}
        self.offline_at: dict[str, float] = {}  # device → when the feed first said so
        self._feeds: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Desk":
        answer = await self._client.post("/api/session", json={"name": ACCOUNT, "password": PASSWORD})
        answer.raise_for_status()
        self._csrf = answer.json()["csrf"]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for feed in self._feeds:
            feed.cancel()
        await asyncio.gather(*self._feeds, return_exceptions=True)
        await self._client.aclose()

    async def get(self, what: str, path: str, **query: Any) -> Any:
        """The answer; how long it took is kept under ``what``."""
        began = time.monotonic()
        answer = await self._client.get(f"/api/fleet{path}", params=query)
        self.took_s.setdefault(what, []).append(time.monotonic() - began)
        answer.raise_for_status()
        return answer.json()

    async def send(self, method: str, path: str, body: object) -> Any:
        answer = await self._client.request(
            method, f"/api/fleet{path}", json=body, headers={"X-CSRF-Token": self._csrf}
        )
        if answer.status_code >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json() if answer.content else None

    async def rows(self) -> list[dict[str, Any]]:
        """All devices, page by page, as the list is opened."""
        found: list[dict[str, Any]] = []
        while True:
            page = await self.get("list", "/devices", offset=len(found), limit=PAGE_ROWS)
            found += page["devices"]
            if not page["devices"] or len(found) >= page["total"]:
                return found

    async def browse(self, pick: Callable[[], str]) -> None:
        """Until cancelled: the list, a device's page, the board, again and again."""
        turn = 0
        while True:
            device = pick()
            await self.get("device", f"/devices/{device}")
            metric = METRICS[turn % len(METRICS)]
            await self.get("history", f"/devices/{device}/history", metric=metric)
            await self.get("log", f"/devices/{device}/log", limit=50)
            await self.get("commands", f"/devices/{device}/commands")
            await self.get("incidents", "/incidents")
            if turn % 5 == 0:
                await self.rows()
            turn += 1
            await asyncio.sleep(PAUSE_S)

    async def metric(self, name: str) -> float:
        """Of ``/metrics``."""
        answer = await self._client.get("/metrics")
        answer.raise_for_status()
        for line in answer.text.splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[1])
        raise LookupError(name)

    async def open_feed(self) -> None:
        """One page that stays open."""
        cookies = "; ".join(f"{name}={value}" for name, value in self._client.cookies.items())
        socket = await connect(
            f"ws{self._origin.removeprefix('http')}/fleet/ws",
            additional_headers={"Cookie": cookies},
            origin=cast(Any, self._origin),
            max_size=None,
            compression=None,
        )
        self._feeds.append(asyncio.create_task(self._listen(socket)))

    async def _listen(self, socket: ClientConnection) -> None:
        try:
            async for text in socket:
                message = json.loads(text)
                if message["type"] == "rows-changed":
                    now = time.time()
                    for row in message["rows"]:
                        if row["status"] == "offline":
                            self.offline_at.setdefault(row["id"], now)
        except ConnectionClosed:
            pass
        finally:
            await socket.close()
