"""``GET /api/kiosk/line-check``: some bytes that mean nothing, for a device that measures its line."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from room_manager.errors import Busy
from signaling.auth import TooMany
from signaling.kiosk.door import Door
from signaling.kiosk.rest import device_of

PART: Final = os.urandom(65_536)
"""What no proxy on the way can compress."""

PARTS: Final = 16
AT_ONCE: Final = 4
"""Of all devices: a measurement must cost nobody else's line, and two at once measure each other."""

WITHIN_S: Final = 60.0


async def line_check(door: Door, request: Request) -> Response:
    """1 MiB. Each device some times a minute, a few at the same time; refused with ``too-many``, ``busy``."""
    device = device_of(door, request)
    if not door.measurers.take(device, door.edge.monotonic()):
        raise TooMany("this device has just measured its line; wait a moment", 15)
    if door.measuring >= AT_ONCE:
        raise Busy("other devices are measuring their lines; try again shortly")
    return StreamingResponse(
        _bytes(door), media_type="application/octet-stream", headers={"Cache-Control": "no-store"}
    )


async def _bytes(door: Door) -> AsyncIterator[bytes]:
    door.measuring += 1
    try:
        async with asyncio.timeout(WITHIN_S):
            for _ in range(PARTS):
                yield PART
    finally:
        door.measuring -= 1
