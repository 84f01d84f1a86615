"""ICE-lite (RFC 8445, section 2.5): we answer authenticated connectivity checks and send none.

What an address may do follows from the checks it has passed: nothing but STUN is taken from one that has
passed none, which is what keeps a forged ClientHello from a third address out of a handshake.

Checks are read byte by byte here, and only as far as needed: several hundred connections send one every few
seconds, and whoever sprays forged ones must cost little.
"""

import hmac
import socket
import struct
import zlib
from typing import Final, NamedTuple

from aioice import stun

Address = tuple[str, int]

MIN_CHECK_BYTES: Final = 28  # a header and the shortest USERNAME
MAX_CHECK_BYTES: Final = 1280
MAX_ATTRIBUTES: Final = 24
CONSENT_S: Final = 45.0  # 30 s (RFC 7675, section 5.1), and what a line takes to come back

COOKIE: Final = 0x2112A442
COOKIE_BYTES: Final = COOKIE.to_bytes(4, "big")
FINGERPRINT_MASK: Final = 0x5354554E
REQUEST: Final = 0x0001
SUCCESS: Final = 0x0101
ERROR: Final = 0x0111
USERNAME: Final = 0x0006
INTEGRITY: Final = 0x0008
ERROR_CODE: Final = 0x0009
MAPPED: Final = 0x0020
USE_CANDIDATE: Final = 0x0025
FINGERPRINT: Final = 0x8028
CONTROLLED: Final = 0x8029
ROLE_CONFLICT: Final = b"\0\0\4\x57Role Conflict"  # 487

_HEAD: Final = struct.Struct("!HHL")
_PAIR: Final = struct.Struct("!HH")


class Check(NamedTuple):
    """A binding request as it came; not yet authenticated."""

    datagram: bytes
    ufrag: bytes  # ours
    remote_ufrag: bytes
    nominates: bool
    controlled: bool  # the other end says that it, too, is the controlled one
    integrity_at: int  # where MESSAGE-INTEGRITY begins; 0: there is none


def read_check(datagram: bytes) -> Check | None:
    """A binding request with a user name (RFC 8489, section 5); None: anything else, however malformed."""
    size = len(datagram)
    if not MIN_CHECK_BYTES <= size <= MAX_CHECK_BYTES or size & 3:
        return None
    kind, length, cookie = _HEAD.unpack_from(datagram)
    if kind != REQUEST or cookie != COOKIE or length != size - 20:
        return None
    name = b""
    nominates = controlled = False
    integrity_at = seen = 0
    at = 20
    while at < size:
        what, long = _PAIR.unpack_from(datagram, at)
        start = at + 4
        end = start + long
        seen += 1
        if end > size or seen > MAX_ATTRIBUTES:
            return None
        if what == FINGERPRINT:
            expected = zlib.crc32(datagram[:at]) ^ FINGERPRINT_MASK
            if end != size or datagram[start:end] != expected.to_bytes(4, "big"):
                return None
        elif integrity_at:
            pass  # RFC 8489, section 14.5: not authenticated, so not heeded
        elif what == USERNAME:
            name = datagram[start:end]
        elif what == INTEGRITY:
            if long != 20:
                return None
            integrity_at = at
        elif what == USE_CANDIDATE:
            nominates = True
        elif what == CONTROLLED:
            controlled = True
        at = end + 3 & ~3
    ours, colon, theirs = name.partition(b":")
    if not colon:
        return None
    return Check(datagram, ours, theirs, nominates, controlled, integrity_at)


class Credentials:
    """Both ends' names and our password, of one connection."""

    __slots__ = ("_password", "_remote", "remote_ufrag", "ufrag")

    def __init__(self, ufrag: str, password: str, remote_ufrag: str) -> None:
        self.ufrag = ufrag.encode()
        self._password = password.encode()
        self.remote_ufrag = remote_ufrag
        self._remote = remote_ufrag.encode()

    def authentic(self, check: Check) -> bool:
        """Whether whoever sent the check knows the password we told in the answer."""
        at = check.integrity_at
        if not at or not hmac.compare_digest(check.remote_ufrag, self._remote):
            return False
        shown = check.datagram[at + 4 : at + 24]
        return hmac.compare_digest(shown, self._integrity(check.datagram[:at]))

    def answer(self, check: Check, address: Address) -> bytes:
        """The success response, or role conflict: being lite we are always the controlled side."""
        transaction = check.datagram[4:20]  # the cookie goes with it
        if check.controlled:
            body, kind = _attribute(ERROR_CODE, ROLE_CONFLICT), ERROR
        else:
            body, kind = _attribute(MAPPED, _mapped(address, transaction)), SUCCESS
        unsigned = _PAIR.pack(kind, len(body) + 32) + transaction + body
        signed = unsigned + _attribute(INTEGRITY, self._integrity(unsigned))
        checksum = zlib.crc32(signed) ^ FINGERPRINT_MASK
        return signed + _attribute(FINGERPRINT, checksum.to_bytes(4, "big"))

    def _integrity(self, before: bytes) -> bytes:
        """HMAC over what precedes, as if the message ended with it (RFC 8489, section 14.5)."""
        length = (len(before) + 4).to_bytes(2, "big")
        return hmac.digest(self._password, before[:2] + length + before[4:], "sha1")


def _attribute(kind: int, value: bytes) -> bytes:
    return _PAIR.pack(kind, len(value)) + value + bytes(-len(value) % 4)


def _mapped(address: Address, transaction: bytes) -> bytes:
    """XOR-MAPPED-ADDRESS (RFC 8489, section 14.2)."""
    host, port = address
    family, kind = (socket.AF_INET6, 2) if ":" in host else (socket.AF_INET, 1)
    packed = socket.inet_pton(family, host.partition("%")[0])
    hidden = int.from_bytes(packed, "big") ^ int.from_bytes(transaction[: len(packed)], "big")
    return bytes((0, kind)) + (port ^ COOKIE >> 16).to_bytes(2, "big") + hidden.to_bytes(len(packed), "big")


def binding_request(
    ufrag: str, remote_ufrag: str, password: str, tie_breaker: int, *, nominates: bool = True
) -> bytes:
    """A check as a controlling client sends it (RFC 8445, section 7.2)."""
    attributes: dict[str, object] = {
        "USERNAME": f"{remote_ufrag}:{ufrag}",
        "PRIORITY": 1845501695,
        "ICE-CONTROLLING": tie_breaker,
    }
    if nominates:
        attributes["USE-CANDIDATE"] = None
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes=attributes)
    request.add_message_integrity(password.encode())
    return bytes(request)
