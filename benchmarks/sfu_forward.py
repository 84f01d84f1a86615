"""One site seen and heard by all.

``python -m benchmarks.sfu_forward --sites 579 --pps 180 --seconds 10 --json -``

The unit, the publisher and the receivers have a process each, on one machine. Every receiver is real up to
its keys: ICE, DTLS, SRTP. Most are emptied without being decrypted, and their sequence numbers counted; some
decrypt and verify everything, and tell how long a packet was on its way (from its publisher's hands to the
receiver's socket, by the kernel's stamp). CPU is the unit's process, from ``/proc``.

With ``--undrained`` those who only count are not read at all: the kernel drops what does not fit, the unit is
less disturbed by its receivers, and losses are known of the verifying ones only.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

import psutil

from benchmarks.drain import Counted, Drain, Receiver, Verifier
from benchmarks.report import machine, percentile_ms, print_json
from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import EngineAway, Scene
from room_manager.media.light import LightPeer, Sections
from room_manager.media.sfu.driver import SfuEngine, SfuSettings
from room_manager.media.sfu.dtls import Identity
from room_manager.media.sfu.srtp import PROFILES

ROOM: Final = RoomId("benchmark")
STAGE: Final = SiteId("stage")
UNDER_WAY: Final = 20
VERIFYING: Final = 12
SWEEP_S: Final = 0.05
WARM_UP_S: Final = 1.0
SETTLE_S: Final = 0.5
PATIENCE_S: Final = 180.0
PATIENT_CALLS: Final = 12
MAX_SITES: Final = 1_900
MAX_SECONDS: Final = 120.0


class PublisherProcess:
    """The site on stage."""

    async def start(self) -> str:
        """Run it; returns its offer."""
        pipe = asyncio.subprocess.PIPE
        self._child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.publisher", stdin=pipe, stdout=pipe
        )
        return str((await self._hear())["offer"])

    async def connect(self, sdp: str, slots: dict[str, str]) -> None:
        self._say({"sdp": sdp, "slots": slots})
        await self._hear()

    async def send(self, pps: float, seconds: float) -> int:
        """How many packets it sent."""
        self._say({"pps": pps, "seconds": seconds})
        return int((await self._hear())["sent"])

    async def close(self) -> None:
        self._say({})
        await self._child.wait()

    def _say(self, order: dict[str, Any]) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps(order).encode() + b"\n")

    async def _hear(self) -> Any:
        assert self._child.stdout is not None
        return json.loads(await self._child.stdout.readline())


class Crowd:
    """All receivers."""

    def __init__(self, drained: bool) -> None:
        self._drained = drained
        self._drain = Drain()
        self.receivers: list[Receiver] = []
        self.verifiers: list[Verifier] = []

    def take(self, peers: list[LightPeer]) -> None:
        """Read in their place; the verifying ones are spread over the order they joined in."""
        self.receivers = [Receiver(peer) for peer in peers]
        count = min(VERIFYING, len(peers))
        places = {round(n * (len(peers) - 1) / max(1, count - 1)) for n in range(count)}
        loop = asyncio.get_running_loop()
        for place in sorted(places):
            verifier = Verifier(self.receivers[place])
            self.verifiers.append(verifier)
            loop.add_reader(verifier.receiver.socket.fileno(), verifier.readable)
        self._counting = [r for n, r in enumerate(self.receivers) if n not in places]

    async def sweep(self) -> None:
        """Empty the counting ones, for ever."""
        while self._drained:
            for place, receiver in enumerate(self._counting):
                self._drain.empty(receiver)
                if place % 16 == 0:
                    await asyncio.sleep(0)
            await asyncio.sleep(SWEEP_S)

    def tally(self) -> tuple[int, int]:
        """Packets arrived and lost, of everybody who is read.

        All share one numbering, so the lowest and highest number anybody saw is what each should have.
        """
        read = self.receivers if self._drained else [v.receiver for v in self.verifiers]
        arrived = lost = 0
        for name in read[0].slots:
            seen = [receiver.slots[name] for receiver in read]
            started = [c for c in seen if c.first is not None]
            if started:
                due = max(c.highest for c in started) - min(_first(c) for c in started) + 1
                arrived += sum(c.packets for c in seen)
                lost += sum(due - c.packets for c in seen)
        return arrived, lost


def _first(counted: Counted) -> int:
    assert counted.first is not None
    return counted.first


class Benchmark:
    """The whole run."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        profile = PROFILES[0 if options.profile == "gcm" else 1]
        self._identity = Identity((profile,))
        self._sections = Sections(False, False, False, audio_slots=1, video_slots=1, repair=False)
        self._engine = SfuEngine(SfuSettings())
        self._crowd = Crowd(not options.undrained)
        self._room = asyncio.Semaphore(UNDER_WAY)

    async def run(self) -> dict[str, Any]:
        await self._engine.start()
        try:
            return await self._measure()
        finally:
            await self._engine.close()

    async def _measure(self) -> dict[str, Any]:
        options, engine = self._options, self._engine
        assert engine.pid is not None
        unit = psutil.Process(engine.pid)
        await engine.set_scene(ROOM, Scene(main=STAGE, heard_only=None, voices=(STAGE,)))
        publisher = PublisherProcess()
        answer = await engine.join(ROOM, ConnectionId("stage"), STAGE, await publisher.start())
        await publisher.connect(answer.sdp, answer.slots)

        began, joined_from_s = time.monotonic(), _cpu_s(unit)
        peers = await asyncio.gather(*(self._join(n) for n in range(options.sites)))
        join_s, join_cpu_s = time.monotonic() - began, _cpu_s(unit) - joined_from_s
        self._crowd.take(peers)
        sweeping = asyncio.create_task(self._crowd.sweep())
        try:
            await publisher.send(options.pps, WARM_UP_S)
            await asyncio.sleep(SETTLE_S)
            for verifier in self._crowd.verifiers:
                verifier.added_s.clear()
            before = await self._forwarded()
            cpu_s, ours_s, at = _cpu_s(unit), time.process_time(), time.monotonic()
            fed = await publisher.send(options.pps, options.seconds)
            took_s = time.monotonic() - at
            cpu_s, ours_s = _cpu_s(unit) - cpu_s, time.process_time() - ours_s
            sent = await self._forwarded() - before
            await self._caught_up()
        finally:
            sweeping.cancel()
        arrived, lost = self._crowd.tally()
        added = [s for verifier in self._crowd.verifiers for s in verifier.added_s]
        rss = unit.memory_info().rss
        await publisher.close()
        for receiver in self._crowd.receivers:
            receiver.peer.close()
        share = cpu_s / took_s
        return {
            "sites": options.sites,
            "join_s": round(join_s, 2),
            "joins_per_s": round(options.sites / join_s),
            "join_cpu_ms": round(join_cpu_s * 1000 / options.sites, 2),
            "fed_packets": fed,
            "expected_pps": round(fed * options.sites / took_s),
            "sent_pps": round(sent / took_s),
            "lost": lost,
            "arrived": arrived,
            "worker_cpu_share": round(share, 3),
            "worker_us_per_packet": round(cpu_s / sent * 1e6, 2) if sent else None,
            "pps_per_core": round(sent / cpu_s) if cpu_s else None,
            "added_latency_p50_ms": percentile_ms(added, 0.5),
            "added_latency_p99_ms": percentile_ms(added, 0.99),
            "rss_mib": round(rss / 2**20, 1),
            "profile": options.profile,
            "verified": sum(v.opened for v in self._crowd.verifiers),
            "not_verified": sum(v.broken for v in self._crowd.verifiers),
            "drained": not options.undrained,
            "receivers_cpu_share": round(ours_s / took_s, 3),
        }

    async def _join(self, number: int) -> LightPeer:
        async with self._room:
            peer = LightPeer(self._sections, count_only=True, identity=self._identity)
            name = f"r{number}"
            answer = await self._engine.join(ROOM, ConnectionId(name), SiteId(name), peer.offer())
            await peer.accept(answer.sdp, answer.slots)
            await peer.connected()
            return peer

    async def _caught_up(self) -> None:
        """The unit has sent what it was given, and it has been counted; a busy machine may be behind."""
        before, now = -1, await self._forwarded()
        while now != before:
            await asyncio.sleep(SETTLE_S + 2 * SWEEP_S)
            before, now = now, await self._forwarded()

    async def _forwarded(self) -> int:
        for _ in range(PATIENT_CALLS):  # on a machine too busy the unit may be behind by seconds
            with contextlib.suppress(EngineAway):
                stats = await self._engine.stats(ROOM)
                break
        else:
            raise SystemExit("the unit is more than a minute behind: the machine is too busy to measure")
        assert stats is not None
        return stats.audio_forwarded + stats.video_forwarded


def _cpu_s(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S + options.seconds):
        return await Benchmark(options).run()


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sfu_forward", description=__doc__)
    parser.add_argument("--sites", type=int, default=579)
    parser.add_argument(
        "--pps", type=float, default=180, help="packets the publisher sends, 50 of them sound"
    )
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--profile", choices=("gcm", "cm"), default="gcm")
    parser.add_argument("--undrained", action="store_true", help="leave most receivers' sockets unread")
    parser.add_argument("--json", default="-", metavar="FILE", help="where to write, - for standard output")
    options = parser.parse_args(arguments)
    if not 1 <= options.sites <= MAX_SITES or not 0 < options.seconds <= MAX_SECONDS or options.pps <= 50:
        parser.error(
            f"1 to {MAX_SITES} sites, up to {MAX_SECONDS:.0f} seconds, more than 50 packets a second"
        )
    return options


def main() -> int:
    options = parse()
    before = machine()
    figures = asyncio.run(measure(options))
    print_json({**figures, "machine": before}, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
