"""Offers, the good and the hostile, and what is answered."""

import re
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from room_manager.media.engine import BadOffer
from room_manager.media.light import LightPeer, Sections
from room_manager.media.sfu import sdp
from room_manager.media.sfu.negotiation import Local, Plan, agree, answer_text

OFFER = LightPeer().offer()
LOCAL = Local("ours", "password", "AA:BB", ("192.0.2.7",), 40_000)


def agreed(offer: str, *, may_send: bool = True, video: str | None = None) -> Plan:
    numbers = count(50)
    return agree(sdp.parse(offer), may_send=may_send, video=video, ssrc=lambda: next(numbers))


def sections(plan: Plan) -> list[str]:
    """The answer's media sections."""
    return re.split(r"(?m)^(?=m=)", answer_text(plan, LOCAL, 1))[1:]


def with_codec(offer: str, name: str, parameters: str = "") -> str:
    """The same offer with VP8 replaced."""
    changed = offer.replace("a=rtpmap:96 VP8/90000", f"a=rtpmap:96 {name}/90000")
    return (
        changed.replace(f"{name}/90000\r\n", f"{name}/90000\r\na=fmtp:96 {parameters}\r\n")
        if parameters
        else changed
    )


def test_sections_are_told_apart_by_their_order() -> None:
    plan = agreed(OFFER)

    assert [s.role for s in plan.sending] == ["microphone", "camera", "screen"]
    assert [r.slot for r in plan.receiving] == [
        "audio-1",
        "audio-2",
        "audio-3",
        "main",
        "content",
        "tile-1",
        "tile-2",
        "tile-3",
        "tile-4",
    ]


def test_the_answer_is_lite_passive_and_fixes_a_stream_per_slot() -> None:
    plan = agreed(OFFER)

    text = answer_text(plan, LOCAL, 1)

    assert "a=ice-lite" in text
    assert text.count("a=setup:passive") == 12
    assert text.count("a=candidate:") == 1
    assert "192.0.2.7 40000 typ host" in text
    camera, main = sections(plan)[1], sections(plan)[6]
    assert "a=recvonly" in camera
    assert "a=simulcast:recv q;h;f" in camera
    assert [f"a=rid:{layer} recv" in camera for layer in "qhf"] == [True] * 3
    assert "transport-cc" in camera
    assert "apt=96" in camera
    assert "a=sendonly" in main
    assert "a=msid:main main" in main
    media, repair = next((p.ssrc, p.repair_ssrc) for p in plan.receiving if p.slot == "main")
    assert f"a=ssrc-group:FID {media} {repair}" in main
    assert "transport-cc" in main  # packets carry the numbers only while the line is measured
    ssrcs = re.findall(r"a=ssrc:(\d+) cname", text)
    assert len(set(ssrcs)) == len(ssrcs) == 3 + 2 * 6


def test_opus_keeps_its_repair_and_its_silence() -> None:
    offer = OFFER.replace("minptime=10;useinbandfec=1", "minptime=10; useinbandfec=1;usedtx=1;x-odd=1")

    assert "a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1\r\n" in sections(agreed(offer))[0]


def test_who_only_watches_may_not_send() -> None:
    plan = agreed(OFFER, may_send=False)

    assert plan.sending == []
    assert [("a=inactive" in section) for section in sections(plan)[:3]] == [True] * 3
    assert len(plan.receiving) == 9


def test_an_offer_that_only_receives_or_only_sends_is_fine() -> None:
    watcher = agreed(
        LightPeer(Sections(microphone=False, camera=False, screen=False)).offer(), may_send=False
    )
    encoder = agreed(LightPeer(Sections(screen=False, audio_slots=0, video_slots=0)).offer())

    assert len(watcher.receiving) == 9
    assert [s.role for s in encoder.sending] == ["microphone", "camera"]


def test_sections_beyond_what_we_carry_are_answered_inactive() -> None:
    plan = agreed(LightPeer(Sections(audio_slots=4, video_slots=7)).offer())

    assert len(plan.receiving) == 9
    assert sum("a=inactive" in section for section in sections(plan)) == 2


def test_h264_is_taken_from_a_client_that_has_nothing_else_if_the_room_is_free() -> None:
    h264 = with_codec(OFFER, "H264", "packetization-mode=1;profile-level-id=42e01f")

    plan = agreed(h264)
    assert plan.video == "H264"
    assert "a=fmtp:96 packetization-mode=1;profile-level-id=42e01f" in sections(plan)[1]

    sound = agreed(h264, video="VP8")
    assert [s.role for s in sound.sending] == ["microphone"]
    assert [section.startswith("m=video 0 ") for section in sections(sound)[1:3]] == [True, True]
    assert "a=group:BUNDLE 0 3 4 5\r\n" in answer_text(sound, LOCAL, 1)


