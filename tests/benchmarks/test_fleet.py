"""The fleet's benchmark on a small fleet: all its parts work, and what must hold at any size holds."""

import pytest
import uvloop

from benchmarks.fleet import measure

KIOSKS = 40


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_bad_day_of_a_small_fleet() -> None:
    found = uvloop.run(measure(KIOSKS, beat_every_s=2.0, lasts_s=100.0, per_s=40.0, seed=3))

    assert found["kiosks"] == KIOSKS
    assert found["outages_not_seen"] == 0
    assert found["incidents_for_building_outage"] == 1
    assert found["notices_per_flap"] <= 1
    assert found["commands_final_share"] == 1
    assert found["commands_duplicated"] == 0
