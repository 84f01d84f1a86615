"""Bundles and their signatures over HTTP: who gets which bytes."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from kiosk_hub.fleet.bundles import Bundle
from kiosk_hub.fleet.ids import RolloutId
from kiosk_hub.fleet.rings import Ring
from kiosk_hub.fleet.rollouts import RolloutPlan, Transfer
from kiosk_hub.fleet.values import BundleKind
from signaling.wire.kiosk import city
from tests.helpers import bundles as files
from tests.helpers.device import TestDevice
from tests.helpers.fleet_server import Fleet, fleet
from tests.helpers.rollout_city import AN, BINH
from tests.helpers.servers import settings

AT_ANY_TIME = Transfer()
DATA = files.content(more={"a.bin": os.urandom(300_000)})


def play(folder: Path, scenario: Callable[[Fleet], Awaitable[None]]) -> None:
    async def run() -> None:
        async with fleet(settings(folder)) as here:
            await scenario(here)

    asyncio.run(run())


async def bundle(here: Fleet, folder: Path, version: str = "1") -> Bundle:
    here.hub.bundles.keep_free_bytes = 0
    file = files.written(folder / "f", DATA)
    return await here.hub.bundles.add(file, BundleKind.CONTENT, version, account="an")


async def rolled_out(here: Fleet, added: Bundle, transfer: Transfer = AT_ANY_TIME) -> RolloutId:
    rollout = await here.hub.rollouts.plan(RolloutPlan(added.id, (Ring(),), transfer=transfer), AN)
    await here.hub.rollouts.submit(rollout.id, AN)
    return (await here.hub.rollouts.approve(rollout.id, BINH)).id


def url(added: Bundle) -> str:
    return f"/api/kiosk/targets/{added.kind}/{added.sha256}.{added.version}.zip"


async def asking(one: TestDevice, **more: str) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {await one.token()}", **more}
    return httpx.AsyncClient(base_url=one.origin, headers=headers, timeout=20)


def test_a_device_gets_what_it_is_offered_from_any_byte_on(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        one = await here.enrolled()
        added = await bundle(here, tmp_path)
        async with await asking(one) as client:
            refused = await client.get(url(added))
            assert (refused.status_code, refused.json()["code"]) == (409, "not-offered")
            await rolled_out(here, added)

            whole = await client.get(url(added))
            assert (whole.status_code, whole.content) == (200, DATA)
            etag = whole.headers["etag"]
            rest = await client.get(url(added), headers={"Range": "bytes=100000-", "If-Range": etag})
            assert (rest.status_code, rest.content) == (206, DATA[100_000:])
            assert rest.headers["content-range"] == f"bytes 100000-{len(DATA) - 1}/{len(DATA)}"
            some = await client.get(url(added), headers={"Range": "bytes=5-9"})
            assert some.content == DATA[5:10]
            other = await client.get(url(added), headers={"Range": "bytes=5-", "If-Range": '"old"'})
            assert (other.status_code, other.content) == (200, DATA)
            behind = await client.get(url(added), headers={"Range": f"bytes={len(DATA)}-"})
            assert behind.status_code == 416
            odd = await client.get(url(added), headers={"Range": "bytes=9-5,7-8"})
            assert odd.status_code == 200
            head = await client.head(url(added))
            assert (head.status_code, head.headers["content-length"]) == (200, str(len(DATA)))

    play(tmp_path, scenario)


def test_metadata_is_given_to_devices_and_nothing_else_is(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        one = await here.enrolled()
        async with await asking(one) as client:
            for name in ("1.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"):
                answer = await client.get(f"/api/kiosk/targets/metadata/{name}")
                assert answer.status_code == 200, name
            for path in (
                "metadata/2.root.json",
                "metadata/../keys/root.pem",
                "metadata/%2e%2e/keys/root.pem",
                "keys/root.pem",
                "content/../../keys/targets.pem",
                f"content/{'0' * 64}.9.zip/../../x",
                "",
            ):
                answer = await client.get(f"/api/kiosk/targets/{path}")
                assert answer.status_code == 404, path
        async with httpx.AsyncClient(base_url=one.origin) as stranger:
            answer = await stranger.get("/api/kiosk/targets/metadata/1.root.json")
            assert (answer.status_code, answer.json()["code"]) == (401, "bad-token")

    play(tmp_path, scenario)


def test_so_many_download_at_once_and_a_place_is_given_back(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        first, second = await here.enrolled(), await here.enrolled()
        added = await bundle(here, tmp_path)
        await rolled_out(here, added, Transfer(at_once=1, cap_bytes_per_s=1024))
        async with await asking(first) as one, await asking(second) as two:
            async with one.stream("GET", url(added)) as slow:
                await anext(slow.aiter_raw())
                refused = await two.get(url(added))
                assert (refused.status_code, refused.json()["code"]) == (503, "no-place")
                assert refused.headers["retry-after"] == "30"
            async with asyncio.timeout(20):
                while True:
                    async with two.stream("GET", url(added)) as answer:
                        if answer.status_code == 200:
                            break
                    await asyncio.sleep(0.05)

    play(tmp_path, scenario)


def test_an_offer_comes_with_the_line_and_is_taken_back(tmp_path: Path) -> None:
    async def scenario(here: Fleet) -> None:
        one = await here.enrolled()
        await one.connect()
        assert (await one.hear(city.Offered)).offer is None
        added = await bundle(here, tmp_path)
        rollout = await rolled_out(here, added)
        told = await one.hear(city.Offered)
        assert told.offer is not None
        assert (told.offer.rollout, told.offer.version) == (rollout, "1")
        await here.hub.rollouts.pause(rollout, AN)
        assert (await one.hear(city.Offered)).offer is None

    play(tmp_path, scenario)
