"""``PUT /api/kiosk/evidence/{id}``: who asks is known before a byte of the body is read."""

import asyncio
from typing import Final

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from kiosk_hub.fleet.acts import rule_of
from kiosk_hub.fleet.ids import CommandId, DeviceId
from kiosk_hub.services.commands import Commands
from kiosk_hub.services.evidence_intake import MAX_EVIDENCE_BYTES, Kind, TooLong, Wants
from room_manager.errors import Busy
from signaling.kiosk.door import Door
from signaling.kiosk.rest import device_of
from signaling.wire.codec import Refused
from signaling.wire.kiosk.device import EvidenceHead

UPLOAD_WITHIN_S: Final = 120.0
PART_BYTES: Final = 131_072


def wanted_by(commands: Commands) -> Wants:
    """A command of the device that it was let go with, whose act brings such a file; also one that has
    ended meanwhile: the line was slow."""

    async def wants(device: DeviceId, command: CommandId) -> Kind | None:
        found = await commands.find(command)
        if found is None or found.device != device or found.claimed_at is None:
            return None
        return rule_of(found.do).evidence

    return wants


async def put_evidence(door: Door, request: Request) -> Response:
    """204 when it is durable; a repetition is answered the same."""
    device = device_of(door, request)
    head = _head(request)
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:10]) > MAX_EVIDENCE_BYTES:
        raise TooLong(f"a piece of evidence may have {MAX_EVIDENCE_BYTES} bytes at most")
    intake = door.hub.evidence_intake
    upload = await intake.begin(device, head.id, head.command, head.kind, head.sha256)
    if upload is None:
        return Response(status_code=204)
    async with upload:
        try:
            async with asyncio.timeout(UPLOAD_WITHIN_S):
                waiting = bytearray()
                async for part in request.stream():
                    waiting += part
                    if len(waiting) >= PART_BYTES:
                        await upload.write(bytes(waiting))
                        waiting.clear()
                await upload.write(bytes(waiting))
        except (TimeoutError, ClientDisconnect):
            raise Busy("the bytes did not arrive in time") from None
        await intake.finish(upload)
    return Response(status_code=204)


def _head(request: Request) -> EvidenceHead:
    """Raises ``Refused``."""
    given = {**dict(request.query_params), "id": request.path_params["evidence"]}
    try:
        return msgspec.convert(given, EvidenceHead)
    except msgspec.ValidationError as error:
        raise Refused("bad-field", str(error).replace("`$.", "`")) from None
