"""GStreamer's webrtcbin sends by WHIP and watches by WHEP: the software in many encoders and room systems.

Its ICE leaves loopback out, so it stands in a namespace of its own.
"""

import math
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.helpers.pictures import COLOURS
from tests.interop.pairs import AIORTC, Apart, encoder, meeting, player

DEBIANS_PYTHON: Final = "/usr/bin/python3"
GSTREAMER: Final = (DEBIANS_PYTHON, str(Path(__file__).with_name("gstreamer_client.py")))
PARTS: Final = ("webrtcbin", "nicesrc", "vp8enc", "openh264enc", "opusenc", "rtpvp8pay")

pytestmark = [pytest.mark.netns]


@cache
def why_not() -> str | None:
    """What this machine's GStreamer lacks, or None."""
    ask = (
        "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstWebRTC', '1.0')\n"
        "from gi.repository import Gst, GstWebRTC; Gst.init(None)\n"
        f"print(*[part for part in {PARTS!r} if Gst.ElementFactory.find(part) is None])"
    )
    try:
        asked = subprocess.run(
            [DEBIANS_PYTHON, "-c", ask], capture_output=True, text=True, timeout=30, check=False
        )
    except OSError as error:
        return f"{DEBIANS_PYTHON}: {error.strerror}"
    if asked.returncode:
        return "python3-gst-1.0 and gir1.2-gst-plugins-bad-1.0 are not installed"
    return f"GStreamer has no {asked.stdout.strip()} here" if asked.stdout.strip() else None


@pytest.fixture(autouse=True)
def _there() -> None:
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_what_gstreamer_sends_is_seen(apart: Apart, tmp_path: Path, codec: str) -> None:
    here, there = meeting(apart.server), apart.spaces.at_browser
    blue = "".join(f"{part:02x}" for part in COLOURS["blue"])
    sends = [*GSTREAMER, "publish", *here.whip(), "--rgb", blue, "--tone", "550", "--codec", codec]

    with encoder(there(sends), tmp_path / "encoder.log"):
        seen = player(there([*AIORTC, "watch", *here.whep()]))

    assert (seen["colour"], seen["tone_hz"], seen["width"]) == ("blue", 550, 320)


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_gstreamer_sees_the_programme(apart: Apart, tmp_path: Path, codec: str) -> None:
    here, there = meeting(apart.server), apart.spaces.at_browser
    sends = [*AIORTC, "publish", *here.whip(), "--colour", "magenta", "--codec", codec]

    with encoder(there(sends), tmp_path / "encoder.log"):
        seen = player(there([*GSTREAMER, "watch", *here.whep(), "--codec", codec]))

    assert math.dist(seen["rgb"], COLOURS["magenta"]) < 90
    assert seen["width"] == 320
    assert seen["sounds"] >= 40
