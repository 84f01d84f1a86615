"""An encoder's or a player's HTTP, without its media, and the offers they make."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from room_manager.ids import SiteId
from room_manager.media.fake import FakeEngine
from room_manager.media.light import LightPeer
from room_manager.media.light_sdp import Sections
from room_manager.meeting.state import Site
from room_manager.meeting.values import Device, LinkKind, Role
from signaling.links import LinkFor, LinkMaker
from signaling.whip.service import Whip
from tests.helpers.servers import PATIENCE_S, Hall, hall, settings

SDP: Final = "application/sdp"
FRAGMENT: Final = "application/trickle-ice-sdpfrag"
SENDS: Final = Sections(screen=False, audio_slots=0, video_slots=0, layers=())
WATCHES: Final = Sections(False, False, False, audio_slots=1, video_slots=1)


def publishing() -> str:
    """A microphone and a camera, to send."""
    return offer_of(SENDS)


def watching() -> str:
    """A picture and a sound, to receive."""
    return offer_of(WATCHES)


def offer_of(sections: Sections) -> str:
    peer = LightPeer(sections)
    try:
        return peer.offer()
    finally:
        peer.close()


def fragment(ufrag: str = "neww", password: str = "p" * 24, candidates: int = 1) -> str:
    """What a client says when it restarts ICE."""
    lines = [f"a=ice-ufrag:{ufrag}", f"a=ice-pwd:{password}", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0"]
    lines += [f"a=candidate:{n} 1 udp 2122260223 192.0.2.1 {6000 + n} typ host" for n in range(candidates)]
    return "\r\n".join(lines) + "\r\n"


def credentials(offer: str) -> tuple[str, str]:
    """The ufrag and the password of a description."""
    found = {
        name: line.partition(":")[2]
        for line in offer.splitlines()
        for name in ("ice-ufrag", "ice-pwd")
        if line.startswith(f"a={name}:")
    }
    return found["ice-ufrag"], found["ice-pwd"]


Scenario = Callable[["Guests", FakeEngine], Awaitable[None]]


class Caller:
    """One client's HTTP, with its token."""

    def __init__(self, http: httpx.AsyncClient, kind: LinkKind, token: str) -> None:
        self._http = http
        self.kind = kind
        self.bearer = {"authorization": f"Bearer {token}"} if token else {}

    async def ask(self, method: str, path: str, body: str = "", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._http.request(method, path, content=body, headers={**self.bearer, **named})

    async def begin(self, offer: str, **headers: str) -> httpx.Response:
        headers.setdefault("content_type", SDP)
        return await self.ask("POST", f"/{self.kind.value}", offer, **headers)

    async def patch(self, path: str, body: str, if_match: str | None) -> httpx.Response:
        headers = {"content_type": FRAGMENT}
        if if_match is not None:
            headers["if_match"] = if_match
        return await self.ask("PATCH", path, body, **headers)


class Guests:
    """Callers of one hall."""

    def __init__(self, here: Hall, http: httpx.AsyncClient) -> None:
        self.here = here
        self.http = http

    @property
    def whip(self) -> Whip:
        whip: Whip = self.here.server.app.state.whip
        return whip

    def site(self, site: SiteId) -> Site:
        """The site as everybody knows it."""
        return self.here.manager.told(self.here.meeting).sites[site]

    async def link(self, whom: LinkFor, ttl_s: float = 600.0) -> tuple[str, str]:
        """A fresh link's id and token."""
        maker = LinkMaker(self.here.stores.links, self.here.edge.link_signer, self.clock)
        link, token = await maker.make(self.here.meeting, whom, ttl_s, "test")
        return link.id, token

    def clock(self) -> float:
        return self.here.manager.now(self.here.meeting)

    async def encoder(self, site: SiteId, device: Device | None = None) -> Caller:
        _, token = await self.link(LinkFor(Role.SITE, site, device, LinkKind.WHIP))
        return Caller(self.http, LinkKind.WHIP, token)

    async def player(self) -> Caller:
        _, token = await self.link(LinkFor(Role.OBSERVER, kind=LinkKind.WHEP))
        return Caller(self.http, LinkKind.WHEP, token)

    async def until(self, fits: Callable[[], bool]) -> None:
        """Look again and again until it is so."""
        async with asyncio.timeout(PATIENCE_S):
            while not fits():  # noqa: ASYNC110 - what it waits for tells nobody
                await asyncio.sleep(0.01)


@asynccontextmanager
async def guests(here: Hall) -> AsyncIterator[Guests]:
    async with httpx.AsyncClient(base_url=here.origin, timeout=PATIENCE_S) as http:
        await here.manager.open_meeting(here.meeting)
        yield Guests(here, http)


def play(folder: Path, scenario: Scenario, **changes: Any) -> None:
    """A server whose engine is played by the test."""

    async def run() -> None:
        engine = FakeEngine()
        async with hall(settings(folder, **changes), engine=engine) as here, guests(here) as with_guests:
            await scenario(with_guests, engine)

    asyncio.run(run())
