"""What was recorded, from the command line; and where a server records, by its flags."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from room_manager.ids import RoomId
from signaling.cli.failure import Bad
from signaling.cli.storage import opened
from signaling.settings import GIB
from tests.cli.test_command_line import Run, settings
from tests.cli.test_command_line import run as run  # the fixture

STARTED = datetime(2026, 11, 27, 2, 5, tzinfo=UTC)
KEPT, UNDER_WAY = "20261127T020500Z-aaaaaaaa", "20261127T030500Z-bbbbbbbb"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A meeting with a recording that is finished and one that is not."""
    db = tmp_path / "a.db"

    async def fill() -> None:
        async with opened(db) as stores:
            await stores.meetings.create(RoomId("m1"), "Họp", [])
            await stores.recordings.begin(KEPT, RoomId("m1"), STARTED)
            end = STARTED + timedelta(minutes=3)
            await stores.recordings.finished(KEPT, end, f"{KEPT}.webm", 185.0, 3 << 20, mended=False)
            await stores.recordings.begin(UNDER_WAY, RoomId("m1"), STARTED + timedelta(hours=1))

    asyncio.run(fill())
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / f"{KEPT}.webm").write_bytes(b"film")
    return db


def test_recordings_are_listed_the_newest_first(run: Run, db: Path) -> None:
    code, out, err = run("recording", "list", "--db", db)

    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"{UNDER_WAY}  m1  2026-11-27 10:05  0:00  0.0 MiB  recording",
        f"{KEPT}  m1  2026-11-27 09:05  3:05  3.0 MiB  ready",
    ]
    assert run("recording", "list", "other", "--db", db)[1] == ""


def test_a_deleted_recording_loses_its_file_and_keeps_its_line(run: Run, db: Path) -> None:
    assert run("recording", "delete", KEPT, "--db", db) == (0, f"Deleted {KEPT}.\n", "")

    assert list((db.parent / "recordings").iterdir()) == []
    assert "deleted by command line" in run("recording", "list", "--db", db)[1]
    assert run("recording", "delete", KEPT, "--db", db)[0] == 2


@pytest.mark.parametrize("recording", [UNDER_WAY, "nothing", "../a.db"])
def test_what_cannot_be_deleted_is_told_in_one_line(run: Run, db: Path, recording: str) -> None:
    code, out, err = run("recording", "delete", recording, "--db", db)

    assert (code, out) == (2, "")
    assert err.startswith("diemcau: RECORDING: ")
    assert db.exists()


def test_nothing_is_said_to_be_deleted_that_is_in_another_folder(run: Run, db: Path, tmp_path: Path) -> None:
    code, out, err = run("recording", "delete", KEPT, "--db", db, "--recordings", tmp_path / "elsewhere")

    assert (code, out) == (2, "")
    assert err.startswith("diemcau: --recordings: ")
    assert [file.name for file in (tmp_path / "recordings").iterdir()] == [f"{KEPT}.webm"]
    assert "ready" in run("recording", "list", "--db", db)[1]


def test_a_server_records_beside_its_database_unless_told_otherwise(tmp_path: Path) -> None:
    db = ("--db", tmp_path / "x" / "a.db")

    plain = settings(*db)
    told = settings(*db, "--recordings", tmp_path / "r", "--recordings-free", "0.5", "--recordings-keep", "0")
    off = settings(*db, environ={"DIEMCAU_RECORDINGS": "off"})

    assert plain.recordings_folder == (tmp_path / "x" / "recordings").resolve()
    assert (plain.recording.on, plain.recording.keep_days) == (True, 30)
    assert (plain.recording.start_above_bytes, plain.recording.stop_below_bytes) == (4 * GIB, 2 * GIB)
    assert told.recordings_folder == tmp_path / "r"
    assert (told.recording.start_above_bytes, told.recording.keep_days) == (GIB, 0)
    assert not off.recording.on
    assert settings(*db, "--recordings", ".").recordings_folder == Path()


def test_stills_are_taken_only_when_asked_for(tmp_path: Path) -> None:
    db = ("--db", tmp_path / "a.db")

    assert settings(*db).stills_every_s == 0
    assert settings(*db, "--stills", "5").stills_every_s == 300
    assert settings(*db, environ={"DIEMCAU_STILLS": "0"}).stills_every_s == 0
    with pytest.raises(Bad, match="--stills"):
        settings(*db, "--stills", "0.5")


@pytest.mark.parametrize(
    ("flag", "word"),
    [
        ("--recordings-keep", "-1"),
        ("--recordings-keep", "x"),
        ("--recordings-free", "nan"),
        ("--recordings-free", "-1"),
    ],
)
def test_a_bad_number_names_its_flag(tmp_path: Path, flag: str, word: str) -> None:
    with pytest.raises(Bad, match=flag):
        settings("--db", tmp_path / "a.db", f"{flag}={word}")
