"""Has a crowd expected by the city, as an administrator would who uploads a list."""

import asyncio
from collections.abc import Sequence
from typing import Final

import httpx
import msgspec
from msgspec import Struct

from kiosk_client.errors import AgentError
from kiosk_client.simulate.places import Seat, Unit, expected_csv

ROWS_AT_ONCE: Final = 250
LIMIT_S: Final = 60.0
TRIES: Final = 60
TOO_MANY: Final = 429


class NotLetIn(AgentError):
    """The city does not let this account expect devices."""

    code = "not-let-in"


class _Session(Struct):
    csrf: str


class _Unit(Struct):
    code: str
    district: str


class _Places(Struct):
    units: tuple[_Unit, ...]


class _Row(Struct):
    fingerprint: str


class _Expected(Struct):
    expected: tuple[_Row, ...]


class _Added(Struct):
    added: int
    faults: tuple[dict[str, object], ...] = ()


class Desk:
    """An account, logged in. Use as an asynchronous context manager."""

    def __init__(self, server: str, name: str, password: str, verify: object = True) -> None:
        self._name = name
        self._password = password
        self._client = httpx.AsyncClient(
            base_url=server,
            timeout=LIMIT_S,
            verify=verify,  # type: ignore[arg-type]
            trust_env=False,
            headers={"Origin": server},
        )
        self._csrf = ""

    async def __aenter__(self) -> "Desk":
        try:
            body = msgspec.json.encode({"name": self._name, "password": self._password})
            answer = await self._client.post("/api/session", content=body)
            self._csrf = msgspec.json.decode(_good(answer), type=_Session).csrf
        except BaseException as error:
            await self._client.aclose()
            if isinstance(error, httpx.HTTPError):
                raise NotLetIn(f"cannot log in: {error}") from None
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def units(self) -> list[Unit]:
        """The roster."""
        answer = await self._client.get("/api/fleet/places")
        places = msgspec.json.decode(_good(answer), type=_Places)
        return [Unit(unit.code, unit.district) for unit in places.units]

    async def expect(self, rows: Sequence[tuple[Seat, str]]) -> int:
        """How many were new. Those that are expected, or let in, already are left as they are."""
        answer = await self._client.get("/api/fleet/expected")
        known = {row.fingerprint for row in msgspec.json.decode(_good(answer), type=_Expected).expected}
        fresh = [row for row in rows if row[1] not in known]
        added = 0
        for first in range(0, len(fresh), ROWS_AT_ONCE):
            added += await self._add(fresh[first : first + ROWS_AT_ONCE])
        return added

    async def _add(self, rows: Sequence[tuple[Seat, str]]) -> int:
        body = msgspec.json.encode({"csv": expected_csv(rows)})
        for _ in range(TRIES):
            answer = await self._client.post(
                "/api/fleet/expected", content=body, headers={"X-CSRF-Token": self._csrf}
            )
            if answer.status_code != TOO_MANY:
                break
            await asyncio.sleep(1.0)  # what the city asks for
        told = msgspec.json.decode(_good(answer), type=_Added)
        if not told.faults:
            return told.added
        bad = {fault.get("line") for fault in told.faults}
        left = [row for line, row in enumerate(rows, start=2) if line not in bad]
        return await self._add(left) if left and len(left) < len(rows) else 0


def _good(answer: httpx.Response) -> bytes:
    if answer.status_code >= 400:
        raise NotLetIn(
            f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:200]}"
        )
    return answer.content
