"""Screenshots and logs that devices send: taken in whole or not at all, and only when asked for."""

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from kiosk_hub.fleet.commands import Plan
from kiosk_hub.fleet.ids import CommandId
from kiosk_hub.fleet.orders import AnyAct, CollectLogs, RestartPage, TakeScreenshot
from kiosk_hub.fleet.permissions import Grant, Staff
from kiosk_hub.fleet.values import FleetRole
from kiosk_hub.services import evidence_intake
from kiosk_hub.store import evidence as store
from signaling.settings import FleetSettings
from tests.helpers.device import LIMIT_S, TestDevice
from tests.helpers.fleet_server import Fleet, fleet, folder_of
from tests.helpers.servers import settings

Scenario = Callable[[Fleet], Awaitable[None]]
BOSS = Staff("boss", "Boss", Grant(FleetRole.ADMINISTRATOR))


def play(folder: Path, scenario: Scenario, **changes: Any) -> None:
    async def run() -> None:
        chosen = replace(settings(folder), fleet=FleetSettings(keep_free_bytes=0, **changes))
        async with fleet(chosen) as here:
            await here.hall.stores.accounts.add("boss", "Boss", "x", None)
            await here.hub.staff.set("boss", BOSS.grant)
            await scenario(here)

    asyncio.run(run())


async def asked(here: Fleet, one: TestDevice, do: AnyAct) -> CommandId:
    """A command that its device was let go with."""
    made = await here.hub.commands.ask(BOSS, one.id, do, Plan(), secrets.token_hex(8))
    assert await here.hub.commands.claim(one.id, made.id) is None
    return made.id


async def put(
    one: TestDevice,
    command: str,
    data: bytes,
    *,
    id: str = "",
    kind: str = "screenshot",
    token: str | None = None,
    **changes: Any,
) -> httpx.Response:
    query = {"command": command, "kind": kind, "sha256": hashlib.sha256(data).hexdigest(), **changes}
    token = token if token is not None else await one.token()
    async with httpx.AsyncClient(base_url=one.origin, timeout=LIMIT_S) as client:
        return await client.put(
            f"/api/kiosk/evidence/{id or secrets.token_hex(16)}",
            params=query,
            content=data,
            headers={"authorization": f"Bearer {token}"},
        )


def files(folder: Path) -> list[bytes]:
    found = (folder / "evidence").glob("*") if (folder / "evidence").is_dir() else []
    return [path.read_bytes() for path in found]


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"] if answer.content else ""


