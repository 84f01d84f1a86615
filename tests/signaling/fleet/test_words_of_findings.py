"""What a device finds when it carries out a command has words in both languages."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NAMES = {
    name
    for source in (ROOT / "kiosk_client").rglob("*.py")
    for name in re.findall(r'Finding\("([a-z_]+)"', source.read_text(encoding="utf-8"))
}


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_finding_of_a_device_has_words(language: str) -> None:
    words = (ROOT / "web/fleet/i18n" / f"{language}-commands.ts").read_text(encoding="utf-8")
    assert "content" in NAMES
    assert {name for name in NAMES if f'"finding.{name}": "' not in words} == set()
