"""A site in a real meeting as load: its line to the server, and its peer connection to the unit."""

import asyncio
import json
from typing import Any

from benchmarks.drain import Receiver
from benchmarks.feed import SpeakerProcess
from benchmarks.member import Member
from room_manager.media.light import LightPeer


class Site:
    """Comes in, connects, and counts how often it had to offer."""

    def __init__(self, port: int, link: str) -> None:
        self.member = Member("127.0.0.1", port, link, self._hear)
        self.receiver: Receiver | None = None
        self.offers = 0
        self.sent_away = 0  # times the server told it to connect anew, or not to come back

    async def enter(self) -> None:
        await self.member.enter()

    async def connect(self) -> None:
        """Offer what a page offers; media is read by whoever holds ``receiver`` from then on."""
        peer = LightPeer(count_only=True)
        try:
            answer = await self._offer(peer.offer())
            await peer.accept(answer["sdp"], answer["slots"])
            await peer.connected()
        except BaseException:
            peer.close()
            raise
        self.receiver = Receiver(peer)

    def leave(self) -> None:
        """Without a word on the line; the peer says goodbye."""
        self.leave_media()
        self.member.hang_up()

    def leave_media(self) -> None:
        receiver, self.receiver = self.receiver, None
        if receiver is not None:
            receiver.peer.close()

    async def _offer(self, sdp: str) -> Any:
        self.offers += 1
        answer = json.loads(await self.member.ask("offer", sdp=sdp))
        if answer["type"] != "answer":
            raise RuntimeError(f"no answer to an offer: {answer}")
        return answer

    def _hear(self, member: Member, kind: str, text: bytes) -> None:
        if kind in ("media-lost", "leave"):
            self.sent_away += 1


class SpeakingSite(Site):
    """Sends from a process of its own, and only the layers the server wants."""

    def __init__(self, port: int, link: str, mark: int) -> None:
        super().__init__(port, link)
        self._process = SpeakerProcess(mark)

    async def connect(self) -> None:
        answer = await self._offer(await self._process.start())
        await self._process.connect(answer["sdp"], answer["slots"])

    async def close(self) -> None:
        self.member.hang_up()
        await self._process.close()

    def _hear(self, member: Member, kind: str, text: bytes) -> None:
        super()._hear(member, kind, text)
        if kind == "layers":
            wanted = json.loads(text)
            if wanted["role"] == "camera":
                self._process.show(bool(wanted["layers"]))


async def enter_all(sites: list[Site], per_s: float, under_way: int) -> None:
    """All come in and connect, so many a second, so many at once."""
    gate = asyncio.Semaphore(under_way)
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def one(place: int, site: Site) -> None:
        await asyncio.sleep(max(0.0, began + place / per_s - loop.time()))
        async with gate:
            await site.enter()
            await site.connect()

    await asyncio.gather(*(one(place, site) for place, site in enumerate(sites)))
