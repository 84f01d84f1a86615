"""Every way of sending gives a receiver the same datagrams, in the same order."""

import os
import socket
import time
from collections.abc import Iterator
from typing import Final

import pytest
from aiortc.rtp import RtpPacket

from room_manager.media.sfu import private, vp8
from room_manager.media.sfu.audience import Audience, Marks, Row, Shifts
from room_manager.media.sfu.batch import BatchEgress
from room_manager.media.sfu.datagrams import evened, runs
from room_manager.media.sfu.rtp import Packet, build, extension_block, looks_like_rtcp
from room_manager.media.sfu.send_log import SendLog
from room_manager.media.sfu.srtp import PROFILES, Keys, material_bytes
from room_manager.media.sfu.trays import SEGMENTS, segmentation_offered
from room_manager.media.sfu.udp import MAX_PLAIN_BYTES, PlainEgress, Receiver, open_port

RECEIVERS: Final = 150  # more than two batches
TIMEOUT_S: Final = 5.0
AnyEgress = BatchEgress | PlainEgress


class Ear:
    """A receiver with its socket and both ends of its keys, the same whenever it has the same number."""

    def __init__(self, number: int, profile: int = 0) -> None:
        kind = PROFILES[profile]
        material = number.to_bytes(2, "big") * (material_bytes(kind) // 2)
        self.sink = Receiver()
        self.sink.secure(Keys(kind, material, server=True))
        self._keys = Keys(kind, material, server=False)
        self.ssrc = 1000 + number
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(TIMEOUT_S)
        self.sink.move(self.socket.getsockname())

    def hear(self, count: int) -> list[bytes]:
        return [self.socket.recv(4096) for _ in range(count)]

    def opened(self, datagram: bytes) -> bytes:
        memory, view = private.new_buffer(2048)
        length = private.new_length()
        view[: len(datagram)] = datagram
        length[0] = len(datagram)
        opening = private.unprotect_rtcp if looks_like_rtcp(datagram) else private.unprotect_rtp
        assert opening(self._keys.receiving, memory, length) == 0
        return bytes(view[: length[0]])


@pytest.fixture
def sender() -> Iterator[socket.socket]:
    with open_port("127.0.0.1", 0) as sock:
        sock.setblocking(True)  # a full socket is waited for here: on a busy machine the kernel may be behind
        yield sock


@pytest.fixture
def ears() -> Iterator[list[Ear]]:
    made = [Ear(number, profile=number % 2) for number in range(RECEIVERS)]
    yield made
    for ear in made:
        ear.socket.close()


def audience(ears: list[Ear]) -> Audience:
    return Audience(Row(ear.sink, ear.ssrc) for ear in ears)


def packet(seq: int, size: int, *, marker: bool = False) -> bytes:
    return build(96, seq, 90_000, 0, os.urandom(size), marker=marker)


def everybody_hears(ears: list[Ear], count: int) -> list[list[bytes]]:
    return [ear.hear(count) for ear in ears]


def send(egress: AnyEgress, plains: list[bytes], rows: Audience) -> None:
    for plain in plains:
        egress.fan(plain, rows, more=plain is not plains[-1])
    egress.flush()


def test_sizes_make_runs_of_equals_whose_last_may_be_shorter() -> None:
    assert runs([1000] * 5) == [5]
    assert runs([1000, 1000, 999]) == [3]
    assert runs([1000, 999, 999]) == [2, 1]
    assert runs([1000, 1000, 1001, 1001, 1001]) == [2, 3]
    assert runs([100, 1000, 100]) == [1, 2]
    assert runs([1000] * (SEGMENTS + 3)) == [SEGMENTS, 3]
    assert runs([1]) == [1]


def test_packets_a_few_bytes_shorter_are_padded_so_that_a_frame_is_one_datagram() -> None:
    plains = [packet(seq, size) for seq, size in enumerate([1100, 1093, 1101, 1101, 700])]

    even = evened(plains)

    assert runs([len(plain) for plain in even]) == [5]
    assert even[2:] == plains[2:]
    for before, after in zip(plains, even, strict=True):
        assert RtpPacket.parse(after).payload == before[12:]  # as aiortc reads it
        assert RtpPacket.parse(after).sequence_number == RtpPacket.parse(before).sequence_number
        ours = Packet(after)
        assert after[ours.start : ours.end] == before[12:]


@pytest.mark.parametrize("sizes", [[1100], [1100, 1100], [1100, 20], [1000, 1009, 1009], [1, 2000, 2000]])
def test_nothing_is_padded_in_vain(sizes: list[int]) -> None:
    plains = [packet(seq, size) for seq, size in enumerate(sizes)]

    assert evened(plains) is plains


SHAPES: Final = {
    "one sound": [160],
    "equal": [1170] * 5,
    "last shorter": [1170, 1170, 1170, 700],
    "as browsers split": [1100, 1100, 1101, 1101, 1101],
    "growing": [100, 200, 300],
    "a long frame": [900] * 37,
    "the largest": [MAX_PLAIN_BYTES - 12] * 2,
    "the smallest": [1, 1, 1],
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_all_back_ends_send_the_same_bytes_in_the_same_order(
    shape: list[int], sender: socket.socket, ears: list[Ear]
) -> None:
    plains = evened([packet(seq, size) for seq, size in enumerate(shape, start=65_530)])
    heard = []
    # Everybody's keys are the same each time, so even the bytes on the wire must be.
    for egress in (PlainEgress(sender), BatchEgress(sender, segmented=False), BatchEgress(sender)):
        send(egress, plains, audience(ears))
        heard.append(everybody_hears(ears, len(plains)))
        assert egress.sent == len(plains) * RECEIVERS
        assert egress.lost == 0

    assert heard[1] == heard[0]
    assert heard[2] == heard[0]
    for ear, datagrams in zip(ears, heard[0], strict=True):
        own = ear.ssrc.to_bytes(4, "big")
        assert [ear.opened(d) for d in datagrams] == [p[:8] + own + p[12:] for p in plains]


def shifted(number: int) -> Shifts:
    """Every third receiver's numbers are those of the packet; the others reach every wrap."""
    if number % 3 == 0:
        return Shifts()
    return Shifts(0xFFFF - number, 0xFFFF_FFFF - number, 0x7FFF - number, (0xFF - number) & 0xFF)


def measured(ears: list[Ear]) -> Audience:
    """Some of them measured, all with numbers of their own."""
    return Audience(
        Row(ear.sink, ear.ssrc, shifted(number), SendLog() if number % 2 else None)
        for number, ear in enumerate(ears)
    )


def numbered(seq: int, size: int) -> bytes:
    """A packet with a transport-wide number, an odd byte beside it, and a VP8 descriptor with all ids."""
    block = extension_block([(5, b"\0\0"), (4, b"abc"), (3, b"x")])
    payload = vp8.descriptor(0x7FFF - seq % 3, starts_frame=True, temporal=0, tl0=254 + seq % 2)
    return build(96, seq & 0xFFFF, 0xFFFF_FFFF - 3000 * seq % 7, 0, payload + bytes(size), extensions=block)


MARKED: Final = Marks(picture_at=12 + 16 + 2, layer_at=12 + 16 + 4, number_at=17)


@pytest.mark.parametrize("size", [3, 500, 1500])
def test_all_back_ends_give_each_receiver_its_own_numbers(
    size: int, sender: socket.socket, ears: list[Ear]
) -> None:
    plains = [numbered(seq, size) for seq in range(65_533, 65_540)]
    heard = []
    for egress in (PlainEgress(sender), BatchEgress(sender, segmented=False), BatchEgress(sender)):
        rows = measured(ears)
        for plain in plains:
            egress.fan(plain, rows, MARKED, more=plain is not plains[-1])
        egress.flush()
        heard.append(everybody_hears(ears, len(plains)))

    assert heard[1] == heard[0]
    assert heard[2] == heard[0]
    for number, (ear, datagrams) in enumerate(zip(ears, heard[0], strict=True)):
        shifts = shifted(number)
        for count, (datagram, plain) in enumerate(zip(datagrams, plains, strict=True), start=1):
            got, sent = Packet(ear.opened(datagram)), Packet(plain)
            found = vp8.describe(got.data, got.start, got.end)
            was = vp8.describe(sent.data, sent.start, sent.end)
            assert was.picture_id is not None
            assert was.tl0 is not None
            assert got.seq == (sent.seq + shifts.seq) & 0xFFFF
            assert got.timestamp == (sent.timestamp + shifts.timestamp) & 0xFFFF_FFFF
            assert found.picture_id == (was.picture_id + shifts.picture) & 0x7FFF
            assert found.tl0 == (was.tl0 + shifts.layer) & 0xFF
            assert got.extensions[5] == (count if number % 2 else 0).to_bytes(2, "big")
            assert got.extensions[4] == b"abc"
            assert got.data[got.start + 5 :] == sent.data[sent.start + 5 :]


def test_a_measured_receiver_knows_when_its_packets_left_and_how_large_they_were(
    sender: socket.socket, ears: list[Ear]
) -> None:
    for egress in (PlainEgress(sender), BatchEgress(sender)):
        log = SendLog()
        picture = Audience([Row(ears[0].sink, 7, log=log)])
        sound = Audience([Row(ears[0].sink, 9, log=log)])
        before = time.monotonic()

        egress.fan(numbered(1, 900), picture, MARKED)
        egress.fan(numbered(1, 20), sound, MARKED)
        egress.fan(packet(2, 20), sound)  # carries no number, and is not counted
        egress.flush()
        sizes = [len(datagram) for datagram in ears[0].hear(3)]

        first, second = log.find(1), log.find(2)
        assert first is not None
        assert second is not None
        assert sorted([first.size_bytes, second.size_bytes]) == sorted(sizes)[1:]
        assert before <= first.at <= second.at <= time.monotonic()
        assert log.find(3) is None
        assert log.newest == 2


def test_a_frame_leaves_as_one_datagram_for_each_receiver(sender: socket.socket, ears: list[Ear]) -> None:
    if not segmentation_offered(sender):
        pytest.skip("no UDP_SEGMENT here")
    ear = ears[0]
    ear.socket.setsockopt(socket.IPPROTO_UDP, 104, 1)  # UDP_GRO: hand over what came as one uncut

    send(BatchEgress(sender), [packet(n, 1000) for n in range(5)], audience([ear]))

    data, _, _, _ = ear.socket.recvmsg(65_535, 64)
    assert len(data) == 5 * (12 + 1000 + ear.sink.trailer_bytes)


def test_a_refused_datagram_arrives_in_pieces_and_is_not_tried_again(
    sender: socket.socket, ears: list[Ear]
) -> None:
    sender.setsockopt(
        socket.SOL_SOCKET, 11, 1
    )  # SO_NO_CHECK: the kernel cuts nothing it may not sum (EIO, EINVAL)
    egress, rows = BatchEgress(sender), audience(ears)
    plains = [packet(n, 1000) for n in range(10)]

    send(egress, plains[:5], rows)
    tried = [ear.sink.takes_segments for ear in ears]
    send(egress, plains[5:], rows)

    for ear in ears:
        assert [ear.opened(d)[12:] for d in ear.hear(10)] == [p[12:] for p in plains]
    assert tried == [False] * RECEIVERS
    assert egress.lost == 0


def test_a_frame_waits_for_its_rest_and_what_is_whole_does_not(
    sender: socket.socket, ears: list[Ear]
) -> None:
    egress, picture, sound = BatchEgress(sender), audience(ears[:2]), audience(ears[2:4])
    first, rest, heard = packet(1, 1000), packet(2, 1000, marker=True), packet(1, 100)

    send(egress, [packet(0, 10)], picture)
    send(egress, [packet(0, 10)], sound)
    for ear in ears[:4]:
        ear.hear(1)
    egress.fan(first, picture, more=True)
    egress.fan(heard, sound)
    kept = egress.flush_whole()

    assert kept
    assert [ear.opened(ear.hear(1)[0])[12:] for ear in ears[2:4]] == [heard[12:]] * 2
    ears[0].socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        ears[0].socket.recv(2048)
    egress.fan(rest, picture)
    assert not egress.flush_whole()
    assert [ears[1].opened(d)[12:] for d in ears[1].hear(2)] == [first[12:], rest[12:]]


def test_sound_overtakes_a_picture_on_its_way_and_each_keeps_its_order(
    sender: socket.socket, ears: list[Ear]
) -> None:
    egress, picture, sound = BatchEgress(sender, slice_s=0), audience(ears), audience(ears)
    for ear in ears:
        ear.sink.sound_types = frozenset({111})
    for rows in (picture, sound):
        send(egress, [packet(0, 10)], rows)
    everybody_hears(ears, 2)

    for seq in (1, 2, 3):
        egress.fan(packet(seq, 500, marker=seq == 3), picture, more=seq < 3)
    egress.flush_whole()  # a batch of each profile's receivers has it
    for seq in (4, 5):
        egress.fan(packet(seq, 500, marker=seq == 5), picture, more=seq < 5)
    egress.fan(build(111, 9, 0, 0, bytes(100)), sound)
    egress.flush_whole()

    assert egress.unfinished
    slices = 0
    while egress.go_on():
        slices += 1
    heard = [[int.from_bytes(d[2:4], "big") for d in ear.hear(6)] for ear in ears]
    assert slices > 3
    assert {tuple(seq for seq in seqs if seq != 9) for seqs in heard} == {(1, 2, 3, 4, 5)}
    overtaken = sum(seqs[0] == 9 for seqs in heard)
    assert 0 < overtaken < RECEIVERS
    assert egress.sent == RECEIVERS * 8


def test_frames_on_their_way_are_bounded_and_a_change_of_audience_waits_for_them(
    sender: socket.socket, ears: list[Ear]
) -> None:
    egress, rows = BatchEgress(sender, slice_s=0), audience(ears)
    send(egress, [packet(0, 10)], rows)

    for seq in range(1, 30):
        egress.fan(packet(seq, 20), rows)
        egress.flush_whole()
    behind = egress.unfinished
    egress.fan(packet(30, 20), audience(ears[:1]))

    assert behind
    assert egress.sent == RECEIVERS * 30
    assert not egress.unfinished
    egress.flush()
    assert [int.from_bytes(d[2:4], "big") for d in ears[0].hear(31)] == list(range(31))


def test_packets_to_single_receivers_do_not_fill_the_places_of_frames(
    sender: socket.socket, ears: list[Ear]
) -> None:
    egress, picture = BatchEgress(sender, slice_s=0), audience(ears[:140])
    send(egress, [packet(0, 10)], picture)
    alone = [Audience([Row(ear.sink, ear.ssrc)]) for ear in ears[140:]]
    for rows in alone:
        send(egress, [packet(0, 10)], rows)
    before = egress.sent

    egress.fan(packet(1, 500), picture)
    for _ in range(2):
        for rows in alone:
            egress.fan(packet(1, 500), rows)
        egress.flush_whole()

    assert egress.unfinished
    assert egress.sent - before >= 2 * len(alone)
    egress.flush()
    assert egress.sent - before == 2 * len(alone) + 140


def test_who_comes_for_the_sound_does_not_hurry_the_picture(sender: socket.socket, ears: list[Ear]) -> None:
    egress, picture = BatchEgress(sender, slice_s=0), audience(ears)
    send(egress, [packet(0, 10)], picture)
    sound = Audience(Row(ear.sink, ear.ssrc + 5_000) for ear in ears[:2])

    egress.fan(packet(1, 500), picture)
    egress.flush_whole()
    egress.fan(packet(1, 50), sound)

    assert egress.unfinished
    egress.fan(packet(2, 50), audience(ears[:1]))
    assert not egress.unfinished
    egress.flush()


def test_order_holds_when_somebody_comes_in_the_middle_of_a_frame(
    sender: socket.socket, ears: list[Ear]
) -> None:
    egress, before, after = BatchEgress(sender), audience(ears[:1]), audience(ears[:2])

    egress.fan(packet(1, 500), before, more=True)
    egress.flush_whole()
    egress.fan(packet(2, 600), after)
    egress.flush_whole()

    assert [int.from_bytes(d[2:4], "big") for d in ears[0].hear(2)] == [1, 2]
    assert [int.from_bytes(d[2:4], "big") for d in ears[1].hear(1)] == [2]


def test_a_receiver_that_moves_is_found_at_its_new_address(sender: socket.socket, ears: list[Ear]) -> None:
    egress, rows = BatchEgress(sender), audience(ears[:3])
    send(egress, [packet(1, 500)], rows)
    everybody_hears(ears[:3], 1)

    ears[1].sink.move(ears[9].socket.getsockname())
    send(egress, [packet(2, 500)], rows)

    assert [d[2:4] for d in ears[9].hear(1)] == [b"\0\2"]


def test_packets_beyond_the_memory_bound_leave_before_the_frame_is_whole(
    sender: socket.socket, ears: list[Ear]
) -> None:
    egress, rows = BatchEgress(sender), audience(ears[:1])

    for seq in range(1000):
        egress.fan(packet(seq, 20), rows, more=True)
        if seq % 50 == 49:
            egress.flush_whole()
            ears[0].socket.setblocking(False)

    assert egress.sent >= 1000 - 64


def test_control_opens_and_what_is_too_large_is_left(sender: socket.socket, ears: list[Ear]) -> None:
    report = bytes.fromhex("80c90001 00000001")
    for egress in (PlainEgress(sender), BatchEgress(sender)):
        egress.fan(bytes(MAX_PLAIN_BYTES + 1), audience(ears[:1]))
        egress.rtcp(ears[0].sink, bytes(MAX_PLAIN_BYTES + 1))
        egress.rtcp(Receiver(), report)
        egress.rtcp(ears[0].sink, report)
        egress.flush()

        assert ears[0].opened(ears[0].hear(1)[0]) == report
        assert egress.sent == 1
