"""ICE, DTLS and SRTP in memory: what is accepted, from whom, and what is not."""

import datetime
import hashlib
import struct
from pathlib import Path

import pytest
from aioice import stun
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from OpenSSL import crypto

from room_manager.media.sfu import private
from room_manager.media.sfu.dtls import MTU_BYTES, Handshake, HandshakeFailed, Identity, split_flight
from room_manager.media.sfu.ice import Check, Credentials, binding_request, read_check
from room_manager.media.sfu.rtp import build
from room_manager.media.sfu.srtp import PROFILES, Keys, Opener, material_bytes

OURS, THEIRS = Identity(), Identity()
ADDRESS = ("192.0.2.1", 5000)
CREDENTIALS = Credentials("ours", "password-of-ours", "theirs")


def fingerprint(identity: Identity) -> bytes:
    return bytes.fromhex(identity.fingerprint.replace(":", ""))


def shake(server: Handshake, client: Handshake) -> None:
    """Carry flights until both have nothing to say."""
    flight = client.start()
    for _ in range(10):
        back = [answer for datagram in flight for answer in server.take(datagram)]
        flight = [answer for datagram in back for answer in client.take(datagram)]


def check_with(password: str, ufrag: str = "ours", remote: str = "theirs") -> Check:
    found = read_check(binding_request(remote, ufrag, password, 1))
    assert found is not None
    return found


def test_only_who_knows_the_password_is_authentic() -> None:
    assert CREDENTIALS.authentic(check_with("password-of-ours"))
    assert not CREDENTIALS.authentic(check_with("another-password"))
    assert not CREDENTIALS.authentic(check_with("password-of-ours", remote="somebody"))


def test_a_check_without_integrity_is_not_authentic() -> None:
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes={"USERNAME": "ours:theirs"})
    found = read_check(bytes(request))

    assert found is not None
    assert not CREDENTIALS.authentic(found)


@pytest.mark.parametrize("address", [ADDRESS, ("2001:db8::7", 65_000)])
def test_the_answer_tells_the_address_and_proves_who_we_are(address: tuple[str, int]) -> None:
    response = stun.parse_message(CREDENTIALS.answer(check_with("password-of-ours"), address))

    assert response.message_class == stun.Class.RESPONSE
    assert response.attributes["XOR-MAPPED-ADDRESS"] == address
    assert response.check_message_integrity(b"password-of-ours")


def test_another_controlled_side_is_told_of_the_conflict() -> None:
    request = stun.Message(
        stun.Method.BINDING,
        stun.Class.REQUEST,
        attributes={"USERNAME": "ours:theirs", "ICE-CONTROLLED": 1, "PRIORITY": 1},
    )
    request.add_message_integrity(b"password-of-ours")
    found = read_check(bytes(request))
    assert found is not None

    assert stun.parse_message(CREDENTIALS.answer(found, ADDRESS)).error_code == 487


