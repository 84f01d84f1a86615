"""What a configuration changes on the device, without a screen; the page's part is in test_screen.py."""

import asyncio
from pathlib import Path

import pytest

from kiosk_client.body.content import Shelf
from kiosk_client.body.real import BodySettings
from kiosk_client.body.sessions import Service
from kiosk_client.body.stage import Stage, shown
from kiosk_client.configuration import BadConfiguration, in_use
from signaling.wire.kiosk.bundles import USUAL, Configuration
from tests.helpers.bodies import living
from tests.kiosk_client.body.test_announcements import GOOD, folder


def with_mixer(folder: Path, monkeypatch: pytest.MonkeyPatch, does: str) -> Path:
    """A sound server's program that is asked in place of this machine's; where it writes what it is asked."""
    there = folder / "bin"
    there.mkdir()
    (there / "wpctl").write_text(f'#!/bin/sh\necho "$3" >> {folder}/asked\n{does}\n')
    (there / "wpctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{there}:/bin:/usr/bin")
    return folder / "asked"


def silent(folder: Path) -> BodySettings:
    return BodySettings(camera="", content=folder)


def test_the_volume_is_set_at_the_start_and_when_it_changes_and_else_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = with_mixer(tmp_path, monkeypatch, "exit 0")
    with living(silent(tmp_path), tmp_path) as house:

        def configured(**said: object) -> None:
            told = Configuration(format=1, **said)  # type: ignore[arg-type]
            house.call(lambda: house.body.on_configuration(told))
            house.until(lambda: house.call(lambda: not house.body._works), "all is done")

        configured()
        assert not asked.exists()
        configured(volume_share=0.6)
        configured(volume_share=0.6, session_idle_s=90)  # staff may have set another one meanwhile
        configured(volume_share=0.3)
        configured()

        assert asked.read_text().split() == ["60%", "30%"]
        assert house.core.lines == []


def test_a_volume_that_cannot_be_set_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_mixer(tmp_path, monkeypatch, "exit 1")
    with living(silent(tmp_path), tmp_path) as house:
        house.call(lambda: house.body.on_configuration(Configuration(format=1, volume_share=1.0)))

        house.until(lambda: house.core.lines, "a line for staff")
        assert [line.code for line in house.core.lines] == ["mixer-failed"]


def test_a_session_lasts_as_long_as_is_configured(tmp_path: Path) -> None:
    with living(silent(tmp_path), tmp_path) as house:

        def is_over() -> bool:
            untouched = Service(touched_at=asyncio.get_running_loop().time() - 70.0)
            return not house.body._end_idle(untouched)[0].active

        assert house.call(is_over)
        house.call(lambda: house.body.on_configuration(Configuration(format=1, session_idle_s=500)))
        assert not house.call(is_over)


def test_the_page_is_told_how_long_in_which_language_and_how_large() -> None:
    said = Configuration(format=1, session_idle_s=90, language="en", text_size="large")

    drawn = shown(Stage(configuration=said), None)

    assert (drawn.idle_s, drawn.language, drawn.text_size) == (90, "en", "large")
    drawn = shown(Stage(), None)
    assert (drawn.idle_s, drawn.language, drawn.text_size) == (60, "vi", "normal")


def test_an_announcement_that_says_its_seconds_keeps_them(tmp_path: Path) -> None:
    there = folder(tmp_path, GOOD, {**GOOD, "id": "b", "seconds": 40})
    shelf = Shelf(lambda: there, lambda code, text: None)

    assert [one.seconds for one in shelf.of_the_day(None)] == [15, 40]
    assert [one.seconds for one in shelf.of_the_day(None, 20.0)] == [20, 40]


def test_without_any_the_usual_one_is_in_use_and_a_bad_one_is_said(tmp_path: Path) -> None:
    shelf = tmp_path / "updates" / "configuration"
    assert in_use(tmp_path) == USUAL

    (shelf / "versions" / "1").mkdir(parents=True)
    (shelf / "current").symlink_to("versions/1")
    with pytest.raises(BadConfiguration):
        in_use(tmp_path)  # the file is not there

    file = shelf / "versions" / "1" / "configuration.json"
    for bad in (
        "",
        "[]",
        "{}",
        '{"format": 2}',
        '{"format": 1, "volume": 0.5}',
        '{"format": 1, "volume_share": 2}',
    ):
        file.write_text(bad)
        with pytest.raises(BadConfiguration):
            in_use(tmp_path)

    file.write_text('{"format": 1, "volume_share": 0.5}')
    assert in_use(tmp_path) == Configuration(format=1, volume_share=0.5)
