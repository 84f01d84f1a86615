"""Files that can be played, finished or not, whole or cut off."""

import errno
import fcntl
import os
from pathlib import Path

import av
import pytest

from room_manager.media.loops import Loop, shipped
from room_manager.recording import matroska
from room_manager.recording.files import PartFile, StillWritten, mend, read
from room_manager.recording.matroska import Block
from tests.helpers.disks import small_disk
from tests.helpers.films import play

SECONDS = 6


def film(loop: Loop) -> list[Block]:
    """Six seconds of main picture and sound; content from the third second on."""
    blocks, fps = [], loop.frames_per_s
    frames, sound = loop.layers[-1].frames, loop.sound.packets
    for number in range(SECONDS * fps):
        at, frame = number * 1000 // fps, frames[number % len(frames)]
        blocks.append(Block(at, "main", not frame[0] & 1, frame))
        if number >= 2 * fps:
            blocks.append(Block(at + 1, "content", not frame[0] & 1, frame))
    blocks += [Block(n * 20, "sound", True, sound[n % len(sound)]) for n in range(SECONDS * 50)]
    return blocks


def written(stem: Path, blocks: list[Block]) -> PartFile:
    layer = shipped()[0].layers[-1]
    size = (layer.width_px, layer.height_px)
    file = PartFile(stem, "vp8", {"main": size, "content": (1280, 720)}, {})
    for second in range(SECONDS):
        file.append([block for block in blocks if block.at_ms // 1000 == second])
    return file


@pytest.fixture
def blocks() -> list[Block]:
    return film(shipped()[0])


def test_a_finished_file_plays_every_frame_and_can_be_jumped_in(tmp_path: Path, blocks: list[Block]) -> None:
    ready = written(tmp_path / "a", blocks).finish()

    assert ready is not None
    assert ready.path == tmp_path / "a.webm"
    assert ready.path.stat().st_mode & 0o777 == 0o600
    assert ready.size_bytes == ready.path.stat().st_size
    seen = play(ready.path)
    fps = shipped()[0].frames_per_s
    assert (len(seen.main), len(seen.content), len(seen.sound)) == (SECONDS * fps, (SECONDS - 2) * fps, 300)
    assert seen.titles == ("Hình chính", "Trình chiếu", "Âm thanh")
    assert seen.duration_s == pytest.approx(SECONDS, abs=0.05)
    assert ready.duration_s == pytest.approx(SECONDS, abs=0.05)
    with av.open(str(ready.path)) as file:
        file.seek(4_000_000)
        first = next(file.demux(video=0))
        assert first.is_keyframe
        assert first.pts == 4_000
    assert [path.name for path in tmp_path.iterdir()] == ["a.webm"]


@pytest.mark.parametrize("cut", [1, 700, 5_000])
def test_a_part_cut_off_anywhere_plays_and_is_mended_to_its_last_whole_cluster(
    tmp_path: Path, blocks: list[Block], cut: int
) -> None:
    file = written(tmp_path / "a", blocks)
    file.close()
    os.truncate(file.path, file.size_bytes - cut)

    before = play(file.path)
    ready = mend(file.path)

    assert len(before.sound) >= 250
    assert ready is not None
    seen = play(ready.path)
    assert seen.duration_s == pytest.approx(SECONDS - 1, abs=0.05)
    assert len(seen.main) == (SECONDS - 1) * shipped()[0].frames_per_s
    assert not file.path.exists()
    assert read(ready.path) == ready


def test_a_last_cluster_that_a_power_cut_left_hollow_is_cut_off(tmp_path: Path, blocks: list[Block]) -> None:
    file = written(tmp_path / "a", blocks)
    hollow_from = file.size_bytes
    file.append([Block(6_000, "sound", True, bytes(5_000))])
    file.close()
    with file.path.open("r+b") as torn:  # its size is there, and a part of it; the rest are zeros
        torn.seek(hollow_from + matroska.CLUSTER_HEAD_BYTES)
        torn.write(bytes(4_000))

    ready = mend(file.path)

    assert ready is not None
    assert ready.duration_s == pytest.approx(SECONDS, abs=0.05)
    assert len(play(ready.path).main) == SECONDS * shipped()[0].frames_per_s


def test_a_crash_between_the_cues_and_the_name_costs_nothing(tmp_path: Path, blocks: list[Block]) -> None:
    ready = written(tmp_path / "a", blocks).finish()
    assert ready is not None
    part = tmp_path / "b.webm.part"
    os.rename(ready.path, part)

    again = mend(part)

    assert again is not None
    assert (again.size_bytes, again.duration_s) == (ready.size_bytes, ready.duration_s)


@pytest.mark.parametrize("left", [0, 3, 200])
def test_a_part_with_nothing_in_it_goes_away(tmp_path: Path, blocks: list[Block], left: int) -> None:
    file = written(tmp_path / "a", blocks)
    file.close()
    os.truncate(file.path, left)

    assert mend(file.path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_recording_of_nothing_leaves_no_file(tmp_path: Path) -> None:
    assert PartFile(tmp_path / "a", "vp8", {"main": (2, 2), "content": (2, 2)}, {}).finish() is None
    assert list(tmp_path.iterdir()) == []


def test_nobody_mends_what_is_still_written(tmp_path: Path, blocks: list[Block]) -> None:
    file = written(tmp_path / "a", blocks)

    with pytest.raises(StillWritten):
        mend(file.path)

    assert file.finish() is not None


def test_the_lock_goes_with_the_writer(tmp_path: Path, blocks: list[Block]) -> None:
    file = written(tmp_path / "a", blocks)
    file.close()
    with file.path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_full_disk_takes_back_what_it_cannot_hold_and_the_rest_is_finished(
    tmp_path: Path, blocks: list[Block]
) -> None:
    with small_disk(tmp_path / "disk") as disk:
        file = written(disk / "a", blocks)
        durable = file.size_bytes
        with pytest.raises(OSError) as refused:
            file.append([Block(6_000, "sound", True, bytes(3 << 20))])
        assert refused.value.errno == errno.ENOSPC
        assert file.path.stat().st_size == durable

        ready = file.finish()

        assert ready is not None
        assert len(play(ready.path).main) == SECONDS * shipped()[0].frames_per_s


def test_clusters_are_cut_where_a_player_can_jump_to() -> None:
    def block(at_ms: int, track: str, key: bool) -> Block:
        return Block(at_ms, track, key, b"")  # type: ignore[arg-type]

    blocks = [
        block(0, "main", False),
        block(20, "sound", True),
        block(10, "sound", True),
        block(30, "main", True),
        block(40, "content", True),
    ]

    parts = matroska.at_keyframes(blocks)

    assert [[part.at_ms for part in cut] for cut in parts] == [[0, 10, 20], [30, 40]]
    assert matroska.at_keyframes([]) == []


def test_after_a_standstill_another_cluster_begins(tmp_path: Path) -> None:
    file = PartFile(tmp_path / "a", "vp8", {"main": (2, 2), "content": (2, 2)}, {})
    before_and_after = [Block(at_ms, "sound", True, b"\xfc\xff\xfe") for at_ms in (0, 20, 40_000, 40_020)]

    for part in matroska.at_keyframes(before_and_after):
        file.append(part)

    ready = file.finish()
    assert ready is not None
    assert len(play(ready.path).sound) == 4
    assert ready.duration_s == pytest.approx(40, abs=0.1)


def test_anothers_cluster_is_refused() -> None:
    for data in (b"\x1f\x43\xb6\x75\x01" + bytes(6) + b"\x02\xa3\x40", bytes(20)):
        with pytest.raises(ValueError):
            matroska.read_cluster(data)
        assert matroska.read_head(data) is None
