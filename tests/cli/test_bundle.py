"""Bundles and their keys from the command line."""

import json
import stat
from pathlib import Path

import pytest

from tests.cli.test_command_line import Run
from tests.cli.test_command_line import run as run  # the fixture
from tests.helpers import bundles as files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Announcements as an official would lay them out."""
    one = {"id": "tiem", "title": {"vi": "Tiêm chủng"}, "text": {"vi": "Thứ Hai."}, "picture": "anh/tiem.png"}
    content = tmp_path / "thang-11"
    (content / "anh").mkdir(parents=True)
    (content / "anh" / "tiem.png").write_bytes(b"png")
    (content / "announcements.json").write_text(
        json.dumps({"format": 1, "announcements": [one]}), encoding="utf-8"
    )
    return content


def test_a_folder_becomes_a_signed_bundle(run: Run, tmp_path: Path, folder: Path) -> None:
    db, out = tmp_path / "a.db", tmp_path / "out.zip"

    assert run("bundle", "build-content", folder, out)[0] == 0
    code, said, err = run("bundle", "add", out, "--kind", "content", "--version", "2026.11", "--db", db)

    assert (code, err) == (0, "")
    assert said.startswith("content-2026.11  0.0 MiB  signed")
    assert run("bundle", "list", "--db", db)[1] == said
    code, said, _ = run("bundle", "keys", "show", "--db", db)
    assert [line.split()[0] for line in said.splitlines()] == ["root", "targets", "snapshot", "timestamp"]
    assert run("bundle", "keys", "init", "--db", db)[0] == 2


def test_keys_elsewhere_sign_later(run: Run, tmp_path: Path) -> None:
    db, usb = tmp_path / "a.db", tmp_path / "usb"
    file = files.written(tmp_path / "f", files.content())
    assert run("bundle", "keys", "init", "--db", db)[0] == 0
    keys = tmp_path / "bundles" / "keys"
    assert stat.S_IMODE((keys / "root.pem").stat().st_mode) == 0o600
    usb.mkdir()
    for key in keys.iterdir():  # timestamp and snapshot are copied too: signing needs them
        (usb / key.name).write_bytes(key.read_bytes())
    for offline in ("root", "targets"):
        (keys / f"{offline}.pem").unlink()

    said = run("bundle", "add", file, "--kind", "content", "--version", "7", "--db", db)[1]
    assert "waits for its signature" in said
    code, _, err = run("bundle", "sign", "--db", db)
    assert (code, "no-key" in err) == (2, True)
    code, said, _ = run("bundle", "sign", "--keys", usb, "--db", db)
    assert (code, "signed" in said) == (0, True)
    assert run("bundle", "keys", "rotate", "snapshot", "--db", db)[0] == 2
    assert run("bundle", "keys", "rotate", "snapshot", "--keys", usb, "--db", db)[0] == 0


def test_what_is_no_bundle_is_told_in_one_line(run: Run, tmp_path: Path, folder: Path) -> None:
    db = tmp_path / "a.db"
    (folder / "anh" / "tiem.png").unlink()

    code, _, err = run("bundle", "build-content", folder, tmp_path / "out.zip")
    assert (code, "no picture anh/tiem.png" in err, len(err.splitlines())) == (2, True, 1)
    assert not (tmp_path / "out.zip").exists()
    assert (
        run("bundle", "add", tmp_path / "nothing", "--kind", "content", "--version", "1", "--db", db)[0] == 2
    )
    bad = files.written(tmp_path / "f", files.content(more={"../x": b"1"}))
    code, _, err = run("bundle", "add", bad, "--kind", "content", "--version", "1", "--db", db)
    assert (code, "unsafe-archive" in err) == (2, True)
    code, _, err = run("bundle", "add", bad, "--kind", "films", "--version", "1", "--db", db)
    assert code == 2
