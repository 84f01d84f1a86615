"""Links and resume tokens: only ours, only while they last, never of another kind; tickets once."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from room_manager.errors import DomainError
from room_manager.ids import RoomId, SiteId
from room_manager.meeting.values import Device, Role
from signaling.tickets import TICKET_LASTS_S, BadTicket, Tickets
from signaling.tokens import (
    BadToken,
    Expired,
    Identity,
    LinkClaims,
    LinkSigner,
    ResumeClaims,
    ResumeSigner,
    TooEarly,
    new_key,
)

NOW = 1_000_000.0
LINK = LinkClaims("id", RoomId("room"), Role.SITE, NOW, NOW + 600, SiteId("00004"), Device.PRIMARY)
WHO = Identity(
    RoomId("room"), Role.SITE, SiteId("00004"), Device.PRIMARY, "Phường", link="id", until=NOW + 600
)
RESUME = ResumeClaims("session", WHO, NOW + 3_600)

links, resumes = LinkSigner(new_key()), ResumeSigner(new_key())


def test_what_was_signed_is_read() -> None:
    assert links.check(links.sign(LINK), NOW) == LINK
    assert resumes.check(resumes.sign(RESUME), NOW) == RESUME


def test_time_decides() -> None:
    token = links.sign(LINK)
    with pytest.raises(TooEarly):
        links.check(token, NOW - 61)
    assert links.check(token, NOW - 59) == LINK
    with pytest.raises(Expired):
        links.check(token, NOW + 600)


def test_who_is_in_may_come_back_after_the_links_end_but_not_for_ever() -> None:
    hour_s, link_ended = 3_600.0, NOW + 600
    for comes_back, fine in [
        (link_ended, True),
        (link_ended + 11 * hour_s, True),
        (link_ended + 12 * hour_s, False),
    ]:
        token = resumes.sign(ResumeClaims("session", WHO, comes_back + hour_s))
        if fine:
            assert resumes.check(token, comes_back).who == WHO
        else:
            with pytest.raises(Expired):
                resumes.check(token, comes_back)
    with pytest.raises(Expired):
        resumes.check(resumes.sign(RESUME), NOW + 3_600)


def test_another_key_or_another_kind_is_refused() -> None:
    with pytest.raises(BadToken):
        LinkSigner(new_key()).check(links.sign(LINK), NOW)
    with pytest.raises(BadToken):
        ResumeSigner(new_key()).check(resumes.sign(RESUME), NOW)
    with pytest.raises(BadToken):
        resumes.check(links.sign(LINK), NOW)
    with pytest.raises(BadToken):
        links.check(resumes.sign(RESUME), NOW)


@pytest.mark.parametrize("token", ["", ".", "a", "a.b", "ä.ö", "=.=", "a" * 5_000, "e30.", ".e30"])
def test_what_is_no_token_is_refused(token: str) -> None:
    for signer in (links, resumes):
        with pytest.raises(BadToken):
            signer.check(token, NOW)


def test_claims_cannot_be_exchanged() -> None:
    payload, _, signature = links.sign(LINK).partition(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims["role"] = "chair"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    with pytest.raises(BadToken):
        links.check(f"{forged}.{signature}", NOW)


@given(st.text(max_size=200), st.integers(0, 200), st.characters())
def test_any_text_and_any_changed_character_is_refused(text: str, at: int, other: str) -> None:
    for signer, claims in ((links, LINK), (resumes, RESUME)):
        token = signer.sign(claims)  # type: ignore[arg-type]
        place = at % len(token.partition(".")[0])
        changed = token[:place] + other + token[place + 1 :]
        for candidate in (text, changed):
            if candidate != token:
                with pytest.raises(DomainError):
                    signer.check(candidate, NOW)


def test_a_ticket_is_good_once_and_not_for_long() -> None:
    now = [0.0]
    tickets = Tickets(lambda: now[0])
    used, late = tickets.issue(WHO), tickets.issue(WHO)

    assert tickets.redeem(used) == WHO
    with pytest.raises(BadTicket):
        tickets.redeem(used)
    now[0] = TICKET_LASTS_S
    with pytest.raises(BadTicket):
        tickets.redeem(late)
