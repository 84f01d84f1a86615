"""The page for staff names every symptom and every threshold as the code has them."""

from pathlib import Path

from kiosk_hub.fleet.symptoms import RULES
from kiosk_hub.fleet.thresholds import THRESHOLDS

PAGE = (Path(__file__).parents[3] / "docs" / "fleet.md").read_text(encoding="utf-8")


def test_every_symptom_is_on_the_page() -> None:
    assert {rule.code for rule in RULES if f"`{rule.code}`" not in PAGE} == set()


def test_every_threshold_is_on_the_page_with_its_numbers() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    for one in THRESHOLDS:
        shares = one.metric.endswith("_share") or one.metric == "camera_brightness"
        enter, leave = (round(edge * 100) if shares else edge for edge in (one.enter, one.leave))
        found = [
            row for row in rows if f"`{one.code}`" in row and f" {enter:g}" in row and f" {leave:g}" in row
        ]
        assert found, one
        assert any(row.endswith(f"| {one.status} | {one.beats} |") for row in found), one
