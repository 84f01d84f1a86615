"""What some frames of a camera say about the camera. Frames come in and numbers go out; none is kept.

A camera that was unplugged, or whose driver hangs, may give its last frame for ever (OpenCV issue 5221).
Such a copy is told from a picture of a still room by the sensor's noise: no two frames of a living sensor
are the same to the last bit. In the dark the noise may be clipped to black, so dark comes first.
"""

import itertools
from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from signaling.wire.kiosk.words import Camera

Frame = NDArray[Any]

LOOK_FRAMES: Final = 6
SHARPNESS_WIDTH_PX: Final = 640  # sharpness depends on the size, so all are judged at one
DARK_SHARE: Final = 0.02
MOVING_SHARE: Final = 0.002  # of the pixels
NOISE_FACTOR: Final = 6.0  # a change beyond six standard deviations of the noise is no noise
NOISE_FLOOR: Final = 4.0  # grey levels: codecs ring by so much


def judge(frames: Sequence[Frame]) -> Camera:
    """The facts of one look: at least two frames, in order, each BGR or grey, 8 bits."""
    if len(frames) < 2:
        return Camera(state="failed")
    grey = [_grey(frame) for frame in frames]
    brightness = float(np.mean(grey[-1])) / 255.0
    sharpness = _sharpness(grey[-1])
    pairs = list(itertools.pairwise(grey))
    if brightness < DARK_SHARE:
        return Camera(state="dark", moving=None, sharpness=sharpness, brightness=brightness)
    if all(a.shape == b.shape and not np.any(a != b) for a, b in pairs):
        return Camera(state="frozen", moving=False, sharpness=sharpness, brightness=brightness)
    moving = any(_changed_share(a, b) > MOVING_SHARE for a, b in pairs)
    return Camera(state="ok", moving=moving, sharpness=sharpness, brightness=brightness)


def _grey(frame: Frame) -> Frame:
    return frame if frame.ndim == 2 else np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY))


def _sharpness(grey: Frame) -> float:
    """Variance of the Laplacian: what is out of focus has little second derivative (Pech-Pacheco 2000)."""
    height, width = grey.shape
    size = (SHARPNESS_WIDTH_PX, max(1, round(height * SHARPNESS_WIDTH_PX / width)))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA) if width > SHARPNESS_WIDTH_PX else grey
    return float(np.var(cv2.Laplacian(small, cv2.CV_64F)))


def _changed_share(a: Frame, b: Frame) -> float:
    """Share of the pixels that changed by more than the sensor's noise."""
    if a.shape != b.shape:
        return 1.0
    limit = max(NOISE_FLOOR, NOISE_FACTOR * _noise(a))
    return float(np.mean(cv2.absdiff(a, b) > limit))


def _noise(grey: Frame) -> float:
    """Standard deviation of the noise by Immerkær's mask (1996), which edges and slopes hardly touch; the
    median, not the mean, so that texture does not count."""
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float64)
    response = np.abs(cv2.filter2D(grey, cv2.CV_64F, mask))
    return float(np.median(response)) / (0.6745 * 6.0)
