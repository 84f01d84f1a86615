"""The demo's part of the fleet: an administrator's account, and one real agent on this machine.

Nobody on this side knows the device: its package is started as a program of its own, twice to prepare it and
then as the agent itself.
"""

import asyncio
import contextlib
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from kiosk_hub.fleet.enrolment import Binding
from kiosk_hub.fleet.ids import Fingerprint
from kiosk_hub.fleet.permissions import EVERYWHERE, Grant
from kiosk_hub.fleet.places import Place
from kiosk_hub.fleet.preauthorisation import Expected
from kiosk_hub.fleet.values import DeviceKind, FleetRole
from kiosk_hub.services.grants import give_from_here
from kiosk_hub.store import devices, enrolments
from room_manager.ids import SiteId
from room_manager.roster.builtin import hanoi_districts
from room_manager.store.accounts import AccountExists
from room_manager.store.stores import Stores
from signaling.cli.failure import Failed
from signaling.passwords import hash_password
from signaling.process import die_with_parent

ACCOUNT: Final = "quan-tri"
DISPLAY: Final = "Quản trị viên (bản dùng thử)"
KIOSK: Final = Binding(
    "Ki-ốt thật trên máy này",
    DeviceKind.KIOSK,
    Place(unit=SiteId("00004"), building="Máy đang chạy bản dùng thử"),
)
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
FAULTS: Final = """\
# What befalls the demo's simulated kiosks. Seconds count from when all are in.
[[fault]]
kind = "frozen-camera"
at_s = 15
where = { count = 1 }

[[fault]]
kind = "paper-out"
at_s = 25
where = { count = 2 }

[[fault]]  # a building without power, back after five minutes
kind = "power-cut"
at_s = 60
for_s = 300
where = { building = 0 }

[[fault]]
kind = "flapping-line"
at_s = 40
for_s = 600
period_s = 30
where = { count = 1 }
"""
PREPARE_LIMIT_S: Final = 60.0
END_LIMIT_S: Final = 12.0
AGAIN_S: Final = 2.0


class FleetAccess(Struct, frozen=True):
    """What is printed."""

    account: str
    password: str
    fingerprint: Fingerprint


async def prepare_device(folder: Path) -> Fingerprint:
    """The device's film, content and key are in its folder. Raises ``Failed``."""
    await _ask_device("kiosk_client.demo", str(folder))
    told = await _ask_device(
        "kiosk_client", "agent", "--fingerprint", "--state", str(folder), "--server", "http://localhost"
    )
    found = re.match(r"[0-9a-f]{64}\b", told)
    if found is None:
        raise Failed("the demo's device told no fingerprint")
    return Fingerprint(found[0])


async def prepare_fleet(stores: Stores, fingerprint: Fingerprint) -> FleetAccess:
    """An account with a password of this run; the device is expected, unless it is enrolled already."""
    now = time.time()
    password = "-".join(secrets.token_hex(3) for _ in range(4))
    hashed = hash_password(password)
    try:
        await stores.accounts.add(ACCOUNT, DISPLAY, hashed, None)
    except AccountExists:
        await stores.accounts.set_password_hash(ACCOUNT, hashed)
    grant = Grant(FleetRole.ADMINISTRATOR, EVERYWHERE)
    await give_from_here(stores.database, ACCOUNT, grant, {one.code for one in hanoi_districts()}, now)
    known = {one.fingerprint for one in await devices.load(stores.database)}
    if fingerprint not in known:
        async with stores.database.write() as connection:
            await enrolments.expect(connection, [Expected(fingerprint, KIOSK, ACCOUNT, now)])
    return FleetAccess(ACCOUNT, password, fingerprint)


async def real_agent(server: str, certificate: str | None, folder: Path) -> None:
    """One real agent, until cancelled; when it ends by order it is started again, as systemd would."""
    command = ["agent", "--server", server, "--state", str(folder)]
    command += ["--camera", str(folder / "camera.avi"), "--content", str(folder / "content"), "--window"]
    if not any(map(shutil.which, BROWSERS)):
        command += ["--browser", "none"]
    log = folder / "agent.log"
    log.unlink(missing_ok=True)
    while True:
        if await _living([*command, *_trusted(certificate)], log) != 0:
            break
        await asyncio.sleep(AGAIN_S)
    _told_end("the demo's kiosk", log)


async def simulated_kiosks(
    server: str, certificate: str | None, folder: Path, access: FleetAccess, many: int
) -> None:
    """So many kiosks that do not exist, with some faults, until cancelled."""
    faults = folder / "faults.toml"
    faults.write_text(FAULTS, encoding="utf-8")
    command = ["simulate", "kiosks", "-n", str(many), "--server", server, "--account", access.account]
    command += ["--faults", str(faults), *_trusted(certificate)]
    log = folder / "simulated.log"
    log.unlink(missing_ok=True)
    await _living(command, log, {"DIEMCAU_SIMULATE_PASSWORD": access.password})
    _told_end("the simulated kiosks", log)


def _trusted(certificate: str | None) -> list[str]:
    return ["--ca", certificate] if certificate is not None else []


def _told_end(what: str, log: Path) -> None:
    print(f"diemcau: {what} ended (see {log}); all else goes on", file=sys.stderr)


async def _living(command: list[str], log: Path, more: Mapping[str, str] | None = None) -> int:
    """A program of the device's package, until cancelled; the code it ended with. If we are killed, it is
    told to end."""
    with log.open("ab") as file:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "kiosk_client", *command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env={**os.environ, "NOTIFY_SOCKET": "", **(more or {})},
            start_new_session=True,  # a Ctrl-C is for us; we pass on the end
            preexec_fn=die_with_parent(),
        )
    try:
        return await child.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
            try:
                await asyncio.wait_for(child.wait(), END_LIMIT_S)
            except TimeoutError:
                child.kill()
                await child.wait()


async def _ask_device(module: str, *words: str) -> str:
    """What the device's own program prints. Raises ``Failed``."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    try:
        told, _ = await asyncio.wait_for(child.communicate(), PREPARE_LIMIT_S)
    except TimeoutError:
        raise Failed("the demo's device was not prepared in time") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode:
        raise Failed(f"the demo's device could not be prepared (code {child.returncode}); see above")
    return told.decode()
