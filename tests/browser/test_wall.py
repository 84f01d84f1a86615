"""The operator's wall in a real browser: two wards with cameras behind a page full of simulated sites."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest
from msgspec import Struct

from room_manager.meeting.values import Role
from room_manager.roster.builtin import hanoi_579
from signaling.links import LinkFor
from signaling.simulate.job import Job, Place
from tests.helpers.browser import CHROMIUM, Camera, Window, browsers
from tests.helpers.server import CHAIR, LiveServer, Planned, ward

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]

TRUC_BACH, VINH_PHUC = "00004", "00006"
WARDS = {TRUC_BACH: Camera("blue", 730), VINH_PHUC: Camera("yellow", 1570)}
SIMULATED = [unit.code for unit in sorted(hanoi_579(), key=lambda unit: unit.sort_key())[:25]]
END_LIMIT_S = 10.0
FRESH = '[data-testid="wall"] [data-fresh="true"]'


class Watching(Struct):
    """The operator's window and the two wards'."""

    operator: Window
    wards: dict[str, Window]

    def page_is(self, told: str) -> None:
        """The wall says that it shows this page."""
        self.operator.wait(lambda: self.operator.page.inner_text('[data-testid="wall-page"]'), told, "page")

    def slot_of(self, site: str) -> str:
        """The slot that stands under this site's name."""
        slot = self.operator.page.get_attribute(f'[data-wall="{site}"] [data-slot]', "data-slot")
        assert slot is not None
        return slot


@pytest.fixture(scope="module")
def watching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watching]:
    """A page full of simulated sites is in, two wards come after them by the roll; nobody is on stage."""
    folder = tmp_path_factory.mktemp("wall")
    server = LiveServer(folder)
    links = [LinkFor(Role.OPERATOR), *map(ward, WARDS), *map(ward, SIMULATED), CHAIR]
    planned = server.plan(links, simulated=frozenset(SIMULATED))
    server.start()
    try:
        with simulating(server, planned), browsers(folder) as opened:
            operator = opened.window(planned.urls[0], Camera("red", 440))
            wards = [
                opened.window(url, camera)
                for url, camera in zip(planned.urls[1:], WARDS.values(), strict=False)
            ]
            for window in wards:
                window.enter()
            operator.page.click('[data-testid="enter"]')
            operator.shows('[data-testid="roster"] .row')
            here = f"Có mặt {len(SIMULATED) + len(WARDS)} / 579"
            operator.wait(lambda: operator.page.inner_text('[data-testid="present"]'), here, "present:")
            operator.page.keyboard.press("KeyW")
            yield Watching(operator, dict(zip(WARDS, wards, strict=True)))
    finally:
        server.stop()


@contextmanager
def simulating(server: LiveServer, planned: Planned) -> Iterator[None]:
    tokens = planned.tokens[1 + len(WARDS) :]
    places = tuple(Place(code, token) for code, token in zip(SIMULATED, tokens, strict=False))
    job = Job(server.origin, None, places, seed=1, lively=False)
    process = subprocess.Popen([sys.executable, "-m", "signaling.simulate"], stdin=subprocess.PIPE)
    try:
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(job) + b"\n")
        process.stdin.flush()
        yield
    finally:
        process.kill()
        if process.stdin is not None:
            process.stdin.close()
        process.wait(END_LIMIT_S)


def test_a_page_of_the_wall_shows_the_sites_that_are_here(watching: Watching) -> None:
    page = watching.operator.page

    watching.page_is("Trang 1 / 2")
    watching.operator.wait(lambda: page.locator(FRESH).count(), 25, "pictures:")

    shown = page.locator("[data-wall]").evaluate_all("all => all.map(one => one.dataset.wall)")
    assert shown == SIMULATED


def test_nobody_watches_a_camera_that_is_on_another_page_so_it_sends_nothing(watching: Watching) -> None:
    for window in watching.wards.values():
        window.wait(window.layers, [], "layers")


def test_the_next_page_shows_each_ward_under_its_own_name(watching: Watching) -> None:
    watching.operator.page.keyboard.press("PageDown")

    watching.page_is("Trang 2 / 2")
    for site, camera in WARDS.items():
        watching.operator.wait_colour(watching.slot_of(site), camera.colour)
        watching.wards[site].wait(watching.wards[site].layers, ["q"], "layers")


def test_turning_back_and_forth_never_shows_a_picture_under_another_name(watching: Watching) -> None:
    page = watching.operator.page
    page.keyboard.press("PageUp")
    watching.page_is("Trang 1 / 2")
    watching.operator.wait(lambda: page.locator(FRESH).count(), 25, "pictures:")
    colours = {watching.operator.colour(f"wall-{nth}") for nth in (1, 2)}
    assert not colours & {camera.colour for camera in WARDS.values()}

    page.select_option('[data-testid="wall-district"]', label="Quận Ba Đình")
    watching.page_is("Trang 1 / 1")
    for site, camera in WARDS.items():
        watching.operator.wait_colour(watching.slot_of(site), camera.colour)


def test_a_ward_is_put_on_stage_from_the_wall_and_sends_its_large_picture_again(watching: Watching) -> None:
    page, ward_ = watching.operator.page, watching.wards[TRUC_BACH]
    page.click(f'[data-wall="{TRUC_BACH}"]')
    page.click('[data-action="action.main"]')

    ward_.wait(lambda: "f" in ward_.layers(), True, "the large layer is sent:")
    watching.wards[VINH_PHUC].wait_colour("main", WARDS[TRUC_BACH].colour)
    watching.operator.wait_colour(watching.slot_of(TRUC_BACH), WARDS[TRUC_BACH].colour)
    page.keyboard.press("Escape")
    watching.operator.wait_colour("main", WARDS[TRUC_BACH].colour)


def test_after_the_wall_is_closed_its_connection_is_gone_and_nobody_sends_for_it(watching: Watching) -> None:
    other = watching.wards[VINH_PHUC]
    other.wait(other.layers, [], "layers")
    watching.operator.wait(lambda: len(watching.operator.live_peers()), 1, "connections:")
