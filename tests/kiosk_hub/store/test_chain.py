"""Whatever is done to the audit in the file, it is found, and where."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk_hub.store import audit
from kiosk_hub.store.audit import Entry
from kiosk_hub.store.chain import Head, head_from
from room_manager.store.database import open_database
from signaling.cli.audit import verify
from signaling.cli.main import main
from tests.helpers import databases

MANY = 12
REST = "at, account, action, device, body, hash"


def written(folder: Path) -> Path:
    """A database with entries, some of them written together."""
    databases.prepare()
    url = databases.new(folder)

    async def write() -> None:
        database = await open_database(url)
        for number in range(MANY - 2):
            async with database.write() as connection:
                entry = Entry(
                    "bind-device", "lan", f"d{number}", "10.0.0.1", values={"unit": "00001", "n": number}
                )
                await audit.append(connection, entry, 1_000.0 + number)
        async with database.write() as connection:
            await audit.append_all(connection, [Entry("a"), Entry("b", result="not-allowed")], 2_000.5)
        await database.close()

    asyncio.run(write())
    return folder / "diemcau.db"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("audit"))


def tampered(original: Path, folder: Path, *statements: str) -> Path:
    """A copy at which somebody has been with the file in hands: no trigger is in the way."""
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / "copy.db"
    for suffix in ("", "-wal", "-shm"):
        Path(f"{copy}{suffix}").unlink(missing_ok=True)
    with closing(sqlite3.connect(original)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        for (name,) in target.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            target.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            target.execute(statement)
        target.commit()
    return copy


def test_an_untouched_audit_verifies_and_gives_its_head(original: Path) -> None:
    head, fault = verify(original)

    assert fault is None
    assert head.seq == MANY
    assert head_from(str(head)) == head
    assert verify(original, head) == (head, None)


@pytest.mark.parametrize(
    ("statements", "seq", "code"),
    [
        (["UPDATE audit SET account = 'minh' WHERE seq = 4"], 4, "columns"),
        (["UPDATE audit SET action = 'look' WHERE seq = 4"], 4, "columns"),
        (["UPDATE audit SET device = NULL WHERE seq = 4"], 4, "columns"),
        (["UPDATE audit SET at = at + 1 WHERE seq = 4"], 4, "columns"),
        (["UPDATE audit SET body = replace(body, 'lan', 'mai') WHERE seq = 5"], 5, "changed"),
        (["UPDATE audit SET body = CAST(body AS TEXT) WHERE seq = 5"], 5, "changed"),
        (["UPDATE audit SET hash = zeroblob(32) WHERE seq = 6"], 6, "changed"),
        (["UPDATE audit SET hash = 'x' WHERE seq = 6"], 6, "changed"),
        (["DELETE FROM audit WHERE seq = 1"], 1, "missing"),
        (["DELETE FROM audit WHERE seq = 7"], 7, "missing"),
        (["DELETE FROM audit WHERE seq = 7", "UPDATE audit SET seq = seq - 1 WHERE seq > 7"], 7, "changed"),
        (
            [
                "UPDATE audit SET seq = 100 WHERE seq = 3",
                "UPDATE audit SET seq = 3 WHERE seq = 4",
                "UPDATE audit SET seq = 4 WHERE seq = 100",
            ],
            3,
            "changed",
        ),
        (
            [
                "UPDATE audit SET seq = -seq WHERE seq > 5",
                "UPDATE audit SET seq = 1 - seq WHERE seq < 0",
                f"INSERT INTO audit SELECT 6, {REST} FROM audit WHERE seq = 5",
            ],
            6,
            "changed",
        ),
        (
            [f"INSERT INTO audit SELECT 13, {REST} FROM audit WHERE seq = 12"],
            13,
            "changed",
        ),
        (
            [f"INSERT INTO audit SELECT 0, {REST} FROM audit WHERE seq = 12"],
            1,
            "missing",
        ),
    ],
)
def test_what_was_done_to_it_is_found(
    original: Path, tmp_path: Path, statements: list[str], seq: int, code: str
) -> None:
    _, fault = verify(tampered(original, tmp_path, *statements))

    assert fault is not None
    assert (fault.seq, fault.code) == (seq, code)


def test_an_end_that_was_cut_off_is_found_by_a_head_kept_elsewhere(original: Path, tmp_path: Path) -> None:
    head, _ = verify(original)
    cut = tampered(original, tmp_path, f"DELETE FROM audit WHERE seq > {MANY - 3}")

    shorter, fault = verify(cut)
    assert fault is None  # a chain alone cannot know

    _, fault = verify(cut, head)
    assert fault is not None
    assert (fault.seq, fault.code) == (MANY - 2, "cut-off")
    assert verify(original, shorter)[1] is None  # a chain that has grown since is fine
    emptied = tampered(original, tmp_path / "empty", "DELETE FROM audit")
    assert verify(emptied, head)[1] is not None


def test_a_chain_written_anew_is_found_by_a_head_kept_elsewhere(original: Path, tmp_path: Path) -> None:
    head, _ = verify(original)
    anew = tampered(original, tmp_path)
    with closing(sqlite3.connect(anew)) as connection:
        before = audit.GENESIS
        for seq, body in connection.execute("SELECT seq, body FROM audit ORDER BY seq").fetchall():
            if seq == 2:
                body = body.replace(b"00001", b"00004")
            before = audit.link(before, body)
            connection.execute("UPDATE audit SET body = ?, hash = ? WHERE seq = ?", (body, before, seq))
        connection.commit()

    assert verify(anew)[1] is None
    _, fault = verify(anew, head)
    assert fault is not None
    assert (fault.seq, fault.code) == (MANY, "rewritten")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_byte_of_any_entry(original: Path, tmp_path: Path, data: st.DataObject) -> None:
    seq = data.draw(st.integers(1, MANY))
    column = data.draw(st.sampled_from(["body", "hash"]))
    copy = tampered(original, tmp_path)
    with closing(sqlite3.connect(copy)) as connection:
        (value,) = connection.execute(f"SELECT {column} FROM audit WHERE seq = ?", (seq,)).fetchone()
        at = data.draw(st.integers(0, len(value) - 1))
        bit = data.draw(st.integers(0, 7))
        flipped = value[:at] + bytes([value[at] ^ (1 << bit)]) + value[at + 1 :]
        connection.execute(f"UPDATE audit SET {column} = ? WHERE seq = ?", (flipped, seq))
        connection.commit()

    _, fault = verify(copy)

    assert fault is not None
    assert fault.seq == seq


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET account = 'x'",
        "DELETE FROM audit WHERE seq = 3",
        "DELETE FROM audit",
        f"INSERT OR REPLACE INTO audit SELECT seq, {REST} FROM audit WHERE seq = 3",
        f"INSERT INTO audit SELECT 99, {REST} FROM audit WHERE seq = 3",
    ],
)
def test_the_database_itself_refuses_to_rewrite_it(tmp_path: Path, statement: str) -> None:
    path = written(tmp_path)

    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.IntegrityError, match="audit"):
        connection.execute(statement)

    assert verify(path)[1] is None


def test_the_command_line_says_where(
    original: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "head", "--db", str(original)]) == 0
    head = capsys.readouterr().out.strip()
    assert main(["audit", "verify", "--db", str(original), "--head", head]) == 0
    assert f"{MANY} entries, nothing is wrong" in capsys.readouterr().out

    changed = tampered(original, tmp_path, "UPDATE audit SET account = 'minh' WHERE seq = 4")
    assert main(["audit", "verify", "--db", str(changed)]) == 1
    assert "entry 4" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--head", "x"], ["--head", "3:ab"]])
def test_a_head_that_is_none_is_refused(original: Path, words: list[str]) -> None:
    assert main(["audit", "verify", "--db", str(original), *words]) == 2


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "no.db").write_bytes(b"no database at all, but long enough to be looked at" * 50)

    assert main(["audit", "verify", "--db", str(tmp_path / "none.db")]) == 2
    assert main(["audit", "verify", "--db", str(tmp_path / "no.db")]) == 1


def test_heads_are_read_strictly() -> None:
    make: Callable[[str], Head | None] = head_from
    assert make("0:" + "0" * 64) == Head()
    assert make(" 12:" + "AB" * 32) == Head(12, bytes.fromhex("ab" * 32))
    assert make("-1:" + "0" * 64) is None
    assert make("1:" + "0" * 63) is None
