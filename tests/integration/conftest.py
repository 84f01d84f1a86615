"""A real server with one meeting of the whole city, for tests without browsers."""

from collections.abc import Iterator

import pytest

from tests.helpers.server import LiveServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Running; each test plans a meeting of its own."""
    live = LiveServer(tmp_path_factory.mktemp("server"))
    live.start()
    try:
        yield live
    finally:
        live.stop()
