"""What an ICE restart may change."""

import pytest

from room_manager.media.engine import BadOffer
from room_manager.media.light import LightPeer, Sections
from room_manager.media.sfu import sdp
from room_manager.media.sfu.dtls import Identity
from room_manager.media.sfu.restarts import check_restart, lasting, restarted


def test_new_credentials_and_nothing_else_may_change() -> None:
    peer = LightPeer()
    before = lasting(sdp.parse(peer.offer()))

    check_restart(before, sdp.parse(peer.restart_offer()))
    with pytest.raises(BadOffer, match="fingerprint"):
        check_restart(before, sdp.parse(LightPeer(identity=Identity()).offer()))
    with pytest.raises(BadOffer, match="sections"):
        check_restart(before, sdp.parse(LightPeer(Sections(audio_slots=2)).offer()))


def test_the_answer_is_the_same_but_for_credentials_and_version() -> None:
    answer = "v=0\r\no=- 77 9 IN IP4 0.0.0.0\r\na=ice-ufrag:a\r\na=ice-pwd:b\r\nm=x\r\na=ice-ufrag:a\r\n"

    again = restarted(answer, "new", "secret")

    assert again == (
        "v=0\r\no=- 77 10 IN IP4 0.0.0.0\r\na=ice-ufrag:new\r\na=ice-pwd:secret\r\nm=x\r\na=ice-ufrag:new\r\n"
    )
