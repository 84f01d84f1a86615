"""What the answer says of sound: Opus with what makes it robust, and no RED."""

import itertools

from room_manager.media.light import LightPeer, Sections
from room_manager.media.sfu import sdp
from room_manager.media.sfu.negotiation import Local, agree, answer_text

CHROMIUM = (
    "m=audio 9 UDP/TLS/RTP/SAVPF 63 111",
    "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=rtpmap:111 opus/48000/2",
    "a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1;cbr=1;x-google-min-bitrate=6",
)


def answered(*, may_send: bool) -> list[str]:
    """The lines of the answer to an offer whose audio sections list RED first, then Opus, as Chromium can."""
    offer = LightPeer(Sections(camera=False, screen=False, video_slots=0)).offer()
    for plain, ours in zip(
        (
            "m=audio 9 UDP/TLS/RTP/SAVPF 111",
            "a=rtpmap:111 opus/48000/2",
            "a=fmtp:111 minptime=10;useinbandfec=1",
        ),
        CHROMIUM,
        strict=True,
    ):
        assert plain in offer
        offer = offer.replace(plain, ours)
    numbers = itertools.count(100)
    plan = agree(sdp.parse(offer), may_send=may_send, video=None, ssrc=lambda: next(numbers))
    local = Local("ufrag", "p" * 24, "AA:BB", ("127.0.0.1",), 9)
    return answer_text(plan, local, 1).splitlines()


def test_opus_keeps_fec_and_dtx_both_ways_and_red_is_not_taken() -> None:
    lines = answered(may_send=True)

    sections = [line for line in lines if line.startswith("m=audio")]
    assert len(sections) == 4
    assert all(line.endswith(" UDP/TLS/RTP/SAVPF 111") for line in sections)
    parameters = [line for line in lines if line.startswith("a=fmtp:111 ")]
    assert len(parameters) == 4
    assert set(parameters) == {"a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1"}
    assert not any("red/" in line or line.startswith("a=fmtp:63") for line in lines)
