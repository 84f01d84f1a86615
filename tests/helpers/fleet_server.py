"""A running server with the city's roster, staff who may log in, and devices that speak to it."""

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.ids import DeviceId, Fingerprint
from kiosk_hub.fleet.permissions import EVERYWHERE, Grant
from kiosk_hub.fleet.places import Place
from kiosk_hub.fleet.values import DeviceKind, DeviceState, FleetRole
from kiosk_hub.hub import Hub
from kiosk_hub.store.tables import audit
from room_manager.ids import SiteId
from room_manager.roster.builtin import hanoi_579
from room_manager.store.sessions import Session
from signaling.app import Server
from signaling.auth import _hash, cookie_name
from signaling.kiosk.door import Door
from signaling.settings import Settings
from tests.helpers.device import LIMIT_S, TestDevice
from tests.helpers.servers import Hall, hall

UNIT: Final = hanoi_579()[0]
ELSEWHERE: Final = next(unit for unit in hanoi_579() if unit.district_code != UNIT.district_code)


class StaffClient:
    """Somebody of the staff, logged in, over REST."""

    def __init__(self, client: httpx.AsyncClient, csrf: str, token: str = "") -> None:
        self.token = token  # of the session's cookie
        self._client = client
        self._csrf = csrf

    async def ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        content = msgspec.json.encode(body) if body is not None else None
        return await self._client.request(
            method, f"/api/fleet{path}", content=content, headers={"x-csrf-token": self._csrf}
        )

    async def get(self, path: str) -> Any:
        answer = await self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: object = None) -> Any:
        """What it gives; it must not be refused."""
        answer = await self.ask("POST", path, body)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None


class Fleet:
    """The server, as its tests handle it."""

    def __init__(self, here: Hall) -> None:
        self.hall = here
        self.host = here.host
        self._clients: list[httpx.AsyncClient] = []
        self._devices: list[TestDevice] = []

    @property
    def server(self) -> Server:
        return self.hall.server

    @property
    def hub(self) -> Hub:
        hub: Hub = self.server.app.state.hub
        return hub

    @property
    def door(self) -> Door:
        door: Door = self.server.app.state.door
        return door

    def machine(self) -> TestDevice:
        """A device that nobody knows."""
        made = TestDevice(self.host)
        self._devices.append(made)
        return made

    def copy_of(self, device: TestDevice, reboot: bool = True) -> TestDevice:
        made = device.copy(reboot)
        self._devices.append(made)
        return made

    async def enrolled(self, unit: SiteId = UNIT.code, name: str = "Ki-ốt sảnh A") -> TestDevice:
        """A device whose record is there, without the way to it."""
        made = self.machine()
        made.id = DeviceId(secrets.token_hex(5))
        async with self.hub.directory.change() as change:
            await change.put(
                Device(
                    id=made.id,
                    kind=DeviceKind.KIOSK,
                    name=name,
                    state=DeviceState.ACTIVE,
                    place=Place(unit),
                    public_key=made.raw_key,
                    fingerprint=Fingerprint(made.fingerprint),
                    enrolled_at=time.time(),
                )
            )
        return made

    async def staff(
        self,
        role: FleetRole = FleetRole.ADMINISTRATOR,
        districts: frozenset[str] = EVERYWHERE,
        name: str | None = None,
    ) -> StaffClient:
        """An account with this grant, logged in; without the slow hashing of a password."""
        name = name or f"staff-{secrets.token_hex(3)}"
        stores = self.hall.stores
        at = datetime.now(UTC)
        await stores.accounts.add(name, name.title(), "x", None)
        await self.hub.staff.set(name, Grant(role, districts))
        token, csrf = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        await stores.sessions.begin(Session(_hash(token), name, csrf, at, at, at + timedelta(hours=1)))
        client = httpx.AsyncClient(
            base_url=f"http://{self.host}",
            timeout=LIMIT_S,
            cookies={cookie_name(False): token},
            headers={"origin": f"http://{self.host}"},
        )
        self._clients.append(client)
        return StaffClient(client, csrf, token)

    async def audited(self, action: str) -> list[dict[str, Any]]:
        """Entries of this action, the oldest first."""
        async with self.hub.database.read() as connection:
            rows = await connection.execute(
                audit.select().where(audit.c.action == action).order_by(audit.c.seq)
            )
            return [msgspec.json.decode(row.body)["entry"] for row in rows]

    async def close(self) -> None:
        for device in self._devices:
            await device.cut()
        for client in self._clients:
            await client.aclose()


@asynccontextmanager
async def fleet(chosen: Settings) -> AsyncIterator[Fleet]:
    """A server that listens, with the roster; closed in order afterwards."""
    async with hall(chosen, sites=()) as here:
        await here.stores.roster.import_units(hanoi_579())
        made = Fleet(here)
        await made.hub.geography.refresh()
        try:
            yield made
        finally:
            await made.close()


def folder_of(chosen: Settings) -> Path:
    """Where its database is."""
    return Path(chosen.database_url.removeprefix("sqlite+aiosqlite:///")).parent
