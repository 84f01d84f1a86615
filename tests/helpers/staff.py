"""People of the fleet's staff at a real server: logged in, with a role."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
from websockets.asyncio.client import ClientConnection, connect

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.permissions import Grant
from kiosk_hub.fleet.values import FleetRole
from kiosk_hub.hub import Hub
from room_manager.roster.builtin import hanoi_579
from signaling.passwords import hash_password
from tests.helpers.servers import PATIENCE_S, Hall

PASSWORD: Final = "một câu dài dễ nhớ"
BA_DINH: Final = "001"
HOAN_KIEM: Final = "002"


def hub_of(here: Hall) -> Hub:
    hub: Hub = here.server.app.state.hub
    return hub


async def furnish(here: Hall, devices: Iterable[Device] = ()) -> Hub:
    """The city's whole roster, and these devices."""
    await here.stores.roster.import_units(hanoi_579())
    hub = hub_of(here)
    await hub.geography.refresh()
    async with hub.directory.change() as change:
        for device in devices:
            await change.put(device)
    return hub


class Person:
    """One logged-in person with a browser's cookies."""

    def __init__(self, here: Hall, client: httpx.AsyncClient, account: str) -> None:
        self.here = here
        self.client = client
        self.account = account
        self.csrf = ""

    async def get(self, path: str, **query: Any) -> Any:
        """The answer's JSON; asserts that there is one."""
        answer = await self.client.get(f"/api/fleet{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return await self.client.request(
            method, f"/api/fleet{path}", json=body, headers={"x-csrf-token": self.csrf}
        )

    async def post(self, path: str, body: Any = None) -> Any:
        """The answer's JSON; asserts that it was done."""
        answer = await self.ask("POST", path, body)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    async def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Status and code."""
        answer = await self.ask(method, path, body)
        return answer.status_code, answer.json()["code"]

    async def dial(
        self, headers: Mapping[str, str] | None = None, max_queue: int | None = None
    ) -> ClientConnection:
        """The live feed, as this person's browser opens it."""
        cookies = "; ".join(f"{one.name}={one.value}" for one in self.client.cookies.jar)
        sent = {"origin": self.here.origin, "cookie": cookies, **(headers or {})}
        return await connect(
            f"ws://{self.here.host}/fleet/ws", additional_headers=sent, compression=None, max_queue=max_queue
        )


@asynccontextmanager
async def person(
    here: Hall,
    role: FleetRole | None = FleetRole.ADMINISTRATOR,
    districts: Iterable[str] = (),
    name: str = "binh",
) -> AsyncIterator[Person]:
    """An account with this role, logged in."""
    hash = await asyncio.to_thread(hash_password, PASSWORD)
    await here.stores.accounts.add(name, "Ông Bình", hash, None)
    if role is not None:
        await hub_of(here).staff.set(name, Grant(role, frozenset(districts)))
    async with httpx.AsyncClient(base_url=here.origin, headers={"origin": here.origin}, timeout=30) as client:
        someone = Person(here, client, name)
        answer = await client.post("/api/session", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        someone.csrf = answer.json()["csrf"]
        yield someone


async def hear(socket: ClientConnection, *types: str) -> dict[str, Any]:
    """The next message of one of these types."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            message: dict[str, Any] = json.loads(await socket.recv())
            if message["type"] in types:
                return message
