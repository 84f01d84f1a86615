"""Every way of taking datagrams finds the same bytes from the same ends, and never more than its bound."""

import os
import select
import socket
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from room_manager.media.sfu.ingress import (
    ROW_BYTES,
    ROWS,
    TOO_LARGE,
    BatchIngress,
    Origin,
    PlainIngress,
    origin_of,
)
from room_manager.media.sfu.udp import open_port

WAYS: Final[tuple[Callable[[socket.socket], PlainIngress], ...]] = (PlainIngress, BatchIngress)
HOSTS: Final = ("127.0.0.1", "::1")
WAIT_S: Final = 5.0
Found = tuple[Origin, tuple[str, int], bytes, int]


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest) -> str:
    try:
        with open_port(request.param, 0):
            return str(request.param)
    except OSError:
        pytest.skip(f"no {request.param} here")


@pytest.fixture
def receiver(host: str) -> Iterator[socket.socket]:
    with open_port(host, 0) as sock:
        yield sock


@pytest.fixture
def senders(receiver: socket.socket, host: str) -> Iterator[list[socket.socket]]:
    made = [socket.socket(receiver.family, socket.SOCK_DGRAM) for _ in range(3)]
    for sock in made:
        sock.bind((host, 0))
        sock.connect(receiver.getsockname()[:2])
    yield made
    for sock in made:
        sock.close()


def taken(ingress: PlainIngress, sock: socket.socket, count: int) -> list[Found]:
    """Rounds until so many have come."""
    found: list[Found] = []
    while len(found) < count:
        assert select.select((sock,), (), (), WAIT_S)[0], "they did not come"
        here = ingress.take()
        assert 0 < here <= ROWS
        firsts = ingress.firsts()
        assert len(firsts) == len(ingress.sizes) == len(ingress.origins) == here
        for row in range(here):
            data = bytes(ingress.datagram(row))
            found.append((ingress.origins[row], ingress.address(row), data, firsts[row] if data else -1))
    return found


@pytest.mark.parametrize("way", WAYS)
def test_datagrams_are_found_whole_in_order_and_with_their_origin(
    way: Callable[[socket.socket], PlainIngress], receiver: socket.socket, senders: list[socket.socket]
) -> None:
    ingress = way(receiver)
    sent: list[Found] = []
    for number, size in enumerate([1, 0, 2, 1200, 60, 2047, 300] * 30):
        sender, data = senders[number % 3], os.urandom(size)
        sender.send(data)
        address = sender.getsockname()[:2]
        sent.append((origin_of(address), address, data, data[0] if data else -1))

    assert taken(ingress, receiver, len(sent)) == sent
    assert ingress.take() == 0


@pytest.mark.parametrize("way", WAYS)
def test_a_datagram_that_is_cut_can_be_told(
    way: Callable[[socket.socket], PlainIngress], receiver: socket.socket, senders: list[socket.socket]
) -> None:
    ingress = way(receiver)
    for size in (TOO_LARGE - 1, TOO_LARGE, TOO_LARGE + 1, 9000):
        senders[0].send(bytes(size))

    taken_sizes = [len(data) for _, _, data, _ in taken(ingress, receiver, 4)]

    assert taken_sizes == [TOO_LARGE - 1, TOO_LARGE, TOO_LARGE, TOO_LARGE]


@pytest.mark.parametrize("way", WAYS)
def test_what_a_row_held_before_is_not_seen_again(
    way: Callable[[socket.socket], PlainIngress], receiver: socket.socket, senders: list[socket.socket]
) -> None:
    ingress = way(receiver)
    for sender, data in ((senders[0], b"a" * 1000), (senders[1], b"bb")):
        sender.send(data)
        ((origin, address, found, _),) = taken(ingress, receiver, 1)
        assert (origin, address) == (origin_of(sender.getsockname()[:2]), sender.getsockname()[:2])
        assert found == data
        ingress.row(0)[:] = b"x" * ROW_BYTES  # as decryption in place does
