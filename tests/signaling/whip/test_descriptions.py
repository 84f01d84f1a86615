"""What WHIP and WHEP ask of a description, byte by byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from room_manager.errors import DomainError
from room_manager.media.light_sdp import Sections
from signaling.whip import fragments, offers
from signaling.whip.refusals import BadFragment, NotAcceptable, Unprocessable
from tests.helpers.whip import credentials, fragment, offer_of, publishing, watching

OFFER = publishing()
ANSWER = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=ice-lite
a=group:BUNDLE 1
m=audio 0 UDP/TLS/RTP/SAVPF 0
c=IN IP4 127.0.0.1
m=video 5000 UDP/TLS/RTP/SAVPF 96
c=IN IP4 127.0.0.1
a=mid:1
a=recvonly
a=rtpmap:96 VP8/90000
a=ice-ufrag:ours
a=ice-pwd:ourpasswordourpassword
a=setup:passive
a=candidate:1 1 udp 2130706430 127.0.0.1 5000 typ host
a=end-of-candidates
""".replace("\n", "\r\n")


def test_what_an_encoder_sends_is_read_from_its_offer() -> None:
    assert offers.published(publishing()) == offers.Kinds(audio=True, video=True)
    sound = Sections(True, False, False, audio_slots=0, video_slots=0)
    assert offers.published(offer_of(sound)) == offers.Kinds(audio=True, video=False)


@pytest.mark.parametrize(
    ("offer", "refusal"),
    [
        ("", Unprocessable),
        ("v=0", Unprocessable),
        (offer_of(Sections(screen=True, audio_slots=0, video_slots=0)), Unprocessable),  # two pictures
        (offer_of(Sections(audio_slots=1, video_slots=1)), Unprocessable),  # sends and receives
        (watching(), Unprocessable),
        (publishing().replace("a=sendonly", "a=inactive"), Unprocessable),
        (publishing().replace("m=video", "m=application"), Unprocessable),
        (publishing().replace("opus", "PCMU"), NotAcceptable),
        (publishing().replace("VP8", "H263"), NotAcceptable),
    ],
)
def test_what_an_encoder_may_not_offer(offer: str, refusal: type[DomainError]) -> None:
    with pytest.raises(refusal):
        offers.published(offer)


def test_a_player_receives_whatever_direction_it_wrote() -> None:
    plain = watching()

    for offer in (plain, plain.replace("a=recvonly", "a=sendrecv"), plain.replace("a=recvonly\r\n", "")):
        told = offers.watched(offer)
        assert told.count("a=recvonly") >= 2
        assert "a=sendrecv" not in told
    with pytest.raises(Unprocessable):
        offers.watched(publishing())


def test_an_answer_in_parts_is_none() -> None:
    with pytest.raises(NotAcceptable, match="audio"):
        offers.check_whole(ANSWER)
    with pytest.raises(NotAcceptable, match="video"):
        offers.check_whole(ANSWER.replace("audio 0", "audio 9").replace("a=recvonly", "a=inactive"))
    offers.check_whole(ANSWER.replace("audio 0", "audio 9"))


def test_our_end_after_a_restart_is_the_section_that_carries_the_bundle() -> None:
    assert fragments.of_answer(ANSWER).splitlines() == [
        "a=ice-lite",
        "a=group:BUNDLE 1",
        "m=video 5000 UDP/TLS/RTP/SAVPF 96",
        "a=mid:1",
        "a=ice-ufrag:ours",
        "a=ice-pwd:ourpasswordourpassword",
        "a=candidate:1 1 udp 2130706430 127.0.0.1 5000 typ host",
        "a=end-of-candidates",
    ]


def test_a_renewed_offer_differs_in_its_credentials_only() -> None:
    offer = publishing()

    renewed = fragments.renewed(offer, fragments.read(fragment("neww")))

    assert credentials(renewed) == ("neww", "p" * 24)
    before, after = offer.splitlines(), renewed.splitlines()
    changed = [line for line in after if line not in before]
    assert {line.partition(":")[0] for line in changed} == {"a=ice-ufrag", "a=ice-pwd"}
    assert not fragments.restarts(fragments.read(fragment(*credentials(offer))), offer)
    assert fragments.restarts(fragments.read(fragment("neww")), offer)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\r\n",
        "v=0\r\n",
        "hello",
        "a=ice-ufrag:x\r\n",
        "a=ice-ufrag:good\r\na=ice-ufrag:other\r\n",
        "a=ice-pwd:short\r\n",
        "a=candidate:\x00\r\n",
        "a=" + "x" * 600,
        "a=candidate:1\r\n" * 65,
        "a=x\r\n" * 6_000,
    ],
)
def test_what_is_no_fragment(text: str) -> None:
    with pytest.raises(BadFragment):
        fragments.read(text)


@given(st.text(max_size=400) | st.lists(st.sampled_from(fragment().splitlines())).map("\r\n".join))
def test_anything_is_a_fragment_or_refused(text: str) -> None:
    try:
        read = fragments.read(text)
        fragments.restarts(read, OFFER)
    except DomainError:
        return
    assert read.candidates <= fragments.MAX_CANDIDATES


@given(st.text(max_size=400) | st.lists(st.sampled_from(ANSWER.splitlines())).map("\r\n".join))
def test_anything_is_an_offer_or_refused(text: str) -> None:
    for read in (offers.published, offers.watched, offers.check_whole, fragments.of_answer):
        try:
            read(text)
        except DomainError:
            pass
