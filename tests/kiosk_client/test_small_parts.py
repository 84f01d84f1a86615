"""Settings, log, watchdog, waiting, and what the beats say of the line."""

import logging
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk_client import watchdog
from kiosk_client.backoff import CAP_S, Backoff, sent_away_s
from kiosk_client.beats import ANSWER_WITHIN_S, WINDOW_S, Beats
from kiosk_client.config import BadConfig, load
from kiosk_client.logbook import MOST_BYTES, Logbook, struck_out
from kiosk_client.wire import host_of, normal_server, websocket_url

CITY = {"DIEMCAU_AGENT_SERVER": "https://city.example"}


def test_arguments_go_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text('server = "https://file.example"\nstate = "a"\ncamera = "b"\nallow_reboot = true\n')

    found = load(file, {"DIEMCAU_AGENT_STATE": "c", "DIEMCAU_AGENT_CAMERA": "d"}, {"camera": "e"})

    assert (found.server, found.state, found.camera, found.allow_reboot) == (
        "https://file.example",
        "c",
        "e",
        True,
    )


@pytest.mark.parametrize(
    ("text", "environment", "named"),
    [
        ("srever = 'x'", CITY, "srever"),
        ("allow_reboot = 'yes'", CITY, "allow_reboot"),
        ("server = ", CITY, "agent.toml"),
        ("", {}, "server"),
        ("", {**CITY, "DIEMCAU_AGENT_UPDATES": "perhaps"}, "UPDATES"),
        ("", {**CITY, "DIEMCAU_AGENT_HARDWARE": "one\ntwo"}, "hardware"),
        ("server = 'https://city.example/path'", {}, "server"),
    ],
)
def test_a_bad_setting_is_refused_by_name(
    tmp_path: Path, text: str, environment: dict[str, str], named: str
) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(text)

    with pytest.raises(BadConfig, match=named):
        load(file, environment, {})


@pytest.mark.parametrize(
    ("said", "server", "host"),
    [
        ("https://City.Example/", "https://city.example", "city.example"),
        ("https://city.example:443", "https://city.example", "city.example"),
        ("http://localhost:8080", "http://localhost:8080", "localhost:8080"),
        ("http://[::1]:80", "http://[::1]", "[::1]"),
    ],
)
def test_the_address_has_one_spelling_as_it_is_signed(said: str, server: str, host: str) -> None:
    assert normal_server(said) == server
    assert host_of(server) == host
    assert websocket_url(server).startswith("ws")


@pytest.mark.parametrize(
    "said", ["", "city.example", "ftp://city.example", "https://user@city.example", "https://"]
)
def test_what_is_no_address_is_refused(said: str) -> None:
    with pytest.raises(ValueError):
        normal_server(said)


def test_what_may_be_a_person_s_does_not_leave_with_the_log() -> None:
    line = "2026-11-27T20:00:00+0000 x tel 0912 345 678 id 001090012345 an.nguyen@mail.example order c12 30 s"

    found = struck_out(line)

    assert "0912" not in found
    assert "001090012345" not in found
    assert "nguyen" not in found
    assert found.startswith("2026-11-27T20:00:00+0000 x tel ")
    assert found.endswith("order c12 30 s")


def test_the_log_is_bounded_and_keeps_the_newest() -> None:
    book = Logbook()
    logger = logging.getLogger("test of the logbook")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(book)
    for n in range(3_000):
        logger.info("- %s %s", n, "ổ" * 1_000)

    text = book.text(hours=1)

    assert len(text) < MOST_BYTES * 1.1
    assert b"- 2999 " in text
    assert b"- 0 " not in text


def test_the_service_manager_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "90000000")
        monkeypatch.delenv("WATCHDOG_PID", raising=False)

        watchdog.notify(watchdog.ALIVE)

        assert manager.recv(100) == b"WATCHDOG=1"
        assert watchdog.interval_s() == 30
    watchdog.notify(watchdog.ALIVE)  # nobody listens any more: no reason to fall
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert watchdog.interval_s() is None


@given(st.lists(st.floats(0, 0.999), min_size=12, max_size=12), st.floats(0, 100))
def test_a_wait_is_never_shorter_than_asked_nor_longer_than_its_bound(
    chances: list[float], asked_s: float
) -> None:
    backoff = Backoff()
    for n, chance in enumerate(chances):
        wait_s = backoff.wait_s(chance, asked_s)
        assert asked_s <= wait_s <= asked_s + min(CAP_S, 2.0**n)
    backoff.held(CAP_S)
    assert backoff.wait_s(0.999) <= 1
    assert backoff.wait_s(0.0, 1e300) == 3_600  # whoever says for ever is not obeyed
    assert 600 <= sent_away_s(None, chances[0]) <= 720


@given(st.lists(st.tuples(st.sampled_from(["heard", "lost", "dropped"]), st.floats(1, 60)), max_size=60))
def test_loss_is_the_share_of_the_last_ten_minutes(ends: list[tuple[str, float]]) -> None:
    beats = Beats()
    now, ended = 0.0, []
    for n, (how, gap_s) in enumerate(ends):
        now += gap_s
        if how == "dropped":
            beats.dropped(now)
        else:
            beats.sent(n, now)
            if how == "heard":
                assert beats.heard(n, now + 0.1) == now
                assert beats.heard(n, now + 0.2) is None  # said twice
            else:
                beats.cut(now)
        ended.append((now, how == "heard"))

    window = [answered for at, answered in ended if now + 1 - at <= WINDOW_S]
    found = beats.loss_share(now + 1)

    if not window:
        assert found is None
    else:
        assert found is not None
        assert (
            abs(found - window.count(False) / len(window)) <= 0.06
        )  # an answer comes a little later than its beat


def test_two_beats_without_an_answer_are_a_dead_line_and_one_is_not() -> None:
    beats = Beats()
    beats.sent(1, 0.0)
    assert not beats.is_dead(ANSWER_WITHIN_S - 1)
    beats.sent(2, 30.0)
    assert not beats.is_dead(30.0 + ANSWER_WITHIN_S - 1)
    assert beats.is_dead(30.0 + ANSWER_WITHIN_S + 1)


def test_an_answer_in_between_makes_a_line_alive() -> None:
    beats = Beats()
    for n in range(10):
        beats.sent(n, n * 30.0)
        if n % 2:
            beats.heard(n, n * 30.0 + 1)
        assert not beats.is_dead(n * 30.0 + ANSWER_WITHIN_S + 1)
