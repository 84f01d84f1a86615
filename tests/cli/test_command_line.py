"""What a person who types is told: help for everything, and one line for what is wrong."""

import argparse
import io
import os
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from room_manager.roster.builtin import hanoi_579_csv
from signaling.cli.failure import Bad
from signaling.cli.main import main, parser
from signaling.cli.settings_from import settings_from
from signaling.settings import Settings

Run = Callable[..., tuple[int, str, str]]

HEADER = "code,name,type,full_name\n"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Call ``diemcau``; returns its exit code and what it wrote to both outputs."""

    def call(*words: object, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        try:
            code = main([str(word) for word in words])
        except SystemExit as exit_:
            code = exit_.code if isinstance(exit_.code, int) else 1
        written = capsys.readouterr()
        return code, written.out, written.err

    before = os.umask(0o022)
    yield call
    os.umask(before)


def settings(*words: object, environ: dict[str, str] | None = None) -> Settings:
    """What ``diemcau serve`` with these flags and variables would serve with."""
    chosen: argparse.Namespace = parser().parse_args(["serve", *map(str, words)])
    return settings_from(chosen, environ or {})


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["serve"],
        ["demo"],
        ["roster", "import"],
        ["user", "add"],
        ["user", "fleet"],
        ["meeting"],
        ["meeting", "add"],
        ["meeting", "link"],
        ["recording"],
        ["recording", "list"],
        ["recording", "delete"],
    ],
)
def test_every_command_explains_itself(run: Run, words: list[str]) -> None:
    code, out, err = run(*words, "--help")

    assert (code, err) == (0, "")
    assert "examples:" in out


def test_a_roster_is_imported_and_importing_it_again_changes_nothing(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "city.csv"
    file.write_bytes(hanoi_579_csv())

    first = run("roster", "import", file, "--db", tmp_path / "a.db")
    again = run("roster", "import", file, "--db", tmp_path / "a.db")

    assert first == (0, f"{file}: 579 units in 30 districts; 579 added, 0 changed, 0 as they were.\n", "")
    assert again == (0, f"{file}: 579 units in 30 districts; 0 added, 0 changed, 579 as they were.\n", "")


def test_a_roster_that_is_only_checked_makes_no_database(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "city.csv"
    file.write_bytes(hanoi_579_csv())

    code, _, _ = run("roster", "import", file, "--check", "--db", tmp_path / "a.db")

    assert code == 0
    assert not (tmp_path / "a.db").exists()


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (HEADER + "00001,Phúc Xá,Phường,Phường Phúc Xá\n0x,A,Xã,Xã A\n", "row 3, code"),
        (HEADER + "00001,,Phường,Phường Phúc Xá\n", "row 2, name"),
        (HEADER + "1,A,Xã,Xã A\n1,B,Xã,Xã B\n", "row 3, code"),
        ("code,name\n1,A\n", "row 1, type"),
        ("", ""),
    ],
)
def test_a_bad_roster_names_the_row_and_the_column(
    run: Run, tmp_path: Path, content: str, where: str
) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(content)

    code, out, err = run("roster", "import", file, "--db", tmp_path / "a.db")

    assert (code, out) == (2, "")
    assert err.startswith(f"diemcau: {file}: {where}")
    assert err.count("\n") == 1


def test_a_file_that_is_not_there_is_one_line(run: Run, tmp_path: Path) -> None:
    code, _, err = run("roster", "import", tmp_path / "none.csv", "--db", tmp_path / "a.db")

    assert code == 2
    assert err == f"diemcau: {tmp_path / 'none.csv'}: cannot be read: No such file or directory\n"


def test_an_account_is_added_once(run: Run, tmp_path: Path) -> None:
    words = ("user", "add", "binh", "--role", "chair", "--display", "Ông Bình", "--db", tmp_path / "a.db")

    first = run(*words, stdin="trời hôm nay xanh quá\n")
    again = run(*words, stdin="trời hôm nay xanh quá\n")

    assert first == (0, "Added binh (Ông Bình) as chair.\n", "")
    assert again == (2, "", "diemcau: NAME: an account with the name binh is already there\n")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "at least 12 characters"),
        ("short", "at least 12 characters"),
        ("password1234", "guessed first"),
        ("Matkhau@123456", "guessed first"),
        ("aaaaaaaaaaaaaaaa", "too few different"),
        ("binhbinhbinh-1", "guessed first"),
        ("x" * 300, "at most 256 characters"),
    ],
)
def test_a_password_that_is_guessed_first_is_refused(
    run: Run, tmp_path: Path, password: str, why: str
) -> None:
    code, _, err = run(
        *("user", "add", "binh", "--role", "chair", "--db", tmp_path / "a.db"), stdin=f"{password}\n"
    )

    assert code == 2
    assert err.startswith("diemcau: password: ")
    assert why in err
    assert not (tmp_path / "a.db").exists()


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["user", "add", "Bình", "--role", "chair"], "NAME"),
        (["user", "add", "binh", "--role", "king"], "--role"),
        (["user", "add", "binh", "--role", "chair", "--display", "a\nb"], "--display"),
        (["serve", "--port", "99999"], "--port"),
        (["serve", "--port", "http"], "--port"),
        (["serve", "--host", "example"], "--host"),
        (["serve", "--media-address", "1.2.3"], "--media-address"),
        (["serve", "--origin", "meet.example"], "--origin"),
        (["serve", "--certificate", "/nowhere/x.pem"], "--certificate"),
        (["serve", "--certificate", __file__], "--key"),
        (["serve", "--trusted-proxies", "10.0.0.0/99"], "--trusted-proxies"),
        (["serve", "--known-networks", "everybody"], "--known-networks"),
        (["serve", "--db", "/"], "--db"),
        (["demo", "--sites", "580"], "--sites"),
        (["demo", "--sites", "many"], "--sites"),
        (["demo", "--port", "0"], "--port"),
        (["demo", "--kiosks", "1001"], "--kiosks"),
        (["meeting", "link", "none", "--role", "chair"], "MEETING"),
        (["fly"], "fly"),
        ([], "COMMAND"),
    ],
)
def test_bad_input_is_one_line_that_names_what_is_at_fault(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], fault: str
) -> None:
    monkeypatch.chdir(tmp_path)

    code, out, err = run(*words, stdin="trời hôm nay xanh quá\n")

    assert (code, out) == (2, "")
    assert fault in err
    assert err.count("\n") == 1


def test_a_variable_at_fault_is_named_too(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIEMCAU_MEDIA_PORT", "five")

    code, _, err = run("serve")

    assert (code, err) == (2, "diemcau: DIEMCAU_MEDIA_PORT: not a port from 0 to 65535: five\n")


def test_only_the_owner_can_read_a_database_since_it_holds_the_keys(run: Run, tmp_path: Path) -> None:
    db = tmp_path / "var" / "a.db"

    code, _, _ = run("user", "add", "binh", "--role", "chair", "--db", db, stdin="trời hôm nay xanh quá\n")

    assert code == 0
    assert stat.S_IMODE(db.stat().st_mode) == 0o600
    assert stat.S_IMODE(db.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("words", "host"),
    [
        (("--host", "0.0.0.0"), "0.0.0.0"),
        (("--host", "192.0.2.7", "--origin", "http://meet.example"), "192.0.2.7"),
        (("--host", "::"), "::"),
    ],
)
def test_nobody_is_served_without_encryption_unless_that_is_asked_for(
    run: Run, tmp_path: Path, words: tuple[str, ...], host: str
) -> None:
    db = ("--db", tmp_path / "a.db")

    code, out, err = run("serve", *words, *db)

    assert (code, out) == (2, "")
    assert err.startswith(f"diemcau: --host {host}: others would send passwords unencrypted")
    assert "--plain-http" in err
    assert err.count("\n") == 1
    assert settings(*words, *db, "--plain-http").host == host
    assert settings(*words, *db, environ={"DIEMCAU_PLAIN_HTTP": "yes"}).host == host
    with pytest.raises(Bad, match="--host"):
        settings(*words, *db, environ={"DIEMCAU_PLAIN_HTTP": "no"})


def test_encrypted_or_unreachable_addresses_are_served(tmp_path: Path) -> None:
    db = ("--db", tmp_path / "a.db")
    pem = tmp_path / "some.pem"
    pem.touch()

    own = settings("--host", "0.0.0.0", "--certificate", pem, "--key", pem, *db)
    proxied = settings("--host", "10.0.0.2", "--origin", "https://meet.example", *db)
    here = settings(*db)

    assert own.secure
    assert proxied.secure
    assert not here.secure


def test_a_server_answers_to_the_names_of_its_origins_and_to_this_machine(tmp_path: Path) -> None:
    db = ("--db", tmp_path / "a.db")

    here = settings(*db)
    proxied = settings("--origin", "https://meet.example.gov.vn,https://hop.example:8443", *db)

    assert here.host_names == {"localhost", "127.0.0.1", "[::1]"}
    assert proxied.host_names == here.host_names | {"meet.example.gov.vn", "hop.example"}


def test_no_network_is_known_unless_it_is_named(tmp_path: Path) -> None:
    db = ("--db", tmp_path / "a.db")

    named = settings("--known-networks", "203.0.113.0/24, 2001:db8::/32", *db)

    assert settings(*db).known_networks == ()
    assert named.known_networks == ("203.0.113.0/24", "2001:db8::/32")


def test_metrics_are_for_this_machine_unless_a_network_is_named(tmp_path: Path) -> None:
    db = ("--db", tmp_path / "a.db")

    assert settings(*db).metrics_networks == ("127.0.0.0/8", "::1/128")
    assert settings("--metrics-networks", "10.9.0.0/16", *db).metrics_networks == ("10.9.0.0/16",)


def test_a_port_that_is_taken_is_one_line(run: Run, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        code, out, err = run("demo", "--port", port, "--db", tmp_path / "a.db")

    assert (code, out) == (1, "")
    assert err == f"diemcau: port {port} is taken by another program; choose one with --port\n"


def test_a_database_that_is_none_is_one_line(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    file.write_bytes(b"this is no database, whatever its name says" * 50)

    for words in (["meeting", "add", "Giao ban"], ["serve", "--port", "0"]):
        told = run(*words, "--db", file)

        assert told == (1, "", f"diemcau: --db: {file}: file is not a database\n")


def test_a_meeting_is_planned_and_its_link_opens_it(run: Run, tmp_path: Path) -> None:
    file, db = tmp_path / "city.csv", tmp_path / "a.db"
    file.write_bytes(hanoi_579_csv())
    run("roster", "import", file, "--db", db)

    _, meeting, _ = run("meeting", "add", "Giao ban tháng 12", "--db", db)
    link = ("meeting", "link", meeting.strip(), "--db", db, "--origin", "https://meet.example.gov.vn")
    chair = run(*link, "--role", "chair")
    ward = run(*link, "--role", "site", "--site", "00004")
    nobody = run(*link, "--role", "site", "--site", "99999")
    nameless = run(*link, "--role", "site")
    encoder = run(*link, "--kind", "whip", "--role", "site", "--site", "00004")
    player = run(*link, "--kind", "whep", "--role", "observer")
    mute = run(*link, "--kind", "whip", "--role", "observer")

    for code, out, _ in (chair, ward):
        assert code == 0
        assert out.startswith(f"https://meet.example.gov.vn/m/{meeting.strip()}#")
    assert nobody == (2, "", "diemcau: --site: 99999 is not expected at this meeting\n")
    assert nameless[0] == 2
    for (code, out, _), door in ((encoder, "whip"), (player, "whep")):
        url, token = out.splitlines()
        assert (code, url) == (0, f"https://meet.example.gov.vn/{door}")
        assert token.count(".") == 1
    assert mute == (2, "", "diemcau: --hours, --role or --site: role: an encoder stands for a site\n")


def test_a_meeting_needs_a_roster(run: Run, tmp_path: Path) -> None:
    code, _, err = run("meeting", "add", "Giao ban", "--db", tmp_path / "a.db")

    assert (code, err) == (
        2,
        "diemcau: the roster is empty; fill it with: diemcau roster import FILE\n",
    )


@pytest.mark.parametrize(("words", "workers"), [([], 1), (["3"], 3)])
def test_the_number_of_media_workers_is_told(words: list[str], workers: int) -> None:
    flags = ["--media-workers", *words] if words else []

    assert settings(*flags).media.workers == workers
    assert settings(environ={"DIEMCAU_MEDIA_WORKERS": "4"}).media.workers == 4


def test_as_many_media_workers_as_the_machine_has_cores_to_spare() -> None:
    for word in ("auto", "0"):
        workers = settings("--media-workers", word).media.workers
        assert 1 <= workers <= max(1, (os.cpu_count() or 1) - 1)


@pytest.mark.parametrize(
    "flags",
    [
        ["--media-workers", "17"],
        ["--media-workers", "-1"],
        ["--media-workers", "many"],
        ["--media-port", "65535", "--media-workers", "2"],
    ],
)
def test_media_workers_that_cannot_be_are_refused(flags: list[str]) -> None:
    with pytest.raises(Bad, match="--media-"):
        settings(*flags)


def test_every_meetings_video_codec_is_told_or_left_to_its_first_client() -> None:
    assert settings().media.video is None
    assert settings("--video-codec", "h264").media.video == "H264"
    assert settings(environ={"DIEMCAU_VIDEO_CODEC": "VP8"}).media.video == "VP8"
    with pytest.raises(Bad, match="--video-codec"):
        settings("--video-codec", "h265")
