"""One server for the pairs that meet on loopback."""

import datetime as dt
from collections.abc import Iterator

import pytest

from signaling.cli import lan
from tests.helpers import netns
from tests.helpers.server import LiveServer
from tests.interop.pairs import Apart


@pytest.fixture(scope="package")
def interop_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    server = LiveServer(tmp_path_factory.mktemp("interop"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="package")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    """A server and its clients in namespaces of their own, for clients that leave loopback out."""
    why_not = netns.why_not()
    if why_not is not None:
        pytest.skip(why_not)
    folder = tmp_path_factory.mktemp("apart")
    certificate = lan.certificate(folder, [netns.SERVER_ADDRESS], dt.datetime.now(dt.UTC))
    with netns.two_namespaces() as spaces:
        server = LiveServer(
            folder,
            host=netns.SERVER_ADDRESS,
            scheme="https",
            wrap=spaces.at_server([]),
            flags=[
                *("--certificate", str(certificate.certificate), "--key", str(certificate.key)),
                *("--media-address", netns.SERVER_ADDRESS),
            ],
        )
        try:
            server.start()
            yield Apart(server, spaces)
        finally:
            server.stop()
