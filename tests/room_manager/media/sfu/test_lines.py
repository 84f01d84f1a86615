"""A room with one bad line among good ones, packets and all, in virtual time."""

from typing import Final

import pytest

from room_manager.ids import SiteId
from room_manager.media.engine import LineStep, Scene
from room_manager.media.light_sdp import TRANSPORT_WIDE_ID
from room_manager.media.sfu import rtcp
from room_manager.media.sfu.line.line import FEEDBACKS_PER_S
from room_manager.media.sfu.line.need import NEWCOMER_S
from room_manager.media.sfu.line.reading import OVERHEAD_BYTES
from room_manager.media.sfu.rtp import Malformed, Packet
from room_manager.media.sfu.slot import Limit
from room_manager.media.sfu.twcc import ArrivalRecorder
from tests.helpers.router_driver import DELTA, KEY, ROOM, Peer, RouterDriver
from tests.helpers.thin_line import Line

A: Final = SiteId("00001")
BAD: Final = SiteId("00002")
GOOD: Final = SiteId("00003")
STEP_S: Final = 0.01
FRAME_S: Final = 1 / 15
FEEDBACK_S: Final = 0.06
TRAILER_BYTES: Final = 16
RATES: Final = {"q": 120_000, "h": 400_000, "f": 1_200_000}


