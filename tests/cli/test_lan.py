"""The certificate of ``demo --lan``."""

import datetime as dt
import stat
from pathlib import Path

from cryptography import x509

from signaling.cli import lan

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


def names(files: lan.Certificate) -> x509.SubjectAlternativeName:
    loaded = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    return loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value


def test_certificate_names_localhost_and_every_address(tmp_path: Path) -> None:
    files = lan.certificate(tmp_path / "var", ["10.1.2.3"], NOW)

    addresses = [str(address) for address in names(files).get_values_for_type(x509.IPAddress)]

    assert addresses == ["127.0.0.1", "10.1.2.3"]
    assert "localhost" in names(files).get_values_for_type(x509.DNSName)


def test_only_the_owner_can_read_the_key(tmp_path: Path) -> None:
    files = lan.certificate(tmp_path, ["10.1.2.3"], NOW)

    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600


def test_certificate_that_still_serves_is_kept_so_that_a_browser_asks_once(tmp_path: Path) -> None:
    before = lan.certificate(tmp_path, ["10.1.2.3"], NOW).certificate.read_bytes()

    again = lan.certificate(tmp_path, ["10.1.2.3"], NOW + dt.timedelta(days=300)).certificate.read_bytes()

    assert again == before


def test_new_address_or_coming_expiry_or_damage_make_a_new_one(tmp_path: Path) -> None:
    first = lan.certificate(tmp_path, ["10.1.2.3"], NOW).certificate.read_bytes()

    moved = lan.certificate(tmp_path, ["10.1.2.4"], NOW).certificate.read_bytes()
    late = lan.certificate(tmp_path, ["10.1.2.4"], NOW + dt.timedelta(days=360)).certificate.read_bytes()
    (tmp_path / "lan-certificate.pem").write_text("scribble")
    mended = lan.certificate(tmp_path, ["10.1.2.4"], NOW).certificate.read_bytes()

    assert len({first, moved, late, mended}) == 4


def test_loopback_is_no_address_for_others() -> None:
    assert not [address for address in lan.addresses() if address.startswith("127.")]
