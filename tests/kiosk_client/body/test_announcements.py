"""What may be in a content folder, and what is refused."""

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

import pytest

from kiosk_client.body.announcements import HANOI, BadContent, of_the_day, picture_path, read
from kiosk_client.body.content import Shelf

GOOD: dict[str, Any] = {"id": "a", "title": {"vi": "Lịch tiêm chủng"}, "text": {"vi": "Thứ Bảy tuần này."}}


def folder(tmp_path: Path, *announcements: dict[str, Any], name: str = "content", **more: Any) -> Path:
    there = tmp_path / name
    there.mkdir(exist_ok=True)
    (there / "announcements.json").write_text(
        json.dumps({"format": 1, "announcements": announcements, **more}), encoding="utf-8"
    )
    return there


def at(day: str) -> float:
    return dt.datetime.fromisoformat(f"{day}T00:30").replace(tzinfo=HANOI).timestamp()


def test_an_announcement_is_shown_on_its_days_in_ha_noi_both_included(tmp_path: Path) -> None:
    content = read(folder(tmp_path, {**GOOD, "from": "2026-11-27", "to": "2026-11-28"}))

    shown = [len(of_the_day(content, at(f"2026-11-{day}"))) for day in (26, 27, 28, 29)]

    assert shown == [0, 1, 1, 0]
    assert len(of_the_day(content, None)) == 1  # no clock to be believed: better one too many


@pytest.mark.parametrize(
    "bad",
    [
        {"id": "", "title": {"vi": "x"}, "text": {"vi": "x"}},
        {"id": "a/b", "title": {"vi": "x"}, "text": {"vi": "x"}},
        {"id": "a", "title": {"en": "x"}, "text": {"vi": "x"}},
        {"id": "a", "title": {"vi": "x"}, "text": {"vi": "x" * 5000}},
        {**GOOD, "seconds": 0},
        {**GOOD, "from": "tomorrow"},
        {**GOOD, "picture": "files/missing.jpg"},
        {**GOOD, "picture": "../outside.jpg"},
        {**GOOD, "picture": "/etc/passwd"},
    ],
)
def test_what_is_not_in_the_format_is_refused(tmp_path: Path, bad: dict[str, Any]) -> None:
    (tmp_path / "outside.jpg").write_bytes(b"x")

    with pytest.raises(BadContent):
        read(folder(tmp_path, bad))


def test_a_newer_format_twice_the_same_id_and_no_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadContent):
        read(folder(tmp_path, GOOD, format=2))
    with pytest.raises(BadContent):
        read(folder(tmp_path, GOOD, GOOD))
    with pytest.raises(BadContent):
        read(tmp_path / "nothing")


def test_a_picture_is_inside_the_folder_whatever_links_say(tmp_path: Path) -> None:
    there = folder(tmp_path, GOOD)
    (tmp_path / "outside.jpg").write_bytes(b"x")
    (there / "inside.jpg").write_bytes(b"x")
    (there / "page.html").write_bytes(b"x")
    os.symlink(tmp_path / "outside.jpg", there / "link.jpg")

    assert picture_path(there, "inside.jpg") == (there / "inside.jpg").resolve()
    for name in ("link.jpg", "../outside.jpg", "page.html", ".hidden.jpg", "a//b.jpg", "inside.jpg\0"):
        assert picture_path(there, name) is None


def test_a_switched_folder_is_read_again_and_a_bad_one_leaves_what_was_shown(tmp_path: Path) -> None:
    first = folder(tmp_path, GOOD, name="1")
    bad = folder(tmp_path, {"id": "a"}, name="2")
    noted: list[str] = []
    current = tmp_path / "current"
    shelf = Shelf(lambda: current, lambda code, _: noted.append(code))

    assert shelf.of_the_day(None) == ()
    current.symlink_to(first)
    assert [one.id for one in shelf.of_the_day(None)] == ["a"]
    current.unlink()
    current.symlink_to(bad)
    assert [[one.id for one in shelf.of_the_day(None)] for _ in range(3)] == [["a"]] * 3
    assert noted == ["bad-content"]
