"""What the documentation and ``deploy/`` tell people to set is something that is read."""

import re
from pathlib import Path

import pytest

from signaling.cli.main import parser
from signaling.cli.settings_from import settings_from, variable

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "deploy/README.md", "deploy/diemcau.env.example", "deploy/diemcau.service")
SETTING = re.compile(r"^#?(DIEMCAU_\w+)=(.+)$", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES)
def test_every_variable_that_is_named_is_read(page: str) -> None:
    chosen = vars(parser().parse_args(["serve"]))
    read = {variable(flag) for flag in chosen}

    named = set(re.findall(r"DIEMCAU_[A-Z_]+", (ROOT / page).read_text(encoding="utf-8")))

    assert named - read == set()


def test_the_example_settings_are_those_of_a_server_behind_a_proxy(tmp_path: Path) -> None:
    text = (ROOT / "deploy" / "diemcau.env.example").read_text(encoding="utf-8")
    secret = tmp_path / "turn-secret"
    secret.write_text("0123456789abcdef0123456789abcdef\n")
    own = {
        "DIEMCAU_DB": str(tmp_path / "a.db"),
        "DIEMCAU_TURN_SECRET_FILE": str(secret),
        "DIEMCAU_MAIL_PASSWORD_FILE": str(secret),
    }
    environ = dict(SETTING.findall(text)) | own

    settings = settings_from(parser().parse_args(["serve"]), environ)

    assert settings.secure
    assert settings.trusted_proxies == ("127.0.0.1/32",)
    assert settings.known_networks == ("203.0.113.64/28",)
    assert settings.turn.urls[0] == "turns:turn.example.gov.vn:443?transport=tcp"
    assert "meet.example.gov.vn" in settings.host_names
    mail = settings.fleet.mail
    assert (mail.host, mail.port, mail.security, mail.user) == (
        "mail.example.gov.vn",
        587,
        "starttls",
        "diemcau",
    )
