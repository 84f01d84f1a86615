"""Bundles by REST: the list, and taking one in. A bundle's bytes go to the disk as they come."""

import asyncio
import secrets
from collections import Counter
from pathlib import Path
from typing import BinaryIO, Final

from starlette.requests import ClientDisconnect

from kiosk_hub.fleet.bundles import Bundle, Needs, check_version
from kiosk_hub.fleet.ids import BundleId
from kiosk_hub.fleet.permissions import Action
from kiosk_hub.fleet.values import BundleKind
from kiosk_hub.services.bundle_files import INCOMING, TooBig
from room_manager.errors import Busy, DiskFull, Invalid, WrongState
from signaling.fleet.operation import Asked, Operation, Query
from signaling.wire.fleet import rollouts as wire

UPLOADS_AT_ONCE: Final = 2
CHUNK_WITHIN_S: Final = 60.0
MOST_HARDWARE: Final = 20


async def list_bundles(asked: Asked) -> wire.BundlesAnswer:
    bundles = asked.hub.bundles
    await bundles.reload()
    installed: Counter[tuple[BundleKind, str]] = Counter()
    for _, known in asked.hub.registry.all():
        facts = known.health.facts
        if facts is not None:
            installed[BundleKind.CONTENT, facts.versions.content] += 1
            installed[BundleKind.CONFIGURATION, facts.versions.configuration] += 1
            installed[BundleKind.SOFTWARE, facts.versions.agent.rpartition("/")[2]] += 1
    return wire.BundlesAnswer(
        tuple(_row(asked, bundle, installed[bundle.kind, bundle.version]) for bundle in bundles),
        tuple(
            wire.SigningRole(role.name, role.version, role.expires_at, role.key_here)
            for role in bundles.roles()
        ),
        bundles.max_bytes,
    )


def _row(asked: Asked, bundle: Bundle, installed: int) -> wire.BundleRow:
    plans = asked.staff.grant.allows(Action.PLAN_ROLLOUT)
    removable = plans and not asked.hub.rollouts.shelf.needing(bundle.id)
    stops = asked.staff.grant.allows(Action.STOP_ROLLOUT)
    returns = stops and bundle.signed and asked.hub.rollouts.shelf.was_approved(bundle.id)
    choices = (("plan", plans and bundle.signed), ("remove", removable), ("return", returns))
    may = [name for name, may in choices if may]
    return wire.BundleRow(
        id=bundle.id,
        kind=bundle.kind,
        version=bundle.version,
        length_bytes=bundle.length_bytes,
        sha256=bundle.sha256,
        needs=bundle.needs,
        note=bundle.note,
        added_by=bundle.added_by,
        added_at=bundle.added_at,
        signed=bundle.signed,
        installed=installed,
        may=tuple(may),
    )


async def put_bundle(asked: Asked) -> wire.BundleRow:
    """The whole file is taken in before it is looked through; refused or cut off, nothing of it stays."""
    bundles = asked.hub.bundles
    try:
        kind = BundleKind(asked.path("kind"))
    except ValueError:
        raise Invalid(f"kind: one of {', '.join(BundleKind)}") from None
    version = asked.path("version")
    check_version(version)
    hardware = tuple(part.strip() for part in asked.text("hardware").split(",") if part.strip())
    if len(hardware) > MOST_HARDWARE:
        raise Invalid(f"hardware: at most {MOST_HARDWARE} names")
    needs = Needs(asked.text("agent_from"), asked.text("agent_below"), hardware)
    said = asked.request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > bundles.max_bytes:
        raise TooBig(f"a bundle has {bundles.max_bytes >> 20} MiB at most")
    bundles.check_space(2 * int(said) if said.isdecimal() else 0)
    if len(bundles.uploading) >= UPLOADS_AT_ONCE:
        raise Busy("others are uploading; try again shortly")
    folder = bundles.repository.folder / INCOMING
    await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
    file = folder / secrets.token_hex(8)
    bundles.uploading.add(file.name)
    try:
        await _receive(asked, file, bundles.max_bytes)
        bundle = await bundles.add(
            file,
            kind,
            version,
            needs=needs,
            note=asked.text("note"),
            account=asked.staff.account,
            address=asked.staff.address,
        )
    finally:
        bundles.uploading.discard(file.name)
        file.unlink(missing_ok=True)
    return _row(asked, bundle, 0)


async def _receive(asked: Asked, file: Path, max_bytes: int) -> None:
    size = 0
    opened: BinaryIO
    try:
        with file.open("xb") as opened:
            parts = asked.request.stream()
            while True:
                async with asyncio.timeout(CHUNK_WITHIN_S):
                    part = await anext(parts, None)
                if part is None:
                    return
                size += len(part)
                if size > max_bytes:
                    raise TooBig(f"a bundle has {max_bytes >> 20} MiB at most")
                await asyncio.to_thread(opened.write, part)
    except TimeoutError:
        raise Busy("the bundle did not arrive in time") from None
    except ClientDisconnect:
        raise Busy("the upload was cut off") from None
    except OSError as error:
        raise DiskFull(f"the bundle could not be kept: {error.strerror}") from error


async def remove_bundle(asked: Asked) -> None:
    bundle = BundleId(asked.path("bundle"))
    asked.hub.bundles.get(bundle)
    if asked.hub.rollouts.shelf.needing(bundle):
        raise WrongState("a rollout needs this bundle; stop that first")
    await asked.hub.bundles.remove(bundle, asked.staff.account, asked.staff.address)


BUNDLES: Final[tuple[Operation, ...]] = (
    Operation(
        method="GET",
        path="/bundles",
        action=Action.SEE,
        summary="List bundles, and how their signatures stand",
        call=list_bundles,
        answer=wire.BundlesAnswer,
    ),
    Operation(
        method="PUT",
        path="/bundles/{kind}/{version}",
        action=Action.PLAN_ROLLOUT,
        summary="Take in a bundle: the body is its ZIP archive",
        call=put_bundle,
        answer=wire.BundleRow,
        query=(
            Query("note", "for staff"),
            Query("agent_from", "from this version of the agent on", most=64),
            Query("agent_below", "below this version of the agent", most=64),
            Query("hardware", "only for devices that call themselves so; several with commas"),
        ),
        status=201,
        refusals=(
            "invalid",
            "too-big",
            "bad-bundle",
            "unsafe-archive",
            "archive-too-big",
            "bundle-exists",
            "disk-full",
        ),
    ),
    Operation(
        method="DELETE",
        path="/bundles/{bundle}",
        action=Action.PLAN_ROLLOUT,
        summary="Sign it no more and remove its file",
        call=remove_bundle,
        answer=None,
        refusals=("unknown-bundle", "wrong-state", "no-key"),
    ),
)
