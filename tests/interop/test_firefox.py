"""Firefox sends by WHIP and watches by WHEP. It sends no media to loopback, so it stands in a namespace."""

import math
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.helpers import bidi
from tests.helpers.pictures import COLOURS
from tests.interop.pairs import AIORTC, Apart, encoder, meeting, player

FIREFOX: Final = (sys.executable, "-m", "tests.interop.firefox_client")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.netns,
    pytest.mark.skipif(bidi.FIREFOX is None, reason="Firefox is not installed"),
]


def test_what_firefox_sends_is_seen(apart: Apart, tmp_path: Path) -> None:
    here, there = meeting(apart.server), apart.spaces.at_browser
    sends = [
        *FIREFOX,
        "publish",
        *here.whip(),
        str(tmp_path / "profile"),
        "--colour",
        "green",
        "--tone",
        "550",
    ]

    with encoder(there(sends), tmp_path / "encoder.log"):
        seen = player(there([*AIORTC, "watch", *here.whep()]))

    assert (seen["colour"], seen["tone_hz"]) == ("green", 550)


def test_firefox_sees_the_programme(apart: Apart, tmp_path: Path) -> None:
    here, there = meeting(apart.server), apart.spaces.at_browser
    sends = [*AIORTC, "publish", *here.whip(), "--colour", "magenta", "--tone", "660"]

    with encoder(there(sends), tmp_path / "encoder.log"):
        seen = player(there([*FIREFOX, "watch", *here.whep(), str(tmp_path / "profile")]))

    assert math.dist(seen["rgb"], COLOURS["magenta"]) < 90
