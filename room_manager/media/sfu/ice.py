"""ICE-lite (RFC 8445, section 2.5): we answer authenticated connectivity checks and send none.

What an address may do follows from the checks it has passed: nothing but STUN is taken from one that has
passed none, which is what keeps a forged ClientHello from a third address out of a handshake.
"""

import hmac
import struct
from typing import Final, NamedTuple

from aioice import stun

Address = tuple[str, int]

MAX_CHECK_BYTES: Final = 1280
CONSENT_S: Final = 30.0  # RFC 7675, section 5.1
ROLE_CONFLICT: Final = (487, "Role Conflict")


class Check(NamedTuple):
    """A binding request as it came; not yet authenticated."""

    message: stun.Message
    ufrag: str  # ours
    remote_ufrag: str
    nominates: bool


def read_check(datagram: bytes) -> Check | None:
    """A binding request with a user name; None: anything else, however malformed."""
    if len(datagram) > MAX_CHECK_BYTES:
        return None
    try:
        message = stun.parse_message(datagram)
    except (ValueError, struct.error, LookupError, TypeError):
        return None
    if message.message_class != stun.Class.REQUEST or message.message_method != stun.Method.BINDING:
        return None
    name = message.attributes.get("USERNAME")
    if not isinstance(name, str) or ":" not in name:
        return None
    ours, _, theirs = name.partition(":")
    return Check(message, ours, theirs, "USE-CANDIDATE" in message.attributes)


class Credentials:
    """Both ends' names and our password, of one connection."""

    __slots__ = ("_password", "remote_ufrag", "ufrag")

    def __init__(self, ufrag: str, password: str, remote_ufrag: str) -> None:
        self.ufrag = ufrag
        self._password = password.encode()
        self.remote_ufrag = remote_ufrag

    def authentic(self, check: Check) -> bool:
        """Whether whoever sent the check knows the password we told in the answer."""
        return hmac.compare_digest(
            check.remote_ufrag.encode(), self.remote_ufrag.encode()
        ) and check.message.check_message_integrity(self._password)

    def answer(self, check: Check, address: Address) -> bytes:
        """The success response, or role conflict: being lite we are always the controlled side."""
        message = check.message
        if "ICE-CONTROLLED" in message.attributes:
            attributes: dict[str, object] = {"ERROR-CODE": ROLE_CONFLICT}
            kind = stun.Class.ERROR
        else:
            attributes = {"XOR-MAPPED-ADDRESS": address}
            kind = stun.Class.RESPONSE
        response = stun.Message(stun.Method.BINDING, kind, message.transaction_id, attributes)
        response.add_message_integrity(self._password)
        return bytes(response)


def binding_request(ufrag: str, remote_ufrag: str, password: str, tie_breaker: int) -> bytes:
    """A nominating check as a controlling client sends it (RFC 8445, section 7.2)."""
    request = stun.Message(
        stun.Method.BINDING,
        stun.Class.REQUEST,
        attributes={
            "USERNAME": f"{remote_ufrag}:{ufrag}",
            "PRIORITY": 1845501695,
            "ICE-CONTROLLING": tie_breaker,
            "USE-CANDIDATE": None,
        },
    )
    request.add_message_integrity(password.encode())
    return bytes(request)
