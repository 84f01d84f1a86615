"""Times in the file, and what is asked of the sender."""

from itertools import pairwise

from room_manager.media.sfu import vp8 as descriptors
from room_manager.media.sfu.rtp import Packet, build
from room_manager.recording.tape import KEYFRAME_AGAIN_S, KEYFRAME_EVERY_S, Tape
from room_manager.recording.timeline import SLIP_MS, Timeline
from tests.room_manager.recording.test_packets import DELTA, KEY

WRAP = 2**32


def test_pictures_keep_the_distances_of_their_timestamps_whatever_the_network_does() -> None:
    line = Timeline(90_000)

    at = [
        line.at((WRAP - 9_000 + n * 9_000) % WRAP, 100 * n + jitter)
        for n, jitter in enumerate((0, 90, 5, 60))
    ]

    assert at[0] == 0
    assert [round((b - a) / 5) * 5 for a, b in pairwise(at)] == [100, 100, 100]


def test_clocks_that_run_apart_are_pulled_together() -> None:
    line = Timeline(48_000)

    for n in range(60_000):  # 20 minutes of a sender whose clock is 200 ppm fast
        now_ms = n * 20.0
        at = line.at(int(n * 960 * 1.0002) % WRAP, now_ms)

    assert abs(at - now_ms) < 20


def test_a_stream_that_pauses_leaves_a_gap_as_long_as_the_pause() -> None:
    line = Timeline(90_000)
    line.at(0, 0.0)

    assert line.at(3_000, 5_000.0) == 5_000  # its timestamps did not go on, time did
    assert line.at(6_000, 5_033.0) == 5_033
    assert line.at(6_000 + 90 * SLIP_MS * 9, 5_066.0) == 5_066  # and a leap of its clock is none of ours


def test_times_never_go_back() -> None:
    line = Timeline(90_000)

    assert line.at(9_000, 100.0) == 100
    assert line.at(9_000, 100.0) == 101
    assert line.at(0, 100.0) == 102


def picture(seq: int, payload: bytes, timestamp: int) -> Packet:
    head = descriptors.descriptor(seq, starts_frame=True)
    return Packet(build(96, seq, timestamp, 1, head + payload, marker=True))


def test_tracks_are_by_slot_and_the_programme_is_one_voice() -> None:
    tape = Tape("vp8", 10.0)
    for slot in ("main", "content", "programme", "audio-2", "tile-1"):
        tape.put(slot, picture(1, KEY, 0))

    blocks = tape.pull(10.5)

    assert sorted((block.track, block.at_ms) for block in blocks) == [
        ("content", 500),
        ("main", 500),
        ("sound", 500),
    ]
    assert tape.sizes == {"main": (640, 360), "content": (640, 360)}


def test_a_keyframe_is_asked_for_when_there_is_none_and_now_and_then_for_those_who_jump() -> None:
    tape = Tape("vp8", 0.0)
    assert tape.keyframes_to_ask(1.0) == []  # nothing is shown, so nothing is missing

    tape.put("main", picture(1, DELTA, 0))
    tape.pull(1.0)
    assert tape.keyframes_to_ask(1.0) == ["main"]
    assert tape.keyframes_to_ask(1.0 + KEYFRAME_AGAIN_S / 2) == []
    assert tape.keyframes_to_ask(1.0 + KEYFRAME_AGAIN_S) == ["main"]

    tape.put("main", picture(2, KEY, 0))
    tape.pull(3.0)
    assert tape.keyframes_to_ask(3.0 + KEYFRAME_AGAIN_S) == []
    assert tape.keyframes_to_ask(3.0 + KEYFRAME_EVERY_S) == ["main"]


def test_whoever_joins_again_begins_with_a_keyframe_and_the_time_goes_on() -> None:
    tape = Tape("vp8", 0.0)
    tape.put("main", picture(1, KEY, 0))
    assert len(tape.pull(1.0)) == 1

    tape.anew()
    tape.put("main", picture(40_000, DELTA, 77))
    assert tape.pull(9.0) == []
    tape.put("main", picture(40_001, KEY, 177))

    assert [block.at_ms for block in tape.pull(9.1)] == [9_100]
