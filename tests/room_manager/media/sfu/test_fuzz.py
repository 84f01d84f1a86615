"""Whatever arrives is read, refused or ignored; nothing else happens, and nothing grows.

Inputs are spoilt samples of what a real browser sent. ``make test`` tries 20,000 of them, ``make prove``
more than a million.
"""

import re
import time
import zlib
from collections.abc import Callable
from itertools import count
from typing import Final

import psutil
import pytest

from room_manager.ids import ConnectionId, SiteId
from room_manager.media.engine import MAX_SDP_BYTES, BadOffer, Scene
from room_manager.media.light import LightPeer, Sections
from room_manager.media.sfu import control, rtcp, sdp
from room_manager.media.sfu.ice import FINGERPRINT_MASK, Credentials, binding_request, read_check
from room_manager.media.sfu.member import MAX_STREAMS
from room_manager.media.sfu.negotiation import Local, agree, answer_text
from room_manager.media.sfu.rtp import Malformed
from room_manager.media.sfu.slot import Limit
from room_manager.media.sfu.stream import MAX_FRAME_BYTES, BadFrame, Frames
from tests.helpers.fuzz import recorded, spoilt, spoilt_texts
from tests.helpers.router_driver import ROOM, Peer, RouterDriver

MIB: Final = 1 << 20
MAX_GROWTH_BYTES: Final = 64 * MIB
SAMPLES: Final = recorded()
A, B, C = SiteId("00001"), SiteId("00004"), SiteId("00006")
LOCAL: Final = Local("ours", "password", "AA:BB", ("192.0.2.7",), 40_000, tcp=True)
TICK_EVERY: Final = 50
ROOM_EVERY: Final = 20_000


def stun(inputs: int, seed: int) -> None:
    own = Credentials("ours", "password-of-ours", "theirs")
    samples = [*SAMPLES["stun"], binding_request("theirs", "ours", "password-of-ours", 1)]
    for number, spoiled in enumerate(spoilt(samples, inputs, seed)):
        data = mended(spoiled) if number % 2 else spoiled
        check = read_check(data)
        if check is not None:
            if own.authentic(check):
                assert check.ufrag == b"ours"
            assert len(own.answer(check, ("192.0.2.1", 5000))) < 120


