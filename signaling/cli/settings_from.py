"""Flags and DIEMCAU_* variables to one ``Settings``: a flag wins over its variable."""

import argparse
import ipaddress
import math
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Literal, Protocol, TypeVar
from urllib.parse import unquote, urlsplit

import msgspec

from kiosk_hub.services.mail import MailServer
from signaling.cli.failure import Bad
from signaling.settings import GIB, FleetSettings, MediaSettings, RecordingSettings, Settings, TurnSettings
from signaling.turn import read_secret, read_urls

DEFAULT_PORT: Final = 8080
MAX_PORT: Final = 65_535
MAX_WORKERS: Final = 16
MAX_DEVICES: Final = 20_000
LOOPBACK: Final = "127.0.0.1"
LOOPBACK_NETWORKS: Final[tuple[str, ...]] = ("127.0.0.0/8", "::1/128")
T = TypeVar("T")


def add_flags(command: argparse.ArgumentParser) -> None:
    """The settings of a server. Defaults are not argparse's: a variable stands between flag and default."""

    def flag(name: str, metavar: str, help_: str) -> None:
        command.add_argument(f"--{name}", metavar=metavar, help=f"{help_} [{variable(name)}]")

    flag("db", "FILE", "SQLite database (default: var/diemcau.db)")
    flag("host", "ADDRESS", "address to listen on (default: 127.0.0.1)")
    flag("port", "N", f"port to listen on, 0 for any free one (default: {DEFAULT_PORT})")
    flag("origin", "URL", "what people type, https://host; several separated by commas")
    flag("certificate", "FILE", "PEM certificate, to serve https without a proxy")
    flag("key", "FILE", "its PEM key")
    flag("media-host", "ADDRESS", "address the media port is bound to (default: that of --media-address)")
    flag("media-address", "ADDRESS", "address that clients send media to; several separated by commas")
    flag("media-port", "N", "UDP port for all media (default: any free one)")
    flag(
        "media-workers",
        "N",
        "processes that forward media, each on a port of its own from --media-port on; "
        "auto: one per core but one (default: 1, which carries the whole city)",
    )
    flag(
        "video-codec",
        "CODEC",
        "vp8 or h264: what every meeting carries; h264 where room systems know nothing else "
        "(default: what the first client has, vp8 before h264)",
    )
    flag("turn-urls", "URLS", "relays for wards whose firewall lets no media through, separated by commas")
    flag("turn-secret-file", "FILE", "holds the secret that the relay knows, too")
    flag("trusted-proxies", "NETWORKS", "whose X-Forwarded-For is believed, separated by commas")
    flag(
        "known-networks",
        "NETWORKS",
        "where many wards share one address: its limits are not per address (default: none)",
    )
    flag("metrics-networks", "NETWORKS", "who may read /metrics (default: this machine)")
    flag(
        "recordings",
        "DIR",
        "where meetings are recorded, or `off` (default: recordings, beside the database)",
    )
    flag("recordings-keep", "DAYS", "days a recording is kept, 0 for ever (default: 30)")
    flag(
        "recordings-free",
        "GIB",
        "free space below which recordings stop; twice as much, and none begins (default: 2)",
    )
    flag("stills", "MINUTES", "take a small picture of each site so often, for officials (default: none)")
    flag(
        "mail-server",
        "URL",
        "hands in the e-mails that tell of incidents: smtp://user@host:587 (STARTTLS), smtps://…:465, or "
        "smtp+plain://host:25 without encryption (default: no e-mail)",
    )
    flag("mail-from", "ADDRESS", "whom those e-mails come from")
    flag("mail-password-file", "FILE", "holds the password for the mail server")
    flag(
        "mail-ca-file",
        "FILE",
        "PEM certificate of the mail server, if it is the city's own",
    )
    flag("private-webhooks", "yes|no", "may webhooks reach this machine and its network (default: no)")
    flag("beat", "SECONDS", "how often each kiosk and bridge point tells how it is, 1 to 120 (default: 30)")
    flag(
        "device-metrics",
        "NUMBER",
        "how many devices have series of their own in /metrics, at most (default: 0)",
    )
    command.add_argument(
        "--plain-http",
        action="store_const",
        const="yes",
        help="on an address that others reach, serve without https: passwords, links and cookies can be "
        f"read on the way, and browsers give pages no camera; for trials only [{variable('plain-http')}=yes]",
    )


