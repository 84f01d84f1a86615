"""SRTP profiles, and keys from a DTLS handshake (RFC 5764, RFC 7714)."""

from typing import Any, Final, NamedTuple

from pylibsrtp import Policy, Session

from room_manager.media.sfu import private

EXTRACTOR: Final = b"EXTRACTOR-dtls_srtp"
MAX_TRAILER_BYTES: Final = 32
MAX_SSRCS: Final = 64  # of one peer; libsrtp keeps state for each it has authenticated


class Profile(NamedTuple):
    """One way to protect packets."""

    name: bytes
    number: int
    key_bytes: int
    salt_bytes: int
    trailer_bytes: int  # added to every RTP packet


# As DTLS server we choose, and GCM costs half of counter mode with HMAC.
PROFILES: Final = (
    Profile(b"SRTP_AEAD_AES_128_GCM", Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12, 16),
    Profile(b"SRTP_AES128_CM_SHA1_80", Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14, 10),
)


class Keys:
    """Both directions of one connection."""

    __slots__ = ("_sessions", "profile", "receiving", "sending")

    def __init__(self, profile: Profile, material: bytes, *, server: bool) -> None:
        """``material`` is what the handshake exported: client key, server key, client salt, server salt."""
        ours, theirs = (1, 0) if server else (0, 1)
        out, self.sending = private.session(profile.number, _key(profile, material, ours), inbound=False)
        into, self.receiving = private.session(profile.number, _key(profile, material, theirs), inbound=True)
        self._sessions: tuple[Session, Session] = (out, into)
        self.profile = profile


def material_bytes(profile: Profile) -> int:
    """How much to export from the handshake."""
    return 2 * (profile.key_bytes + profile.salt_bytes)


def _key(profile: Profile, material: bytes, index: int) -> bytes:
    key, salt = index * profile.key_bytes, 2 * profile.key_bytes + index * profile.salt_bytes
    return material[key : key + profile.key_bytes] + material[salt : salt + profile.salt_bytes]


FORGED: Final = 7  # srtp_err_status_auth_fail
REPLAYED: Final = frozenset({9, 10})  # srtp_err_status_replay_fail and _old


class Opener:
    """Takes protection off: in a buffer of its own that is used again and again, or where a packet lies."""

    __slots__ = ("_length", "memory", "view")

    def __init__(self) -> None:
        self.memory, self.view = private.new_buffer(2048)
        self._length = private.new_length()

    def rtp(self, keys: Keys, size: int) -> bytes | None:
        """The plaintext of the first ``size`` bytes of the view; None: forged, replayed or broken."""
        opened = self.opened(private.unprotect_rtp, keys, self.memory, size)
        return bytes(self.view[:opened]) if opened >= 0 else None

    def rtcp(self, keys: Keys, size: int) -> bytes | None:
        """The same for a control datagram."""
        opened = self.opened(private.unprotect_rtcp, keys, self.memory, size)
        return bytes(self.view[:opened]) if opened >= 0 else None

    def opened(self, function: Any, keys: Keys, place: Any, size: int) -> int:
        """Open in place: how many bytes the plaintext has, or minus libsrtp's reason."""
        length = self._length
        length[0] = size
        reason = function(keys.receiving, place, length)
        return int(-reason if reason else length[0])
