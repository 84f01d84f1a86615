"""What a device finds when it carries out a command, and what is done about a rollout, has words in both
languages."""

import re
from pathlib import Path

import pytest

from kiosk_hub.fleet import rollout_rules

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


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_deed_of_a_rollout_has_words(language: str) -> None:
    words = (ROOT / "web/fleet/i18n" / f"{language}-audit.ts").read_text(encoding="utf-8")
    deeds = {str(deed.__struct_config__.tag) for deed in rollout_rules.Deed.__subclasses__()}
    assert "reach" in deeds
    assert {deed for deed in deeds if f'"deed.{deed}-rollout": "' not in words} == set()
