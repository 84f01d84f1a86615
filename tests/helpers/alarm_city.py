"""A small city for the rules of alarms and incidents: devices that beat, fall silent and break, on a clock of
its own. The judgements are those of a city's side that calls a device offline after 75 s of silence."""

from collections.abc import Callable, Iterable
from itertools import count
from typing import Any, Final

from msgspec.structs import replace

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.ids import DeviceId, Fingerprint, IncidentId
from kiosk_hub.fleet.incident_acts import AnyCommand
from kiosk_hub.fleet.incident_book import Book, Pace, Turn
from kiosk_hub.fleet.incidents import AnyEvent, Incident, Opened, fold
from kiosk_hub.fleet.places import Place
from kiosk_hub.fleet.reasons import Reason
from kiosk_hub.fleet.values import DeviceKind, DeviceState, Severity, Status
from kiosk_hub.fleet.verdict import Symptom, Verdict
from kiosk_hub.fleet.watch import Watch
from room_manager.ids import SiteId

BEAT_S: Final = 30.0
SILENCE_S: Final = 75.0
START: Final = 1_000_000.0

CAMERA: Final = Symptom(Status.DEGRADED, Reason("camera-frozen", "Camera đứng hình", "The camera is frozen"))
SCREEN: Final = Symptom(Status.FAULTY, Reason("screen-off", "Màn hình đang tắt", "The screen has been off"))
SILENT: Final = Symptom(Status.OFFLINE, Reason("offline", "Mất kết nối", "Nothing has been heard"))


def device(name: str, unit: str, building: str = "", **fields: Any) -> Device:
    """An enrolled kiosk."""
    plain = Device(
        id=DeviceId(name),
        kind=DeviceKind.KIOSK,
        name=f"Ki-ốt {name}",
        state=DeviceState.ACTIVE,
        place=Place(unit=SiteId(unit), building=building),
        public_key=bytes(32),
        fingerprint=Fingerprint(name.rjust(64, "0")),
        enrolled_at=0.0,
    )
    return replace(plain, **fields)


def closed(why: str = "closed") -> Verdict:
    return Verdict(Status.CLOSED, START, (Symptom(Status.CLOSED, Reason(why, "Ngoài giờ", "Closed")),))


class City:
    """``watch`` and ``book`` are the subject; the rest is the world around them."""

    def __init__(
        self,
        devices: Iterable[Device],
        *,
        district_of: Callable[[Device], str] = lambda device: device.place.unit[:1],
        quiet_for_s: float = 0.0,
        pace: Pace | None = None,
    ) -> None:
        self.now = START
        self.pace = pace if pace is not None else Pace()
        self.devices = {one.id: one for one in devices}
        self._district_of = district_of
        self.watch = Watch(district_of, beat_every_s=BEAT_S, quiet_until=START + quiet_for_s)
        self.book = Book()
        self.journal: dict[IncidentId, list[AnyEvent]] = {}
        self.said: list[tuple[float, IncidentId, AnyEvent]] = []
        self.dead: set[DeviceId] = set()
        self.faults: dict[DeviceId, dict[str, Symptom]] = {}
        self.above: dict[DeviceId, Verdict] = {}
        self.beat_at = dict.fromkeys(self.devices, START - BEAT_S)
        phases = len(self.devices) or 1
        self.next_beat = {one: START + BEAT_S * place / phases for place, one in enumerate(self.devices)}
        self._ids = count(1)

    def new_id(self) -> IncidentId:
        return IncidentId(f"i{next(self._ids)}")

    # --- the world ---

    def kill(self, *devices: DeviceId) -> None:
        self.dead.update(devices)

    def revive(self, *devices: DeviceId) -> None:
        self.dead.difference_update(devices)

    def break_(self, device: DeviceId, symptom: Symptom) -> None:
        self.faults.setdefault(device, {})[symptom.reason.code] = symptom

    def mend(self, device: DeviceId) -> None:
        self.faults.pop(device, None)

    def wait(self, seconds: float, step_s: float = 5.0) -> None:
        """Time passes; beats are judged as they come, silence as it grows, and a turn follows."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(self.now + step_s, end)
            for name, one in self.devices.items():
                if name in self.dead:
                    if self.now - self.beat_at[name] >= SILENCE_S:
                        self.judge(one, offline=True)
                elif self.now >= self.next_beat[name]:
                    self.beat_at[name] = self.now
                    self.next_beat[name] = self.now + BEAT_S
                    self.judge(one, offline=False)
            self.turn()

    def judge(self, one: Device, offline: bool) -> None:
        above = self.above.get(one.id)
        if above is not None:
            verdict = above
        elif offline:
            verdict = Verdict(Status.OFFLINE, self.beat_at[one.id], (SILENT,))
        else:
            symptoms = tuple(self.faults.get(one.id, {}).values())
            status = symptoms[0].status if symptoms else Status.OK
            verdict = Verdict(status, self.now, symptoms)
        self.watch.judged(one, verdict, self.now)

    # --- the subject ---

    def turn(self) -> None:
        self.watch.settle(self.now)
        changed, self.watch.dirty = self.watch.dirty, {}
        due = [one for one, until in self.watch.waiting.items() if until <= self.now]
        turn = Turn(self.book, self.watch, self.now, self.pace, self.new_id)
        turn.devices([*changed, *due])
        turn.time()
        for one in due:
            del self.watch.waiting[one]
        self._adopt(turn)

    def do(self, name: IncidentId, command: AnyCommand) -> None:
        turn = Turn(self.book, self.watch, self.now, self.pace, self.new_id)
        turn.command(name, command)
        self._adopt(turn)

    def _adopt(self, turn: Turn) -> None:
        self.book = turn.book
        for name, event in turn.events:
            self.journal.setdefault(name, []).append(event)
            self.said.append((self.now, name, event))

    def restart(self) -> None:
        """The server comes back with what its journal says."""
        book = Book()
        for name, events in self.journal.items():
            if name in self.book.incidents:
                book.put(fold(name, events))
        self.book = book
        self.watch = Watch(self._district_of, beat_every_s=BEAT_S, quiet_until=self.now + 120.0)
        for incident in book.incidents.values():
            for device in incident.ill_devices():
                flaps = device in incident.flapping
                troubles = incident.devices[device].troubles
                self.watch.restore(self.devices[device], troubles, flaps, self.now)

    # --- looking ---

    def open(self) -> list[Incident]:
        return self.book.open()

    def only(self) -> Incident:
        found = self.open()
        assert len(found) == 1, [incident.spot.key for incident in found]
        return found[0]

    def opened(self) -> list[Opened]:
        return [event for _, _, event in self.said if isinstance(event, Opened)]

    def severity(self) -> Severity:
        return self.only().severity