class Ward:
    """A receiver behind a line, telling what came as a browser does."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.line = Line()
        self.seq = 0
        self.bytes = self.voices = self.measured = 0
        self.main: list[int] = []  # numbers of main pictures
        self.came: list[tuple[float, int]] = []  # when, transport-wide number
        self._recorder = ArrivalRecorder()
        self._told_at = self._reported_at = 0.0

    def take(self, ssrc: int, plain: bytes, now: float) -> None:
        """Something was sent to it."""
        packet = Packet(plain)
        self.bytes += len(plain)
        self.voices += ssrc == self.peer.slot_ssrc("audio-1")
        if ssrc == self.peer.slot_ssrc("main"):
            self.main.append(packet.seq)
        self.seq = packet.seq if ssrc == self.peer.slot_ssrc("audio-1") else self.seq
        number = packet.extensions.get(TRANSPORT_WIDE_ID)
        self.measured += number is not None
        at = self.line.pass_on(len(plain) + TRAILER_BYTES + OVERHEAD_BYTES, now)
        if at is not None and number is not None:
            self.came.append((at, int.from_bytes(number, "big")))

    def answer(self, now: float) -> None:
        """Feedback, if it is time."""
        arrived = [(at, number) for at, number in self.came if at <= now]
        self.came = [(at, number) for at, number in self.came if at > now]
        for at, number in arrived:
            self._recorder.record(number, at)
        if self.line.cut:
            return
        if now - self._reported_at >= 1 and self.seq:
            self._reported_at = now
            block = rtcp.Block(self.peer.slot_ssrc("audio-1"), 0, 0, self.seq, 0, 0, 0)
            self.peer.control(rtcp.receiver_report(1, [block]))
        if now - self._told_at >= FEEDBACK_S:
            self._told_at = now
            for body in self._recorder.feedback():
                self.peer.control(rtcp.transport_wide(1, self.peer.slot_ssrc("main"), body))


class Meeting:
    """A speaker with three layers and a voice, and wards."""

    def __init__(self) -> None:
        self.driver = RouterDriver()
        self.speaker = self.driver.join(A)
        self.wards = {site: Ward(self.driver.join(site)) for site in (BAD, GOOD)}
        self._by_sink = {id(ward.peer): ward for ward in self.wards.values()}
        self.driver.scene(Scene(main=A, heard_only=None, voices=(A,)))
        self._frame_at = self._voice_at = self._tick_at = self.driver.now
        self._asked = -1

    @property
    def bad(self) -> Ward:
        return self.wards[BAD]

    @property
    def good(self) -> Ward:
        return self.wards[GOOD]

    @property
    def steps(self) -> list[tuple[str, str]]:
        """What was told of the bad line."""
        told = [event for event in self.driver.events if isinstance(event, LineStep)]
        assert all(event.connection == self.bad.peer.connection for event in told)
        return [(event.step, event.reason) for event in told]

    def stats(self) -> tuple[dict[str, int], dict[str, int], int]:
        stats = self.driver.router.stats(ROOM)
        assert stats is not None
        return stats.steps, stats.step_reasons, stats.measured

    def play(self, seconds: float) -> None:
        driver = self.driver
        end = driver.now + seconds
        while driver.now < end:
            driver.now += STEP_S
            driver.egress.now = driver.now
            self._speak()
            if driver.now >= self._tick_at:
                self._tick_at = driver.now + 0.05
                driver.router.tick(driver.now)
            self.carry()

    def carry(self) -> None:
        """What was sent goes its way, and is answered."""
        driver = self.driver
        for sink, ssrc, plain in driver.egress.packets:
            ward = self._by_sink.get(id(sink))
            if ward is not None:
                ward.take(ssrc, plain, driver.now)
        driver.egress.packets.clear()
        for ward in self.wards.values():
            ward.answer(driver.now)

    def _speak(self) -> None:
        now, speaker = self.driver.now, self.speaker
        while self._voice_at <= now:
            self._voice_at += 0.02
            speaker.voice(body=bytes(60))
        while self._frame_at <= now:
            self._frame_at += FRAME_S
            asked, self._asked = self._asked, speaker.keyframe_asks()
            key = asked != self._asked
            speaker.picture += 1
            for layer, bps in RATES.items():
                left = int(bps / 8 * FRAME_S * (5 if key else 1))
                first = True
                while left > 0:
                    size, left = min(left, 1_100), left - 1_100
                    body = (KEY if key else DELTA) + bytes(size)
                    timestamp = speaker.picture * 6_000
                    speaker.video(
                        layer,
                        body,
                        starts=first,
                        marker=left <= 0,
                        picture=speaker.picture,
                        timestamp=timestamp,
                    )
                    first = False


def test_good_lines_are_measured_as_newcomers_and_then_left_alone() -> None:
    meeting = Meeting()
    meeting.play(3)
    assert meeting.stats() == ({"full": 3}, {}, 3)

    meeting.play(NEWCOMER_S)
    meeting.bad.measured = 0
    meeting.play(2)

    assert meeting.stats() == ({"full": 3}, {}, 0)
    assert meeting.bad.measured == 0
    assert meeting.steps == []


@pytest.mark.parametrize(
    ("bps", "steps"),
    [(64_000, {"still", "audio-only"}), (220_000, {"quarter", "fewer-frames"}), (700_000, {"half"})],
)
def test_a_thin_line_gets_what_it_carries_and_the_others_lose_nothing(bps: int, steps: set[str]) -> None:
    meeting = Meeting()
    meeting.play(4)
    meeting.bad.line.bps = bps
    meeting.play(12)
    assert meeting.steps[-1][0] in steps
    assert meeting.stats()[0][meeting.steps[-1][0]] == 1
    assert sum(meeting.stats()[1].values()) == 1

    meeting.bad.bytes = meeting.good.bytes = meeting.bad.voices = meeting.bad.line.dropped = 0
    meeting.play(10)

    assert meeting.bad.bytes * 8 / 10 <= 1.1 * bps
    assert meeting.bad.voices >= 495
    assert meeting.good.bytes * 8 / 10 >= sum((RATES["f"], 40_000)) * 0.95
    assert meeting.good.line.dropped == 0


def test_it_is_full_again_within_10_seconds_of_recovery() -> None:
    meeting = Meeting()
    meeting.play(4)
    meeting.bad.line.bps = 64_000
    meeting.play(15)
    assert meeting.steps[-1][0] in {"still", "audio-only"}

    meeting.bad.line.bps = None
    meeting.play(10)

    assert meeting.steps[-1][0] == "full"
    meeting.bad.bytes = 0
    meeting.play(4)
    assert meeting.steps[-1] == ("full", "room")
    assert meeting.bad.bytes * 8 / 4 >= RATES["f"]


def test_a_receiver_that_falls_silent_keeps_sound_only_until_it_is_heard_again() -> None:
    meeting = Meeting()
    meeting.play(4)
    meeting.bad.line.cut = True
    meeting.play(5)
    assert meeting.steps == [("audio-only", "silent")]

    meeting.bad.line.cut = False
    meeting.play(5)

    assert meeting.steps[-1] == ("full", "room")


def test_our_own_pause_is_nobodys_fault() -> None:
    meeting = Meeting()
    meeting.play(4)
    for _ in range(6):
        meeting.driver.now += 1.5  # nothing is read, sent or ticked
        meeting.play(1)

    assert meeting.steps == []


def test_a_step_down_asks_no_keyframe_more_than_once_a_third_of_a_second() -> None:
    meeting = Meeting()
    meeting.play(4)
    before = meeting.speaker.keyframe_asks()
    meeting.bad.line.bps = 220_000
    meeting.play(20)

    assert meeting.speaker.keyframe_asks() - before <= 14


def test_repairs_for_a_thin_line_are_a_share_of_it() -> None:
    meeting = Meeting()
    meeting.play(4)
    meeting.bad.line.bps = 220_000
    meeting.play(12)
    peer = meeting.bad.peer
    before = meeting.driver.router.stats(ROOM)
    for _ in range(100):
        meeting.play(0.1)
        last = 0
        for sink, ssrc, plain in meeting.driver.egress.packets:
            if sink is peer and ssrc == peer.slot_ssrc("main"):
                last = Packet(plain).seq
        peer.control(rtcp.nack(1, peer.slot_ssrc("main"), [(last - i) & 0xFFFF for i in range(16)]))

    after = meeting.driver.router.stats(ROOM)
    assert before is not None
    assert after is not None
    assert (after.repaired - before.repaired) * 1_000 * 8 / 10 <= 0.4 * 220_000


def test_a_late_packet_waits_for_its_turn_too_and_is_sent_once() -> None:
    meeting = Meeting()
    meeting.play(4)
    meeting.bad.line.bps = 220_000
    meeting.play(12)
    newcomer = meeting.driver.join(SiteId("00004"))
    meeting.driver.limit(newcomer, main=Limit("q"))
    speaker, peer = meeting.speaker, meeting.bad.peer
    meeting.carry()
    meeting.bad.main.clear()

    number = speaker.seqs[speaker.ssrc("camera", "q")] + 1
    speaker.video("q", KEY, seq=number + 1)  # with it the newcomer enters
    speaker.video("q", DELTA, seq=number)
    speaker.seqs[speaker.ssrc("camera", "q")] = number + 1

    assert len(newcomer.got("main")) == 1
    assert [to for sink, to, _ in meeting.driver.egress.packets if sink is peer] == []
    meeting.play(2)
    assert len(meeting.bad.main) > 2
    assert len(set(meeting.bad.main)) == len(meeting.bad.main)


def test_feedback_of_a_receiver_that_sends_far_too_much_is_not_read() -> None:
    meeting = Meeting()
    meeting.play(2)
    unreadable = rtcp.transport_wide(1, meeting.bad.peer.slot_ssrc("main"), bytes(4))

    read = 0
    for _ in range(3 * FEEDBACKS_PER_S):
        try:
            meeting.bad.peer.control(unreadable)
        except Malformed:
            read += 1

    assert 0 < read <= FEEDBACKS_PER_S
