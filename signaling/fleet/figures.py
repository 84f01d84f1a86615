"""What monitoring reads of the fleet: ``diemcau_kiosk_*`` by the conventions of Prometheus.

Base units, ``_total`` for counters, shares from 0 to 1. Labels are few and hold no name, no address and
nothing of a
resident: districts by their codes, statuses and symptoms by theirs. A series for each device, by its id, is
given only
if asked for, and of so many devices at most.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.facts import Facts
from kiosk_hub.fleet.permissions import Grant
from kiosk_hub.fleet.thresholds import METRICS
from kiosk_hub.fleet.values import DeviceKind, DeviceState, FleetRole, Status
from kiosk_hub.hub import Hub
from kiosk_hub.services.notifier import OUTCOMES
from kiosk_hub.services.registry import Known

EVERYTHING: Final = Grant(FleetRole.ADMINISTRATOR)

MOST_VERSIONS: Final = 10

OF_A_DEVICE: Final[tuple[tuple[str, str, Callable[[Facts], float | None]], ...]] = (
    ("cpu_used_ratio", "Processor in use", METRICS["cpu_share"]),
    ("memory_used_ratio", "Memory in use", METRICS["memory_share"]),
    ("disk_free_ratio", "Free part of the disk", METRICS["disk_free_share"]),
    (
        "disk_free_bytes",
        "Free bytes of the disk",
        lambda f: float(f.disk.free_bytes) if f.disk is not None else None,
    ),
    ("disk_wear_ratio", "Part of the flash's life that is used up", METRICS["disk_wear_share"]),
    ("temperature_celsius", "Temperature", METRICS["temperature_c"]),
    (
        "round_trip_seconds",
        "Round trip to the city",
        lambda f: None if f.network.rtt_ms is None else f.network.rtt_ms / 1000,
    ),
    ("loss_ratio", "Beats without an answer", lambda f: f.network.loss_share),
    ("outbox_reports", "Reports that wait on the device", lambda f: float(f.outbox_depth)),
)


class FleetFigures(Collector):
    """The fleet as it is when monitoring reads it. ``most_devices`` 0: no series for each device."""

    def __init__(self, hub: Hub, pages: Callable[[], int], most_devices: int = 0) -> None:
        self._hub = hub
        self._pages = pages
        self._most_devices = most_devices

    def describe(self) -> list[Metric]:
        """Nothing beforehand: what there is, is known when it is read."""
        return []

    def collect(self) -> Iterator[Metric]:
        rows = list(self._hub.registry.all())
        in_use = [(device, known) for device, known in rows if device.state is not DeviceState.RETIRED]
        yield from self._counts(in_use)
        yield from self._totals()
        yield _gauge("diemcau_kiosk_pages", "Open pages of staff", value=float(self._pages()))
        if self._most_devices:
            given = in_use[: self._most_devices]
            yield _gauge(
                "diemcau_kiosk_devices_without_series",
                "Devices beyond the bound, that have no series of their own",
                value=float(len(in_use) - len(given)),
            )
            yield from self._each(given)

    def _counts(self, rows: list[tuple[Device, Known]]) -> Iterator[Metric]:
        marks = self._hub.registry.marks
        devices: Counter[tuple[str, DeviceKind, Status]] = Counter()
        symptoms: Counter[tuple[str, DeviceKind]] = Counter()
        versions: Counter[tuple[str, str]] = Counter()
        connected: Counter[DeviceKind] = Counter(dict.fromkeys(DeviceKind, 0))
        sessions = flapping = 0
        for device, known in rows:
            devices[self._hub.directory.district_of(device), device.kind, known.verdict.status] += 1
            connected[device.kind] += known.connected
            for symptom in known.verdict.symptoms:
                symptoms[symptom.reason.code, device.kind] += 1
            facts = known.health.facts
            if facts is not None:
                sessions += facts.in_session and known.connected
                versions["agent", facts.versions.agent] += 1
                versions["content", facts.versions.content] += 1
            flapping += marks is not None and marks.is_flapping(device.id)
        family = GaugeMetricFamily(
            "diemcau_kiosk_devices", "Devices in use", labels=("district", "kind", "status")
        )
        for (district, kind, status), count in sorted(devices.items()):
            family.add_metric((district, kind, status), count)
        yield family
        family = GaugeMetricFamily("diemcau_kiosk_symptoms", "Devices that have it", labels=("code", "kind"))
        for (code, kind), count in sorted(symptoms.items()):
            family.add_metric((code, kind), count)
        yield family
        family = GaugeMetricFamily("diemcau_kiosk_connected", "Devices with an open line", labels=("kind",))
        for kind, count in sorted(connected.items()):
            family.add_metric((kind,), count)
        yield family
        family = GaugeMetricFamily(
            "diemcau_kiosk_build_info", "Devices that run this version", labels=("what", "version")
        )
        for what in ("agent", "content"):
            # A version is what a device says it is: no device shall make series without end.
            of_it = Counter({version: count for (one, version), count in versions.items() if one == what})
            common = of_it.most_common(MOST_VERSIONS)
            for version, count in sorted(common):
                family.add_metric((what, version), count)
            if len(of_it) > len(common):
                family.add_metric((what, "other"), of_it.total() - sum(count for _, count in common))
        yield family
        yield _gauge(
            "diemcau_kiosk_sessions_in_progress", "Devices that serve a resident", value=float(sessions)
        )
        yield _gauge("diemcau_kiosk_flapping", "Devices whose status goes to and fro", value=float(flapping))
        incidents = self._hub.incidents.open_rows(EVERYTHING)
        yield _gauge(
            "diemcau_kiosk_incidents_open", "Incidents that are not over", value=float(len(incidents))
        )
        family = GaugeMetricFamily(
            "diemcau_kiosk_commands_open", "Commands that are not final", labels=("state",)
        )
        states = Counter(command.state for command in self._hub.commands.all_open())
        for state, count in sorted(states.items()):
            family.add_metric((state,), count)
        yield family

    def _totals(self) -> Iterator[Metric]:
        yield _counter("diemcau_kiosk_beats", "Beats heard", self._hub.registry.beats)
        yield _counter(
            "diemcau_kiosk_diary_dropped",
            "Lines of devices' logs that found no room",
            self._hub.diary.dropped,
        )
        family = CounterMetricFamily(
            "diemcau_kiosk_notices", "Tries to deliver notices of incidents", labels=("result",)
        )
        for outcome in OUTCOMES:
            family.add_metric((outcome,), self._hub.notifier.tries[outcome])
        yield family
        told = self._hub.diary.sessions_told
        for name, help_, results in (
            ("sessions", "Sessions at kiosks, as reported", ("begun", "finished", "abandoned")),
            ("scans", "Scans at kiosks, as reported", ("scans", "scans_failed")),
            ("help_calls", "Calls for help at kiosks, as reported", ("help_calls",)),
        ):
            if len(results) == 1:
                yield _counter(f"diemcau_kiosk_{name}", help_, told[results[0]])
                continue
            family = CounterMetricFamily(f"diemcau_kiosk_{name}", help_, labels=("result",))
            for result in results:
                word = {"scans": "tried", "scans_failed": "failed"}.get(result, result)
                family.add_metric((word,), told[result])
            yield family

    def _each(self, rows: list[tuple[Device, Known]]) -> Iterator[Metric]:
        seen = GaugeMetricFamily(
            "diemcau_kiosk_device_last_beat_timestamp_seconds", "When it was last heard", labels=("device",)
        )
        painted = GaugeMetricFamily(
            "diemcau_kiosk_device_last_paint_timestamp_seconds",
            "When its page last painted",
            labels=("device",),
        )
        up = GaugeMetricFamily("diemcau_kiosk_device_up", "1: it serves", labels=("device",))
        families = [
            GaugeMetricFamily(f"diemcau_kiosk_device_{name}", help_, labels=("device",))
            for name, help_, _ in OF_A_DEVICE
        ]
        for device, known in rows:
            facts, heard_at = known.health.facts, known.health.heard_at
            up.add_metric((device.id,), float(known.verdict.status in (Status.OK, Status.DEGRADED)))
            if facts is None or heard_at is None:
                continue
            seen.add_metric((device.id,), heard_at)
            if facts.painted is not None and facts.painted.frame_age_s is not None:
                painted.add_metric((device.id,), heard_at - facts.painted.frame_age_s)
            for family, (_, _, read) in zip(families, OF_A_DEVICE, strict=True):
                value = read(facts)
                if value is not None:
                    family.add_metric((device.id,), value)
        yield from (up, seen, painted, *families)


def _gauge(name: str, help_: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help_, value=value)


def _counter(name: str, help_: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(name, help_, value=value)
