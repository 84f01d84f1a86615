"""One site seen and heard by all.

``python -m benchmarks.sfu_forward --sites 579 --pps 180 --seconds 10 --json -``

The unit, the publisher and the receivers have a process each, on one machine. Every receiver is real up to
its keys: ICE, DTLS, SRTP, and it offers what a site's page offers. Most are emptied without being decrypted,
and their packets counted; some decrypt and verify everything, and tell how long a packet was on its way (from
its publisher's hands to the receiver's socket, by the kernel's stamp). CPU is that of the unit's processes,
from ``/proc``.

With ``--undrained`` those who only count are not read at all: the kernel drops what does not fit, the unit is
less disturbed by its receivers, and losses are known of the verifying ones only. ``--against janus`` puts the
same load on Debian's Janus in the same run; see ``benchmarks.janus``.
"""

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Sequence
from typing import Any, Final

import psutil

from benchmarks import against
from benchmarks.load import Load, Run
from benchmarks.report import machine, print_json
from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import Answer, EngineAway, Scene
from room_manager.media.light import LightPeer, Sections
from room_manager.media.sfu.driver import SfuEngine, SfuSettings
from signaling.process import allow_many_files

LOOPBACK: Final = "127.0.0.1"
ROOM: Final = RoomId("benchmark")
STAGE: Final = SiteId("stage")
PATIENCE_S: Final = 180.0
PATIENT_CALLS: Final = 12
MAX_SITES: Final = 1_900
MAX_SECONDS: Final = 120.0
BARE: Final = Sections(False, False, False, audio_slots=1, video_slots=1, repair=False)


class Unit:
    """Our forwarding unit as a :class:`~benchmarks.load.Subject`."""

    def __init__(self, host: str = LOOPBACK, workers: int = 1) -> None:
        self.host = host
        self._engine = SfuEngine(SfuSettings(host=host, workers=workers))

    async def start(self) -> None:
        await self._engine.start()
        await self._engine.set_scene(ROOM, Scene(main=STAGE, heard_only=None, voices=(STAGE,)))
        self._processes = [psutil.Process(pid) for pid in self._engine.pids if pid is not None]

    async def publish(self, offer: str) -> Answer:
        return await self._engine.join(ROOM, ConnectionId("stage"), STAGE, offer)

    async def admit(self, number: int, peer: LightPeer) -> None:
        name = f"r{number}"
        answer = await self._engine.join(ROOM, ConnectionId(name), SiteId(name), peer.offer())
        await peer.accept(answer.sdp, answer.slots)

    def processes(self) -> list[psutil.Process]:
        return self._processes

    async def sent(self) -> int:
        for _ in range(PATIENT_CALLS):  # on a machine too busy the unit may be behind by seconds
            with contextlib.suppress(EngineAway):
                stats = await self._engine.stats(ROOM)
                assert stats is not None
                return stats.audio_forwarded + stats.video_forwarded
        raise SystemExit("the unit is more than a minute behind: the machine is too busy to measure")

    async def close(self) -> None:
        await self._engine.close()


def load_of(options: argparse.Namespace) -> Load:
    """What the words ask for."""
    return Load(
        sites=options.sites,
        profile=options.profile,
        pps=options.pps,
        drained=not options.undrained,
        reports=options.feedback is not None,
        transport_wide=options.feedback == "twcc",
        sections=BARE if options.bare else Sections(),
    )


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """One profile."""
    unit = Unit(options.host, options.workers)
    run = Run(unit, load_of(options))
    try:
        async with asyncio.timeout(PATIENCE_S + options.seconds):
            await unit.start()
            figures = await run.gather()
            await asyncio.sleep(options.calm)
            figures["idle_share"] = await run.idle(options.idle)
            figures |= await run.feed(options.seconds)
            figures["rss_mib"] = round(run.rss_bytes() / 2**20, 1)
    finally:
        await run.close()
        await unit.close()
    return {
        **figures,
        "profile": options.profile,
        "workers": options.workers,
        "drained": not options.undrained,
        "feedback": options.feedback or "none",
        "offer": "bare" if options.bare else "page",
    }


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sfu_forward", description=__doc__)
    parser.add_argument("--sites", type=int, default=579)
    parser.add_argument(
        "--pps", type=float, default=180, help="packets the publisher sends, 50 of them sound"
    )
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument(
        "--idle", type=float, default=5, metavar="SECONDS", help="how long to look at nothing"
    )
    parser.add_argument(
        "--calm",
        type=float,
        default=7,
        metavar="SECONDS",
        help="before that: newcomers' lines are looked at closely",
    )
    parser.add_argument("--profile", choices=("gcm", "cm", "both"), default="gcm")
    parser.add_argument(
        "--feedback",
        choices=("rr", "twcc"),
        help="what every receiver sends back: receiver reports, one a second; with twcc also the arrivals of "
        "packets that carry transport-wide numbers, 20 times a second",
    )
    parser.add_argument(
        "--bare", action="store_true", help="receivers offer two sections instead of a page's"
    )
    parser.add_argument("--undrained", action="store_true", help="leave most receivers' sockets unread")
    parser.add_argument("--workers", type=int, default=1, help="processes of the unit; figures are their sum")
    parser.add_argument("--against", choices=("janus",), help="put the same load on this one too")
    parser.add_argument("--host", default=LOOPBACK, help=argparse.SUPPRESS)
    parser.add_argument("--json", default="-", metavar="FILE", help="where to write, - for standard output")
    options = parser.parse_args(arguments)
    if not 1 <= options.sites <= MAX_SITES or not 0 < options.seconds <= MAX_SECONDS or options.pps <= 50:
        parser.error(
            f"1 to {MAX_SITES} sites, up to {MAX_SECONDS:.0f} seconds, more than 50 packets a second"
        )
    return options


async def everything(options: argparse.Namespace) -> dict[str, Any]:
    """What was asked for; with ``both``, figures of each profile under its name."""
    profiles = ("gcm", "cm") if options.profile == "both" else (options.profile,)
    found = {}
    for profile in profiles:
        one = argparse.Namespace(**{**vars(options), "profile": profile})
        found[profile] = await measure(one)
        if options.against:
            found[profile] |= await against.compare(one, load_of(one), found[profile]["pps_per_core"])
    return found if options.profile == "both" else found[options.profile]


def main() -> int:
    options = parse()
    if options.against and options.host == LOOPBACK and against.why_not() is None:
        return against.run_apart(sys.argv[1:])
    allow_many_files()
    before = machine()
    print_json({**asyncio.run(everything(options)), "machine": before}, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
