"""The built pages: which files there are is known, not looked for."""

from pathlib import Path

import pytest

from signaling.pages import Files


def test_who_asks_for_what_is_not_there_makes_nobody_walk_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("x")
    (tmp_path / "assets" / "a.js").write_text("x")
    walks = []
    real = Path.rglob

    def counted(path: Path, pattern: str) -> object:
        walks.append(path)
        return real(path, pattern)

    monkeypatch.setattr(Path, "rglob", counted)
    files = Files(tmp_path)

    assert files.find("assets/a.js") == tmp_path / "assets" / "a.js"
    assert [files.find(f"nothing-{n}") for n in range(100)] == [None] * 100
    assert len(walks) == 1


def test_what_is_built_after_the_start_is_found_and_what_was_before_is_not(tmp_path: Path) -> None:
    static = tmp_path / "static"
    files = Files(static)
    assert files.find("assets/a.js") is None

    (static / "assets").mkdir(parents=True)
    (static / "assets" / "a.js").write_text("x")
    assert files.find("assets/a.js") is not None

    (static / "assets" / "a.js").unlink()
    (static / "assets" / "b.js").write_text("x")
    assert files.find("assets/b.js") is not None
    assert files.find("assets/a.js") is None
    assert files.find("../secret") is None