def test_vp8_is_preferred_and_h264_without_fragments_is_not_taken() -> None:
    both = OFFER.replace("SAVPF 96 97", "SAVPF 98 96 97").replace(
        "a=rtpmap:96 VP8/90000",
        "a=rtpmap:98 H264/90000\r\na=fmtp:98 packetization-mode=1\r\na=rtpmap:96 VP8/90000",
    )

    assert agreed(both).video == "VP8"
    with pytest.raises(BadOffer):
        agreed(
            with_codec(
                LightPeer(Sections(microphone=False, audio_slots=0)).offer(), "H264", "packetization-mode=0"
            )
        )


def test_a_data_channel_is_refused_and_the_rest_goes_on() -> None:
    offer = (
        OFFER.replace("BUNDLE 0", "BUNDLE 12 0")
        + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:12\r\n"
    )

    plan = agreed(offer)

    assert sections(plan)[12].startswith("m=application 0 UDP/DTLS/SCTP webrtc-datachannel")
    assert len(plan.receiving) == 9


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("UDP/TLS/RTP/SAVPF", "RTP/AVP"),
        ("UDP/TLS/RTP/SAVPF", "RTP/SAVPF"),
        ("a=setup:actpass", "a=setup:passive"),
        ("a=rtcp-mux\r\n", ""),
        ("a=fingerprint:sha-256", "a=fingerprint:sha-1"),
        ("a=fingerprint:sha-256 ", "a=fingerprint:sha-256 zz"),
        ("a=ice-ufrag", "a=x-ufrag"),
        ("a=mid:1\r\n", "a=mid:0\r\n"),
        ("a=mid:1\r\n", "a=mid:" + "9" * 200 + "\r\n"),
        ("a=group:BUNDLE 0 1", "a=group:BUNDLE 0"),
        ("a=extmap:2 ", "a=extmap:1 "),
        ("a=extmap:1 ", "a=extmap:one "),
        ("a=rtpmap:96 VP8/90000", "a=rtpmap:96 VP8"),
        ("a=simulcast:send q;h;f", "a=simulcast:send q;h;f;a;b"),
        ("a=simulcast:send q;h;f", "a=simulcast:send q;h;<script>"),
        ("SAVPF 111", "SAVPF 111 " + "9" * 400),
        ("m=audio 9 ", "m=text 9 "),
    ],
)
def test_what_cannot_be_carried_safely_is_refused(old: str, new: str) -> None:
    assert old in OFFER

    with pytest.raises(BadOffer):
        sdp.parse(OFFER.replace(old, new))


def test_a_bomb_is_refused_before_it_is_read() -> None:
    for bomb in (
        "v=0\n" * 5000,
        "v=0\r\n" + "m=audio 9 UDP/TLS/RTP/SAVPF 1\r\n" * 1000,
        "v=0" + "é" * 40_000,
    ):
        with pytest.raises(BadOffer):
            sdp.parse(bomb)


@given(st.data())
def test_an_offer_with_any_line_spoilt_is_answered_or_refused(data: st.DataObject) -> None:
    lines = OFFER.split("\r\n")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["drop", "double", "cut", "junk"])):
            case "drop":
                del lines[at]
            case "double":
                lines.insert(at, lines[at])
            case "cut":
                lines[at] = lines[at][: data.draw(st.integers(0, len(lines[at])))]
            case _:
                lines[at] += data.draw(st.text(max_size=12))
    try:
        plan = agreed("\r\n".join(lines))
    except BadOffer:
        return
    answer_text(plan, LOCAL, 1)


@given(st.text(max_size=400))
def test_any_text_is_an_offer_or_refused(text: str) -> None:
    for offer in (text, "v=0\r\n" + text):
        with pytest.raises(BadOffer):
            agreed(offer)


@given(st.text(alphabet="\r\n =:;a0/", max_size=30))
def test_no_text_of_the_client_adds_lines_to_the_answer(text: str) -> None:
    offer = OFFER.replace("minptime=10", "minptime=" + text, 1)
    try:
        plan = agreed(offer)
    except BadOffer:
        return

    lines = answer_text(plan, LOCAL, 1).splitlines()
    assert len(lines) == len(answer_text(agreed(OFFER), LOCAL, 1).splitlines())
