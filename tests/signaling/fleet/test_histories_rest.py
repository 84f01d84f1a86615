"""Charts, strips, logs and counts of one device, over real HTTP."""

from pathlib import Path

from msgspec.structs import replace

from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.news import DeviceTime, LogLine, Sessions
from kiosk_hub.fleet.values import FleetRole
from tests.helpers.fleet import LOAD, facts
from tests.helpers.servers import Hall
from tests.helpers.staff import BA_DINH, hub_of, person
from tests.signaling.fleet.test_devices_rest import at_hall, two

D1 = DeviceId("d00001")


def test_a_device_tells_its_charts_its_strip_its_log_and_its_counts(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        hub = hub_of(here)
        now = hub.directory.clock()
        hot = facts(load=replace(LOAD, temperature_c=90.0))
        for listener in (hub.registry, hub.history, hub.diary):
            listener.on_connected(D1, "boot-0001", now)
            for _ in range(2):
                listener.on_beat(D1, hot, now)
        await hub.diary.write()
        at = DeviceTime(boot="boot-0001", counter=1, uptime_s=1.0, wall=now)
        await hub.reports.take(D1, "key-000001", at, LogLine("error", "browser-died", "signal 9"))
        await hub.reports.take(D1, "key-000002", at, Sessions(int(now // 3600), begun=4, finished=3))
        async with person(here, FleetRole.TECHNICIAN, [BA_DINH]) as someone:
            chart = await someone.get("/devices/d00001/history", metric="temperature_c")
            assert chart["step_s"] == 60
            assert chart["points"][-1][1:] == [90.0, 90.0, 90.0]
            strip = (await someone.get("/devices/d00001/spans"))["spans"]
            assert strip[-1]["status"] == "degraded"
            assert strip[-1]["until"] is None
            log = (await someone.get("/devices/d00001/log"))["entries"]
            assert {line["code"] for line in log} >= {"browser-died", "connected", "status-degraded"}
            said = {line["code"]: line for line in log}
            assert said["connected"]["reason"]["vi"] == "Đã kết nối"
            assert (said["connected"]["by"], said["browser-died"]["by"]) == ("city", "")
            hours = (await someone.get("/devices/d00001/sessions"))["hours"]
            assert hours == [[int(now // 3600), 4, 3, 0, 0, 0, 0]]

            for part in ("history", "spans", "log", "sessions"):
                assert await someone.refused("GET", f"/devices/d00002/{part}") == (403, "not-allowed")
            bad = "/devices/d00001/history?metric=mood"
            assert await someone.refused("GET", bad) == (400, "invalid")
            bad = "/devices/d00001/history?from=10&to=5"
            assert await someone.refused("GET", bad) == (400, "invalid")

    at_hall(tmp_path, act, *two())
