"""A certificate and the addresses for a demo that other machines in the network open.

Browsers give a camera only to a secure page. ``localhost`` counts as one; another machine's address needs
HTTPS, here with a certificate that this machine signs for itself.
"""

import datetime as dt
import ipaddress
import os
import socket
from pathlib import Path

import ifaddr
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

VALID_DAYS = 365
RENEW_DAYS = 7
NOBODY = "192.0.2.1"  # RFC 5737: documentation; nothing is sent, only the route is looked up


class Certificate(Struct, frozen=True):
    """Two PEM files; the key is readable by its owner only."""

    certificate: Path
    key: Path


def addresses() -> list[str]:
    """This machine's IPv4 addresses that others may reach, the one of the default route first."""
    found = [
        str(ip.ip)
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
        if isinstance(ip.ip, str) and not ipaddress.ip_address(ip.ip).is_loopback
    ]
    first = _default_address()
    return sorted(dict.fromkeys(found), key=lambda address: address != first)


def _default_address() -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((NOBODY, 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])


def certificate(folder: Path, hosts: list[str], now: dt.datetime) -> Certificate:
    """The certificate for these addresses and ``localhost``: the one in the folder if it still serves."""
    files = Certificate(folder / "lan-certificate.pem", folder / "lan-key.pem")
    names = _names(hosts)
    if not _still_serves(files, names, now):
        _write(files, names, now)
    return files


def _names(hosts: list[str]) -> list[x509.GeneralName]:
    plain: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.DNSName(socket.gethostname())]
    return plain + [x509.IPAddress(ipaddress.ip_address(host)) for host in ("127.0.0.1", *hosts)]


def _still_serves(files: Certificate, names: list[x509.GeneralName], now: dt.datetime) -> bool:
    try:
        old = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        covered = old.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    lasts = old.not_valid_after_utc > now + dt.timedelta(days=RENEW_DAYS)
    return files.key.is_file() and lasts and set(names) <= set(covered)


def _write(files: Certificate, names: list[x509.GeneralName], now: dt.datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Diem Cau demo")])
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files.certificate.parent.mkdir(parents=True, exist_ok=True)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private(files.key, secret)
    files.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))


def write_private(path: Path, content: bytes) -> None:
    """A file that only its owner can read, from its first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
