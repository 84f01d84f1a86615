"""aiortc sends by WHIP and watches by WHEP."""

from pathlib import Path

import pytest

from tests.helpers.server import LiveServer
from tests.interop.pairs import AIORTC, LOOPBACK, encoder, meeting, player


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_aiortc_sees_what_aiortc_sends(interop_server: LiveServer, tmp_path: Path, codec: str) -> None:
    here = meeting(interop_server)
    sends = [
        *AIORTC,
        "publish",
        *here.whip(),
        "--colour",
        "green",
        "--tone",
        "660",
        "--codec",
        codec,
        *LOOPBACK,
    ]

    with encoder(sends, tmp_path / "encoder.log"):
        seen = player([*AIORTC, "watch", *here.whep(), *LOOPBACK])

    assert (seen["colour"], seen["tone_hz"], seen["width"]) == ("green", 660, 320)