def test_a_screenshot_of_megabytes_is_taken_in_once(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        one = await here.enrolled()
        command = await asked(here, one, TakeScreenshot())
        picture = secrets.token_bytes(3 << 20)

        for _ in range(2):
            assert (await put(one, command, picture, id="a" * 32)).status_code == 204
        assert code(await put(one, command, b"other", id="a" * 32)) == (409, "occupied")

        assert files(tmp_path) == [picture]
        async with here.hub.database.read() as connection:
            (piece,) = await store.of_command(connection, command)
        assert (piece.device, piece.length_bytes) == (one.id, len(picture))
        assert here.hub.evidence_intake.path_of(piece).read_bytes() == picture

    play(tmp_path, scenario)


def test_evidence_that_nobody_asked_for_is_not_taken(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        one, other = await here.enrolled(), await here.enrolled()
        shot = await asked(here, one, TakeScreenshot())
        restart = await asked(here, one, RestartPage())
        logs = await asked(here, one, CollectLogs())

        assert code(await put(one, "nothing", b"x")) == (403, "not-allowed")
        assert code(await put(one, restart, b"x")) == (403, "not-allowed")
        assert code(await put(other, shot, b"x")) == (403, "not-allowed")
        assert code(await put(one, shot, b"x", kind="log")) == (403, "not-allowed")
        assert code(await put(one, shot, b"x", kind="film")) == (400, "bad-field")
        assert code(await put(one, shot, b"x", sha256="12")) == (400, "bad-field")
        assert code(await put(one, shot, b"x", sha256="0" * 64)) == (409, "wrong-hash")
        assert files(tmp_path) == []
        assert (await put(one, logs, b"line", kind="log")).status_code == 204
        for _ in range(evidence_intake.MAX_OF_A_COMMAND - 1):
            assert (await put(one, logs, secrets.token_bytes(9), kind="log")).status_code == 204
        assert code(await put(one, logs, b"too many", kind="log")) == (503, "limit")

    play(tmp_path, scenario)


def test_who_has_no_good_token_is_refused_before_its_bytes_are_read(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        staff = await here.staff()
        one = await here.enrolled()
        command = await asked(here, one, TakeScreenshot())
        token = await one.token()
        assert code(await put(one, command, b"x", token="x")) == (401, "bad-token")
        assert code(await put(one, command, b"x", token=token[:-3])) == (401, "bad-token")
        await staff.post(f"/devices/{one.id}/quarantine", {"why": "mất cắp"})
        assert code(await put(one, command, b"x", token=token)) == (403, "quarantined")

    play(tmp_path, scenario)


def test_too_many_bytes_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        one = await here.enrolled()
        command = await asked(here, one, TakeScreenshot())
        token = await one.token()
        big = b"x" * (evidence_intake.MAX_EVIDENCE_BYTES + 1)
        assert code(await put(one, command, big, token=token)) == (413, "too-big")

        async def endless() -> Any:
            for _ in range(80):
                yield b"x" * 65_536

        async with httpx.AsyncClient(base_url=one.origin, timeout=LIMIT_S) as client:
            query = {"command": command, "kind": "screenshot", "sha256": "0" * 64}
            headers = {"authorization": f"Bearer {token}"}
            try:
                answer = await client.put(
                    "/api/kiosk/evidence/" + "b" * 32, params=query, content=endless(), headers=headers
                )
            except httpx.HTTPError:
                pass  # the server has hung up on the rest, which is as good
            else:
                assert code(answer) == (413, "too-big")
        assert files(tmp_path) == []
        assert (await put(one, command, b"good", token=token)).status_code == 204

    play(tmp_path, scenario)


def test_a_full_disk_is_told_and_nothing_half_done_stays(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        one = await here.enrolled()
        command = await asked(here, one, TakeScreenshot())
        here.hub.evidence_intake._keep_free_bytes = 1 << 60
        assert code(await put(one, command, b"x")) == (503, "not-stored")
        assert files(tmp_path) == []

    play(tmp_path, scenario)


def test_what_was_half_taken_in_and_what_is_old_goes(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    folder = folder_of(chosen) / "evidence"
    folder.mkdir()
    (folder / "half.part").write_bytes(b"half")
    (folder / "without-a-row").write_bytes(b"whole")

    async def scenario(here: Fleet) -> None:
        assert files(tmp_path) == []
        one = await here.enrolled()
        command = await asked(here, one, TakeScreenshot())
        await put(one, command, b"old")
        await here.hub.evidence_intake.forget(2e10)
        assert files(tmp_path) == []
        async with here.hub.database.read() as connection:
            assert await store.of_command(connection, command) == []

    async def run() -> None:
        async with fleet(replace(chosen, fleet=FleetSettings(keep_free_bytes=0))) as here:
            await here.hall.stores.accounts.add("boss", "Boss", "x", None)
            await here.hub.staff.set("boss", BOSS.grant)
            await scenario(here)

    asyncio.run(run())


@pytest.mark.parametrize("path", ["/api/kiosk/evidence/", "/api/kiosk/evidence/../tokens"])
def test_paths_that_only_begin_alike_are_nobodys(tmp_path: Path, path: str) -> None:
    async def scenario(here: Fleet) -> None:
        one = await here.enrolled()
        async with httpx.AsyncClient(base_url=one.origin, timeout=LIMIT_S) as client:
            assert (await client.put(path, content=b"x")).status_code in (404, 405)

    play(tmp_path, scenario)
