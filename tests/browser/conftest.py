"""A meeting in real browsers: city hall and three wards, each with a camera and a voice of its own."""

from collections.abc import Iterator

import pytest
from msgspec import Struct

from tests.helpers.browser import Browsers, Camera, Window, browsers
from tests.helpers.server import CHAIR, LiveServer, Planned, ward

# No tone is a multiple of another, so an overtone is never taken for a voice.
CHAIR_CAMERA = Camera("red", 440)
WARDS = {"00004": Camera("blue", 730), "00001": Camera("green", 1010), "00006": Camera("yellow", 1570)}


class Meeting(Struct):
    """Everybody's window, and the server behind them."""

    server: LiveServer
    planned: Planned
    browsers: Browsers
    chair: Window
    wards: dict[str, Window]

    def all(self) -> list[Window]:
        """City hall first."""
        return [self.chair, *self.wards.values()]

    def give_floor(self, site: str) -> None:
        """The ward raises its hand and the chair invites it, both by hand."""
        self.wards[site].press('[data-testid="big"][data-act="raise"]')
        self.chair.page.click(f'[data-testid="hands"] [data-site="{site}"] button')
        self.chair.shows(f'[data-testid="floor"][data-site="{site}"]')

    def take_floor(self) -> None:
        """Nobody but city hall has the floor."""
        self.chair.page.click('[data-testid="take-floor"]')
        self.chair.shows('[data-testid="floor"][data-site=""]')


@pytest.fixture(scope="module")
def meeting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meeting]:
    """City hall and three wards are in; nobody has the floor."""
    folder = tmp_path_factory.mktemp("meeting")
    server = LiveServer(folder)
    planned = server.plan([CHAIR, *map(ward, WARDS)])
    server.start()
    try:
        with browsers(folder) as opened:
            windows = [
                opened.window(url, camera)
                for url, camera in zip(planned.urls, [CHAIR_CAMERA, *WARDS.values()], strict=True)
            ]
            for window in windows:
                window.enter()
            yield Meeting(server, planned, opened, windows[0], dict(zip(WARDS, windows[1:], strict=True)))
    finally:
        server.stop()
