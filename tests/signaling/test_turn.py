"""Credentials for the relay: good for a while, for one connection, provable without asking anybody."""

import base64
import hashlib
import hmac
from pathlib import Path

import pytest

from room_manager.ids import ConnectionId
from signaling.cli.failure import Bad
from signaling.settings import TurnSettings
from signaling.turn import LASTS_S, Relays, read_secret, read_urls, relays_for
from tests.cli.test_command_line import settings

SECRET = "0123456789abcdef-shared"
URL = "turns:turn.example.gov.vn:443?transport=tcp"


def test_a_credential_says_until_when_and_proves_it() -> None:
    relays = Relays((URL,), SECRET, lambda: 1_800_000_000.7)

    (server,) = relays(ConnectionId("c-1"))

    assert server.urls == (URL,)
    assert server.username == f"{1_800_000_000 + LASTS_S}:c-1"
    proof = hmac.new(SECRET.encode(), server.username.encode(), hashlib.sha1).digest()
    assert server.credential == base64.b64encode(proof).decode()


def test_everybody_gets_another_one() -> None:
    relays = Relays((URL,), SECRET, lambda: 0.0)

    assert relays(ConnectionId("a")) != relays(ConnectionId("b"))


def test_without_relays_nobody_is_told_of_any() -> None:
    assert relays_for(TurnSettings(), lambda: 0.0)(ConnectionId("a")) == ()


@pytest.mark.parametrize(
    "text",
    [
        URL,
        "turn:10.0.0.1",
        "turn:[2001:db8::1]:3478?transport=udp",
        f"stun:turn.example.gov.vn:3478, {URL}",
    ],
)
def test_addresses_of_relays_are_taken(text: str) -> None:
    assert read_urls(text) == tuple(part.strip() for part in text.split(","))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://turn.example.gov.vn",
        "turn:",
        "turn:a b",
        "turns:x?transport=sctp",
        "turn:x:65536",
        "turns:[::1]:0?transport=tcp",
        f"{URL},",
        ",".join([URL] * 9),
    ],
)
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_urls(text)


@pytest.mark.parametrize(
    "content", ["", "short", "x" * 513, "with\ta control character", "bí mật dài hơn mười sáu"]
)
def test_what_is_no_secret_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "secret"
    file.write_text(content)

    with pytest.raises(ValueError):
        read_secret(file)


def test_the_command_line_wants_both_and_keeps_the_secret_out_of_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")

    told = settings("--turn-urls", URL, "--turn-secret-file", file, "--db", tmp_path / "x.db")

    assert told.turn == TurnSettings((URL,), file)
    assert SECRET not in repr(told)
    assert relays_for(told.turn, lambda: 0.0)(ConnectionId("a"))[0].urls == (URL,)
    for alone in (("--turn-urls", URL), ("--turn-secret-file", file)):
        with pytest.raises(Bad, match="come together"):
            settings(*alone, "--db", tmp_path / "x.db")
    with pytest.raises(Bad, match="--turn-secret-file"):
        settings("--turn-secret-file", tmp_path / "none", "--db", tmp_path / "x.db")
