"""What a server is told when it starts. Plain values; reading them from words is the command line's work."""

from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from msgspec import Struct

from kiosk_hub.services.mail import MailServer

GIB: Final = 1 << 30
STATIC: Final = Path(__file__).parent / "static"


_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


def host_name(host: str) -> str:
    """A ``Host`` without its port, in small letters; a bare IPv6 address in the brackets it has there."""
    if host.count(":") > 1 and not host.startswith("["):
        return f"[{host.lower()}]"
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdecimal() else host.lower()


class MediaSettings(Struct, frozen=True):
    """Which media engine, and where it is reached."""

    engine: Literal["sfu", "fake"] = "sfu"
    host: str = "127.0.0.1"  # where the UDP port is bound
    advertised: tuple[str, ...] = ()  # addresses told to clients; empty: ``host``
    udp_port: int = 0  # 0: any free one
    video: Literal["VP8", "H264"] | None = None  # every meeting's codec; None: what its first client has
    workers: int = 1  # processes that forward media, each on a port of its own from ``udp_port`` on


class TurnSettings(Struct, frozen=True):
    """Relays for clients that reach nothing else. The secret itself is in no setting: settings are shown."""

    urls: tuple[str, ...] = ()
    secret_file: Path | None = None  # what the relay knows, too


class RecordingSettings(Struct, frozen=True):
    """Where meetings are recorded, how much space that must leave, and how long files are kept."""

    on: bool = True
    folder: Path | None = None  # None: ``recordings`` beside the database
    start_above_bytes: int = 4 * GIB  # of free space, or no recording begins
    stop_below_bytes: int = 2 * GIB  # of free space, and recordings end by themselves
    keep_days: int = 30  # 0: for ever


class FleetSettings(Struct, frozen=True):
    """Kiosks and bridge points' devices."""

    metrics_devices: int = 0  # how many devices have series of their own in /metrics, at most
    beat_every_s: float = 30.0  # how often each tells how it is; at most 120
    evidence_folder: Path | None = None  # None: ``evidence`` beside the database
    bundles_folder: Path | None = None  # None: ``bundles`` beside the database
    max_bundle_bytes: int = 200 << 20
    keep_free_bytes: int = GIB  # no bundle is taken in that would leave less of the disk
    mail: MailServer = MailServer()  # no host: incidents are told by webhooks only
    private_webhooks: bool = False  # webhooks may reach this machine and its network, and without https


class Settings(Struct, frozen=True):
    """One server."""

    database_url: str  # sqlite+aiosqlite:///path/to/file
    host: str = "127.0.0.1"
    port: int = 8080  # 0: any free one
    public_origins: tuple[str, ...] = ()  # https://meet.example.gov.vn; the server's own host is always one
    media: MediaSettings = MediaSettings()
    turn: TurnSettings = TurnSettings()
    recording: RecordingSettings = RecordingSettings()
    fleet: FleetSettings = FleetSettings()
    stills_every_s: float = 0.0  # a small picture of each site, for officials; 0: none is taken
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    static: Path = STATIC
    trusted_proxies: tuple[str, ...] = ()  # whose X-Forwarded-For is believed
    known_networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")  # many clients behind one address
    metrics_networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")  # who may read /metrics
    allowed_hosts: tuple[str, ...] = ()  # names answered besides those of ``public_origins``

    @property
    def host_names(self) -> frozenset[str]:
        """The names in ``Host`` that are answered, without ports; none: any is."""
        origins = {urlsplit(origin).netloc for origin in self.public_origins}
        named = {host_name(host) for host in (*origins, *self.allowed_hosts)}
        return frozenset(named | _LOOPBACK) if named else frozenset()

    @property
    def recordings_folder(self) -> Path:
        """Where recordings are kept."""
        return self.recording.folder or self._beside("recordings")

    @property
    def evidence_folder(self) -> Path:
        """Where screenshots and logs of devices are kept."""
        return self.fleet.evidence_folder or self._beside("evidence")

    @property
    def bundles_folder(self) -> Path:
        """Where bundles, their signatures and keys are kept."""
        return self.fleet.bundles_folder or self._beside("bundles")

    def _beside(self, name: str) -> Path:
        """A folder of this name beside the database."""
        scheme, _, file = self.database_url.partition(":///")
        beside = Path(file).parent if scheme.startswith("sqlite") else Path("var")
        return beside / name

    @property
    def secure(self) -> bool:
        """Pages are reached by https, so cookies may be ``Secure``."""
        if self.tls_certificate is not None:
            return True
        return bool(self.public_origins) and all(
            urlsplit(origin).scheme == "https" for origin in self.public_origins
        )
