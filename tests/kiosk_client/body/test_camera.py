"""A real camera process looks at real films; it is killed when it hangs and says what it cannot see."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from kiosk_client.body.camera import CameraSense
from kiosk_client.body.sight import judge
from signaling.wire.kiosk.words import Camera

pytestmark = pytest.mark.timeout(90)

WIDTH, HEIGHT = 320, 240


def scene(moved_px: int, seed: int, noise: float = 3.0) -> Any:
    """A room with edges, a thing that moves, and a sensor's noise."""
    picture = np.full((HEIGHT, WIDTH, 3), 90.0)
    picture[::16] += 60.0
    picture[100:160, 20 + moved_px : 80 + moved_px] = (30.0, 200.0, 220.0)
    picture += np.random.default_rng(seed).normal(0.0, noise, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def film(path: Path, moving: bool = True, frames: int = 20) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (WIDTH, HEIGHT))
    assert writer.isOpened()
    for number in range(frames):
        writer.write(scene(number * 8 if moving else 0, number if moving else 0))
    writer.release()
    return path


def test_a_still_room_is_no_frozen_camera_because_a_sensor_has_noise() -> None:
    seen = judge([scene(0, seed) for seed in range(6)])

    assert (seen.state, seen.moving) == ("ok", False)


def test_who_walks_by_is_motion() -> None:
    seen = judge([scene(seed * 6, seed) for seed in range(6)])

    assert (seen.state, seen.moving) == ("ok", True)


def test_the_same_frame_again_and_again_is_a_frozen_camera() -> None:
    seen = judge([scene(0, 1)] * 6)

    assert (seen.state, seen.moving) == ("frozen", False)


def test_a_covered_lens_is_dark_though_its_noise_is_clipped_away() -> None:
    black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)

    assert judge([black] * 6).state == "dark"


def test_out_of_focus_is_less_sharp() -> None:
    sharp = [scene(0, seed, noise=1.0) for seed in range(3)]
    soft = [cv2.GaussianBlur(frame, (0, 0), 4.0) for frame in sharp]

    clear, dim = judge(sharp).sharpness, judge(soft).sharpness

    assert clear is not None
    assert dim is not None
    assert dim < clear / 5


def test_one_frame_proves_nothing() -> None:
    assert judge([scene(0, 1)]).state == "failed"


class Watch:
    """A camera sense and what it noted."""

    def __init__(self, source: Path | str, limit_s: float = 30.0) -> None:
        self.noted: list[str] = []
        self.sense = CameraSense(lambda: str(source), lambda code, _: self.noted.append(code), limit_s)


def test_a_film_is_looked_at_again_and_again_by_one_process_until_it_is_taken_away(tmp_path: Path) -> None:
    path = film(tmp_path / "camera.avi")
    watch = Watch(path)

    async def scenario() -> tuple[list[Camera | None], set[int | None]]:
        pids: set[int | None] = set()
        seen = []
        for _ in range(4):  # more frames than the film has: it begins anew
            seen.append(await watch.sense.look())
            pids.add(watch.sense.pid)
        path.unlink()
        seen.append(await watch.sense.look())
        film(path, moving=False)
        seen.append(await watch.sense.look())
        await watch.sense.close()
        return seen, pids

    seen, pids = asyncio.run(scenario())

    assert [one.state for one in seen if one] == ["ok"] * 4 + ["none", "frozen"]
    assert len(pids) == 1
    assert watch.noted == []


def test_a_process_that_hangs_is_killed_and_another_one_sees(tmp_path: Path) -> None:
    path = film(tmp_path / "camera.avi")
    watch = Watch(path)

    async def scenario() -> tuple[list[Camera | None], int]:
        seen = [await watch.sense.look()]
        hung = watch.sense.pid
        assert hung is not None
        os.kill(hung, signal.SIGSTOP)
        watch.sense._limit_s = 0.5
        seen.append(await watch.sense.look())
        watch.sense._limit_s = 30.0
        seen.append(await watch.sense.look())
        await watch.sense.close()
        return seen, hung

    seen, hung = asyncio.run(scenario())

    assert [one.state for one in seen if one] == ["ok", "failed", "ok"]
    assert watch.noted == ["camera-hangs"]
    assert not Path(f"/proc/{hung}").exists()


def test_a_process_that_dies_is_started_anew_but_not_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "camera.avi"
    path.write_bytes(b"no film at all")
    watch = Watch(path)

    async def scenario() -> tuple[list[Camera | None], set[int]]:
        seen, pids = [], set()
        for _ in range(7):
            seen.append(await watch.sense.look())
            child = watch.sense._child
            if child is not None:
                pids.add(child.pid)
                child.kill()
                await child.wait()
        await watch.sense.close()
        return seen, pids

    seen, pids = asyncio.run(scenario())

    assert {one.state for one in seen if one} == {"failed"}
    assert len(pids) == 5
    assert watch.sense.pid is None


def test_no_camera_named_is_no_camera_and_one_that_is_not_there_is_missing(tmp_path: Path) -> None:
    assert asyncio.run(Watch("").sense.look()) is None
    seen = asyncio.run(Watch(tmp_path / "video9").sense.look())
    assert seen is not None
    assert seen.state == "none"
