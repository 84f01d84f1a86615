"""What a demonstration's device looks at and shows: ``python -m kiosk_client.demo FOLDER``.

Makes ``camera.avi``, a film that stands in for a camera (a room, somebody who walks by, a sensor's noise),
and ``content/`` with announcements; whatever is there already stays.
"""

import sys
from pathlib import Path
from typing import Any, Final

import cv2
import msgspec
import numpy as np

from kiosk_client.body.announcements import FILE
from signaling.wire.kiosk.bundles import Content, Written
from signaling.wire.kiosk.page import Words

WIDTH_PX: Final = 640
HEIGHT_PX: Final = 360
FRAMES: Final = 250
FRAMES_PER_S: Final = 25.0

ANNOUNCEMENTS: Final = (
    Written(
        "ban-dung-thu",
        Words("Đây là bản dùng thử của ki-ốt", "This is a demonstration of the kiosk"),
        Words(
            "Màn hình này do tác tử trên thiết bị phục vụ, nên vẫn hiện khi mất mạng.\n\n"
            "Cán bộ thành phố thấy thiết bị trên trang Thiết bị: màn hình có đang vẽ không, "
            "camera có chuyển động không, ổ đĩa còn bao nhiêu chỗ.",
            "This screen is served by the agent on the device, so it stays when the line is cut.",
        ),
    ),
    Written(
        "mot-cua",
        Words("Bộ phận một cửa làm việc sáng và chiều", "The one-stop desk is open mornings and afternoons"),
        Words(
            "Ngoài giờ làm việc, quý vị có thể đọc thông báo tại đây. "
            "Dịch vụ công trực tuyến sẽ có trên ki-ốt trong bản sau.",
            "Outside its hours the announcements can be read here.",
        ),
    ),
)


def film(path: Path) -> None:
    """A film of ten seconds."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FRAMES_PER_S, (WIDTH_PX, HEIGHT_PX))
    lot = np.random.default_rng(1)
    for number in range(FRAMES):
        writer.write(_frame(number, lot))
    writer.release()


def _frame(number: int, lot: np.random.Generator) -> Any:
    picture = np.full((HEIGHT_PX, WIDTH_PX, 3), (150.0, 160.0, 165.0))
    picture[240:] = (90.0, 100.0, 110.0)  # the floor
    picture[60:200:20, 40:240] = (70.0, 90.0, 120.0)  # a notice board
    picture[100:300, 520:600] = (60.0, 70.0, 80.0)  # a door
    at = round((np.sin(number / FRAMES * 2 * np.pi) + 1) / 2 * (WIDTH_PX - 80))
    picture[120:330, at : at + 70] = (60.0, 60.0, 150.0)  # somebody walks by
    return np.clip(picture + lot.normal(0.0, 3.0, picture.shape), 0, 255).astype(np.uint8)


def main(arguments: list[str]) -> int:
    """0: it is there."""
    folder = Path(arguments[0])
    content = folder / "content"
    content.mkdir(parents=True, exist_ok=True)
    if not (folder / "camera.avi").exists():
        film(folder / "camera.new.avi")
        (folder / "camera.new.avi").replace(folder / "camera.avi")
    (content / FILE).write_bytes(msgspec.json.encode(Content(1, ANNOUNCEMENTS)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
