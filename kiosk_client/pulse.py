"""The beats: when one is due, what is in it, and what the service manager may conclude from them."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import msgspec
from msgspec.structs import replace

from kiosk_client import clock as clocks
from kiosk_client import watchdog
from kiosk_client.beats import Beats
from kiosk_client.clock import CityClock
from kiosk_client.line import Line
from kiosk_client.outbox import Outbox
from kiosk_client.ports import Body, BodyFacts
from kiosk_client.system import System
from signaling.wire.kiosk.words import Facts, LogLine, Network, Versions

BEAT_EVERY_S: Final = 30.0
FACTS_WITHIN_S: Final = 10.0
LATE_S: Final = 30.0

_encoder: Final = msgspec.json.Encoder()
_facts_decoder: Final = msgspec.json.Decoder(Facts)

log = logging.getLogger(__name__)


class Pulse:
    """One task, :meth:`run`; another one where a watchdog waits."""

    def __init__(
        self,
        *,
        line: Line,
        beats: Beats,
        clock: CityClock,
        system: System,
        body: Body,
        versions: Callable[[], Versions],
        outbox: Outbox,
        is_durable: Callable[[], bool],
        every_s: Callable[[], float],
        note: Callable[[LogLine], None],
        chance: Callable[[], float],
    ) -> None:
        self._line = line
        self._beats = beats
        self._clock = clock
        self._system = system
        self._body = body
        self._versions = versions
        self._outbox = outbox
        self._is_durable = is_durable
        self._every_s = every_s
        self._note = note
        self._chance = chance
        self._now = asyncio.Event()
        self._last_clock = (system.mono(), system.wall())
        self._pulsed_at = system.mono()

    def beat_now(self) -> None:
        """Beside the regular beats: the line has just opened."""
        self._now.set()

    async def run(self) -> None:
        """A beat at once when the line is there, then each at this device's own moment of the interval."""
        loop = asyncio.get_running_loop()
        next_at = loop.time() + self._every_s() * self._chance()
        while True:
            try:
                async with asyncio.timeout_at(next_at):
                    await self._now.wait()
            except TimeoutError:
                next_at = max(next_at + self._every_s(), loop.time())
            self._now.clear()
            await self.beat()

    async def beat(self) -> None:
        mono, wall = self._system.mono(), self._system.wall()
        jumped_s = clocks.jump_s(self._last_clock, mono, wall)
        self._last_clock = (mono, wall)
        if jumped_s is not None:
            log.warning("- the clock was set by %+.1f s", jumped_s)
            self._note(LogLine("warning", "clock-jump", f"Đồng hồ máy nhảy {jumped_s:+.0f} giây"))
        try:
            async with asyncio.timeout(FACTS_WITHIN_S):
                found = await self._body.facts()
        except TimeoutError:
            log.error("! the body tells no facts")
            return
        except Exception:  # a bug of the body's; if it stays, the watchdog is told no more
            log.exception("! the body's facts: a bug")
            return
        facts = self._sound(found)
        if facts is not None:
            self._pulsed_at = mono
            await self._line.beat(facts)

    def _sound(self, found: BodyFacts) -> Facts | None:
        """The facts; if the wire does not take them (a bug of the body's), those that it surely does."""
        bare = BodyFacts(disk=found.disk, load=found.load, out_of_service=found.out_of_service)
        for tried in (found, bare):
            facts = self._facts(tried)
            try:
                _facts_decoder.decode(_encoder.encode(facts))
            except msgspec.ValidationError as error:
                log.error("! facts that the wire does not take: %s", error)
                continue
            return facts
        return None

    async def feed_watchdog(self) -> None:
        """All is well only if the loop turns, beats are made, and the body lives."""
        every_s = watchdog.interval_s()
        assert every_s is not None
        while True:
            await asyncio.sleep(every_s)
            late_s = self._system.mono() - self._pulsed_at - self._every_s()
            if self._body.alive() and late_s < LATE_S:
                watchdog.notify(watchdog.ALIVE)

    def _facts(self, found: BodyFacts) -> Facts:
        mono = self._system.mono()
        disk = found.disk if self._is_durable() else replace(found.disk, writable=False)
        return Facts(
            versions=self._versions(),
            disk=disk,
            load=found.load,
            network=Network(self._beats.rtt_ms(), self._beats.loss_share(mono), found.network_kind),
            clock=clocks.trust(
                self._clock.held,
                self._clock.heard_mono,
                mono,
                self._system.wall(),
                self._system.clock_kept(),
            ),
            painted=found.painted,
            touch_ok=found.touch_ok,
            camera=found.camera,
            microphone_share=found.microphone_share,
            printer=found.printer,
            in_session=self._body.session_active(),
            outbox_depth=self._outbox.depth,
            out_of_service=found.out_of_service,
            restarts=found.restarts,
        )
