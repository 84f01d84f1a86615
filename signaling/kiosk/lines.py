"""The lines to the devices that are connected now: one each, the newer takes the place of the older."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.facts import Facts
from kiosk_hub.fleet.ids import CommandId, DeviceId
from kiosk_hub.fleet.orders import DeviceSettings, Offer, Order
from kiosk_hub.ports import Listener
from signaling.kiosk.limits import DRAIN_RAMP_S, PROBE_LINE_S
from signaling.kiosk.line import Line, settings_of

LOST_LIMIT_S: Final = 5.0

log = logging.getLogger(__name__)


class Lines:
    """The switchboard. Listeners are told of every line and every beat, in the order in which they were
    added."""

    def __init__(self, clock: Callable[[], float], beat_every_s: float) -> None:
        self._clock = clock
        self.beat_every_s = beat_every_s
        self._of: dict[DeviceId, Line] = {}
        self._doubtful: set[Line] = set()
        self._listeners: list[Listener] = []
        self.on_both_alive: Callable[[DeviceId], None] = lambda _: None
        """Two machines answer as this device."""

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def __len__(self) -> int:
        return len(self._of)

    # --- what devices do ---

    def connected(self, device: Device, line: Line) -> None:
        """It is let in and has been welcomed."""
        line.device = device.id
        line.boot = device.boot
        before = self._of.pop(device.id, None)
        self._of[device.id] = line
        if before is not None:
            self._replace(before, device)
        now = self._clock()
        for listener in self._listeners:
            self._safely(listener.on_connected, device.id, device.boot, now)

    def beat(self, line: Line, facts: Facts) -> None:
        assert line.device is not None
        now = self._clock()
        for listener in self._listeners:
            self._safely(listener.on_beat, line.device, facts, now)

    def gone(self, line: Line) -> None:
        """Its socket is closed."""
        self._doubtful.discard(line)
        if line.device is None or self._of.get(line.device) is not line:
            return
        del self._of[line.device]
        now = self._clock()
        for listener in self._listeners:
            self._safely(listener.on_gone, line.device, now)

    # --- what the city says (the port ``Switchboard``) ---

    def is_connected(self, device: DeviceId) -> bool:
        return device in self._of

    def order(self, device: DeviceId, order: Order) -> bool:
        line = self._of.get(device)
        if line is not None:
            line.order(order)
        return line is not None

    def take_back(self, device: DeviceId, command: CommandId) -> bool:
        line = self._of.get(device)
        if line is not None:
            line.take_back(command)
        return line is not None

    def offer(self, device: DeviceId, offer: Offer | None) -> bool:
        line = self._of.get(device)
        if line is not None:
            line.offer(offer)
        return line is not None

    def tell_settings(self, device: DeviceId, settings: DeviceSettings) -> bool:
        line = self._of.get(device)
        if line is not None:
            line.settings(settings)
        return line is not None

    def hang_up(self, device: DeviceId, code: str, text: str) -> bool:
        line = self._of.get(device)
        if line is not None:
            line.send_away(code, text, 0 if code == "come-back" else None)
        return line is not None

    def record_changed(self, before: Device | None, after: Device | None) -> None:
        """For :meth:`Directory.listen`: what a device is told of itself is told again when it has changed."""
        if before is None or after is None or after.id not in self._of:
            return
        settings = settings_of(after, self.beat_every_s)
        if settings != settings_of(before, self.beat_every_s):
            self.tell_settings(after.id, settings)

    # --- the end ---

    def drain(self) -> None:
        """All are sent away, each to come back at its own place in the ramp."""
        lines = list(self._of.values())
        for place, line in enumerate(lines):
            wait_ms = int(DRAIN_RAMP_S * 1000 * place / len(lines))
            line.send_away("shutting-down", "the server is restarting", wait_ms)

    def look_for_laggards(self, max_lag_s: float) -> None:
        for line in list(self._of.values()):
            if line.lag_s > max_lag_s:
                line.send_away("lagging", "your line is too slow to keep up; come back", 0)

    # --- inside ---

    def _replace(self, before: Line, device: Device) -> None:
        """A machine that has rebooted, or lost its line, cannot answer on its old one; if the old line of
        an earlier boot does, there are two machines."""
        id = device.id
        if before.boot == device.boot:
            before.send_away("superseded", "another line of this device has taken its place")
            return

        def silent() -> None:
            self._doubtful.discard(before)
            before.send_away("superseded", "another line of this device has taken its place")

        def answers() -> None:
            timer.cancel()
            self._doubtful.discard(before)
            before.send_away("superseded", "another line of this device has taken its place")
            self.on_both_alive(id)

        self._doubtful.add(before)
        timer = asyncio.get_running_loop().call_later(PROBE_LINE_S, silent)
        before.ask(answers)

    def is_doubtful(self, line: Line) -> bool:
        """Another has taken its place: it is not listened to any more."""
        return line in self._doubtful

    def _safely(self, call: Callable[..., None], *args: object) -> None:
        try:
            call(*args)
        except Exception:
            log.exception("! a listener to the devices failed")
