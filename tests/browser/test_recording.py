"""Recording as people meet it: the sign on every screen, the dialog on the desk, a film that plays."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.browser import Camera, Window, browsers
from tests.helpers.films import play
from tests.helpers.server import CHAIR, LiveServer, ward

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

TRUC_BACH = "00004"


@pytest.fixture
def windows(tmp_path: Path) -> Iterator[tuple[Window, Window]]:
    """City hall's and one ward's."""
    server = LiveServer(tmp_path, flags=("--recordings-free", "0"))
    planned = server.plan([CHAIR, ward(TRUC_BACH)])
    server.start()
    try:
        with browsers(tmp_path) as opened:
            chair = opened.window(planned.urls[0], Camera("red", 440))
            site = opened.window(planned.urls[1], Camera("blue", 730))
            for window in (chair, site):
                window.enter()
            yield chair, site
    finally:
        server.stop()


def test_a_recording_is_shown_to_everybody_fetched_and_deleted(
    windows: tuple[Window, Window], tmp_path: Path
) -> None:
    chair, site = windows
    site.wait_colour("main", "red")

    chair.page.keyboard.press("g")
    chair.page.click('[data-testid="recording-switch"][data-on="false"] [data-testid="recording-toggle"]')
    for window in (chair, site):
        window.shows('[data-testid="recording"][data-on="true"]')
    assert site.page.inner_text('[data-testid="recording"]') == "Đang ghi hình"
    chair.shows('[data-testid="recordings-list"] [data-state="recording"]')
    folder = tmp_path / "recordings"
    chair.wait(lambda: sum(path.stat().st_size for path in folder.glob("*")) > 100_000, True, "recorded:")

    chair.page.click('[data-testid="recording-toggle"]')
    site.page.wait_for_selector('[data-testid="recording"][data-on="false"]', state="attached")
    chair.shows('[data-testid="recordings-list"] [data-state="ready"]')
    with chair.page.expect_download() as fetching:
        chair.page.click('[data-testid="recording-download"]')
    film = tmp_path / "film.webm"
    fetching.value.save_as(film)
    assert fetching.value.suggested_filename.startswith("Họp thử 20")
    seen = play(film)
    assert len(seen.main) > 15
    assert len(seen.sound) > 50

    chair.page.click('[data-testid="recording-delete"]')
    chair.page.click('[data-testid="recording-delete-yes"]')
    chair.shows('[data-testid="recordings-list"] [data-state="deleted"]')
    assert list(folder.iterdir()) == []
