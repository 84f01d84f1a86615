"""What people see and hear: read from decoded pictures and sound in real browsers."""

import pytest

from tests.browser.conftest import CHAIR_CAMERA, WARDS, Meeting

pytestmark = pytest.mark.browser

TRUC_BACH, PHUC_XA, VINH_PHUC = WARDS


def test_every_ward_sees_and_hears_city_hall(meeting: Meeting) -> None:
    for window in meeting.wards.values():
        window.wait_colour("main", CHAIR_CAMERA.colour)
        window.wait_tone(CHAIR_CAMERA.tone_hz)


def test_the_ward_that_has_the_floor_is_seen_and_heard_in_every_window(meeting: Meeting) -> None:
    speaker = WARDS[TRUC_BACH]

    meeting.give_floor(TRUC_BACH)

    meeting.chair.wait_colour("main", speaker.colour)
    meeting.chair.wait_tone(speaker.tone_hz)
    for site in (PHUC_XA, VINH_PHUC):
        meeting.wards[site].wait_colour("main", speaker.colour)
        meeting.wards[site].wait_tone(speaker.tone_hz)
    meeting.wards[TRUC_BACH].wait_colour("main", CHAIR_CAMERA.colour)  # whoever speaks sees the hall


def test_the_next_speaker_replaces_the_last_in_every_window(meeting: Meeting) -> None:
    speaker = WARDS[PHUC_XA]

    meeting.give_floor(PHUC_XA)

    for window in (meeting.chair, meeting.wards[TRUC_BACH], meeting.wards[VINH_PHUC]):
        window.wait_colour("main", speaker.colour)
    meeting.chair.wait_tone(speaker.tone_hz)


def test_taking_the_floor_brings_city_hall_back_and_silences_the_ward(meeting: Meeting) -> None:
    meeting.take_floor()

    for window in meeting.wards.values():
        window.wait_colour("main", CHAIR_CAMERA.colour)
    meeting.chair.wait_silence()


def test_content_that_city_hall_shares_is_seen_by_every_ward_until_it_stops(meeting: Meeting) -> None:
    tab = meeting.chair.open_content("cyan")

    meeting.chair.page.click('[data-testid="share"]')

    for window in meeting.wards.values():
        window.shows('[data-testid="picture-content"][data-fresh="true"]')
        window.wait_colour("content", "cyan")
        window.wait_colour("main", CHAIR_CAMERA.colour)

    meeting.chair.page.click('[data-testid="share"]')
    for window in meeting.wards.values():
        window.page.wait_for_selector('[data-testid="picture-content"]', state="detached")
    tab.close()


def test_a_ward_that_reloads_is_back_with_its_hand_and_its_pictures(meeting: Meeting) -> None:
    window = meeting.wards[VINH_PHUC]
    window.press('[data-testid="big"][data-act="raise"]')
    window.shows('[data-testid="big"][data-act="lower"]')

    window.page.reload()

    window.shows('[data-testid="big"][data-act="lower"]')
    window.wait_colour("main", CHAIR_CAMERA.colour)
    assert meeting.chair.page.locator('[data-testid="hands"] [data-site]').count() == 1
    window.press('[data-testid="big"][data-act="lower"]')


def test_a_speaker_that_reloads_is_back_with_the_floor_and_is_seen_again(meeting: Meeting) -> None:
    meeting.give_floor(VINH_PHUC)
    meeting.chair.wait_colour("main", WARDS[VINH_PHUC].colour)

    meeting.wards[VINH_PHUC].page.reload()

    meeting.wards[VINH_PHUC].shows('[data-testid="big"][data-act="yield"]')
    meeting.chair.wait_colour("main", WARDS[VINH_PHUC].colour)
    meeting.chair.wait_tone(WARDS[VINH_PHUC].tone_hz)
    meeting.take_floor()


def test_a_ward_whose_network_changes_keeps_its_connection_its_hand_and_its_pictures(
    meeting: Meeting,
) -> None:
    window = meeting.wards[PHUC_XA]
    window.press('[data-testid="big"][data-act="raise"]')
    window.shows('[data-testid="big"][data-act="lower"]')
    [before] = window.live_peers()

    window.page.evaluate('dispatchEvent(new Event("online"))')

    window.wait(lambda: [one["ufrag"] == before["ufrag"] for one in window.live_peers()], [False], "same:")
    [after] = window.live_peers()
    assert after["number"] == before["number"]
    window.wait_colour("main", CHAIR_CAMERA.colour)
    window.wait_tone(CHAIR_CAMERA.tone_hz)
    window.shows('[data-testid="big"][data-act="lower"]')
    window.press('[data-testid="big"][data-act="lower"]')


def test_killed_media_process_comes_back_without_a_click(meeting: Meeting) -> None:
    meeting.give_floor(TRUC_BACH)
    others = (meeting.chair, meeting.wards[PHUC_XA], meeting.wards[VINH_PHUC])
    for window in others:
        window.wait_colour("main", WARDS[TRUC_BACH].colour)
        window.remember_pictures()

    meeting.server.kill_media()

    for window in others:
        window.wait_new_picture(WARDS[TRUC_BACH].colour)
    meeting.chair.wait_tone(WARDS[TRUC_BACH].tone_hz)
    meeting.chair.shows(f'[data-testid="floor"][data-site="{TRUC_BACH}"]')
    meeting.take_floor()


def test_killed_server_comes_back_without_a_click(meeting: Meeting) -> None:
    meeting.give_floor(PHUC_XA)
    meeting.wards[TRUC_BACH].press('[data-testid="big"][data-act="raise"]')
    meeting.wards[TRUC_BACH].shows('[data-testid="big"][data-act="lower"]')
    meeting.chair.wait_colour("main", WARDS[PHUC_XA].colour)
    for window in meeting.all():
        window.remember_pictures()

    meeting.server.kill()
    meeting.server.start()

    for window in (meeting.chair, meeting.wards[TRUC_BACH], meeting.wards[VINH_PHUC]):
        window.wait_new_picture(WARDS[PHUC_XA].colour)
    meeting.wards[PHUC_XA].wait_new_picture(CHAIR_CAMERA.colour)
    meeting.chair.wait_tone(WARDS[PHUC_XA].tone_hz)
    meeting.chair.shows(f'[data-testid="floor"][data-site="{PHUC_XA}"]')
    meeting.chair.shows(f'[data-testid="hands"] [data-site="{TRUC_BACH}"]')
