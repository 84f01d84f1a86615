"""The process that owns the camera: ``python -m kiosk_client.body.eye SOURCE``.

It holds the camera open, because opening takes seconds and lights the lamp, and throws its frames away as
they come, so that a look sees now. A line ``look`` on its input is answered by one line of JSON, the facts.
It may hang in the driver for ever: whoever asks kills it. It ends with its input, whatever the driver does.
"""

import contextlib
import errno
import fcntl
import os
import queue
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from signaling.wire.kiosk.words import Camera

VIDIOC_REQBUFS: Final = 0xC0145608  # linux/videodev2.h: _IOWR('V', 8, struct v4l2_requestbuffers)
CAPTURE, MMAP = 1, 1
IDLE_S: Final = 0.2
FILE_FRAME_S: Final = 0.04  # a file plays at 25 frames a second


def is_device(source: str) -> bool:
    """A camera, not a film standing in for one."""
    return source.startswith("/dev/")


def is_busy(source: str) -> bool:
    """Does another program own the camera? V4L2 lets many open it, but only one have its buffers."""
    try:
        fd = os.open(source, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return error.errno == errno.EBUSY
    try:
        fcntl.ioctl(fd, VIDIOC_REQBUFS, bytearray(struct.pack("5I", 1, CAPTURE, MMAP, 0, 0)))
        return False
    except OSError as error:
        return error.errno == errno.EBUSY
    finally:
        os.close(fd)


class Eye:
    """One camera, held open between looks."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._capture: Any = None
        self._file_frame = 0

    def look(self) -> Camera:
        """Open if need be, see some frames, tell what they say."""
        from kiosk_client.body import (
            sight,
        )  # OpenCV takes a while; the reader of our input must not wait for it

        if not Path(self._source).exists():
            self.release()
            return Camera(state="none")
        if self._capture is None and not self._open():
            return Camera(state="busy" if is_device(self._source) and is_busy(self._source) else "failed")
        frames = [frame for frame in (self._read() for _ in range(sight.LOOK_FRAMES)) if frame is not None]
        if len(frames) < sight.LOOK_FRAMES:
            self.release()  # opened anew at the next look
            return Camera(state="none" if not Path(self._source).exists() else "failed")
        return sight.judge(frames)

    def skip(self) -> None:
        """Throw the waiting frame away, so that the driver's queue never holds the past."""
        if self._capture is None or not is_device(self._source):
            time.sleep(IDLE_S)
        elif not self._capture.grab():
            self.release()

    def release(self) -> None:
        """Let the camera go."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _open(self) -> bool:
        import cv2

        kind = cv2.CAP_V4L2 if is_device(self._source) else cv2.CAP_ANY
        self._capture = cv2.VideoCapture(str(Path(self._source).resolve()), kind)
        if self._capture.isOpened():
            return True
        self.release()
        return False

    def _read(self) -> Any:
        if not is_device(self._source):
            time.sleep(FILE_FRAME_S)
        got, frame = self._capture.read()
        if not got and not is_device(self._source):  # a film begins anew
            self.release()
            got, frame = self._capture.read() if self._open() else (False, None)
        return frame if got else None


def _listen(asked: "queue.SimpleQueue[str]") -> None:
    """Runs beside the camera. When our input ends, so does the process, even one that hangs in a driver."""
    for line in sys.stdin:
        asked.put(line.strip())
    os._exit(0)


def main(arguments: list[str]) -> int:
    """Until the input ends."""
    eye = Eye(arguments[0])
    asked: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(asked,), daemon=True).start()
    os.nice(5)
    while True:
        line = ""
        with contextlib.suppress(queue.Empty):
            line = asked.get_nowait()
        if line == "look":
            sys.stdout.buffer.write(msgspec.json.encode(eye.look()) + b"\n")
            sys.stdout.buffer.flush()
        elif line == "release":
            eye.release()
        else:
            eye.skip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
