"""Janus is given the same offers, and measured where it is installed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import against
from benchmarks.janus import answer_to, slots_of
from benchmarks.libsrtp import source_lists
from room_manager.media.light import LightPeer

OFFER = "\r\n".join(
    [
        *("v=0", "o=- 1 1 IN IP4 10.99.0.1", "s=x", "t=0 0", "a=group:BUNDLE 0 1", "a=ice-lite"),
        *(
            "m=audio 9 UDP/TLS/RTP/SAVPF 111",
            "a=sendonly",
            "a=mid:0",
            "a=ice-ufrag:theirs",
            "a=ice-pwd:secret",
        ),
        *("a=fingerprint:sha-256 AA:BB", "a=setup:actpass", "a=ssrc:7 cname:janus"),
        *("a=candidate:1 1 udp 2015363327 10.99.0.1 40000 typ host", "m=video 9 UDP/TLS/RTP/SAVPF 96"),
        *("a=sendonly", "a=mid:1", "a=ice-ufrag:theirs", "a=setup:actpass", "a=ssrc:8 cname:janus", ""),
    ]
)


def test_our_answer_takes_everything_and_says_who_we_are() -> None:
    peer = LightPeer()
    answer = answer_to(OFFER, peer.offer())

    assert slots_of(OFFER) == {"0": "audio-1", "1": "main"}
    assert "theirs" not in answer
    assert "AA:BB" not in answer
    assert "a=ssrc" not in answer
    assert answer.count("a=recvonly") == answer.count("a=setup:active") == 2
    assert "a=candidate" not in answer


def test_sources_come_from_where_packages_do(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text("deb https://mirror.test/debian bookworm main\n# deb no\n")
    (tmp_path / "sources.list.d" / "debian.sources").write_text(
        "Types: deb\nURIs: https://mirror.test/debian\nSigned-By: /x/debian-archive-keyring.gpg\n\n"
        "Types: deb\nURIs: https://other.test/\nSigned-By: /x/other.gpg\n"
    )

    lines, stanzas = source_lists(tmp_path)

    assert lines == "deb-src https://mirror.test/debian bookworm main\n"
    assert stanzas == (
        "Types: deb-src\nURIs: https://mirror.test/debian\nSigned-By: /x/debian-archive-keyring.gpg\n"
    )


@pytest.mark.slow
@pytest.mark.netns
def test_janus_carries_a_small_meeting_in_the_same_run(tmp_path: Path) -> None:
    reason = against.why_not()
    if reason is not None:
        pytest.skip(reason)
    file = tmp_path / "figures.json"

    words = [
        "--sites",
        "6",
        "--seconds",
        "0.5",
        "--idle",
        "0.1",
        "--calm",
        "0",
        "--against",
        "janus",
        "--json",
        str(file),
    ]
    subprocess.run([sys.executable, "-m", "benchmarks.sfu_forward", *words], check=True, timeout=100)

    figures = json.loads(file.read_text())
    packaged = figures["janus"]["packaged"]
    assert packaged["verified"] > 0
    assert packaged["not_verified"] == packaged["lost"] == 0
    assert figures["ratio_packaged"] > 0
    assert isinstance(figures["janus"]["tuned"], str) or figures["ratio_tuned"] > 0