@given(st.binary(max_size=120))
def test_any_datagram_is_a_check_or_nothing(data: bytes) -> None:
    read_check(data)
    body = data[: len(data) // 4 * 4]
    read_check(struct.pack("!HHI12s", 1, len(body), stun.COOKIE, b"t" * 12) + body)


@given(st.integers(0, 200), st.integers(0, 255))
def test_a_spoilt_check_is_never_authentic(at: int, value: int) -> None:
    good = bytearray(binding_request("theirs", "ours", "password-of-ours", 1))
    at %= len(good) - 8  # what follows is the FINGERPRINT, a checksum that proves nothing
    if good[at] == value:
        return
    good[at] = value

    found = read_check(bytes(good))

    assert found is None or not CREDENTIALS.authentic(found)


def test_a_handshake_gives_both_the_same_keys_and_the_profile_we_prefer() -> None:
    server = Handshake(OURS, "sha-256", fingerprint(THEIRS), server=True)
    client = Handshake(THEIRS, "sha-256", fingerprint(OURS), server=False)

    shake(server, client)

    assert server.keys is not None
    assert client.keys is not None
    assert server.keys.profile.name == b"SRTP_AEAD_AES_128_GCM"


def test_another_certificate_than_the_offer_named_ends_the_call() -> None:
    server = Handshake(OURS, "sha-256", fingerprint(Identity()), server=True)
    client = Handshake(THEIRS, "sha-256", fingerprint(OURS), server=False)

    with pytest.raises(HandshakeFailed, match="not the one"):
        shake(server, client)

    assert server.keys is None


def test_a_certificate_that_only_openssl_can_read_is_known_by_its_fingerprint(tmp_path: Path) -> None:
    odd = Identity()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "odd")])
    now = datetime.datetime.now(tz=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(5).not_valid_before(now).not_valid_after(now + datetime.timedelta(1))
    der = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    der = der.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020106"), 1)  # of version 7
    with pytest.raises(x509.InvalidVersion):
        x509.load_der_x509_certificate(der)
    (tmp_path / "odd.der").write_bytes(der)
    odd.context.use_certificate_file(str(tmp_path / "odd.der"), crypto.FILETYPE_ASN1)
    odd.context.use_privatekey(key)

    right = Handshake(OURS, "sha-256", hashlib.sha256(der).digest(), server=True)
    shake(right, Handshake(odd, "sha-256", fingerprint(OURS), server=False))
    assert right.keys is not None
    wrong = Handshake(OURS, "sha-256", fingerprint(THEIRS), server=True)
    with pytest.raises(HandshakeFailed, match="not the one"):
        shake(wrong, Handshake(odd, "sha-256", fingerprint(OURS), server=False))


def test_a_good_bye_is_understood_and_forged_records_are_not_heeded() -> None:
    server = Handshake(OURS, "sha-256", fingerprint(THEIRS), server=True)
    client = Handshake(THEIRS, "sha-256", fingerprint(OURS), server=False)
    shake(server, client)

    server.take(bytes.fromhex("15fefd0001000000000009000200 01 00"))
    server.take(b"\x16" * 100)
    assert not server.closed
    for datagram in client.close():
        server.take(datagram)

    assert server.closed


def test_an_endless_handshake_is_ended() -> None:
    server = Handshake(OURS, "sha-256", fingerprint(THEIRS), server=True)
    fragment = bytes.fromhex("16fefd0000000000000000 000d") + b"\x01" * 13

    def endless() -> None:
        for _ in range(100_000):
            server.take(fragment)

    with pytest.raises(HandshakeFailed):
        endless()


@given(st.lists(st.binary(min_size=1, max_size=80), max_size=6))
def test_any_bytes_in_a_handshake_are_an_answer_or_its_end(datagrams: list[bytes]) -> None:
    server = Handshake(OURS, "sha-256", fingerprint(THEIRS), server=True)
    try:
        for datagram in datagrams:
            server.take(b"\x16" + datagram)
    except HandshakeFailed:
        pass


@given(st.lists(st.integers(0, 1150), max_size=12))
def test_flights_are_cut_between_records(sizes: list[int]) -> None:
    records = [b"\x16\xfe\xfd" + bytes(8) + size.to_bytes(2, "big") + b"r" * size for size in sizes]

    datagrams = split_flight(b"".join(records))

    assert b"".join(datagrams) == b"".join(records)
    assert all(len(datagram) <= MTU_BYTES for datagram in datagrams)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda p: p.name.decode())
def test_packets_are_protected_in_place_and_opened_by_the_other_end(profile: object) -> None:
    found = next(p for p in PROFILES if p is profile)
    material = bytes(range(material_bytes(found)))
    server, client = Keys(found, material, server=True), Keys(found, material, server=False)
    memory, view = private.new_buffer(2048)
    length, opener = private.new_length(), Opener()
    plain = build(96, 7, 8, 9, b"picture")

    view[: len(plain)] = plain
    length[0] = len(plain)
    assert private.protect_rtp(server.sending, memory, length) == 0
    size = length[0]

    assert size == len(plain) + found.trailer_bytes
    opener.view[:size] = view[:size]
    assert opener.rtp(client, size) == plain
    opener.view[:size] = view[:size]
    assert opener.rtp(client, size) is None  # a replay
    opener.view[:size] = bytes(view[: size - 1]) + b"\0"
    assert opener.rtp(Keys(found, material, server=False), size) is None  # a forgery
    assert opener.rtp(client, 3) is None
    assert opener.rtcp(client, 3) is None


@given(st.binary(max_size=100))
def test_any_bytes_are_opened_to_nothing(data: bytes) -> None:
    keys, opener = Keys(PROFILES[0], bytes(56), server=True), Opener()
    for function in (opener.rtp, opener.rtcp):
        opener.view[: len(data)] = data
        assert function(keys, len(data)) is None
