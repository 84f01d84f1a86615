"""A line of a device's log is said in both languages, whoever wrote it."""

import re
from pathlib import Path

from kiosk_hub.fleet.log_words import OF_THE_DEVICE, words_of
from kiosk_hub.fleet.reasons import Reason

DEVICE = Path(__file__).parents[3] / "kiosk_client"


def test_the_device_s_own_numbers_stay_in_its_sentence() -> None:
    line = words_of("clock-jump", "Đồng hồ máy nhảy +61 giây")

    assert line == Reason("clock-jump", "Đồng hồ máy nhảy +61 giây", "The machine's clock has jumped")


def test_what_the_edge_noted_in_english_is_said_in_both_languages() -> None:
    line = words_of("too-big", "a message of more than 16384 bytes")

    assert line is not None
    assert line.vi == "Gửi bản tin quá lớn, đã bị từ chối"


def test_a_code_nobody_knows_leaves_the_text() -> None:
    assert words_of("made-up", "something") is None


def test_every_code_that_the_device_notes_is_known() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in DEVICE.rglob("*.py"))
    noted = set(re.findall(r'_note\(\s*"([a-z-]+)"', source))
    noted |= set(re.findall(r'LogLine\(\s*"\w+",\s*"([a-z-]+)"', source))

    assert noted
    assert noted <= set(OF_THE_DEVICE)
