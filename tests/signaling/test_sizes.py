"""No message grows with the roster: twenty sites or all 579, a member is told the same number of bytes."""

import asyncio
from pathlib import Path

from room_manager.meeting.values import Role
from tests.helpers.servers import UNITS, A, hall, settings

MORE_DIGITS_BYTES = 24


def test_messages_are_as_long_for_579_sites_as_for_20(tmp_path: Path) -> None:
    async def told(sites: int) -> dict[str, int]:
        """The longest message of each type that the chair and a site are told in a busy meeting."""
        async with hall(settings(tmp_path / str(sites)), UNITS[:sites]) as here:
            chair = await here.enter(Role.CHAIR)
            site = await here.enter(Role.SITE, A)
            await chair.ask("watch-presence", on=True)
            for code in UNITS[:20]:
                assert (await chair.ask("raise-hand", site=code))["type"] in ("done", "problem")
            await chair.ask("mute-all")
            for client in (chair, site):
                await client.settle()
            rows = 0
            while rows < sites:
                rows += len((await chair.hear("presence"))["sites"])
            sizes: dict[str, int] = {}
            for client in (chair, site):
                for message, size in zip(client.heard, client.bytes, strict=True):
                    name = message["type"]
                    if name == "presence":
                        assert len(message["sites"]) <= 64
                        size = size // len(message["sites"])
                    sizes[name] = max(sizes.get(name, 0), size)
            return sizes

    few, all_ = asyncio.run(told(20)), asyncio.run(told(579))

    assert set(few) == set(all_)
    for name, size in all_.items():
        assert size <= few[name] + MORE_DIGITS_BYTES, name
    assert max(all_.values()) < 4_096
