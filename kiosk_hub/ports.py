"""What the services of the hub ask of the rest of the house. Adapters are named in ``signaling/app.py``."""

from typing import Protocol

from msgspec import Struct

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.facts import Facts
from kiosk_hub.fleet.ids import CommandId, DeviceId, IncidentId, RolloutId
from kiosk_hub.fleet.news import LogLine
from kiosk_hub.fleet.orders import DeviceSettings, Offer, Order
from kiosk_hub.fleet.verdict import Verdict


class Switchboard(Protocol):
    """The lines to the devices that are connected now. Nothing here waits; False: there is no such line."""

    def is_connected(self, device: DeviceId) -> bool: ...

    def order(self, device: DeviceId, order: Order) -> bool: ...

    def take_back(self, device: DeviceId, command: CommandId) -> bool: ...

    def offer(self, device: DeviceId, offer: Offer | None) -> bool: ...

    def tell_settings(self, device: DeviceId, settings: DeviceSettings) -> bool: ...

    def hang_up(self, device: DeviceId, code: str, text: str) -> bool: ...


class Denied(Struct, frozen=True):
    """A claim that may not be carried out, and never will be."""

    code: str
    text: str


class Claims(Protocol):
    """Who knows the commands. A device waits for the answer; both may write, and raise what the store raises:
    the device then asks again."""

    async def claim(self, device: DeviceId, command: CommandId) -> Denied | None:
        """It is about to carry the order out. None: it may."""

    async def acknowledged(self, device: DeviceId, command: CommandId) -> None:
        """The order is kept on its disk."""


class Diary(Protocol):
    """The log of each device that staff read. Never waits: lines are written in groups, and dropped (and
    counted) when too many wait."""

    def note(self, device: DeviceId, line: LogLine, now: float) -> None: ...


class Listener(Protocol):
    """Who is told what the device edge hears. Called on the loop, never awaited; must not raise."""

    def on_connected(self, device: DeviceId, boot: str, now: float) -> None: ...

    def on_gone(self, device: DeviceId, now: float) -> None: ...

    def on_beat(self, device: DeviceId, facts: Facts, now: float) -> None: ...


class Feed(Protocol):
    """What the pages are told live. Called on the loop after a commit; coalesced, never waits."""

    def row_changed(self, device: DeviceId) -> None: ...

    def incident_changed(self, incident: IncidentId) -> None: ...

    def commands_changed(self, device: DeviceId) -> None: ...

    def rollout_changed(self, rollout: RolloutId) -> None: ...

    def enrolments_changed(self) -> None: ...

    def audit_changed(self) -> None: ...


class JudgementListener(Protocol):
    """Is told every judgement of a device, changed or not: each beat, and as time passes without one."""

    def on_judged(self, device: Device, verdict: Verdict, now: float) -> None: ...


class Marks(Protocol):
    """What alerting knows of a device, for its row."""

    def is_flapping(self, device: DeviceId) -> bool: ...

    def incident_of(self, device: DeviceId) -> IncidentId | None: ...
