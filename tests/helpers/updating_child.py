"""A device of its own process whose updates may be killed; called with STATE SERVER TOKEN OFFER."""

import asyncio
import sys
from pathlib import Path

import msgspec

from signaling.wire.kiosk.words import Offer
from tests.helpers.updating import Device, SmallCore, until


async def main(state: str, server: str, token: str, offer: str) -> None:
    device = Device(SmallCore(Path(state), server, token))
    async with device.running() as updater:
        offered = msgspec.json.decode(offer, type=Offer)
        updater.offered(offered)
        print("running", flush=True)
        await until(lambda: updater._end_of(offered) is not None)  # perhaps in an earlier life
        await device.until_settled()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5]))
