"""How the command line names the mail server."""

import pytest

from signaling.cli.failure import Bad
from signaling.cli.main import parser
from signaling.cli.settings_from import settings_from


def mail(**given: str) -> tuple[str, int, str, str]:
    flags = [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", value)]
    server = settings_from(parser().parse_args(["serve", *flags]), {}).fleet.mail
    return server.host, server.port, server.security, server.user


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.vn", ("mail.vn", 587, "starttls", "")),
        ("smtp://a%40b@mail.vn:2525", ("mail.vn", 2525, "starttls", "a@b")),
        ("smtps://user@mail.vn", ("mail.vn", 465, "tls", "user")),
        ("smtp+plain://127.0.0.1", ("127.0.0.1", 25, "none", "")),
    ],
)
def test_a_mail_server(url: str, expected: tuple[str, int, str, str]) -> None:
    assert mail(mail_server=url, mail_from="Điểm Cầu <a@b.vn>") == expected


@pytest.mark.parametrize(
    "given",
    [
        {"mail_server": "mail.vn", "mail_from": "a@b.vn"},
        {"mail_server": "http://mail.vn", "mail_from": "a@b.vn"},
        {"mail_server": "smtp://user:secret@mail.vn", "mail_from": "a@b.vn"},
        {"mail_server": "smtp://mail.vn"},
        {"mail_server": "smtp://mail.vn", "mail_from": "nobody"},
        {"mail_server": "smtp://mail.vn", "mail_from": "a@b.vn\nBcc: c@d.vn"},
        {"mail_server": "smtp://mail.vn", "mail_from": "a@b.vn", "mail_password_file": "/none"},
    ],
)
def test_what_is_wrong_is_told_at_the_start(given: dict[str, str]) -> None:
    with pytest.raises(Bad):
        mail(**given)
