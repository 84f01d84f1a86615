"""A room that speaks H.264: from an encoder's packets to a film that plays."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from room_manager.media.sfu.rtp import Packet, build
from room_manager.recording.files import PartFile
from room_manager.recording.frames import Track
from room_manager.recording.matroska import at_keyframes
from room_manager.recording.tape import Tape
from tests.helpers.films import play
from tests.room_manager.recording.test_packets import aggregate, fragments

FRAMES, FPS = 60, 15
MTU = 200


def encoded(width: int, height: int) -> list[bytes]:
    """Pictures as a hardware room system encodes them: baseline, a keyframe now and then."""
    try:
        encoder = av.CodecContext.create("libx264", "w")
    except av.error.FFmpegError:
        pytest.skip("this PyAV encodes no H.264")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.gop_size = Fraction(1, FPS), 20
    encoder.options = {"profile": "baseline", "preset": "ultrafast", "tune": "zerolatency"}
    pictures = []
    for number in range(FRAMES):
        frame = av.VideoFrame(width, height, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([number * 3 % 256]) * plane.buffer_size)
        frame.pts = number
        pictures += [bytes(packet) for packet in encoder.encode(frame)]
    return pictures + [bytes(packet) for packet in encoder.encode(None)]


def packets(pictures: list[bytes]) -> list[Packet]:
    """Mode 1: parameter sets in an aggregate, large slices in fragments."""
    made: list[Packet] = []
    for number, picture in enumerate(pictures):
        units = [unit.rstrip(b"\0") for unit in picture.split(b"\0\0\1") if unit.strip(b"\0")]
        sets = [unit for unit in units if unit[0] & 0x1F in (7, 8)]
        payloads = [aggregate(*sets)] if sets else []
        for unit in units:
            if unit[0] & 0x1F in (1, 5):
                payloads += fragments(unit, MTU) if len(unit) > MTU else [unit]
        for place, payload in enumerate(payloads):
            last = place == len(payloads) - 1
            made.append(Packet(build(102, len(made), number * 90_000 // FPS, 1, payload, marker=last)))
    return made


def test_the_film_plays_with_the_size_the_encoder_told(tmp_path: Path) -> None:
    tape = Tape("h264", 0.0)
    pictures = encoded(320, 176)
    blocks = []
    for packet in packets(pictures):
        tape.put("main", packet)
        blocks += tape.pull(packet.timestamp / 90_000)
    blocks += tape.pull(FRAMES / FPS)

    assert tape.sizes == {"main": (320, 176)}
    main = tape.configurations["main"]
    sizes: dict[Track, tuple[int, int]] = {"main": tape.sizes["main"], "content": (1280, 720)}
    file = PartFile(tmp_path / "film", "h264", sizes, {"main": main, "content": main})
    for part in at_keyframes(blocks):
        file.append(part)
    ready = file.finish()

    assert ready is not None
    assert ready.path.name == "film.mkv"
    film = play(ready.path)
    assert len(film.main) == len(pictures) == FRAMES
    assert film.sizes == {0: {(320, 176)}}
    assert film.main[-1] == pytest.approx((FRAMES - 1) / FPS, abs=0.01)


def test_a_lost_packet_costs_the_pictures_up_to_the_next_keyframe(tmp_path: Path) -> None:
    tape = Tape("h264", 0.0)
    sent = packets(encoded(320, 176))
    del sent[len(sent) // 2]
    for packet in sent:
        tape.put("main", packet)

    blocks = [*tape.pull(0.0), *tape.pull(1.0)]

    assert FRAMES - 20 <= len(blocks) < FRAMES
