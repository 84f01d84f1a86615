"""WHIP and WHEP with the real media engine behind them, and peers that decode nothing."""

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Literal

from room_manager.ids import HOST
from room_manager.media.light import LightPeer
from room_manager.media.light_sdp import Sections
from room_manager.media.loops import shipped
from room_manager.meeting.values import LinkKind, Role, SiteState
from signaling.links import LinkFor
from signaling.settings import MediaSettings
from tests.helpers.servers import A, B, Hall, hall, settings
from tests.helpers.whip import WATCHES, Caller, Guests, guests, publishing

SIMULCAST = Sections(screen=False, audio_slots=0, video_slots=0)
H264 = publishing().replace("VP8/90000", "H264/90000")
H264 = H264.replace(
    "a=rtpmap:96 H264", "a=fmtp:96 packetization-mode=1;profile-level-id=42e01f\r\na=rtpmap:96 H264"
)


def media(folder: Path, video: Literal["H264"] | None = None) -> AbstractAsyncContextManager[Hall]:
    return hall(settings(folder, media=MediaSettings(video=video)))


def without_sound(offer: str) -> str:
    head, _, sections = offer.partition("m=audio")
    return f"{head.replace('BUNDLE 0 1', 'BUNDLE 1')}m=video{sections.partition('m=video')[2]}"


async def accept(peer: LightPeer, caller: Caller) -> str:
    """The session's URL, once media flows."""
    begun = await caller.begin(peer.offer())
    assert begun.status_code == 201, begun.text
    mids = [line.removeprefix("a=mid:") for line in begun.text.splitlines() if line.startswith("a=mid:")]
    slots = {mid: f"slot-{mid}" for mid in mids} if caller.kind is LinkKind.WHEP else {}
    await peer.accept(begun.text, slots)
    await peer.connected()
    location: str = begun.headers["location"]
    return location


async def city_hall(here: Guests) -> Caller:
    _, token = await here.link(LinkFor(Role.CHAIR, kind=LinkKind.WHIP))
    return Caller(here.http, LinkKind.WHIP, token)


def test_a_player_is_sent_what_an_encoder_sends(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with media(tmp_path) as served, guests(served) as here:
            encoder, player = await city_hall(here), await here.player()
            sends, watches = LightPeer(SIMULCAST, count_only=True), LightPeer(WATCHES, count_only=True)
            try:
                session = await accept(sends, encoder)
                await accept(watches, player)

                sends.play(shipped()[0], layers=("q", "h"))

                received = watches.slots.values()
                await here.until(lambda: all(slot.packets > 20 for slot in received) and len(received) == 2)
                watches.close()
                await here.until(lambda: len(here.whip) == 1)
                sends.close()
                assert (await encoder.ask("DELETE", session)).status_code == 200
                assert here.site(HOST).state is SiteState.LEFT
            finally:
                sends.close()
                watches.close()

    asyncio.run(scenario())


def test_an_offer_in_another_codec_than_the_rooms_is_refused_whole(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with media(tmp_path) as served, guests(served) as here:
            assert (await (await here.encoder(A)).begin(publishing())).status_code == 201
            seq = served.manager.seq(served.meeting)
            other = await here.encoder(B)

            both = await other.begin(H264)
            alone = await other.begin(without_sound(H264))

            assert (both.status_code, both.json()["code"]) == (406, "not-acceptable")
            assert (alone.status_code, alone.json()["code"]) == (406, "no-common-codec")
            assert here.site(B).state is SiteState.EXPECTED
            assert served.manager.seq(served.meeting) == seq

    asyncio.run(scenario())


def test_where_every_meeting_is_h264_the_first_client_does_not_decide(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with media(tmp_path, "H264") as served, guests(served) as here:
            refused = await (await here.encoder(A)).begin(publishing())
            taken = await (await here.encoder(B)).begin(H264)

            assert (refused.status_code, refused.json()["code"]) == (406, "not-acceptable")
            assert taken.status_code == 201
            assert "H264/90000" in taken.text

    asyncio.run(scenario())
