"""DTLS for SRTP keys (RFC 5763, RFC 5764): one certificate and one context for all connections.

Owns the handshake of one connection in memory. Knows no socket: datagrams go in and come out.
"""

import datetime
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL, crypto

from room_manager.media.sfu.srtp import EXTRACTOR, PROFILES, Keys, Profile, material_bytes

DTLS_1_2: Final = 0xFEFD  # pyOpenSSL has no name for it
MTU_BYTES: Final = 1200
RECORD_HEADER_BYTES: Final = 13
MAX_HANDSHAKE_BYTES: Final = 65_536  # of one connection; more is somebody playing with fragments
VALID_DAYS: Final = 365
CIPHERS: Final = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
    b"ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA"
)


class HandshakeFailed(Exception):
    """The connection cannot be secured, and must end."""


class Identity:
    """A self-signed ECDSA certificate, the context made with it, and the fingerprint SDP tells."""

    def __init__(self, profiles: Sequence[Profile] = PROFILES) -> None:
        """``profiles`` are what its connections may be protected with, the best first."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "diemcau")])
        now = datetime.datetime.now(tz=datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
            .sign(key, hashes.SHA256())
        )
        der = certificate.public_bytes(serialization.Encoding.DER)
        self.fingerprint = _colons(der)
        self.context = SSL.Context(SSL.DTLS_METHOD)
        # 1.2 for all: its records can be told apart on the wire, which splitting a flight relies on.
        self.context.set_min_proto_version(DTLS_1_2)
        self.context.set_max_proto_version(DTLS_1_2)
        self.context.set_options(SSL.OP_NO_TICKET)
        # Any certificate is fine for TLS: what counts is the fingerprint, checked when the handshake is done.
        self.context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, _accept)
        self.context.use_certificate(certificate)
        self.context.use_privatekey(key)
        self.context.set_cipher_list(CIPHERS)
        self.context.set_tlsext_use_srtp(b":".join(profile.name for profile in profiles))


def _colons(der: bytes) -> str:
    return hashlib.sha256(der).digest().hex(":").upper()


def _accept(*_: object) -> bool:
    return True


class Handshake:
    """One connection's DTLS association, before and after it is up."""

    __slots__ = ("_connection", "_digest", "_fingerprint", "_server", "_taken_bytes", "closed", "keys")

    def __init__(self, identity: Identity, digest: str, fingerprint: bytes, *, server: bool) -> None:
        """The peer must show a certificate with this fingerprint."""
        self._connection = SSL.Connection(identity.context, None)
        self._connection.set_ciphertext_mtu(MTU_BYTES)
        if server:
            self._connection.set_accept_state()
        else:
            self._connection.set_connect_state()
        self._server = server
        self._digest = digest
        self._fingerprint = fingerprint
        self._taken_bytes = 0
        self.keys: Keys | None = None
        self.closed = False

    def start(self) -> list[bytes]:
        """The client's first flight."""
        self._advance()
        return self._outgoing()

    def take(self, datagram: bytes) -> list[bytes]:
        """One datagram from the peer; returns what to send back.

        Sets ``keys`` when the handshake is done and ``closed`` when the peer says good-bye.
        Raises :class:`HandshakeFailed`.
        """
        self._connection.bio_write(datagram)
        if self.keys is None:
            self._taken_bytes += len(datagram)
            if self._taken_bytes > MAX_HANDSHAKE_BYTES:
                raise HandshakeFailed("handshake too long")
            self._advance()
        else:
            self._drain()
        return self._outgoing()

    def timer(self) -> list[bytes]:
        """What to repeat because no answer came; cheap when nothing is due."""
        if self.keys is None:
            left = self._connection.DTLSv1_get_timeout()
            if left is not None and left <= 0:
                try:
                    self._connection.DTLSv1_handle_timeout()
                except SSL.Error as error:
                    raise HandshakeFailed("handshake timed out") from error
                return self._outgoing()
        return []

    def close(self) -> list[bytes]:
        """Say good-bye."""
        if self.keys is not None and not self.closed:
            self.closed = True
            try:
                self._connection.shutdown()
            except SSL.Error:
                return []
            return self._outgoing()
        return []

    def _advance(self) -> None:
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return
        except SSL.Error as error:
            raise HandshakeFailed("handshake refused") from error
        self.keys = self._secured()

    def _secured(self) -> Keys:
        certificate = self._connection.get_peer_certificate()
        if certificate is None:
            raise HandshakeFailed("no certificate")
        # Not read any further: OpenSSL takes certificates that others refuse to parse.
        der = crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)
        shown = hashlib.new(self._digest.replace("-", ""), der).digest()
        if not hmac.compare_digest(shown, self._fingerprint):
            raise HandshakeFailed("the certificate is not the one the offer named")
        name = self._connection.get_selected_srtp_profile()
        profile = next((p for p in PROFILES if p.name == name), None)
        if profile is None:
            raise HandshakeFailed("no common SRTP profile")
        material = self._connection.export_keying_material(EXTRACTOR, material_bytes(profile), None)
        return Keys(profile, material, server=self._server)

    def _drain(self) -> None:
        """Read alerts; we carry no application data, so whatever else comes is dropped."""
        try:
            for _ in range(16):
                self._connection.recv(1500)
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            self.closed = True
        except SSL.Error:
            pass  # a record that does not authenticate changes nothing

    def _outgoing(self) -> list[bytes]:
        """What OpenSSL wants sent, as datagrams of whole records within the MTU."""
        pending = b""
        while True:
            try:
                pending += self._connection.bio_read(16_384)
            except SSL.Error:
                break
        return split_flight(pending)


def split_flight(pending: bytes) -> list[bytes]:
    """Group whole records (RFC 6347, section 4.1) into datagrams no larger than the MTU."""
    datagrams: list[bytes] = []
    start = at = 0
    while at + RECORD_HEADER_BYTES <= len(pending):
        end = at + RECORD_HEADER_BYTES + int.from_bytes(pending[at + 11 : at + 13], "big")
        if end - start > MTU_BYTES and at > start:
            datagrams.append(pending[start:at])
            start = at
        at = end
    if len(pending) > start:
        datagrams.append(pending[start:])
    return datagrams
