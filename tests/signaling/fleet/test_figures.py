"""``/metrics`` of the fleet: what it counts, what it never says, and whether what is shipped reads it."""

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from kiosk_hub.fleet.facts import Camera
from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.news import DeviceTime, Sessions
from kiosk_hub.fleet.places import Contact, Place
from signaling.settings import FleetSettings
from tests.helpers.fleet import device, facts
from tests.helpers.servers import Hall
from tests.helpers.staff import hub_of
from tests.signaling.fleet.test_devices_rest import HANG_BAI, PHUC_XA, at_hall

MONITORING: Final = Path(__file__).parents[3] / "deploy" / "monitoring"
D1: Final = DeviceId("d00001")
PERSON: Final = Contact(name="Nguyễn Thị Lan", phone="0900000001", email="lan@example.gov.vn")

Samples = dict[str, list[tuple[dict[str, str], float]]]


def fleet() -> tuple[Any, ...]:
    named = Place(unit=PHUC_XA, building="Nhà văn hóa số 3", contact=PERSON)
    return (
        replace(device(1), name="Ki-ốt của bà Lan", place=named),
        replace(device(2), place=Place(unit=HANG_BAI)),
    )


async def scrape(here: Hall) -> tuple[str, Samples]:
    """The page, and its samples by their names."""
    async with httpx.AsyncClient(base_url=here.origin, timeout=30) as client:
        answer = await client.get("/metrics")
    assert answer.status_code == 200
    samples: Samples = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            samples.setdefault(sample.name, []).append((sample.labels, sample.value))
    return answer.text, samples


async def live_a_little(here: Hall) -> None:
    hub = hub_of(here)
    now = hub.directory.clock()
    hub.registry.on_connected(D1, "boot-0001", now)
    for _ in range(2):
        hub.registry.on_beat(D1, facts(camera=Camera(state="frozen")), now)
    at = DeviceTime(boot="boot-0001", counter=1, uptime_s=1.0, wall=now)
    await hub.reports.take(D1, "key-000001", at, Sessions(int(now // 3600), begun=5, abandoned=2, scans=7))


def test_it_counts_by_district_status_and_symptom(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        await live_a_little(here)
        _, samples = await scrape(here)

        devices = {tuple(labels.values()): value for labels, value in samples["diemcau_kiosk_devices"]}
        assert devices == {("001", "kiosk", "degraded"): 1, ("002", "kiosk", "new"): 1}
        assert samples["diemcau_kiosk_beats_total"] == [({}, 2)]
        assert ({"code": "camera-frozen", "kind": "kiosk"}, 1) in samples["diemcau_kiosk_symptoms"]
        assert ({"result": "begun"}, 5) in samples["diemcau_kiosk_sessions_total"]
        assert ({"result": "tried"}, 7) in samples["diemcau_kiosk_scans_total"]
        assert ({"what": "agent", "version": "0.1.0"}, 1) in samples["diemcau_kiosk_build_info"]

    at_hall(tmp_path, act, *fleet())


def test_no_label_names_a_person_a_place_or_a_device(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        await live_a_little(here)
        text, samples = await scrape(here)

        for secret in ("Lan", "0900000001", "@", "Nhà văn hóa", "d00001", PHUC_XA):
            assert secret not in text
        allowed = {"district", "kind", "status", "code", "state", "what", "version", "result"}
        ours = [labels for name, rows in samples.items() if "_kiosk_" in name for labels, _ in rows]
        assert {label for labels in ours for label in labels} <= allowed

    at_hall(tmp_path, act, *fleet())


def test_devices_have_series_of_their_own_only_if_asked_for_and_so_many(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        await live_a_little(here)
        _, samples = await scrape(here)

        assert samples["diemcau_kiosk_device_up"] == [({"device": "d00001"}, 1)]
        assert samples["diemcau_kiosk_devices_without_series"] == [({}, 1)]
        assert samples["diemcau_kiosk_device_round_trip_seconds"][0][1] == 0.02

    at_hall(tmp_path, act, *fleet(), fleet_settings=FleetSettings(metrics_devices=1))


def test_names_follow_the_conventions(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        await live_a_little(here)
        text, _ = await scrape(here)

        kinds = dict(re.findall(r"^# TYPE (diemcau_kiosk_\S+) (\S+)$", text, re.M))
        assert len(kinds) > 20
        for name, kind in kinds.items():
            assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name), name
            assert name.endswith("_total") == (kind == "counter"), name
            assert not re.search(r"_(ms|kb|mb|percent|celcius)$", name), name

    at_hall(tmp_path, act, *fleet(), fleet_settings=FleetSettings(metrics_devices=5))


def expressions() -> Iterator[tuple[str, str]]:
    """Everything that is shipped and asks Prometheus: where it stands, and the expression."""
    board = json.loads((MONITORING / "grafana-fleet.json").read_text(encoding="utf-8"))
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["query"]
    yaml: Any = importlib.import_module("yaml")
    rules = yaml.safe_load((MONITORING / "alerts.yml").read_text(encoding="utf-8"))
    for group in rules["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


def test_what_is_shipped_for_monitoring_reads_metrics_that_there_are(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        await live_a_little(here)
        text, samples = await scrape(here)
        told = {name for name, _ in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M)} | set(samples)

        asked: set[str] = set()
        for where, expression in expressions():
            names = re.findall(r"\bdiemcau_\w+", expression)
            assert names, where
            for name in names:
                assert name in told, (where, name)
            asked |= set(names)
            for open_, close in ("()", "[]", "{}"):
                assert expression.count(open_) == expression.count(close), where
        assert len(asked) > 10

    at_hall(tmp_path, act, *fleet())


def test_rules_and_panels_are_whole() -> None:
    yaml: Any = importlib.import_module("yaml")
    rules = yaml.safe_load((MONITORING / "alerts.yml").read_text(encoding="utf-8"))
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in alerts}) == len(alerts)
    for rule in alerts:
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"]
        assert re.fullmatch(r"\d+[smhd]", rule.get("for", "0s"))

    board = json.loads((MONITORING / "grafana-fleet.json").read_text(encoding="utf-8"))
    spots = [
        {(panel["gridPos"]["x"] + dx, panel["gridPos"]["y"] + dy)
         for dx in range(panel["gridPos"]["w"]) for dy in range(panel["gridPos"]["h"])}
        for panel in board["panels"]
    ]  # fmt: skip
    assert sum(len(spot) for spot in spots) == len(set().union(*spots))  # no two overlap
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