def variable(flag: str) -> str:
    """The environment variable beside a flag."""
    return f"DIEMCAU_{flag.replace('-', '_').upper()}"


def settings_from(chosen: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> Settings:
    """Raises ``Bad`` naming the flag or the variable at fault."""

    def value(name: str, read: Callable[[str], T], default: T) -> T:
        flag = getattr(chosen, name.replace("-", "_"))
        text, source = (
            (flag, f"--{name}") if flag is not None else (environ.get(variable(name)), variable(name))
        )
        if text is None:
            return default
        try:
            return read(str(text))
        except ValueError as error:
            raise Bad(f"{source}: {error}") from None

    certificate, key = value("certificate", _file, None), value("key", _file, None)
    if (certificate is None) != (key is None):
        raise Bad("--certificate and --key come together")
    turn = TurnSettings(value("turn-urls", read_urls, ()), value("turn-secret-file", _secret_file, None))
    if bool(turn.urls) != (turn.secret_file is not None):
        raise Bad("--turn-urls and --turn-secret-file come together")
    advertised = value("media-address", _addresses, None) or (LOOPBACK,)
    only = advertised[0] if len(advertised) == 1 else "0.0.0.0"  # noqa: S104 - asked for more than one
    host = value("host", _address, LOOPBACK)
    port, workers = value("media-port", _port, 0), value("media-workers", _workers, 1)
    if port and port + workers - 1 > MAX_PORT:
        raise Bad(f"--media-port {port}: {workers} workers need as many ports from there on")
    here_only = ipaddress.ip_address(host).is_loopback
    settings = Settings(
        database_url=database_url(value("db", Path, Path("var/diemcau.db"))),
        host=host,
        port=value("port", _port, DEFAULT_PORT),
        public_origins=value("origin", _origins, ()),
        allowed_hosts=(host, "localhost") if here_only else (),
        tls_certificate=certificate,
        tls_key=key,
        trusted_proxies=value("trusted-proxies", _networks, ()),
        known_networks=value("known-networks", _networks, ()),
        metrics_networks=value("metrics-networks", _networks, LOOPBACK_NETWORKS),
        turn=turn,
        media=MediaSettings(
            host=value("media-host", _address, only),
            advertised=advertised,
            udp_port=port,
            workers=workers,
            video=value("video-codec", _codec, None),
        ),
        recording=_recording(value),
        fleet=_fleet(value),
        stills_every_s=60 * value("stills", _minutes, 0.0),
    )
    if not (here_only or settings.secure or value("plain-http", _yes, False)):
        raise Bad(
            f"--host {host}: others would send passwords unencrypted; give --certificate and --key, "
            "or an https --origin that a proxy serves, or accept it with --plain-http"
        )
    return settings


class _Value(Protocol):
    """Reads one setting, by its flag or its variable."""

    def __call__(self, name: str, read: Callable[[str], T], default: T) -> T: ...


def _fleet(value: _Value) -> FleetSettings:
    mail = value("mail-server", _mail_server, MailServer())
    sender = value("mail-from", _mail_address, "")
    if mail.host and not sender:
        raise Bad("--mail-server needs --mail-from")
    return FleetSettings(
        mail=msgspec.structs.replace(
            mail,
            sender=sender,
            password_file=value("mail-password-file", _file, None),
            ca_file=value("mail-ca-file", _file, None),
        ),
        private_webhooks=value("private-webhooks", _yes, False),
        metrics_devices=value("device-metrics", _devices, 0),
        beat_every_s=value("beat", _beat, 30.0),
    )


_SECURITY: Final[Mapping[str, tuple[Literal["starttls", "tls", "none"], int]]] = {
    "smtp": ("starttls", 587),
    "smtps": ("tls", 465),
    "smtp+plain": ("none", 25),
}


def _mail_server(text: str) -> MailServer:
    parts = urlsplit(text)
    if parts.scheme not in _SECURITY or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError(f"not an address like smtp://user@mail.example.gov.vn:587: {text}")
    if parts.password is not None:
        raise ValueError("the password comes from --mail-password-file")
    security, port = _SECURITY[parts.scheme]
    return MailServer(parts.hostname, parts.port or port, security, unquote(parts.username or ""))


def _mail_address(text: str) -> str:
    if not re.fullmatch(r"[^\s@<>]+@[^\s@<>]+|[^<>\r\n]*<[^\s@<>]+@[^\s@<>]+>", text):
        raise ValueError(f"not an e-mail address: {text}")
    return text


def _recording(value: _Value) -> RecordingSettings:
    folder = value("recordings", str, "")
    floor_bytes = round(value("recordings-free", _gibibytes, 2.0) * GIB)
    return RecordingSettings(
        on=folder != "off",
        folder=Path(folder) if folder not in ("", "off") else None,
        start_above_bytes=2 * floor_bytes,
        stop_below_bytes=floor_bytes,
        keep_days=value("recordings-keep", _days, 30),
    )


def _devices(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > MAX_DEVICES:
        raise ValueError(f"not a number from 0 to {MAX_DEVICES}: {text}")
    return int(text)


def _beat(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 1 <= number <= 120:
        raise ValueError(f"not a number of seconds from 1 to 120: {text}")
    return number


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 36_500:
        raise ValueError(f"not a number of days from 0 to 36500: {text}")
    return int(text)


def _minutes(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if number != 0 and not 1 <= number <= 1_440:
        raise ValueError(f"not a number of minutes from 1 to 1440, nor 0 for none: {text}")
    return number


def _gibibytes(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1_000_000:
        raise ValueError(f"not a number of GiB: {text}")
    return number


def database_url(file: Path) -> str:
    """The file's folder is made; the file is, by whoever opens it first."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Bad(f"--db: cannot make the folder {file.parent}: {error.strerror}") from None
    if file.is_dir():
        raise Bad(f"--db: {file} is a folder")
    return f"sqlite+aiosqlite:///{file.resolve()}"


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > MAX_PORT:
        raise ValueError(f"not a port from 0 to 65535: {text}")
    return int(text)


def _workers(text: str) -> int:
    if text in ("auto", "0"):
        return max(1, min(MAX_WORKERS, (os.cpu_count() or 1) - 1))
    if not text.isascii() or not text.isdigit() or int(text) > MAX_WORKERS:
        raise ValueError(f"not a number from 1 to {MAX_WORKERS}, nor auto: {text}")
    return int(text)


def _codec(text: str) -> Literal["VP8", "H264"]:
    if text.lower() == "vp8":
        return "VP8"
    if text.lower() == "h264":
        return "H264"
    raise ValueError(f"neither vp8 nor h264: {text}")


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError(f"not an IP address: {text}") from None


def _addresses(text: str) -> tuple[str, ...]:
    return tuple(_address(part.strip()) for part in text.split(","))


def _networks(text: str) -> tuple[str, ...]:
    return tuple(str(ipaddress.ip_network(part.strip())) for part in text.split(","))


def _yes(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError(f"yes or no, not: {text}")
    return text == "yes"


def _file(text: str) -> Path | None:
    if not os.access(text, os.R_OK):
        raise ValueError(f"cannot be read: {text}")
    return Path(text)


def _secret_file(text: str) -> Path:
    """It is read again when the server starts: no setting holds the secret."""
    try:
        read_secret(Path(text))
    except OSError as error:
        raise ValueError(f"cannot be read: {text}: {error.strerror}") from None
    return Path(text)


def _origins(text: str) -> tuple[str, ...]:
    return tuple(_origin(part.strip()) for part in text.split(","))


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError(f"not an address like https://meet.example.gov.vn: {text}")
    return f"{parts.scheme}://{parts.netloc}"
