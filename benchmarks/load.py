"""The same load for whatever forwards: so many real receivers join, and one site is seen and heard by all.

What forwards is behind :class:`Subject`; nothing here knows which it is.
"""

import asyncio
import contextlib
import time
from typing import Any, Final, Protocol

import psutil
from msgspec import Struct

from benchmarks.crowd import SWEEP_S, Crowd, Tally
from benchmarks.feed import Fed, PublisherProcess
from benchmarks.report import percentile_ms
from room_manager.media.engine import Answer
from room_manager.media.light import LightPeer, Sections
from room_manager.media.sfu.dtls import Identity
from room_manager.media.sfu.srtp import PROFILES

UNDER_WAY: Final = 20
WARM_UP_S: Final = 1.0
SETTLE_S: Final = 0.5
CATCH_UP_S: Final = 30.0


class Subject(Protocol):
    """What forwards."""

    host: str
    """The address peers are behind."""

    async def start(self) -> None: ...

    async def publish(self, offer: str) -> Answer: ...

    async def admit(self, number: int, peer: LightPeer) -> None:
        """Until the peer's offer has been exchanged and it connects."""

    def processes(self) -> list[psutil.Process]: ...

    async def sent(self) -> int | None:
        """Packets × receivers so far; None: it does not say."""

    async def close(self) -> None: ...


class Load(Struct, frozen=True):
    """How much."""

    sites: int
    profile: str  # gcm or cm
    pps: float
    drained: bool = True
    reports: bool = False
    transport_wide: bool = False
    sections: Sections = Sections()


class Run:
    """One subject under one load: ``gather``, then ``idle`` and ``feed`` as often as wanted, ``close``."""

    def __init__(self, subject: Subject, load: Load) -> None:
        self._subject = subject
        self._load = load
        self._identity = Identity((PROFILES[0 if load.profile == "gcm" else 1],))
        self._publisher = PublisherProcess()
        self._open = asyncio.Semaphore(UNDER_WAY)
        self._sweeping: asyncio.Task[None] | None = None
        self.crowd = Crowd(drained=load.drained, reports=load.reports, transport_wide=load.transport_wide)

    async def gather(self) -> dict[str, Any]:
        """Everybody joins."""
        load, subject = self._load, self._subject
        offer = await self._publisher.start(subject.host)
        answer = await subject.publish(offer)
        await self._publisher.connect(answer.sdp, answer.slots)
        began, cpu_s, rss = time.monotonic(), self.cpu_s(), self.rss_bytes()
        peers = await asyncio.gather(*(self._join(n) for n in range(load.sites)))
        join_s, join_cpu_s = time.monotonic() - began, self.cpu_s() - cpu_s
        self.crowd.take(peers)
        self._sweeping = asyncio.create_task(self.crowd.sweep())
        return {
            "sites": load.sites,
            "join_s": round(join_s, 2),
            "joins_per_s": round(load.sites / join_s),
            "join_cpu_ms": round(join_cpu_s * 1000 / load.sites, 2),
            "kib_per_receiver": round((self.rss_bytes() - rss) / 1024 / load.sites, 1),
        }

    async def idle(self, seconds: float) -> float:
        """The share of a core it takes to have everybody there and send nothing."""
        cpu_s, at = self.cpu_s(), time.monotonic()
        await asyncio.sleep(seconds)
        return round((self.cpu_s() - cpu_s) / (time.monotonic() - at), 4)

    async def feed(self, seconds: float, share: float = 1.0) -> dict[str, Any]:
        """One site sends to all. Cores and processor are the subject's, all its processes and threads."""
        load, crowd = self._load, self.crowd
        await self._publisher.send(load.pps, WARM_UP_S, share)
        await self._caught_up()
        crowd.mark()
        before, told_back = await self._subject.sent(), crowd.told_back
        cpu_s, ours_s, at = self.cpu_s(), time.process_time(), time.monotonic()
        fed = await self._publisher.send(load.pps, seconds, share)
        took_s = time.monotonic() - at
        cpu_s, ours_s = self.cpu_s() - cpu_s, time.process_time() - ours_s
        after = await self._subject.sent()
        await self._caught_up()
        tally = crowd.tally(fed)
        sent = tally.arrived if before is None or after is None else after - before
        return {
            **self._figures(fed, tally, sent, cpu_s, took_s),
            "feedbacks_per_s": round((crowd.told_back - told_back) / took_s),
            "receivers_cpu_share": round(ours_s / took_s, 3),
        }

    def cpu_s(self) -> float:
        """Processor so far."""
        times = [process.cpu_times() for process in self._subject.processes()]
        return float(sum(used.user + used.system for used in times))

    def rss_bytes(self) -> int:
        return sum(int(process.memory_info().rss) for process in self._subject.processes())

    async def close(self) -> None:
        """Everybody leaves."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeping
        self.crowd.close()
        await self._publisher.close()

    def _figures(self, fed: Fed, tally: Tally, sent: int, cpu_s: float, took_s: float) -> dict[str, Any]:
        added = self.crowd.added_s()
        verifiers = self.crowd.verifiers
        return {
            "fed_packets": fed.packets,
            "expected_pps": round(fed.packets * self._load.sites / took_s),
            "sent_pps": round(sent / took_s),
            "lost": tally.lost,
            "arrived": tally.arrived,
            "worker_cpu_share": round(cpu_s / took_s, 3),
            "worker_us_per_packet": round(cpu_s / sent * 1e6, 2) if sent else None,
            "pps_per_core": round(sent / cpu_s) if cpu_s else None,
            "added_latency_p50_ms": percentile_ms(added, 0.5),
            "added_latency_p99_ms": percentile_ms(added, 0.99),
            "verified": sum(v.opened for v in verifiers),
            "not_verified": sum(v.broken for v in verifiers),
        }

    async def _join(self, number: int) -> LightPeer:
        async with self._open:
            peer = LightPeer(
                self._load.sections, count_only=True, identity=self._identity, host=self._subject.host
            )
            await self._subject.admit(number, peer)
            await peer.connected()
            return peer

    async def _caught_up(self) -> None:
        """Nothing comes any more: what was fed has been sent and counted; a busy machine may be behind."""
        deadline, before, now = time.monotonic() + CATCH_UP_S, -1, self.crowd.arrived()
        while now != before and time.monotonic() < deadline:
            await asyncio.sleep(SETTLE_S + 2 * SWEEP_S)
            before, now = now, self.crowd.arrived()