def mended(data: bytes) -> bytes:
    """With a length and a checksum that fit, so that what is spoilt is found by nothing else."""
    body = data[20:-8]
    body = body[: len(body) // 4 * 4]
    head = data[:2] + (len(body) + 8).to_bytes(2, "big") + data[4:20] + body
    return head + b"\x80\x28\0\4" + (zlib.crc32(head) ^ FINGERPRINT_MASK).to_bytes(4, "big")


def frames(inputs: int, seed: int) -> None:
    whole = b"".join(len(one).to_bytes(2, "big") + one for one in SAMPLES["stun"])
    cutter = Frames()
    for data in spoilt([whole, whole[:70]], inputs, seed):
        try:
            cutter.add(data)
        except BadFrame:
            cutter = Frames()
        assert len(cutter._rest) <= MAX_FRAME_BYTES + 2


class House:
    """A room in which the recorded browser, and two more of its kind, send and receive."""

    def __init__(self) -> None:
        self.driver = RouterDriver()
        self.peers = [self._join(site) for site in (A, B, C)]
        self.driver.scene(Scene(main=A, host=B, content=A, tiles=(A, B, C), heard_only=None, voices=(A, B)))
        self.driver.measure(self.peers[1], on=True)
        self.driver.limit(self.peers[2], main=Limit("q", 0))
        for data in SAMPLES["rtp"]:
            self.peers[0].raw(data)

    def _join(self, site: SiteId) -> Peer:
        router, connection = self.driver.router, ConnectionId(f"fuzz-{site}")
        plan = router.plan(ROOM, site, sdp.parse(SAMPLES["sdp"][0]))
        peer = Peer(self.driver, connection, plan)
        router.join(ROOM, connection, site, plan, peer)
        router.secured(connection, self.driver.now)
        return peer

    def tick(self) -> None:
        self.driver.wait(0.05)
        self.driver.forget()
        for peer in self.peers:
            _, member = self.driver.router.place(peer.connection)
            assert len(member._streams) <= MAX_STREAMS


def in_a_room(samples: list[bytes], give: Callable[[Peer, bytes], None], inputs: int, seed: int) -> None:
    house = House()
    for number, data in enumerate(spoilt(samples, inputs, seed)):
        try:
            give(house.peers[number % 3], data)
        except Malformed:
            pass
        if number % TICK_EVERY == 0:
            house.tick()
        if number % ROOM_EVERY == ROOM_EVERY - 1:
            house = House()


def rtp(inputs: int, seed: int) -> None:
    in_a_room(SAMPLES["rtp"], Peer.raw, inputs, seed)


def controls(inputs: int, seed: int) -> None:
    house = House()
    main = house.peers[1].slot_ssrc("main")
    made = [
        rtcp.nack(1, main, [3, 4, 5, 300, 301]),
        rtcp.pli(1, main),
        rtcp.remb(1, 500_000, [main, 7]),
        rtcp.transport_wide(1, main, bytes.fromhex("0001000e000001020000200e040404040404040404040404")),
        rtcp.receiver_report(1, [rtcp.Block(main, 3, 4, 5, 6, 7, 8)]) + rtcp.goodbye(1),
        rtcp.description(1, b"name"),
    ]
    in_a_room([*SAMPLES["rtcp"], *made], Peer.control, inputs, seed)


def offers(inputs: int, seed: int) -> None:
    light = LightPeer(Sections(audio_slots=1, video_slots=1)).offer()
    for data in spoilt_texts([short_offer(), light], inputs, seed):
        numbers = count(50)
        try:
            offer = sdp.parse(data)
            plan = agree(offer, may_send=True, video=None, ssrc=numbers.__next__)
        except BadOffer:
            continue
        answer = answer_text(plan, LOCAL, 1)
        assert len(answer) <= 4 * MAX_SDP_BYTES


def short_offer() -> str:
    """The recorded offer with its first sections of each kind: microphone, camera, what is received."""
    head, *sections = SAMPLES["sdp"][0].split("m=")
    kept = [sections[at] for at in (0, 1, 3, 6)]
    mids = [section.split("a=mid:")[1].split("\r\n")[0] for section in kept]
    bundle = re.sub("a=group:BUNDLE[^\r]*", f"a=group:BUNDLE {' '.join(mids)}", head)
    return "m=".join([bundle, *kept])


def requests(inputs: int, seed: int) -> None:
    samples = [
        control.frame(control.Join(7, ROOM, ConnectionId("c"), A, "v=0\r\n"))[4:],
        control.frame(control.SetScene(8, ROOM, Scene(main=A, tiles=(B, C))))[4:],
    ]
    for data in spoilt(samples, inputs, seed):
        for read in (control.request, control.saying):
            try:
                read(data)
            except control.BrokenFrame:
                pass


TARGETS: Final[dict[str, tuple[Callable[[int, int], None], int]]] = {
    # of a million inputs; offers are long, so they are fewer
    "stun": (stun, 330_000),
    "frames": (frames, 100_000),
    "rtp": (rtp, 270_000),
    "rtcp": (controls, 230_000),
    "offers": (offers, 20_000),
    "requests": (requests, 60_000),
}


@pytest.mark.parametrize("target", TARGETS)
def test_spoilt_inputs_change_nothing(target: str) -> None:
    attack, share = TARGETS[target]

    attack(share // 50, 20261127)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("target", TARGETS)
def test_a_million_spoilt_inputs_change_nothing_and_nothing_grows(
    target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    attack, share = TARGETS[target]
    process = psutil.Process()
    attack(share // 20, 1)  # what is kept for good is there now
    before, begun = process.memory_info().rss, time.process_time()

    attack(share, 2)

    grown = process.memory_info().rss - before
    with capsys.disabled():
        print(f"\n{target}: {share} inputs, {time.process_time() - begun:.1f} s, {grown / MIB:+.1f} MiB")
    assert grown <= MAX_GROWTH_BYTES


def hostile_offers() -> dict[str, str]:
    """Each as large as an offer may be, but for the first."""
    good = short_offer()
    section = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:{}\r\na=rtcp-mux\r\n"

    def filled(line: str, before: str = good, after: str = "") -> str:
        return before + line * ((MAX_SDP_BYTES - len(before) - len(after)) // len(line)) + after

    return {
        "larger than 64 KiB": good + "a=x\r\n" * 20_000,
        "sections": filled(section),
        "empty lines": filled("\r\n"),
        "empty lines, one by one": filled("\n", "v=0\n"),
        "unknown lines": filled("a=x:" + "y" * 20 + "\r\n"),
        "a long line": filled("x", good + "a=fmtp:96 ", "\r\n"),
        "formats": filled(" 96", good + "m=video 9 UDP/TLS/RTP/SAVPF", "\r\n"),
        "feedback": filled("a=rtcp-fb:* nack pli\r\n"),
        "extensions": filled("a=extmap:3 urn:x\r\n"),
        "layers": filled("q;", good + "a=simulcast:send ", "\r\n"),
        "directions": filled("send q recv h ", good + "a=simulcast:", "\r\n"),
        "streams": filled("a=ssrc:5 cname:x\r\n"),
        "bundle": filled(" 1", "v=0\r\na=group:BUNDLE", "\r\n" + good),
        "candidates": filled("a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n"),
        "fingerprint": filled("AA:", good + "a=fingerprint:sha-256 ", "AA\r\n"),
    }


@pytest.mark.slow
def test_how_long_refusing_an_offer_takes(capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in hostile_offers().items():
        took = []
        for _ in range(20):
            begun, refused = time.perf_counter(), False
            try:
                agree(sdp.parse(text), may_send=True, video=None, ssrc=count(50).__next__)
            except BadOffer:
                refused = True
            took.append(time.perf_counter() - begun)
        with capsys.disabled():
            print(f"\n{name}: {'refused' if refused else 'taken'} in {sorted(took)[10] * 1000:.2f} ms")


@pytest.mark.parametrize(
    "name", ["larger than 64 KiB", "sections", "formats", "extensions", "layers", "candidates"]
)
def test_more_than_any_client_needs_is_refused(name: str) -> None:
    with pytest.raises(BadOffer):
        sdp.parse(hostile_offers()[name])


@pytest.mark.parametrize("name", hostile_offers())
def test_an_offer_that_is_too_much_is_refused_or_read_only_in_part(name: str) -> None:
    try:
        plan = agree(sdp.parse(hostile_offers()[name]), may_send=True, video=None, ssrc=count(50).__next__)
    except BadOffer:
        return

    assert "192.0.2.1" not in answer_text(plan, LOCAL, 1)  # the server never goes where a client says
    assert len(plan.answer) <= 4
